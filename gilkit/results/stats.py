"""Estimates from rounds: medians and ratios of paired values, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np

RESAMPLES = 4000


class Estimate(float):
    """A figure with its 95 % interval: a float that knows `low` and `high`.

    Both are nan where there was one round only.
    """

    __slots__ = ("high", "low")

    low: float
    high: float

    def __new__(cls, value: float, low: float = nan, high: float = nan) -> Estimate:
        self = super().__new__(cls, value)
        self.low = float(low)
        self.high = float(high)
        return self

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, float, float]]:
        return (Estimate, (float(self), self.low, self.high))

    def __repr__(self) -> str:
        return f"Estimate({float(self):.4g}, low={self.low:.4g}, high={self.high:.4g})"

    @property
    def margin(self) -> float:
        """The larger distance from the figure to an end of its interval."""
        return max(self.high - self, self - self.low)


def estimate(values: Sequence[float]) -> Estimate:
    """Return the median of ``values`` with its 95 % interval.

    The interval is the percentile bootstrap (Efron, 1979) of the median, with a fixed seed: the same values
    give the same interval.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise ValueError("values must not be empty")
    middle = float(np.median(sample))
    if sample.size == 1:
        return Estimate(middle)
    picks = np.random.default_rng(0).integers(sample.size, size=(RESAMPLES, sample.size))
    low, high = np.quantile(np.median(sample[picks], axis=1), [0.025, 0.975])
    return Estimate(middle, low, high)


def paired_ratio(numerators: Sequence[float], denominators: Sequence[float], factor: float = 1.0) -> Estimate:
    """Return the median of ``factor * numerator / denominator`` over rounds, with its interval.

    Pairs come from one round each, so what slows a whole round falls out of its ratio. A case that broke off
    has fewer rounds: the rounds that both have count.
    """
    rounds = min(len(numerators), len(denominators))
    tops = np.asarray(numerators[:rounds], dtype=np.float64)
    return estimate((factor * tops / np.asarray(denominators[:rounds], dtype=np.float64)).tolist())
