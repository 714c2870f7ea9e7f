"""Seconds of everything that `gilkit costs` measures: starting, switching and sending."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from gilkit.engine.calibration import PACED, calibrated
from gilkit.results.case import Case
from gilkit.studies.costs.constants import CONSTANTS, Constant

from .shared import CPUS, VERSION, Samples, failed, lab, replay, replayed, sampled

HERE = [constant for constant in CONSTANTS.values() if not constant.missing()]


def case_of(constant: Constant) -> Case:
    """Return what of a constant is drawn: where it is one of threads, with as many as there are CPUs."""
    return constant.cases([max(2, CPUS)])[0]


def seconds(case: Case, loops: int) -> float:
    """Measure a constant."""
    return CONSTANTS[case.variant].probe(lab(1), case.workers, loops)


@cache
def loops(case: Case) -> int:
    """Return how often a round measures a constant."""
    fixed = CONSTANTS[case.variant].loops
    return fixed or calibrated(lambda count: count * seconds(case, count), PACED)[0]


def setup_cache() -> Samples:
    """Measure all constants; asv does it once, and gives it to every benchmark."""
    return sampled([list(map(case_of, HERE))], lambda case: seconds(case, loops(case)))


def track_failed(found: Samples) -> int:
    """Return how many could not be measured: none, or it fails with their reasons."""
    return failed(found)


track_failed.unit, track_failed.version = "cases", VERSION
setup_cache.timeout = 300


def cost(constant: Constant) -> Callable[[Samples], None]:
    """Return the benchmark of a constant."""

    def measure(found: Samples) -> None:
        replay(found[case_of(constant)])

    measure.__name__ = f"time_{constant.name.replace('-', '_')}"
    replayed(measure)
    return measure


for _constant in HERE:
    _measure = cost(_constant)
    globals()[_measure.__name__] = _measure
