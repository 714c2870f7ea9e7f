"""Tests that measure run alone, though others run beside one another.

``pytest`` starts several processes (pytest-xdist), as most tests wait for commands that they started. Every
test takes a place in a file that all lock: shared by those that do not measure, and to itself by one that is
marked ``alone``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # there one has to say -n 0
    fcntl = None  # type: ignore[assignment]


FILES = ("turn", "place")


@contextmanager
def place(run: str, alone: bool) -> Iterator[None]:
    """Take a place, once it is free: in turn, so that nobody waits for ever."""
    if fcntl is None:
        yield
        return
    turn_file, place_file = (_path(run, name) for name in FILES)
    with turn_file.open("a") as turn, place_file.open("a") as held:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(held, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(turn, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(
                held, fcntl.LOCK_UN
            )  # not left to closing it: processes may have been forked meanwhile


def remove(run: str) -> None:
    """Remove the files of one run."""
    for name in FILES:
        _path(run, name).unlink(missing_ok=True)


def _path(run: str, name: str) -> Path:
    return Path(tempfile.gettempdir(), f"tests-{run}.{name}")
