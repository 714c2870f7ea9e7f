"""Programs whose threads share something that stops them, or nothing, and whether the ladder names it.

    python benchmarks/planted_sharing.py [RUNS] [--only NAME] [--keep FOLDER]

It is known of each what stops it. ``gilkit timeit --ladder`` is asked RUNS times (10), by its command line,
and what it found is read from the file that it writes. Workers are 1 and 2. Locks stop threads with and
without a GIL; references that are counted only without one: with it, nobody is to be named there.

Columns: the program; how often the right thing was named, or rightly none; how often it costs nothing to
share what was planted, so that rightly none was named (free); how often nothing was decided; how often a
wrong one was named; the median speedups of threads that share nothing, all, and all but what was named. The
exit status is 1 if anything was wrong. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import gilkit
from gilkit.machine import gil_enabled
from gilkit.studies.compare.rungs import Found, Ladder

FREE = 0.9  # of what threads do that share nothing, from which it costs nothing to share

MUTEX = "import threading, zlib; data = bytes(1_000_000); a, b = threading.Lock(), threading.Lock()"
PARSER = """
from lxml import etree
parser = etree.XMLParser()
text = b'<a>' + b'<b c="d">e</b>' * 20_000 + b'</a>'
"""
CONNECTION = """
import sqlite3
db = sqlite3.connect(':memory:', check_same_thread=False)
db.execute('create table t(a integer)')
db.executemany('insert into t values (?)', ((i,) for i in range(40_000)))
"""
# A handler keeps its lock while it formats a record.
HANDLER = """
import logging, zlib
data = bytes(1_000_000)
class Handler(logging.Handler):
    def emit(self, record):
        zlib.compress(data, 1)
handler = Handler()
record = logging.makeLogRecord({})
"""
OBJECT = "class Config: pass\nconfig = Config()\nconfig.rate = 0.5"
CLOSURE = """
def make():
    table = list(range(1000, 1100))
    def look(n):
        for i in range(n):
            table[i % 100]
    return look
look = make()
"""
GLOBAL = """
TABLE = list(range(1000, 1100))
def look(n):
    for i in range(n):
        TABLE[i % 100]
"""
BESIDE = "used = [1000]; names = {1000: 'x'}\n"  # others that are looked at once in a while
OF_BESIDE = "used, names"
LIST = "data = list(range(1000))"
DICT = "cache = {i: str(i) for i in range(999)}"


@dataclass(frozen=True, slots=True)
class Program:
    """A statement, and the names that are to be found; none where nothing stops it."""

    name: str
    wanted: tuple[str, ...]
    setup: str
    statement: str
    counted: bool = False  # whether it is references that are counted: with a GIL that costs nothing
    needs: str = "gilkit"  # a module


def counted(name: str, wanted: str, setup: str, looked_at: str, beside: bool = True) -> Program:
    """Return a program that looks at something 20,000 times in a call."""
    loop = f"for i in range(20_000): {looked_at}\n{OF_BESIDE if beside else ''}"
    return Program(name, (wanted,), (BESIDE if beside else "") + setup, loop, counted=True)


NUMPY, NORMAL = "import numpy as np", "np.random.standard_normal(100_000)"
LOCK_IN_DEFAULT = (
    f"{MUTEX}\ncache = [1]\ndef f(*, lock=a):\n    with lock: zlib.compress(data, 1)\n    return cache"
)
LOGGER = f"{HANDLER}log = logging.getLogger('planted')\nlog.propagate = False\nlog.addHandler(handler)"
GUARDED = LOGGER.replace("log.addHandler", "if not log.handlers: log.addHandler")
# SETUP that is run again adds to what all share: threads that share nothing do more work.
GROWING = """
import sys, zlib
data = bytes(1_000_000)
sys.planted = getattr(sys, 'planted', [])
sys.planted.append(data)
def call():
    for each in sys.planted:
        zlib.compress(each, 1)
"""
LOCK_IN_FUNCTION = f"{MUTEX}\ndef f():\n    with a: zlib.compress(data, 1)"
PROGRAMS = [
    counted("a list", "data", LIST, "data[5]"),
    counted("a dict", "cache", DICT, "cache[i % 99]"),
    counted("an attribute", "config", OBJECT, "config.rate"),
    Program("a closure", ("look",), BESIDE + CLOSURE, f"look(20_000); {OF_BESIDE}", counted=True),
    Program("a global", ("TABLE",), BESIDE + GLOBAL, f"look(20_000); {OF_BESIDE}", counted=True),
    counted("a module's global", "calendar.mdays", "import calendar", "calendar.mdays[i % 12]", beside=False),
    counted("random", "random.random", "import random", "random.random()", beside=False),
    Program("none, private", (), "n = 50_000", "sum(i * i for i in range(n))"),
    Program("none, hash", (), "import hashlib; data = bytes(1_000_000)", "hashlib.sha256(data)"),
    Program("a lock", ("a",), MUTEX, "with a: zlib.compress(data, 1)"),
    Program("two locks", ("a", "b"), MUTEX, "with a, b: zlib.compress(data, 1)"),
    Program("a lock by a function", ("a",), LOCK_IN_FUNCTION, "f(); b"),
    Program("a lock in a default", ("f",), LOCK_IN_DEFAULT, "f(); b"),
    Program("NumPy's random", ("numpy.random.standard_normal",), NUMPY, NORMAL),
    Program("a growing list", (), GROWING, "call()"),
    Program("a parser", ("parser",), PARSER, "etree.fromstring(text, parser)", needs="lxml"),
    Program("a connection", ("db",), CONNECTION, "db.execute('select sum(a * a) from t').fetchone()"),
    Program("a handler", ("handler",), HANDLER, "handler.handle(record)"),
    Program("a logger", ("log",), LOGGER, "log.warning('x')"),
    Program("a guarded logger", ("log",), GUARDED, "log.warning('x')"),
]


def asked(program: Program, file: Path) -> Ladder | None:
    """Return the ladder that gilkit climbed; None where it failed."""
    ask = [sys.executable, "-m", "gilkit", "timeit", "--ladder", "--timeout", "60", "--workers", "1,2"]
    done = subprocess.run(
        [*ask, "-o", str(file), "-s", program.setup, program.statement], capture_output=True, text=True
    )
    if not file.exists():
        print(f"    failed: {done.stderr.strip()}", flush=True)
        return None
    found: gilkit.Comparison = gilkit.load(file)
    return found.ladder


def judged(program: Program, ladder: Ladder | None) -> str:
    """Return what an answer is: right, free, nothing or wrong."""
    if ladder is None or ladder.found in (Found.NOT_DECIDED, Found.NOT_ONE):
        return "nothing"
    named = {name for rung in ladder.culprits for name in rung.names}
    wanted = set() if program.counted and gil_enabled() else set(program.wanted)
    if named == wanted:
        return "right"
    shared, private = ladder.shared.speedup, ladder.private.speedup
    costs_nothing = shared is not None and private is not None and shared >= FREE * private
    return "free" if program.counted and not named and costs_nothing else "wrong"


def row(program: Program, runs: int, folder: Path) -> int:
    """Print what was found in a program; return how often that was wrong."""
    name = "-".join(program.name.replace(",", "").replace("'", "").split())
    ladders = [asked(program, folder / f"{name}-{run}.json") for run in range(runs)]
    answers = [judged(program, ladder) for ladder in ladders]
    known = [ladder for ladder in ladders if ladder is not None]
    columns = [
        [ladder.private.speedup for ladder in known],
        [ladder.shared.speedup for ladder in known],
        [rung.speedup for ladder in known for rung in ladder.culprits],
    ]
    shown = "  ".join(
        f"{median(have):6.2f}×" if (have := [one for one in column if one is not None]) else "      –"
        for column in columns
    )
    counts = "  ".join(f"{answers.count(answer):7}" for answer in ("right", "free", "nothing", "wrong"))
    print(f"{program.name:21}  {counts}  {shown}", flush=True)
    for answer, ladder in zip(answers, ladders, strict=True):
        if answer == "wrong" and ladder is not None:
            names = " | ".join("+".join(rung.names) for rung in ladder.culprits)
            print(f"    wrong: {ladder.found.value}: {names or 'nobody'}", flush=True)
    return answers.count("wrong")


def main() -> int:
    """Print a row for every program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("runs", nargs="?", type=int, default=10)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    programs = [program for program in PROGRAMS if options.only in program.name]
    if not programs:
        parser.error(f"no program has {options.only!r} in its name")
    wrong = 0
    print(f"{'program':21}    right     free  nothing    wrong  private   shared    named")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for program in programs:
            if find_spec(program.needs) is None:
                print(f"{program.name:21}  left out: {program.needs} is not installed", flush=True)
                continue
            wrong += row(program, options.runs, folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
