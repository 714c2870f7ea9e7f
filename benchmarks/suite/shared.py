"""What the benchmarks share: a lab for each process, and rounds whose own seconds asv records."""

from __future__ import annotations

import atexit
import os
import random
import statistics
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import count
from typing import Any

from gilkit.engine.meter import Meter
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Lane, Measured, Runner, exactly
from gilkit.errors import CaseFailedError
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.machine import usable_cpus
from gilkit.results.case import Case
from gilkit.studies.compare.plan import Subject, kernel_subject, usual_executors

CPUS = usable_cpus()
COUNTS = sorted({1, CPUS, 2 * CPUS})  # workers
WINDOW = 0.05  # seconds of a window, at the least
PASSES = int(os.environ.get("GILKIT_PASSES", "5"))  # over everything; one is for trying out
PAIRS = 4 * PASSES + 1  # of measurements that are compared
SAMPLES = 2  # of each in a pass
ANSWERED = 180.0  # seconds for a window: many threads take turns, and the machine may be busy
KEPT = PASSES * SAMPLES // 2  # the faster half: what others do only adds to a time
VERSION = "4"  # of all benchmarks: a new one where what they measure changes, which begins new curves


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


Samples = Mapping[Case, list[float] | str]  # the seconds of a case, the fastest first, or why it failed
clock = Clock()
_calls, _turns = count(), count()


def sampled(groups: Iterable[list[Case]], measure: Callable[[Case], float]) -> Samples:
    """Return samples of the seconds that each of all cases takes.

    All are measured in turns, in a few passes: a neighbour that is busy for some seconds spoils a few samples
    of each, and not all of some. Cases of a group share their data, so their samples of a pass follow one
    another, in a new order each time.
    """
    groups, runner = list(groups), Runner()

    def lane(case: Case) -> Lane:
        return Lane(case, lambda: Measured(measure(case)))

    for _ in range(PASSES):
        for case in [case for case in runner.failures if case in runner.records]:
            del runner.failures[case]  # one that came back once may come back again
        for cases in groups:
            runner.rounds(map(lane, cases), exactly(SAMPLES))
    samples = {case: sorted(record.values) for case, record in runner.records.items()}
    return {case: samples.get(case) or runner.failures[case] for cases in groups for case in cases}


def failed(found: Samples) -> int:
    """Return 0; if any failed, fail here, with all reasons."""
    reasons = [f"{case.name}: {why}" for case, why in found.items() if isinstance(why, str)]
    if reasons:
        raise CaseFailedError("\n".join(reasons))
    return 0


def replay(samples: list[float] | str) -> None:
    """Let the clock go on by the next of ``samples``; a failure fails here."""
    if isinstance(samples, str):
        raise CaseFailedError(samples)
    kept = samples[:KEPT]
    clock.tell(kept[next(_calls) % len(kept)])


def replayed(benchmark: Callable[..., None]) -> None:
    """Tell asv to record what a benchmark replays."""
    benchmark.timer, benchmark.version, benchmark.timeout = clock, VERSION, 60
    benchmark.number, benchmark.repeat, benchmark.rounds, benchmark.warmup_time = 1, KEPT, 1, 0.0


def tracked(
    module: dict[str, Any], question: Callable[..., float], unit: str, *asked: str, timeout: int = 180
) -> None:
    """Make a benchmark of ``module`` of a function and its arguments.

    One for each kernel, not one with kernels as parameters: asv knows parameters by their place in the list,
    and would take a new kernel's figures for those of the one that had its place.
    """

    def track() -> float:
        return question(*asked)

    track.__name__ = "_".join(("track", question.__name__, *asked))
    track.__doc__, track.__module__ = question.__doc__, question.__module__
    track.unit, track.timeout, track.version = unit, timeout, VERSION
    module[track.__name__] = track


@cache
def subject(name: str) -> Subject:
    """Return everything that can be measured of a kernel."""
    return kernel_subject(KERNELS[name], VARIANTS, usual_executors(own=False), COUNTS, CPUS, None, None)


@cache
def lab(most: int) -> Lab:
    """Return this process's lab: what crashes or hangs there is a case that failed, and the others stand."""
    made = Lab(most, ANSWERED)
    atexit.register(made.__exit__, None, None, None)
    return made


@cache
def meter(most: int) -> Meter:
    """Return what measures windows in that lab."""
    made = Meter(lab(most), WINDOW, CPUS, random.Random())
    for name in KERNELS:
        for variant in ("python", "gil"):
            if (workload := subject(name).workloads.get(variant)) is not None:
                made.holds(workload)
    return made


def value(case: Case) -> float:
    """Measure one window, and return the seconds of a call of each worker in it."""
    turn, workload = next(_turns), subject(case.kernel).workloads[case.variant]
    return meter(max(COUNTS)).window(case.executor, workload, case.workers, turn).value


def slowdown(slow: Callable[[], float], fast: Callable[[], float], pairs: int = PAIRS) -> float:
    """Return the median of so many ratios of two measurements that take turns."""
    return statistics.median(slow() / fast() for _ in range(pairs))
