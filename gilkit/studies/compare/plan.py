"""What a run measures: the cases of every kernel or function, their workloads, and how long they may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gilkit.engine.executors import CALL_EXECUTORS, EXECUTORS
from gilkit.engine.meter import Meter
from gilkit.kernels import KERNELS, Kernel, data
from gilkit.results import facts
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.facts import Metadata
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.workloads.target import Own, check_processes, check_size
from gilkit.workloads.workload import KernelCall, Workload

CONTROL = "lcg"
LOOKS = (8, 12, 18, 27, 40)  # rounds after which a case is looked at, to end it where its interval is narrow
SETS = 3  # of fresh processes over which the rounds up to the first look are spread
NARROW_ENOUGH = 0.05  # the half-width of a speedup's interval that is narrow enough
PATIENCE = 3  # times as many rounds as are wanted, where others disturb them


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a run may take, and how it divides that.

    Parameters
    ----------
    budget : float
        Seconds for all of it.
    window : float
        Seconds of a window, at the least.
    first : int
        Undisturbed rounds of every case before the first look.
    looks : tuple of int
        Rounds at which cases whose interval is wide are looked at again.
    patience : float
        Seconds for the fewest rounds that decide anything, where these take longer.
    """

    budget: float
    window: float
    first: int
    looks: tuple[int, ...]
    patience: float

    def for_each(self, subjects: int) -> Budget:
        """Return what so many subjects may take together."""
        return replace(self, budget=subjects * self.budget, patience=subjects * self.patience)

    def rounds(self, cost: float, beside: float = 0.0) -> tuple[int, int]:
        """Return how many rounds there are to be before the first look.

        Parameters
        ----------
        cost : float
            Seconds of a round of what verdicts are about.
        beside : float
            Seconds of a round of what is shown beside it. On many CPUs, threads that hold the GIL take longer
            than all the rest together: these get what is left.

        Returns
        -------
        tuple of int
            Of the one, and of the other; that may be none.
        """
        every, most = cost + beside, max(self.budget, self.patience)
        if self.first * cost + FEWEST_ROUNDS * beside <= self.budget:
            return self.first, min(self.first, FEWEST_ROUNDS)
        if FEWEST_ROUNDS * every <= most:
            return FEWEST_ROUNDS, FEWEST_ROUNDS
        if FEWEST_ROUNDS * cost <= most and beside:
            return FEWEST_ROUNDS, max(0, int((self.budget - FEWEST_ROUNDS * cost) / beside))
        return (few := max(1, int(most / every))), few


def targets(rounds: int) -> list[int]:
    """Return how many rounds there are to be after each set of processes: spread evenly."""
    sets = min(SETS, rounds)
    return [-(-rounds * (number + 1) // sets) for number in range(sets)]


def half_width(speedup: float) -> float:
    """Return the half-width of an interval that is narrow enough; of speedups above 2, relative to them."""
    return NARROW_ENOUGH * max(1.0, speedup / 2)


QUICK_PACE = Budget(budget=14.0, window=0.015, first=FEWEST_ROUNDS, looks=(), patience=21.5)
USUAL_PACE = Budget(budget=104.0, window=0.05, first=LOOKS[0], looks=LOOKS[1:], patience=110.0)
OWN_PACE = Budget(budget=7.0, window=0.05, first=LOOKS[0], looks=LOOKS[1:], patience=40.0)


@dataclass(slots=True)
class Subject:
    """One kernel, or the reader's own code: its cases, with the workload of each variant."""

    name: str
    cases: list[Case]
    workloads: dict[str, Workload]
    facts: dict[str, Metadata]
    own: bool = False
    inputs: dict[str, Any] = field(default_factory=dict)  # the data of the reader's own calls
    meters: dict[str, Meter] = field(default_factory=dict)  # of variants that are measured elsewhere

    @property
    def judged(self) -> str:
        """The variant that the verdict is about: the most that is released of what is measured on threads."""
        threads = {case.variant for case in self.cases if case.executor == "threads"}
        has = threads & set(JUDGED_VARIANTS) or set(self.workloads)
        return next((variant for variant in JUDGED_VARIANTS if variant in has), "")

    def beside(self, case: Case) -> bool:
        """Whether a case is shown beside what the verdict is about: threads of other variants."""
        return case.executor == "threads" and case.variant in JUDGED_VARIANTS and case.variant != self.judged

    def follows(self, case: Case, alone: Case) -> bool:
        """Whether a case is another look at what another is the baseline of: it fails with that."""
        return case.variant == "unpinned" and (alone.variant, alone.executor) == (self.judged, "threads")


def subject_of(subjects: Iterable[Subject], case: Case) -> Subject:
    """Return the one of these subjects that a case is of."""
    return next(subject for subject in subjects if subject.name == case.kernel)


@dataclass(slots=True)
class Batch:
    """Subjects that are measured in the same rounds: one, or several to be compared to one another."""

    subjects: list[Subject]
    tried: int = 0  # rounds so far
    sets: list[int] = field(default_factory=list)  # the first round of each further set of processes

    @property
    def name(self) -> str:
        """What it is called while it is measured."""
        return " | ".join(subject.name for subject in self.subjects)

    @property
    def cases(self) -> list[Case]:
        """The cases of all."""
        return [case for subject in self.subjects for case in subject.cases]

    def beside(self, case: Case) -> bool:
        """Whether a case is shown beside what verdicts are about."""
        return subject_of(self.subjects, case).beside(case)

    def together(self, case: Case) -> list[Case]:
        """Return a case, and the same of the other subjects: what is compared comes from the same rounds."""
        return [replace(case, kernel=subject.name) for subject in self.subjects]


def _plan(
    name: str, variants: Sequence[str], executors: Iterable[str], workers: Iterable[int], shown: int
) -> list[Case]:
    """Return the cases of one kernel, with what they are compared to and the ceiling.

    Of processes there are those of the most that is released: another variant has a GIL of its own there,
    too, and does as well.
    """
    cases: dict[Case, None] = {}
    released = next((variant for variant in JUDGED_VARIANTS if variant in variants), "")
    for executor in executors:
        kind = EXECUTORS[executor]
        if kind.missing():
            continue
        for variant in variants:
            if kind.native != (variant == "native") or (kind.apart and variant != released):
                continue
            for count in [1] if kind.single else workers:
                case = Case(name, variant, executor, count)
                cases[case.baseline] = None
                cases[case] = None
    if shown > 1 and any(case.executor == "threads" for case in cases):
        cases[Case(name, "unpinned", "threads", shown)] = None
    return list(cases)


def _ceilings(name: str, workers: Iterable[int]) -> list[Case]:
    """Return the cases of the control: on native threads, or on processes."""
    control = "processes" if EXECUTORS["openmp"].missing() else "openmp"
    if EXECUTORS[control].missing():
        return []
    return [Case(name, "ceiling", control, count) for count in dict.fromkeys((1, *workers))]


def _control() -> KernelCall:
    """The workload that shows what the machine itself can do: arithmetic, in calls of about 1 ms."""
    variant = "nogil" if EXECUTORS["openmp"].missing() else "native"
    return KernelCall(CONTROL, variant, KERNELS[CONTROL].size // 4)


def usual_executors(own: bool) -> list[str]:
    """Return the executors that are measured by default: one worker alone is measured on each of them."""
    return [name for name, kind in CALL_EXECUTORS.items() if not kind.single and not (own and kind.native)]


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
    subject = Subject(kernel.name, _plan(kernel.name, has, executors, workers, shown), workloads, known)
    if subject.cases:
        workloads["unpinned"] = workloads.get(subject.judged, control)
        known["unpinned"] = known.get(subject.judged, {})
        subject.cases += _ceilings(kernel.name, [count for count in workers if count > 1] or [shown])
    return subject


def own_subject(
    own: Own, executors: Sequence[str], workers: Sequence[int], shown: int, shared: bool = False
) -> Subject:
    """Return what is to be measured of the reader's own code."""
    if "processes" in executors:
        check_processes(max(workers))
    cases = _plan(own.name, ["function"], [e for e in executors if e != "openmp"], workers, shown)
    workload = own.workload()
    workloads: dict[str, Workload] = {"function": workload, "unpinned": workload}
    if "processes" in executors and not EXECUTORS["processes"].missing():
        workloads["sent"] = workload
        cases.append(Case(own.name, "sent", "processes", shown))
    if shared and "threads" in executors:
        workloads["shared"] = own.workload(shared=True)
        cases += [Case(own.name, "shared", "threads", count) for count in workers if count > 1]
    workloads["ceiling"] = _control()
    cases += _ceilings(own.name, workers)
    known: dict[str, Metadata] = {variant: {} for variant in workloads} | {"function": dict(own.facts)}
    return Subject(own.name, cases, workloads, known, own=True)
