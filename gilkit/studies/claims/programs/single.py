"""Work of one thread, in plain Python, for interpreters that need not have gilkit.

A program of its own: see `talk`.
"""

from __future__ import annotations

import platform
import sys
import sysconfig
import time

from talk import plain_lcg, run, tell

multiply = plain_lcg()
REPEATS = 3  # of which the fastest counts
FASTER_OR_SLOWER = ("optimizations", "lto", "bolt", "pydebug", "assertions", "jit", "tail-call", "mimalloc")


def about() -> None:
    """Tell what this interpreter is: the arguments of `gilkit.studies.claims.builds.Build`."""
    asked = str(sysconfig.get_config_var("CONFIG_ARGS") or "").replace("'", "").split()
    options = [option for option in asked if any(word in option for word in FASTER_OR_SLOWER)]
    levels = [word for word in str(sysconfig.get_config_var("PY_CFLAGS") or "").split() if word[:2] == "-O"]
    tell(
        {
            "implementation": platform.python_implementation(),
            "version": platform.python_version(),
            "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            "gil": bool(getattr(sys, "_is_gil_enabled", lambda: True)()),
            "compiled": " ".join([platform.python_compiler(), *levels[-1:], *sorted(set(options))]),
        }
    )


def integers() -> None:
    """Multiply and add."""
    multiply(40_000)


def floats() -> None:
    """A sum of terms."""
    total = 0.0
    for i in range(1, 60_000):
        total += 1.0 / (i * i)


def _fibonacci(n: int) -> int:
    return n if n < 2 else _fibonacci(n - 1) + _fibonacci(n - 2)


def calls() -> None:
    """Functions that call themselves."""
    _fibonacci(18)


class _Point:
    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y

    def moved(self, x: int, y: int) -> _Point:
        return _Point(self.x + x, self.y + y)


def objects() -> None:
    """Make objects, read their attributes and call their methods."""
    point = _Point(0, 0)
    for i in range(8_000):
        point = point.moved(i, 1)


def containers() -> None:
    """Fill and read lists and dicts."""
    squares: dict[int, int] = {}
    found = []
    for i in range(20_000):
        squares[i % 500] = i
        found.append(squares[i % 500])
    found.sort(reverse=True)


def texts() -> None:
    """Split, change and join strings."""
    words = ["threads", "or", "processes", "and", "should", "this", "release", "the", "GIL"]
    for _ in range(1_500):
        " ".join(word.upper() for word in words).split("E")


def work() -> None:
    """Tell how many seconds each kind of work takes."""
    taken = {}
    for do in (integers, floats, calls, objects, containers, texts):
        do()
        fastest = float("inf")
        for _ in range(REPEATS):
            begin = time.perf_counter()
            do()
            fastest = min(fastest, time.perf_counter() - begin)
        taken[do.__name__] = fastest
    tell(taken)


if __name__ == "__main__":
    run(about, work)
