"""Seconds of everything that `gilkit costs` measures: starting, switching and sending."""

from __future__ import annotations

from functools import cache

from asv_runner.benchmarks.mark import skip_for_params

from gilkit.constants import CONSTANTS
from gilkit.measure import calibrated

from .shared import CPUS, STRETCH, lab, replay, replayed, sampled

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


setup_cache.timeout = 300


@skip_for_params([(name,) for name in CONSTANTS if name not in HERE])
def time_cost(found: Samples, name: str) -> None:
    """One round of a constant."""
    replay(found[name])


time_cost.params, time_cost.param_names = [list(CONSTANTS)], ["name"]
replayed(time_cost)
