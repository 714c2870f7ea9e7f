"""Programs whose cause is planted, and whether gilkit names it.

    python benchmarks/planted_causes.py [RUNS] [--only NAME] [--keep FOLDER]

Each is a real program, of which it is known why its threads scale or do not. gilkit is asked by its command
line RUNS times (20), and what it decides is read from the file that it writes. Workers are 1 and 2, so that
the answers are the same on any machine of two CPUs or more; as many as CPUs fight for the memory.

Columns: the case; how often a right cause was named, how often none (not decided, or the machine too busy),
and how often a wrong one; the median speedup of threads; all that was said, and how often. What was wrong
stands below its row, in gilkit's own words. `--only` takes the cases whose names have NAME in them, `--keep`
keeps the files. The exit status is 1 if anything was wrong. Run it on a quiet machine: it takes two hours.
What needs numba, which the extra ``peers`` installs, is left out where that is missing.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from plain_threads import SETUP as SYNTHETIC
from plain_threads import iteration

import gilkit
from gilkit.studies.compare.verdict import Cause, Verdict, verdicts

NOTHING = {Cause.NOT_DECIDED, Cause.BUSY}  # no cause is named
BY_SENDING = {Cause.TRANSFER, Cause.GIL}  # both stop it: threads by the one, processes by the other

# Each worker runs SETUP for itself; what all threads of a process are to share hangs on a module.
LOCK = "import threading; lock = threading.__dict__.setdefault('_planted_lock', threading.Lock())\n"
ZLIB = "import zlib; data = bytes(2_000_000)\n"
HASH = "import hashlib; data = bytes(4_000_000)"
ROWS = """
import sqlite3
db = sqlite3.connect(':memory:')
db.execute('create table t(a integer, b text, c real)')
db.executemany('insert into t values (?, ?, ?)', ((i, f'name {i}', i / 7) for i in range(40_000)))
"""
FILE_LOCK = """
import fcntl, hashlib
data = bytes(4_000_000)
def op():
    with open(hashlib.__file__) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        hashlib.sha256(data)
"""
# A handler keeps its lock while it formats a record.
LOGGING = """
import logging, zlib
data = bytes(2_000_000)
class Handler(logging.Handler):
    def emit(self, record):
        zlib.compress(data, 1)
log = logging.getLogger('planted')
log.propagate = False
log.handlers[:] = [logging.__dict__.setdefault('_planted_handler', Handler())]
"""
# A slot for each thread, all in one cache line; where to count next hangs on what is there.
SLOTS = """
import itertools, sys, types
import numba, numpy as np
shared = vars(sys.modules.setdefault('planted_slots', types.ModuleType('planted_slots')))
slots = shared.setdefault('slots', np.zeros(64, dtype=np.int64))
number = next(shared.setdefault('numbers', itertools.count()))
at = -(slots.ctypes.data // 8) % 8 + 2 * number % 8
@numba.njit(nogil=True)
def bump(slots, at, n):
    for _ in range(n):
        slots[at + (slots[at] & 1)] += 1
bump(slots, at, 1)
"""
POOL = """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
"""
CHILD = "from subprocess import run; from sys import executable"


@dataclass(frozen=True, slots=True)
class Case:
    """A program, what may be said of it, and how it is to be run."""

    name: str
    right: set[Cause]
    statement: str
    setup: str = ""
    workers: str = "1,2"  # where empty, as many as CPUs
    neighbour: bool = False  # whether a process beside it is busy all the time
    needs: str = "gilkit"  # a module


def planted(one: float) -> list[Case]:
    """Return all of them; ``one`` is the length of an iteration of the synthetic call, in seconds."""

    def synthetic(held: float, released: float) -> str:
        return f"synthetic_nogil({round(held / one)}, {round(released / one)})"

    short = "from hashlib import sha256; data = bytes(30_000)"  # 15 µs
    checked = "from gilkit.kernels import lcg_checked"
    floats = "import random; xs = [random.random() for _ in range(500_000)]"
    text = "import json; text = json.dumps([[i, i / 7, f'name {i}'] for i in range(20_000)])"
    copy = "import numpy as np; a = np.ones(8_000_000); b = np.zeros(8_000_000)"
    matrix = "import numpy as np; a = np.random.default_rng(0).random((700, 700))"
    return [
        Case("the GIL by share", {Cause.GIL}, synthetic(4e-3, 1e-3), SYNTHETIC),
        Case("the GIL throughout", {Cause.GIL}, "sum(i * i for i in range(100_000))"),
        # Two calls that hold it for half fall into step: while one holds it, the other does not.
        Case("held for half: none", {Cause.SCALES}, synthetic(10e-3, 10e-3), SYNTHETIC),
        Case("the GIL again, by rows", {Cause.AGAIN}, "db.execute('select * from t').fetchall()", ROWS),
        Case("the GIL again, by checks", {Cause.AGAIN}, "lcg_checked.nogil(100_000)", checked),
        Case("short calls", {Cause.SHORT}, synthetic(0.3e-6, 1.5e-6), SYNTHETIC),
        Case("short calls, checksum", {Cause.SHORT}, "zlib.crc32(data)", "import zlib; data = bytes(8_000)"),
        Case("pickling what goes in", BY_SENDING, "max(xs)", floats),
        Case("pickling what comes back", BY_SENDING, "json.loads(text)", text),
        Case("a mutex", {Cause.LOCK}, "with lock: zlib.compress(data, 1)", LOCK + ZLIB),
        Case("a mutex, short", {Cause.LOCK}, "with lock: sha256(data)", LOCK + short),
        Case("a mutex, half held", {Cause.LOCK}, f"with lock: {synthetic(1e-3, 1e-3)}", LOCK + SYNTHETIC),
        Case(
            "a mutex around a wait", {Cause.LOCK}, "with lock: sleep(5e-3)", LOCK + "from time import sleep"
        ),
        Case("a file lock", {Cause.LOCK}, "op()", FILE_LOCK),
        Case("a library's lock", {Cause.LOCK}, "log.warning('x')", LOGGING),
        Case("memory bandwidth", {Cause.HARDWARE}, "np.copyto(b, a)", copy, workers=""),
        Case("false sharing", {Cause.SHARED}, "bump(slots, at, 300_000)", SLOTS, needs="numba"),
        Case("own threads", {Cause.PARALLEL}, "list(pool.map(zlib.compress, [data] * 4))", ZLIB + POOL),
        Case("own threads, BLAS", {Cause.PARALLEL}, "a @ a", matrix),
        # The caller is idle meanwhile, but what it waits for is a CPU.
        Case(
            "a helper thread: none", {Cause.SCALES}, "pool.submit(zlib.compress, data).result()", ZLIB + POOL
        ),
        Case("a child process: none", {Cause.SCALES}, "run([executable, '-Sc', 'sum(range(10**6))'])", CHILD),
        Case("a wait", {Cause.WAITING}, "sleep(0.02)", "from time import sleep"),
        Case("none", {Cause.SCALES}, "hashlib.sha256(data)", HASH),
        Case("a busy neighbour", {Cause.BUSY, Cause.SCALES}, "hashlib.sha256(data)", HASH, neighbour=True),
    ]


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """Keep a CPU busy meanwhile."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            yield
        finally:
            other.kill()


def asked(case: Case, file: Path) -> tuple[Verdict, float | None]:
    """Return what gilkit decides, and the speedup of threads."""
    ask = [sys.executable, "-m", "gilkit", "timeit", "--timeout", "60", "-o", str(file), "-s", case.setup]
    ask += ["--workers", case.workers] if case.workers else []
    with busy_neighbour() if case.neighbour else nullcontext():
        done = subprocess.run([*ask, case.statement], capture_output=True, text=True)
    if not file.exists():
        return Verdict(Cause.FAILED, done.stderr.strip(), ""), None
    found = gilkit.load(file)
    [(_, verdict)] = verdicts(found.results)
    try:
        return verdict, found.speedup("function", "threads")
    except ValueError:  # not measured: the verdict says why
        return verdict, None


def row(case: Case, runs: int, folder: Path) -> tuple[int, int, int]:
    """Print what was said of a case; return how often it was right, nothing, and wrong."""
    name = "-".join(case.name.replace(",", "").replace(":", "").split())
    found = [asked(case, folder / f"{name}-{run}.json") for run in range(runs)]
    said = [verdict for verdict, _ in found]
    speedups = [speedup for _, speedup in found if speedup is not None]
    right = sum(verdict.cause in case.right for verdict in said)
    wrong = [verdict for verdict in said if verdict.cause not in case.right | NOTHING]
    nothing = runs - right - len(wrong)
    threads = f"{statistics.median(speedups):6.2f}×" if speedups else "      –"
    heads = ", ".join(f"{head} {n}" for head, n in Counter(v.head for v in said).most_common())
    print(f"{case.name:25}  {right:5}  {nothing:7}  {len(wrong):5}  {threads}  {heads}", flush=True)
    for verdict in wrong:
        print(f"    wrong: {verdict}", flush=True)
    return right, nothing, len(wrong)


def main() -> int:
    """Print a row for every case, and the sum."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("runs", nargs="?", type=int, default=20)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    cases = [case for case in planted(iteration()) if options.only in case.name]
    if not cases:
        parser.error(f"no case has {options.only!r} in its name")
    sums = [0, 0, 0]
    print("case                       right  nothing  wrong  threads  said")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for case in cases:
            if find_spec(case.needs) is None:
                print(f"{case.name:25}  left out: {case.needs} is not installed", flush=True)
                continue
            sums = [a + b for a, b in zip(sums, row(case, options.runs, folder), strict=True)]
    print(f"{'all':25}  {sums[0]:5}  {sums[1]:7}  {sums[2]:5}")
    return 1 if sums[2] else 0


if __name__ == "__main__":
    sys.exit(main())
