"""Estimates from rounds: medians and ratios of paired values, with exact intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from math import atan2, comb, cos, exp, isnan, log, log1p, nan, pi, sin, sqrt
from statistics import fmean, median

FEWEST_ROUNDS = 6  # values without which nothing is decided
CONFIDENCE = 0.99  # of an interval: five looks at it keep 95 %, whenever one stops
BEYOND = 0.75  # of the few rounds of a group beyond one end of the interval, from which the group differs


class Estimate(float):
    """A figure with its interval: a float that knows `low` and `high`.

    Attributes
    ----------
    low, high : float
        The interval covers the true median with at least 95 %, however often one looked before one stopped.
        Both are nan where there were fewer than six values, which decide nothing.
    least, most : float
        The range of the values; nan where it is not known.
    """

    __slots__ = ("high", "least", "low", "most")

    low: float
    high: float
    least: float
    most: float

    def __new__(
        cls, value: float, low: float = nan, high: float = nan, least: float = nan, most: float = nan
    ) -> Estimate:
        self = super().__new__(cls, value)
        self.low, self.high = float(low), float(high)
        self.least, self.most = float(least), float(most)
        return self

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, ...]]:
        return (Estimate, (float(self), self.low, self.high, self.least, self.most))

    def __repr__(self) -> str:
        return f"Estimate({float(self):.4g}, low={self.low:.4g}, high={self.high:.4g})"

    @property
    def margin(self) -> float:
        """The larger distance from the figure to an end of its interval."""
        return max(self.high - self, self - self.low)

    @property
    def decided(self) -> bool:
        """Whether there were values enough for an interval."""
        return not isnan(self.low) and not isnan(self.high)

    def spanning(self, others: Iterable[float]) -> Estimate:
        """Return it with an interval that spans other figures, too."""
        if not self.decided:
            return self
        every = [self.low, self.high, *others]
        return Estimate(self, min(every), max(every), self.least, self.most)


@cache
def rank(values: int, confidence: float = CONFIDENCE) -> int:
    """Return which of so many values, counted from either end, are the ends of the median's interval.

    By the sign test: of n values k or fewer lie below the median with the probability of k or fewer heads in
    n throws of a coin (David & Nagaraja, Order Statistics, 2003, section 7.1). That is exact whatever the
    distribution. Six or seven values cover it with 96.9 and 98.4 % at the most, by their whole range.

    Returns
    -------
    int
        From 1 on; 0 where there are too few values.
    """
    if values < FEWEST_ROUNDS:
        return 0
    tail, below = 0, 0
    while 2 * (tail := tail + comb(values, below)) <= (1 - confidence) * 2**values:
        below += 1
    return max(1, below)


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Return the median of ``values`` with its exact interval, by order statistics: see `rank`."""
    if len(values) == 0:
        raise ValueError("values must not be empty")
    ordered = sorted(map(float, values))
    middle = median(ordered)
    if not (end := rank(len(ordered), confidence)):
        return Estimate(middle, least=ordered[0], most=ordered[-1])
    return Estimate(middle, ordered[end - 1], ordered[-end], ordered[0], ordered[-1])


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value below which a part of some values lie; between two of them, on the line through both.

    As definition 7 of Hyndman and Fan (Sample Quantiles in Statistical Packages, 1996), NumPy's default.
    """
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 2) if len(ordered) > 1 else 0
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return low + (place - below) * (high - low)


def paired_ratio(tops: Mapping[int, float], bottoms: Mapping[int, float], factor: float = 1.0) -> Estimate:
    """Return the median of ``factor * top / bottom`` over the rounds that both have, with its interval.

    A pair comes from one round, so what slows a whole round falls out of its ratio.
    """
    return estimate([factor * tops[id_] / bottoms[id_] for id_ in paired(tops, bottoms)])


def paired(*series: Mapping[int, object]) -> list[int]:
    """Return the rounds that all have, in order."""
    return sorted(set.intersection(*(set(one) for one in series)))


def certainly_apart(a: Sequence[float], b: Sequence[float], margin: float) -> float:
    """Return how certain it is that two differ by more than a margin, by what sets of processes found.

    That is one less the probability that figures so far apart come from two that do not, by Student's t of
    their logarithms. It is 0 where one has fewer than two figures.

    Parameters
    ----------
    a, b : list of float
        What each set of processes found.
    margin : float
        A share of either.
    """
    if min(len(a), len(b)) < 2:
        return 0.0
    logs = [[log(value) for value in values] for values in (a, b)]
    distance = abs(fmean(logs[0]) - fmean(logs[1])) - log1p(margin)
    freedom = len(a) + len(b) - 2
    spread = sum((value - fmean(values)) ** 2 for values in logs for value in values) / freedom
    error = sqrt(spread * (1 / len(a) + 1 / len(b)))
    if distance <= 0 or not error:
        return float(distance > 0)
    return within(distance / error, freedom)


def within(t: float, freedom: int) -> float:
    """Return the probability that Student's t of so many degrees of freedom is at most that, up or down.

    By its finite series: Abramowitz & Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = atan2(t, sqrt(freedom))
    sine, square = sin(angle), cos(angle) ** 2
    odd = freedom % 2
    term = cos(angle) if odd else 1.0
    total = 0.0
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= square * (power + 1) / (power + 2)
    return 2 / pi * (angle + sine * total) if odd else sine * total


def by_sets(values: Sequence[float], certain: float) -> tuple[float, float]:
    """Return what covers, so certainly, the mean of which sets of processes found each a value: two or more.

    By Student's t of their logarithms: sets that differ more make it wider.
    """
    logs = [log(value) for value in values]
    freedom = len(logs) - 1
    middle = fmean(logs)
    error = sqrt(sum((value - middle) ** 2 for value in logs) / freedom / len(logs))
    far = error * student(certain, freedom)
    return exp(middle - far), exp(middle + far)


@cache
def student(certain: float, freedom: int) -> float:
    """Return up to where Student's t of so many degrees of freedom is, up or down, with a probability."""
    low, high = 0.0, 1.0
    while within(high, freedom) < certain:
        high *= 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle, freedom) < certain else (low, middle)
    return high


def spread_over(values: Mapping[int, float], groups: Mapping[int, int]) -> Estimate:
    """Return the median over rounds, its interval spanning the medians of groups that differ.

    Rounds of one process share how its memory is laid out, which may double the time of a call: processes are
    a level of repetition of their own (Kalibera & Jones, Rigorous benchmarking in reasonable time, 2013). Of
    fewer than six rounds the median may lie beyond the interval by one that was disturbed: such a group
    differs where three quarters of its rounds lie beyond the same end.

    Parameters
    ----------
    values : mapping of int to float
        By round.
    groups : mapping of int to int
        The group of each round. Groups of fewer than two rounds have no say.
    """
    found = estimate([values[id_] for id_ in sorted(values)])
    parts: dict[int, list[float]] = {}
    for id_, value in values.items():
        parts.setdefault(groups.get(id_, 0), []).append(value)
    return found.spanning(median(part) for part in parts.values() if _has_a_say(part, found))


def _has_a_say(group: Sequence[float], found: Estimate) -> bool:
    """Whether the median of a group says something, beside the interval of all."""
    beyond = max(sum(value < found.low for value in group), sum(value > found.high for value in group))
    return len(group) >= FEWEST_ROUNDS or (len(group) > 1 and beyond >= BEYOND * len(group))
