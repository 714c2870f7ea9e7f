"""Examples of every command: its help ends with them, and the tests run them as far as parsing."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "compare": (
        "gilkit compare --quick",
        "gilkit compare lcg crc32 -o results.json",
        "gilkit compare triad --variant gil,nogil --executor threads --workers 1,2,4",
    ),
    "timeit": (
        'gilkit timeit "sum(range(100_000))"',
        'gilkit timeit -s "import zlib; data = bytes(10**6)" "zlib.compress(data)"',
        'gilkit timeit -s "d = list(range(99))" "str(d)" --against "repr(d)"',
        'gilkit timeit --ladder -s "d = dict.fromkeys(range(9))" "sum(d)"',
        'gilkit timeit "sum(range(100_000))" --python python3.14 --python python3.14t',
        'gilkit timeit --scheduler tcp://127.0.0.1:8786 "sum(range(100_000))"',
    ),
    "map": (
        'gilkit map -s "from math import isqrt, factorial" factorial "range(2000)"',
        'gilkit map -s "import time" "time.sleep" "[0.02] * 200" --quick',
        'gilkit map -s "from app import parse, files" parse files -o map.json',
    ),
    "beside": (
        'gilkit beside -s "import json; d = list(range(10**5))" "json.dumps(d)"',
        'gilkit beside "sum(range(10**5))" "pow(3, 10**6)"',
        'gilkit beside -s "import zlib; d = bytes(9999)" "zlib.crc32(d)" "str(d)"',
    ),
    "layout": (
        'gilkit layout "sum(range(100_000))"',
        'gilkit layout -s "import zlib; data = bytes(10**6)" "zlib.compress(data)"',
        'gilkit layout --scheduler tcp://127.0.0.1:8786 "sum(range(100_000))"',
    ),
    "threshold": (
        "gilkit threshold crc32",
        'gilkit threshold "sum(range(n))" --sizes 1:100000',
        'gilkit threshold -s "d = list(range(n))" "sorted(d)" --sizes 10:100000',
    ),
    "costs": (
        "gilkit costs",
        "gilkit costs handover start --quick",
        "gilkit costs --list",
    ),
    "timeline": (
        "gilkit timeline lcg --variant gil",
        "gilkit timeline lcg --workers 4 -o trace.json",
        'gilkit timeline -s "import zlib; d = bytes(10**6)" "zlib.compress(d)"',
    ),
    "scaling": (
        "gilkit scaling",
        "gilkit scaling --workers 1,2,4,8 --plot scaling.svg",
        "gilkit scaling --work 0.05 --rounds 6 -o scaling.json",
    ),
    "stalls": (
        "gilkit stalls app.py --port 8000",
        "gilkit stalls --longer 50ms -o stalls.json -m pytest tests",
        "gilkit stalls --subprocesses -o app.trace.json app.py",
    ),
    "claims": (
        "gilkit claims --quick",
        "gilkit claims one-os-thread crash",
        "gilkit claims --list",
    ),
    "show": (
        "gilkit show results.json",
        "gilkit show scaling.json --plot scaling.svg",
        "gilkit show before.json after.json",
    ),
    "report": (
        "gilkit report results.json -o page.html",
        "gilkit report before.json after.json -o page.html",
    ),
    "modules": (
        "gilkit modules",
        "gilkit modules scikit-learn pandas",
        "gilkit modules numpy --all",
    ),
    "list": (
        "gilkit list",
        "gilkit list --json",
    ),
}

FIRST = {  # what one begins with: what it answers, and an example of it
    "timeit": ("Does my own code run faster on threads, or on processes? (10 seconds)", 1),
    "compare": ("What do threads and processes gain here, with and without the GIL? (30 seconds)", 0),
    "threshold": ("How much work must a call do before releasing the GIL pays? (a minute)", 0),
    "costs": ("What do a thread, a process and handing over the GIL cost here? (20 seconds)", 0),
}


def epilog(name: str) -> str | None:
    """Return the end of a command's help, as click writes it: lines that it does not wrap."""
    lines = [f"  {line}" for line in EXAMPLES.get(name, ())]
    return "\n".join(["\b", "Examples:", *lines]) if lines else None


def welcome() -> str:
    """Return what is said to who asks for no command: what one does first."""
    lines = ["gilkit measures here: threads or processes, and should this release the GIL?", ""]
    for name, (question, number) in FIRST.items():
        lines += [question, f"    {EXAMPLES[name][number]}", ""]
    return "\n".join([*lines, "All commands: gilkit --help. All of one: gilkit timeit --help."])
