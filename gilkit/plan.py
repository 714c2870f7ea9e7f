"""What a run measures: the cases of every kernel or function, their workloads, and how long they may take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gilkit import data
from gilkit.executors import EXECUTORS
from gilkit.kernels import KERNELS, Kernel
from gilkit.results import Case
from gilkit.workload import KernelCall, Workload

CONTROL = "lcg"
FEW = 3  # rounds below which no run is cut short
FOOTPRINT = 60e6  # bytes of a worker process, before it has data
OVERHEAD = 0.006  # seconds that a round of a case takes beside its calls


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run may take, and how it divides that.

    Parameters
    ----------
    budget : float
        Seconds for all rounds of all kernels.
    stretch : float
        Seconds that one worker's calls last in a round.
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


# Slow moments come in bursts of some ten milliseconds here: many short rounds survive them better than a few
# long ones.
QUICK = Pace(budget=15.0, stretch=0.010, least=FEW, most=25, limit=24.0)
DEFAULT = Pace(budget=88.0, stretch=0.012, least=5, most=25, limit=108.0)
CLOSE = Pace(budget=80.0, stretch=0.030, least=5, most=25, limit=108.0)  # for a few kernels
OWN = Pace(budget=4.5, stretch=0.015, least=FEW, most=25, limit=8.0)  # for the reader's own code


@dataclass(slots=True)
class Subject:
    """One kernel, or the reader's own code: its cases, with the workload of each variant."""

    name: str
    cases: list[Case]
    workloads: dict[str, Workload]
    facts: dict[str, dict[str, str | int | float]]
    loops: dict[str, int] = field(default_factory=dict)
    calls: dict[str, float] = field(default_factory=dict)
    own: bool = False
    narrow: int = 0  # the worker count to stay with where calls are long; 0 for all that were asked for

    def loops_of(self, case: Case, cpus: int) -> int:
        """Return how many calls each worker of ``case`` makes in a round.

        Workers that have to share the GIL or the CPUs make fewer, so that every case lasts about as long.
        """
        return max(1, round(self.loops[case.variant] / self._share(case, cpus)))

    def seconds(self, case: Case, cpus: int) -> float:
        """Return about how long one round of ``case`` takes."""
        calls = self.loops_of(case, cpus) * self._share(case, cpus)
        return calls * self.calls[case.variant] + OVERHEAD

    @staticmethod
    def _share(case: Case, cpus: int) -> float:
        """By what factor the workers of ``case`` may slow one another down."""
        if case.executor == "threads" and case.variant in ("python", "gil"):
            return case.workers
        return max(1.0, case.workers / cpus)


def worker_counts(cpus: int) -> tuple[int, ...]:
    """Return 1 … 2 × ``cpus``: every count up to 4, then doubling."""
    most = 2 * cpus
    counts = set(range(1, min(4, most) + 1)) | {most}
    step = 8
    while step < most:
        counts.add(step)
        step *= 2
    return tuple(sorted(counts))


def allowed(what: str, names: Iterable[str] | None, known: Sequence[str]) -> list[str]:
    """Return ``names``, each once, or all that are ``known``."""
    if names is None:
        return list(known)
    try:
        chosen = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    except TypeError:
        raise TypeError(f"{what}s must be names, not {type(names).__name__}") from None
    for name in chosen:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}: known are {', '.join(known)}")
    if not chosen:
        raise ValueError(f"name at least one {what}: known are {', '.join(known)}")
    return chosen


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
    facts: dict[str, dict[str, str | int | float]] = {}
    for variant in has:
        chosen = size if size is not None else kernel.default_size(variant)
        if extent is not None:
            whole = size is None and variant != "python"
            chosen = min(extent, kernel.default_most if whole else chosen)
        if chosen > kernel.largest:
            raise ValueError(
                f"{kernel.name}: size {chosen} is too large: at most {kernel.largest} is allowed"
            )
        workloads[variant] = KernelCall(kernel.name, variant, chosen, path)
        facts[variant] = {"gilkit_size": chosen, "gilkit_unit": kernel.unit}
    check_memory(kernel, max((int(f["gilkit_size"]) for f in facts.values()), default=0), max(workers))
    workloads["ceiling"] = control = _control()
    facts["ceiling"] = {"gilkit_size": control.size, "gilkit_unit": KERNELS[CONTROL].unit}
    return Subject(kernel.name, _plan(kernel.name, has, executors, workers, [shown]), workloads, facts)


def check_memory(kernel: Kernel, size: int, workers: int) -> None:
    """Refuse sizes whose data would not fit: threads, processes and native threads each have their own."""
    import psutil

    needed = (
        2 * kernel.nbytes(size) * 3 * workers + FOOTPRINT * workers
    )  # 2: the kernel before is still there
    free = psutil.virtual_memory().available
    if needed > free:
        raise ValueError(
            f"{kernel.name}: a size of {size} needs about {needed / 1e9:,.1f} GB for {workers} workers, and "
            f"{free / 1e9:,.1f} GB are free: choose a smaller size or fewer workers"
        )


def chosen_kernels(target: Any, path: str | None) -> list[Kernel]:
    """Return the kernels that ``target`` names: all of them, or all that take a file, where it is None."""
    takes = {k.name: k.takes for k in KERNELS.values() if k.takes}
    if target is None:
        wanted = list(KERNELS)
        if path is not None:
            kind = "array" if path.endswith(".npy") else "bytes"
            wanted = [name for name, taken in takes.items() if taken == kind]
    else:
        if not isinstance(target, str | Kernel | Iterable):
            raise TypeError(f"target must be kernels or a function, not {type(target).__name__}")
        names = [target] if isinstance(target, str | Kernel) else target
        wanted = [name.name if isinstance(name, Kernel) else name for name in names]
    kernels = [KERNELS[name] for name in allowed("kernel", wanted, list(KERNELS))]
    for kernel in kernels:
        if path is not None and not kernel.takes:
            raise ValueError(f"{kernel.name} takes no input file: {', '.join(takes)} do")
    return kernels


def own_subject(
    name: str,
    workload: Workload,
    executors: Sequence[str],
    workers: Sequence[int],
    shown: int,
    narrow: bool,
) -> Subject:
    """Return what is to be measured of the reader's own code."""
    import psutil

    free = psutil.virtual_memory().available
    if "processes" in executors and FOOTPRINT * max(workers) > free:
        raise ValueError(
            f"{max(workers)} processes need about {FOOTPRINT * max(workers) / 1e9:,.1f} GB, and "
            f"{free / 1e9:,.1f} GB are free: choose fewer workers"
        )
    cases = _plan(name, ["function"], [e for e in executors if e != "openmp"], workers, workers)
    workloads: dict[str, Workload] = {"function": workload, "ceiling": _control()}
    if "processes" in executors and not EXECUTORS["processes"].missing():
        workloads["sent"] = workload
        cases.append(Case(name, "sent", "processes", shown))
    return Subject(
        name, cases, workloads, {variant: {} for variant in workloads}, own=True, narrow=narrow * shown
    )


def function_name(function: Callable[..., object]) -> str:
    """Return what a function is called in tables."""
    plain = function.func if isinstance(function, partial) else function
    return str(getattr(plain, "__qualname__", None) or type(plain).__qualname__)
