"""Tests that measure run alone, though others run beside one another.

``pytest`` starts several processes (pytest-xdist), as most tests wait for commands that they started. Every
test takes a place on a file that all lock: shared by those that do not measure, and to itself by one that is
marked ``alone``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # there one has to say -n 0
    fcntl = None  # type: ignore[assignment]

TURN, PLACE = Path(__file__), Path(__file__).with_name("conftest.py")  # files that are there: any two will do


@contextmanager
def place(alone: bool) -> Iterator[None]:
    """Take a place, once it is free: in turn, so that nobody waits for ever."""
    if fcntl is None:
        yield
        return
    with TURN.open() as turn, PLACE.open() as held:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(held, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(turn, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(held, fcntl.LOCK_UN)  # closing it is not enough: forked processes have it, too
