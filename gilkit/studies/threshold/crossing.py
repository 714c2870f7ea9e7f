"""From which size on does one way beat another? Pure functions from measured points to a bracket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil, log, log2, sqrt

from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate, paired, paired_ratio

WINS = 1.05  # less than this is not worth the trouble
NARROW = 1.05  # a bracket this narrow, end over end, is narrow enough
HOLDING, OWN = "gil", "function"  # what is beaten: the version that holds the GIL, or one thread

Values = Callable[[Case], Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at one size.

    Parameters
    ----------
    size : int
    advantage : Estimate
        How many times as much work the challenger does.
    call : float
        Seconds of a call, on one worker.
    """

    size: int
    advantage: Estimate
    call: float

    @property
    def wins(self) -> bool:
        """Whether the challenger wins, and the interval leaves no doubt of it."""
        return self.advantage > WINS and self.advantage.low > 1

    @property
    def loses(self) -> bool:
        """Whether the challenger surely does not win."""
        return self.advantage.decided and self.advantage.high < WINS

    @property
    def open(self) -> bool:
        """Whether more rounds may change that."""
        return not self.advantage.decided or self.advantage.low < WINS < self.advantage.high


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the challenger begins to win for good.

    Parameters
    ----------
    low : int or None
        The largest size that was measured at which it does not win; None if it wins everywhere.
    high : int or None
        The smallest size from which on it wins at all that were measured; None if it does so nowhere.
    """

    low: int | None
    high: int | None

    @property
    def at(self) -> int | None:
        """The size from which it wins: the geometric mean of the bracket, as sizes are swept by factors."""
        if self.high is None or self.low is None:
            return self.high
        return round(sqrt(self.low * self.high))

    @property
    def halvings(self) -> int:
        """How many more sizes it takes until the bracket is narrow, where it has two ends."""
        if self.middle is None or self.low is None or self.high is None:
            return 0
        return ceil(log2(log(self.high / self.low) / log(NARROW)))

    @property
    def middle(self) -> int | None:
        """The size to measure next; None where the bracket is narrow enough."""
        if self.low is None or self.high is None or self.high <= NARROW * self.low:
            return None
        return middle if self.low < (middle := round(sqrt(self.low * self.high))) < self.high else None


def crossing(points: Iterable[Point]) -> Crossing:
    """Return the bracket that the points leave: those of too few rounds for an interval decide nothing."""
    ordered = sorted((point for point in points if point.advantage.decided), key=lambda point: point.size)
    low = next((point.size for point in reversed(ordered) if not point.wins), None)
    high = next((point.size for point in ordered if low is None or point.size > low), None)
    return Crossing(low, high)


def sized(name: str, size: int) -> str:
    """Return what a kernel or statement at a size is called in a results file."""
    return f"{name}@{size}"


def size_of(case: Case) -> int:
    """Return the size that is in the name of a case."""
    return int(case.kernel.rpartition("@")[2])


def cases(name: str, size: int, beaten: str, workers: Iterable[int]) -> list[Case]:
    """Return the cases that are measured at one size."""
    label = sized(name, size)
    if beaten == OWN:
        return [Case(label, OWN, "threads", w) for w in sorted({1, *workers})]
    return [Case(label, variant, "threads", w) for w in workers for variant in (HOLDING, "nogil")]


def point(values: Values, name: str, size: int, beaten: str, workers: int) -> Point | None:
    """Return the point at one size for so many workers; None where it was not measured."""
    label = sized(name, size)
    if beaten == OWN:
        before, after = (values(Case(label, OWN, "threads", count)) for count in (1, workers))
        before = before or values(Case(label, OWN, "serial", 1))  # of an earlier gilkit
        alone, factor = before, float(workers)
    else:
        before, after = (values(Case(label, variant, "threads", workers)) for variant in (HOLDING, "nogil"))
        alone, factor = values(Case(label, HOLDING, "threads", 1)) or before, 1.0
    if not paired(before, after):
        return None
    return Point(size, paired_ratio(before, after, factor), float(estimate(list(alone.values()))))


def points(results: Results, workers: int) -> list[Point]:
    """Return the points of a results file for so many workers, by size."""
    name, beaten = facts.SUBJECT.needed(results.facts), facts.BEATEN.needed(results.facts)
    found = (point(results.rounds, name, size, beaten, workers) for size in _sizes(results))
    return [item for item in found if item is not None]


def price(results: Results) -> Estimate | None:
    """Return what releasing costs where nobody waits, in seconds: of the shortest call that was measured."""
    sizes = _sizes(results)
    if facts.BEATEN.needed(results.facts) == OWN or not sizes:
        return None
    label = sized(facts.SUBJECT.needed(results.facts), sizes[0])
    holds, releases = (results.rounds(Case(label, variant, "threads", 1)) for variant in (HOLDING, "nogil"))
    if not (both := paired(holds, releases)):
        return None
    return estimate([releases[id_] - holds[id_] for id_ in both])


def _sizes(results: Results) -> list[int]:
    return sorted({size_of(case) for case in results})
