"""Seconds of a call by kernel, variant, executor and workers: the scaling curves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from asv_runner.benchmarks.mark import skip_for_params

from gilkit.kernels import KERNELS, VARIANTS, Kernel
from gilkit.results.case import Case
from gilkit.studies.compare.plan import usual_executors

from .shared import COUNTS, VERSION, Samples, failed, replay, replayed, sampled, subject, value

RUN_BY = usual_executors(own=False)


def cases(kernel: str) -> list[Case]:
    """Return what of a kernel is drawn."""
    return [case for case in subject(kernel).cases if case.variant in VARIANTS and case.executor in RUN_BY]


def setup_cache() -> Samples:
    """Measure all kernels; asv does it once, and gives it to every benchmark."""
    return sampled(map(cases, KERNELS), value)


def track_failed(found: Samples) -> int:
    """Return how many could not be measured: none, or it fails with their reasons."""
    return failed(found)


track_failed.unit, track_failed.version = "cases", VERSION
setup_cache.timeout = 900


def scaling(kernel: Kernel) -> Callable[[Samples, str, str, int], None]:
    """Return the benchmark of a kernel."""
    planned = {(case.variant, case.executor, case.workers) for case in cases(kernel.name)}

    def measure(found: Samples, variant: str, executor: str, workers: int) -> None:
        replay(found[Case(kernel.name, variant, executor, workers)])

    measure.params = [list(VARIANTS), RUN_BY, COUNTS]
    measure.param_names = ["variant", "executor", "workers"]
    measure.__name__ = f"time_{kernel.name}"
    replayed(measure)
    return skip_for_params(sorted(set(product(*measure.params)) - planned))(measure)


for _kernel in KERNELS.values():
    _measure = scaling(_kernel)
    globals()[_measure.__name__] = _measure
