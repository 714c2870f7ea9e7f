"""Seconds of everything that `gilkit costs` measures: starting, switching and sending."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from gilkit.constants import CONSTANTS
from gilkit.measure import calibrated

from .shared import CPUS, STRETCH, VERSION, failed, lab, replay, replayed, sampled

Samples = dict[str, list[float] | str]
HERE = [name for name, constant in CONSTANTS.items() if not constant.missing()]


def seconds(name: str, loops: int) -> float:
    """Measure a constant, where it is one of threads with as many as there are CPUs."""
    constant = CONSTANTS[name]
    return constant.probe(lab(1), max(2, CPUS) if constant.crowded else 1, loops)


@cache
def loops(name: str) -> int:
    """Return how often a round measures a constant."""
    return CONSTANTS[name].loops or calibrated(lambda count: count * seconds(name, count), STRETCH)[0]


def setup_cache() -> Samples:
    """Measure all constants; asv does it once, and gives it to every benchmark."""
    return sampled([HERE], lambda name: seconds(name, loops(name)))


def track_failed(found: Samples) -> int:
    """Return how many could not be measured: none, or it fails with their reasons."""
    return failed(found)


track_failed.unit, track_failed.version = "cases", VERSION
setup_cache.timeout = 300


def cost(name: str) -> Callable[[Samples], None]:
    """Return the benchmark of a constant."""

    def measure(found: Samples) -> None:
        replay(found[name])

    measure.__name__ = f"time_{name.replace('-', '_')}"
    replayed(measure)
    return measure


for _name in HERE:
    _measure = cost(_name)
    globals()[_measure.__name__] = _measure
