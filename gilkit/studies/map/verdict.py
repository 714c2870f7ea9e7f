"""Which pool, which chunk size, and whether it pays: pure functions of figures with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from gilkit.display.tables import leaders
from gilkit.results.stats import Estimate
from gilkit.studies.map.names import Way

CHEAP = 0.95  # of the best one's work that a smaller chunk size may cost, where items are uneven
LITTLE = 1.1  # times as fast as the loop, below which no pool is worth its trouble


class Paying(Enum):
    """Whether a pool pays."""

    POOL = "a pool pays"
    LOOP = "no pool pays"
    OPEN = "not decided"


def pays(speedups: Iterable[Estimate]) -> bool | None:
    """Whether the best of these is surely faster than the loop; None where that is not decided."""
    known = list(speedups)
    if not known or not all(one.decided for one in known):
        return None
    if all(one.high < LITTLE for one in known):
        return False
    return True if any(one.low > 1 for one in known) else None


def chosen(speedups: Mapping[Way, Estimate], starts: Mapping[Way, float], uneven: bool) -> Way | None:
    """Return the way to advise: of those that cannot be told from the best one, the one that costs least.

    First the executor that starts sooner. Then, of its chunk sizes, the smallest where items are uneven, so
    that few wait behind a long one, if that does not surely cost more than a little; and else the largest:
    fewer messages. Fewer workers come before more.

    Parameters
    ----------
    speedups : mapping
    starts : mapping
        Seconds.
    uneven : bool
    """
    if not speedups:
        return None
    best = max(speedups, key=speedups.__getitem__)
    names = leaders({str(number): one for number, one in enumerate(speedups.values())})
    alike = [way for number, way in enumerate(speedups) if str(number) in names] or [best]
    executor = min(alike, key=lambda way: starts[way]).executor
    own = [way for way in alike if way.executor == executor]
    workers = min(way.workers for way in own)
    own = [way for way in own if way.workers == workers]
    if not uneven:
        return max(own, key=lambda way: way.chunk)
    cheap = [
        way
        for way, one in speedups.items()
        if (way.executor, way.workers) == (executor, workers) and one.high >= CHEAP * speedups[best].low
    ]
    return min(cheap or own, key=lambda way: way.chunk)
