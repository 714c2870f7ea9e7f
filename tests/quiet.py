"""What tests of real calls need: a GIL, and looks that count only where others left the machine alone.

One odd look does not decide, and neither does one lucky look. Where others are busy all the time the test is
skipped, and says so.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

import pytest

from gilkit.engine.runner import LOOK
from gilkit.gil.monitor import gil_missing, why_missing
from gilkit.machine import BUSY, gil_enabled, load_by_others, watched_load

WANTED, TRIED = 5, 40  # undisturbed looks
WANTED_APART, TRIED_APART = 3, 12  # looks that start processes take longer
T = TypeVar("T")

NO_MONITOR = why_missing()
needs_monitor = pytest.mark.skipif(NO_MONITOR is not None, reason=NO_MONITOR or "")
NO_GIL_SEEN = gil_missing()
needs_gil_seen = pytest.mark.skipif(NO_GIL_SEEN is not None, reason=NO_GIL_SEEN or "")
needs_no_gil = pytest.mark.skipif(gil_enabled(), reason="this interpreter runs with its GIL")
needs_gil = pytest.mark.skipif(not gil_enabled(), reason="this interpreter runs without a GIL")


class Median:
    """The median of five looks, each of which counts if others used next to nothing of the CPUs meanwhile.

    It is compared to limits: as soon as three looks are on one side of a limit, the other two change nothing.
    """

    def __init__(self, look: Callable[[], float]) -> None:
        self._looks = _undisturbed(_watched(look), TRIED)
        self._kept: list[float] = []

    def __repr__(self) -> str:
        return f"most of {WANTED} looks, of which there were {self._kept}"

    def __lt__(self, limit: float) -> bool:
        return self.mostly(lambda found: found < limit)

    def __gt__(self, limit: float) -> bool:
        return self.mostly(lambda found: found > limit)

    def mostly(self, shows: Callable[[float], bool]) -> bool:
        """Whether most of the looks show something."""
        return _mostly(self._looks, self._kept, WANTED, shows)


def mostly_when_quiet(look: Callable[[], bool]) -> bool:
    """Whether most of three looks show something, before and after which others used next to nothing.

    For looks that start processes: what those use meanwhile is not told from what others do.
    """
    return _mostly(_undisturbed(_watched_apart(look), TRIED_APART), [], WANTED_APART, bool)


def _mostly(looks: Iterator[T], kept: list[T], wanted: int, shows: Callable[[T], bool]) -> bool:
    """Whether most of so many looks show something; those that are kept are looked at first."""
    while True:
        showing = sum(map(shows, kept))
        if max(showing, len(kept) - showing) > wanted / 2:
            return showing > wanted / 2
        kept.append(next(looks))


def _watched(look: Callable[[], T]) -> Iterator[tuple[T, float]]:
    """Look again and again; say, too, what others used meanwhile."""
    while True:
        load = watched_load()
        found = look()
        yield found, load()


def _watched_apart(look: Callable[[], T]) -> Iterator[tuple[T, float]]:
    """Look again and again; say, too, what others used before or after, whichever was more."""
    load = load_by_others(LOOK)
    while True:
        before, found, load = load, look(), load_by_others(LOOK)
        yield found, max(before, load)


def _undisturbed(looks: Iterator[tuple[T, float]], tried: int) -> Iterator[T]:
    """Look until somebody has enough looks that nobody disturbed; nan is what the monitor could not tell."""
    kept, untold = 0, 0
    loads: list[float] = []
    for found, others in islice(looks, tried):
        loads.append(others)
        untold += found != found
        if others < BUSY and found == found:
            kept += 1
            yield found
    usual = statistics.median(loads)
    why = f"others kept {usual:.1f} CPUs busy, and the monitor could not tell {untold} times"
    pytest.skip(f"{kept} of {tried} looks count: {why}")
