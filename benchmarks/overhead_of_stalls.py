"""What it costs a program to be watched by `gilkit stalls`: pairs of runs, with the watch and without.

    python benchmarks/overhead_of_stalls.py [PAIRS] [--seconds SECONDS] [--only NAME]

Each pair (60) runs a program twice in one process, in a random order: for SECONDS (0.5) with `gilkit.Stalls`
around it, and for as long without. After ten pairs another process goes on. A figure is the work that is done
with the watch by that without, of a pair; the line has the median and its interval.
Programs: one thread of Python code; four that compete for the GIL; four that each release it most of the
time; threads that come and go, each at work for as long as one turn of the others; and threads that do
nothing but come and go. Exits with 1 if any surely lost more than 2 %, or the last more than 6 %.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys

from gilkit.results.stats import spread_over

COMING = "def turn():\n    one = threading.Thread(target=sum, args=(range({}),)); one.start(); one.join()"
PAIRS_OF_A_PROCESS = 10
PROGRAMS = {  # what each does, on how many threads, and how much of its speed it may lose
    "one thread": ("def turn(): sum(range(10_000))", 1, 0.02),
    "four threads": ("def turn(): sum(range(10_000))", 4, 0.02),
    "four that release": ("import zlib; data = bytes(10**6)\ndef turn(): zlib.compress(data)", 4, 0.02),
    "threads come and go": (COMING.format(10_000), 2, 0.02),
    "they do nothing else": (COMING.format(1000), 2, 0.06),
}
RUN = """
import random, sys, threading, time
from contextlib import nullcontext
from gilkit import Stalls
{setup}

def work(until):
    while time.perf_counter() < until:
        turn()
        done.append(1)

def speed(watched):
    done.clear()
    with Stalls() if watched else nullcontext():
        start = time.perf_counter()
        every = [threading.Thread(target=work, args=(start + seconds,)) for _ in range(threads)]
        for one in every: one.start()
        for one in every: one.join()
        return len(done) / (time.perf_counter() - start)

done, (seconds, threads, pairs) = [], (float(sys.argv[1]), *map(int, sys.argv[2:]))
speed(False)
for _ in range(pairs):
    found = {{watched: speed(watched) for watched in random.sample([True, False], 2)}}
    print(found[True] / found[False])
"""


def ratios(name: str, pairs: int, seconds: float) -> list[float]:
    """The work of a program with the watch by that without, of so many pairs in one process."""
    setup, threads, _ = PROGRAMS[name]
    words = [str(seconds), str(threads), str(pairs)]
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(setup=setup), *words], capture_output=True, text=True, check=True
    )
    return [float(line) for line in done.stdout.split()]


def main() -> None:
    """Measure the programs, and say whether any lost too much."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pairs", nargs="?", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--only", default="", metavar="NAME")
    options = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in PROGRAMS if options.only in name}
    if not found:
        parser.error(f"no program has {options.only!r} in its name")
    for before in range(0, options.pairs, PAIRS_OF_A_PROCESS):
        for name in random.sample(list(found), len(found)):
            found[name] += ratios(name, min(PAIRS_OF_A_PROCESS, options.pairs - before), options.seconds)
    failed = False
    for name, values in found.items():
        ratio = spread_over(dict(enumerate(values)), {i: i // PAIRS_OF_A_PROCESS for i in range(len(values))})
        failed |= ratio.high < 1 - PROGRAMS[name][-1]
        print(f"{name:<20} {ratio:.3f} of its speed ({ratio.low:.3f} to {ratio.high:.3f})")
    sys.exit(failed)


if __name__ == "__main__":
    main()
