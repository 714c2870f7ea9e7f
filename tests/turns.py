"""Tests that measure run alone, though others run beside one another.

``pytest`` starts several processes (pytest-xdist), as most tests wait for commands that they started. All
lock one file together, each from its first test until its first that is marked ``alone``. That wants the file
for itself, so it waits once, until all others have come so far. If it waited only for the tests that run just
then, half of the CPUs would be idle at each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # there one has to say -n 0
    fcntl = None  # type: ignore[assignment]


class Turns:
    """The place of this process among those that run tests."""

    def __init__(self) -> None:
        self._file = Path(__file__).open()  # noqa: SIM115 (as long as this process; any file that is there will do)
        self._stays = True

    @contextmanager
    def place(self, alone: bool) -> Iterator[None]:
        """Have a place for a test, once it is free; it is kept for the next until one runs alone."""
        if fcntl is None:
            yield
            return
        self._stays = self._stays and not alone
        fcntl.flock(self._file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        try:
            yield
        finally:
            if not self._stays:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def leave(self) -> None:
        """Leave the place to others, for good."""
        if fcntl is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)  # to close it is not enough: forked processes have it, too
        self._file.close()
