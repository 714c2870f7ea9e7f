"""Stretches of time, and how much of others they cover: pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from math import inf


class Cover:
    """Disjoint stretches of time, which tell how much of any other stretch they cover."""

    def __init__(self, stretches: Iterable[tuple[float, float]]) -> None:
        ordered = sorted(stretches)
        self._starts = [start for start, _ in ordered]
        self._ends = [end for _, end in ordered]
        self._sums = list(accumulate((end - start for start, end in ordered), initial=0.0))

    def between(self, start: float, end: float) -> float:
        """Return the seconds from ``start`` to ``end`` that are covered."""
        return self._until(end) - self._until(start)

    def _until(self, moment: float) -> float:
        begun = bisect_right(self._starts, moment)
        return self._sums[begun] - (max(0.0, self._ends[begun - 1] - moment) if begun else 0.0)


def without(
    stretches: Iterable[tuple[float, float]], others: Iterable[tuple[float, float]]
) -> Iterable[tuple[float, float]]:
    """Return the union of ``stretches`` without what the disjoint ``others`` cover, as disjoint stretches."""
    taken = sorted(others)
    ends = [end for _, end in taken]
    done = -inf
    for start, end in sorted(stretches):
        at = max(start, done)
        done = max(done, end)
        for place in range(bisect_right(ends, at), len(taken)):
            first, last = taken[place]
            if first >= end:
                break
            if first > at:
                yield at, first
            at = max(at, last)
        if at < end:
            yield at, end
