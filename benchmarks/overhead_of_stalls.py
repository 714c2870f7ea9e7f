"""What it costs a program to be watched by `gilkit stalls`: pairs of runs, with the watch and without.

    python benchmarks/overhead_of_stalls.py [PAIRS [SECONDS]]

Each pair (30) runs the same program twice in one interpreter of its own, in a random order: for SECONDS (1)
with `gilkit.Stalls` around it, and for as long without. A figure is the work that is done with the watch by
that without, of a pair; the line has the median and its interval.
Programs: one thread of Python code; four that compete for the GIL; four that each release it most of the
time; and many threads that come and go. Exits with 1 if any surely lost more than
2 %.
"""

from __future__ import annotations

import random
import subprocess
import sys

from gilkit.results.stats import estimate

MOST = 0.02
PROGRAMS = {
    "one thread": ("def turn(): sum(range(10_000))", 1),
    "four threads": ("def turn(): sum(range(10_000))", 4),
    "four that release": ("import zlib; data = bytes(10**6)\ndef turn(): zlib.compress(data)", 4),
    "threads come and go": (
        "def turn():\n    one = threading.Thread(target=sum, args=(range(1000),)); one.start(); one.join()",
        2,
    ),
}
RUN = """
import sys, threading, time
from contextlib import nullcontext
from gilkit import Stalls
{setup}

def work(until):
    while time.perf_counter() < until:
        turn()
        done.append(1)

watched, seconds, threads = sys.argv[1] == "watched", float(sys.argv[2]), int(sys.argv[3])
done = []
with Stalls() if watched else nullcontext():
    start = time.perf_counter()
    every = [threading.Thread(target=work, args=(start + seconds,)) for _ in range(threads)]
    for one in every: one.start()
    for one in every: one.join()
    print(len(done) / (time.perf_counter() - start))
"""


def speed(name: str, watched: bool, seconds: float) -> float:
    """How often the program turns in a second."""
    setup, threads = PROGRAMS[name]
    words = ["watched" if watched else "alone", str(seconds), str(threads)]
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(setup=setup), *words], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Measure all programs, and say whether any lost too much."""
    pairs, seconds = int((sys.argv[1:2] or ["30"])[0]), float((sys.argv[2:3] or ["1"])[0])
    ratios: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(pairs):
        for name in random.sample(list(PROGRAMS), len(PROGRAMS)):
            order = random.sample([True, False], 2)
            found = {watched: speed(name, watched, seconds) for watched in order}
            ratios[name].append(found[True] / found[False])
    failed = False
    for name, values in ratios.items():
        ratio = estimate(values)
        failed |= ratio.high < 1 - MOST
        print(f"{name:<20} {ratio:.3f} of its speed ({ratio.low:.3f} to {ratio.high:.3f})")
    sys.exit(failed)


if __name__ == "__main__":
    main()
