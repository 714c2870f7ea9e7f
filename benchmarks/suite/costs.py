"""Seconds of everything that `gilkit costs` measures: starting, switching and sending."""

from __future__ import annotations

from functools import cache

from asv_runner.benchmarks.mark import skip_for_params

from gilkit.constants import CONSTANTS
from gilkit.measure import calibrated

from .shared import CPUS, STRETCH, clock, lab


def seconds(name: str, loops: int) -> float:
    """Measure a constant, where it is one of threads with as many as there are CPUs."""
    constant = CONSTANTS[name]
    return constant.probe(lab(1), max(2, CPUS) if constant.crowded else 1, loops)


@cache
def loops(name: str) -> int:
    """Return how often a round measures a constant."""
    return CONSTANTS[name].loops or calibrated(lambda count: count * seconds(name, count), STRETCH)[0]


@skip_for_params([(name,) for name, constant in CONSTANTS.items() if constant.missing()])
def time_cost(name: str) -> None:
    """One round of a constant."""
    clock.tell(seconds(name, loops(name)))


time_cost.params, time_cost.param_names = [list(CONSTANTS)], ["name"]
time_cost.timer, time_cost.version, time_cost.timeout = clock, "1", 120
time_cost.number, time_cost.repeat, time_cost.rounds, time_cost.warmup_time = 1, 7, 1, 0.0
