"""What a run measures: the cases of every kernel or function, their workloads, and how long they may take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.runner import FEWEST_ROUNDS, MOST_ROUNDS
from gilkit.kernels import KERNELS, Kernel, data
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.facts import Metadata
from gilkit.workloads.target import Own, check_processes, check_size
from gilkit.workloads.workload import KernelCall, Workload

CONTROL = "lcg"
CASE_OVERHEAD = 0.006  # seconds that a window of a case takes beside its calls


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run may take, and how it divides that.

    Parameters
    ----------
    budget : float
        Seconds for all rounds of all kernels.
    stretch : float
        Seconds that one worker's calls last in a window.
    least, most : int
        Rounds.
    limit : float
        Seconds after the start of the run from which no kernel has more than the fewest rounds.
    """

    budget: float
    stretch: float
    least: int
    most: int
    limit: float = math.inf

    def rounds(self, costs: Mapping[str, float]) -> dict[str, int]:
        """Return the rounds of every subject, from the seconds that one round of it costs.

        Each has the same share of the budget; those that need more for the least of rounds leave the others
        less.
        """
        left, counts = self.budget, {}
        for done, name in enumerate(sorted(costs, key=lambda name: -costs[name])):
            share = left / (len(costs) - done)
            counts[name] = int(min(self.most, max(self.least, share / max(1e-9, costs[name]))))
            left = max(0.0, left - counts[name] * costs[name])
        return counts


# Slow moments come in bursts of some ten milliseconds here: many short windows survive them better than a few
# long ones.
QUICK_PACE = Pace(budget=15.0, stretch=0.010, least=FEWEST_ROUNDS, most=MOST_ROUNDS, limit=24.0)
USUAL_PACE = Pace(budget=88.0, stretch=0.012, least=5, most=MOST_ROUNDS, limit=108.0)
CLOSE_PACE = Pace(budget=80.0, stretch=0.030, least=5, most=MOST_ROUNDS, limit=108.0)  # for a few kernels
# For the reader's own code.
OWN_PACE = Pace(budget=4.5, stretch=0.015, least=FEWEST_ROUNDS, most=MOST_ROUNDS, limit=8.0)


@dataclass(slots=True)
class Subject:
    """One kernel, or the reader's own code: its cases, with the workload of each variant."""

    name: str
    cases: list[Case]
    workloads: dict[str, Workload]
    facts: dict[str, Metadata]
    loops: dict[str, int] = field(default_factory=dict)
    calls: dict[str, float] = field(default_factory=dict)
    own: bool = False
    narrow: int = 0  # the worker count to stay with where calls are long; 0 for all that were asked for

    def loops_of(self, case: Case, cpus: int) -> int:
        """Return how many calls each worker of ``case`` makes in a window.

        Workers that have to share the GIL or the CPUs make fewer, so that every case lasts about as long.
        """
        return max(1, round(self.loops[case.variant] / self._share(case, cpus)))

    def seconds(self, case: Case, cpus: int) -> float:
        """Return about how long one window of ``case`` takes."""
        calls = self.loops_of(case, cpus) * self._share(case, cpus)
        return calls * self.calls[case.variant] + CASE_OVERHEAD

    @staticmethod
    def _share(case: Case, cpus: int) -> float:
        """By what factor the workers of ``case`` may slow one another down."""
        if not EXECUTORS[case.executor].apart and case.variant in ("python", "gil"):
            return case.workers
        return max(1.0, case.workers / cpus)


def _plan(
    name: str,
    variants: Iterable[str],
    executors: Iterable[str],
    workers: Iterable[int],
    ceilings: Iterable[int],
) -> list[Case]:
    """Return the cases of one kernel, with what they are compared to and the ceiling."""
    cases: dict[Case, None] = {}
    executors = list(executors)
    for variant in variants:
        for executor in ["openmp"] if variant == "native" else executors:
            kind = EXECUTORS[executor]
            if kind.native != (variant == "native") or kind.missing():
                continue
            for count in [1] if kind.single else workers:
                case = Case(name, variant, executor, count)
                cases[case.baseline] = None
                cases[case] = None
    control = "processes" if EXECUTORS["openmp"].missing() else "openmp"
    if not EXECUTORS[control].missing():
        for count in dict.fromkeys((1, *ceilings)):
            cases[Case(name, "ceiling", control, count)] = None
    return list(cases)


def _control() -> KernelCall:
    """The workload that shows what the machine itself can do: arithmetic, in calls of about 1 ms."""
    variant = "nogil" if EXECUTORS["openmp"].missing() else "native"
    return KernelCall(CONTROL, variant, KERNELS[CONTROL].size // 4)


def kernel_subject(
    kernel: Kernel,
    variants: Sequence[str],
    executors: Sequence[str],
    workers: Sequence[int],
    shown: int,
    size: int | None,
    path: str | None,
) -> Subject:
    """Return what is to be measured of one kernel."""
    has = [v for v in variants if kernel.variant(v) is not None]
    extent = None
    if path is not None:
        extent = data.available(path, kernel.takes)
        kernel.make(1, path)  # does its beginning fit the kernel?
    workloads: dict[str, Workload] = {}
    known: dict[str, Metadata] = {}
    for variant in has:
        chosen = size if size is not None else kernel.default_size(variant)
        if extent is not None:
            whole = size is None and variant != "python"
            chosen = min(extent, kernel.default_most if whole else chosen)
        check_size(kernel, chosen, max(workers))
        workloads[variant] = KernelCall(kernel.name, variant, chosen, path)
        known[variant] = {**facts.SIZE.entry(chosen), **facts.UNIT.entry(kernel.unit)}
    workloads["ceiling"] = control = _control()
    known["ceiling"] = {**facts.SIZE.entry(control.size), **facts.UNIT.entry(KERNELS[CONTROL].unit)}
    return Subject(kernel.name, _plan(kernel.name, has, executors, workers, [shown]), workloads, known)


def own_subject(
    own: Own,
    executors: Sequence[str],
    workers: Sequence[int],
    shown: int,
    narrow: bool,
) -> Subject:
    """Return what is to be measured of the reader's own code."""
    if "processes" in executors:
        check_processes(max(workers))
    cases = _plan(own.name, ["function"], [e for e in executors if e != "openmp"], workers, workers)
    workloads: dict[str, Workload] = {"function": own.workload(), "ceiling": _control()}
    if "processes" in executors and not EXECUTORS["processes"].missing():
        workloads["sent"] = workloads["function"]
        cases.append(Case(own.name, "sent", "processes", shown))
    known: dict[str, Metadata] = {variant: {} for variant in workloads} | {"function": dict(own.facts)}
    return Subject(own.name, cases, workloads, known, own=True, narrow=narrow * shown)
