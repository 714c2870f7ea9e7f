"""Whether `gilkit map` finds what is known: five maps of which everybody can say what comes out.

    python benchmarks/map_truths.py [NAME ...] [--runs 3] [--show]

Each is run by the command line, so many times in a row, and counted as right, wrong or not decided. Exits
with 1 if not all are right.

- tiny: x + 1 on 3,000 items. No pool pays at any chunk size, and it says what a task costs.
- python: 2 ms of pure Python on 3,000 items. Processes or interpreters, chunk size from 2 to 200, at least
  90 % of the ceiling, which is measured by `gilkit compare`.
- zlib: compressing blocks of 1 MB. Threads.
- waits: 20 ms of waiting. Threads, at least eight for every CPU.
- uneven: one item in 100 takes 100 times as long. The tail is named, and chunk size 1 advised.

It takes about three minutes a run: on a quiet machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import gilkit
from gilkit.display.tables import plain
from gilkit.machine import usable_cpus
from gilkit.studies.map.figures import task_cost
from gilkit.studies.map.verdict import Paying

PART = 0.9  # of the ceiling
Ruling = tuple[bool | None, str]  # right, wrong or not decided; and the figures


def ceiling() -> float:
    """Return how many times the work of one is done by native threads."""
    found = gilkit.compare("lcg", variants="nogil", executors=["threads", "openmp"], quick=True)
    return float(found.speedup("ceiling", "openmp", usable_cpus(), kernel="lcg"))


def tiny(found: gilkit.Mapped) -> Ruling:
    """No pool pays, and a task has its price."""
    costs = {name: f"{1e6 * cost:.0f} µs" for name, (cost, _) in task_cost(found.results).items()}
    if found.answer.paying is Paying.OPEN:
        return None, "not decided"
    right = found.answer.paying is Paying.LOOP and len(found.chunk_sizes) >= 4 and len(costs) >= 2
    return right, f"a task costs {costs}; chunk sizes {list(found.chunk_sizes)}"


def python(found: gilkit.Mapped) -> Ruling:
    """Processes or interpreters do, nearly as far as the ceiling."""
    best, whole = found.answer.best, found.answer.whole
    if found.answer.paying is not Paying.POOL or best is None:
        return (None if found.answer.paying is Paying.OPEN else False), str(found.line)
    top = ceiling()
    shares = [one.speedup / top for one in (best, whole) if one is not None]
    right = best.way.executor in ("processes", "interpreters") and 2 <= best.way.chunk <= 200
    told = f"{found.line}: {best.speedup:.2f}× there"
    told += f", {whole.speedup:.2f}× with its start and all items" if whole is not None else ""
    return right and max(
        shares
    ) >= PART, f"{told}, ceiling {top:.2f}×: {', '.join(f'{s:.0%}' for s in shares)}"


def zlib(found: gilkit.Mapped) -> Ruling:
    """Threads do."""
    best = found.answer.best
    if found.answer.paying is not Paying.POOL or best is None:
        return (None if found.answer.paying is Paying.OPEN else False), str(found.line)
    return best.way.executor == "threads", f"{found.line}: {best.speedup:.2f}×"


def waits(found: gilkit.Mapped) -> Ruling:
    """Threads do, and many of them."""
    right, told = zlib(found)
    best = found.answer.best
    return (right and best is not None and best.way.workers >= 8 * usable_cpus() if right else right), told


def uneven(found: gilkit.Mapped) -> Ruling:
    """The tail is named."""
    best = found.answer.best
    named = "uneven items" in plain(found) and "chunk size 1" in plain(found)
    if found.answer.paying is not Paying.POOL or best is None:
        return (None if found.answer.paying is Paying.OPEN else False), str(found.line)
    return named and best.way.chunk == 1, f"{found.line}; the tail is {'named' if named else 'not named'}"


LOOP = "def work(x):\n    t = 0\n    for i in range(x):\n        t += i * i\n    return t"
TRUTHS: dict[str, tuple[tuple[str, str, str], Callable[[gilkit.Mapped], Ruling]]] = {
    "tiny": (("def plus(x): return x + 1", "plus", "range(3000)"), tiny),
    "python": ((LOOP, "work", "[40_000] * 3000"), python),
    "zlib": (
        (
            "import zlib, random\nblocks = [random.Random(i).randbytes(500_000) * 2 for i in range(48)]",
            "zlib.compress",
            "blocks",
        ),
        zlib,
    ),
    "waits": (("import time", "time.sleep", "[0.02] * 400"), waits),
    "uneven": ((LOOP, "work", "[2_000_000 if i % 100 == 50 else 20_000 for i in range(1000)]"), uneven),
}


def main() -> None:
    """Run the truths that are asked for, and count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--show", action="store_true", help="print every report, too")
    asked = parser.parse_args()
    right = 0
    names = asked.names or list(TRUTHS)
    for name in names:
        (setup, function, items), ruled = TRUTHS[name]
        for run in range(asked.runs):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "map.json")
                command = [sys.executable, "-m", "gilkit", "map", "-s", setup, function, items]
                done = subprocess.run(
                    [*command, "-o", str(path)], capture_output=True, text=True, check=False, cwd=folder
                )
                found = gilkit.load(path) if path.exists() else None
            answer, told = ruled(found) if found is not None else (False, done.stderr)
            word = {True: "right", False: "WRONG", None: "not decided"}[answer]
            print(f"{name:<8} {run + 1}  {word:<12} {told}", flush=True)
            if asked.show:
                print(done.stdout)
            right += answer is True
    print(f"{right} of {len(names) * asked.runs} right")
    sys.exit(right < len(names) * asked.runs)


if __name__ == "__main__":
    main()
