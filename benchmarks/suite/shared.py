"""What the benchmarks share: a lab for each process, and rounds whose own seconds asv records."""

from __future__ import annotations

import atexit
import statistics
from collections.abc import Callable
from functools import cache

from gilkit.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.lab import Lab
from gilkit.machine import usable_cpus
from gilkit.measure import calibrated
from gilkit.plan import Subject, kernel_subject
from gilkit.results import Case

CPUS = usable_cpus()
COUNTS = sorted({1, CPUS, 2 * CPUS})  # workers
STRETCH = 0.015  # seconds that one worker's calls last in a round
PAIRS = 15  # of measurements that are compared


class Clock:
    """A timer for asv that stands still but for what it is told.

    So what asv takes for the length of a benchmark is that of a call in a round, without the time to hand
    the round out and to wait for its start.
    """

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds that were told so far."""
        return self.now

    def tell(self, seconds: float) -> None:
        """Let ``seconds`` go by."""
        self.now += seconds


clock = Clock()


@cache
def subject(name: str) -> Subject:
    """Return everything that can be measured of a kernel."""
    return kernel_subject(KERNELS[name], VARIANTS, list(EXECUTORS), COUNTS, CPUS, None, None)


@cache
def lab(most: int) -> Lab:
    """Return this process's lab. asv has given the benchmark a process of its own: threads may run here."""
    made = Lab(most, apart=False)
    atexit.register(made.__exit__, None, None, None)
    return made


@cache
def loops(name: str, variant: str) -> int:
    """Return how many calls of one worker last a round."""
    alone = Case(name, variant, "serial", 1)
    if variant == "native":
        alone = alone.baseline if alone.executor == "openmp" else Case(name, variant, "openmp", 1)

    def run(count: int) -> float:
        return lab(max(COUNTS)).round(alone.executor, subject(name).workloads[variant], 1, count).seconds

    return calibrated(run, STRETCH)[0]


def value(case: Case) -> float:
    """Run one round and return the seconds of a call in it."""
    planned = subject(case.kernel)
    if case.variant not in planned.loops:
        planned.loops[case.variant] = loops(case.kernel, case.variant)
    workload = planned.workloads[case.variant]
    return lab(max(COUNTS)).round(case.executor, workload, case.workers, planned.loops_of(case, CPUS)).value


def slowdown(slow: Callable[[], float], fast: Callable[[], float], pairs: int = PAIRS) -> float:
    """Return the median of so many ratios of two measurements that take turns."""
    return statistics.median(slow() / fast() for _ in range(pairs))
