"""What a run measures: the cases of every kernel or function, and their workloads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from inspect import getsource
from typing import Any

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.meter import Meter
from gilkit.kernels import KERNELS, Kernel, _plain, data
from gilkit.results import facts
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.facts import Metadata
from gilkit.workloads.digests import digest_of_file
from gilkit.workloads.target import Own, check_processes, check_size
from gilkit.workloads.workload import KernelCall, PlainCall, Workload

CONTROL = "lcg"
NEED_NUMPY = "they need NumPy, which cannot be imported in an interpreter of its own"


@dataclass(slots=True)
class Subject:
    """One kernel, or the reader's own code: its cases, with the workload of each variant."""

    name: str
    cases: list[Case]
    workloads: dict[str, Workload]
    facts: dict[str, Metadata]
    own: bool = False
    inputs: dict[str, Any] = field(default_factory=dict)  # the data of the reader's own calls
    plain: dict[str, Workload] = field(default_factory=dict)  # of variants, for workers that run nothing else
    cannot: tuple[str, ...] = ()  # executors on which none of its variants runs
    offered: bool = False  # whether nobody asked for its executors: what cannot run on one is left out
    meters: dict[str, Meter] = field(default_factory=dict)  # of variants that are measured elsewhere

    @property
    def judged(self) -> str:
        """The variant that the verdict is about: the most that is released of what is measured on threads."""
        threads = {case.variant for case in self.cases if case.executor == "threads"}
        has = threads & set(JUDGED_VARIANTS) or set(self.workloads)
        return next((variant for variant in JUDGED_VARIANTS if variant in has), "")

    @property
    def secluded(self) -> bool:
        """Whether it is measured in interpreters of their own only: its calls need not run anywhere else."""
        return all(EXECUTORS[case.executor].secluded for case in self.cases if case.variant != "ceiling")

    def workload(self, case: Case) -> Workload:
        """What the workers of a case call."""
        plain = self.plain if EXECUTORS[case.executor].plain else {}
        return plain.get(case.variant, self.workloads[case.variant])

    def beside(self, case: Case) -> bool:
        """Whether a case of another variant is shown beside what the verdict is about."""
        shown = case.executor == "threads" or EXECUTORS[case.executor].plain
        return shown and case.variant in JUDGED_VARIANTS and case.variant != self.judged

    def follows(self, case: Case, alone: Case) -> bool:
        """Whether a case is another look at what another is the baseline of: it fails with that."""
        return case.variant == "unpinned" and (alone.variant, alone.executor) == (self.judged, "threads")


def left_out(subjects: Iterable[Subject]) -> dict[str, str]:
    """Return what is not measured as it cannot run on an executor, with the reason."""
    found: dict[str, list[str]] = {}
    for subject in subjects:
        for name in subject.cannot:
            found.setdefault(name, []).append(subject.name)
    return {f"{name} of {', '.join(kernels)}": NEED_NUMPY for name, kernels in found.items()}


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
    name: str,
    variants: Sequence[str],
    executors: Iterable[str],
    workers: Iterable[int],
    shown: int,
    plain: Collection[str],
) -> list[Case]:
    """Return the cases of one kernel, with what they are compared to and the ceiling.

    Of processes there are those of the most that is released: another variant has a GIL of its own there,
    too, and does as well. Of interpreters there are those that are ``plain``.
    """
    cases: dict[Case, None] = {}
    released = next((variant for variant in JUDGED_VARIANTS if variant in variants), "")
    for executor in executors:
        kind = EXECUTORS[executor]
        if kind.missing():
            continue
        for variant in variants:
            if kind.native != (variant == "native"):
                continue
            if kind.plain and variant not in plain:
                continue
            if (kind.apart or (kind.further and not kind.plain)) and variant != released:
                continue
            for count in [1] if kind.single else workers:
                case = Case(name, variant, executor, count)
                cases[case.baseline] = None
                cases[case] = None
    if shown > 1 and any(case.executor == "threads" for case in cases):
        cases[Case(name, "unpinned", "threads", shown)] = None
    return list(cases)


def _runs_plain(executor: str) -> bool:
    """Whether an executor is here that runs plain Python only."""
    return EXECUTORS[executor].plain and not EXECUTORS[executor].missing()


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
    usual = {name: kind for name, kind in EXECUTORS.items() if kind.usual and not kind.single}
    return [name for name, kind in usual.items() if not (own and kind.native)]


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
    plain: dict[str, Workload] = {}
    given = {} if path is None else facts.INPUT.entry(digest_of_file(path))
    for variant in has:
        chosen = size if size is not None else kernel.default_size(variant)
        if extent is not None:
            whole = size is None and variant != "python"
            chosen = min(extent, kernel.default_most if whole else chosen)
        check_size(kernel, chosen, max(workers))
        workloads[variant] = KernelCall(kernel.name, variant, chosen, path)
        known[variant] = {**facts.SIZE.entry(chosen), **facts.UNIT.entry(kernel.unit), **given}
        if variant == "python" and kernel.plain is not None and any(map(_runs_plain, executors)):
            plain[variant] = PlainCall(getsource(_plain), kernel.plain.__name__, kernel.make(chosen, path))
    workloads["ceiling"] = control = _control()
    known["ceiling"] = {**facts.SIZE.entry(control.size), **facts.UNIT.entry(KERNELS[CONTROL].unit)}
    cases = _plan(kernel.name, has, executors, workers, shown, plain)
    cannot = tuple(e for e in executors if _runs_plain(e) and "python" in has and not plain)
    subject = Subject(kernel.name, cases, workloads, known, plain=plain, cannot=cannot)
    if subject.cases:
        workloads["unpinned"] = workloads.get(subject.judged, control)
        known["unpinned"] = known.get(subject.judged, {})
        subject.cases += _ceilings(kernel.name, [count for count in workers if count > 1] or [shown])
    return subject


def own_subject(
    own: Own, executors: Sequence[str], workers: Sequence[int], shown: int, shared: bool = False
) -> Subject:
    """Return what is to be measured of the reader's own code."""
    if pools := sum(EXECUTORS[name].apart for name in executors):
        check_processes(pools * max(workers))
    usable = [name for name in executors if not EXECUTORS[name].native]
    cases = _plan(own.name, ["function"], usable, workers, shown, ["function"])
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
