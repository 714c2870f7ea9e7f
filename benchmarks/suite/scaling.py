"""Seconds of a call by kernel, variant, executor and workers: the scaling curves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from asv_runner.benchmarks.mark import skip_for_params

from gilkit.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS, Kernel
from gilkit.results import Case

from .shared import COUNTS, clock, subject, value

RUN_BY = [name for name, kind in EXECUTORS.items() if not kind.single]  # serial is one thread


def scaling(kernel: Kernel) -> Callable[[str, str, int], None]:
    """Return the benchmark of a kernel."""
    planned = {(case.variant, case.executor, case.workers) for case in subject(kernel.name).cases}

    def measure(variant: str, executor: str, workers: int) -> None:
        clock.tell(value(Case(kernel.name, variant, executor, workers)))

    measure.params = [list(VARIANTS), RUN_BY, COUNTS]
    measure.param_names = ["variant", "executor", "workers"]
    measure.__name__ = f"time_{kernel.name}"
    measure.version = "1"
    measure.timer = clock
    measure.number, measure.repeat, measure.rounds, measure.warmup_time = 1, 9, 1, 0.0
    measure.timeout = 60
    return skip_for_params(sorted(set(product(*measure.params)) - planned))(measure)


for _kernel in KERNELS.values():
    _measure = scaling(_kernel)
    globals()[_measure.__name__] = _measure
