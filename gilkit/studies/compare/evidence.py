"""The evidence for a verdict: pure functions from results to the figures of one kernel."""

from __future__ import annotations

from dataclasses import dataclass

from gilkit.arguments import shown_count
from gilkit.results import facts
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate
from gilkit.studies.compare.speedups import speedup
from gilkit.workloads.pickling import Pickled


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one kernel at the worker count that its table shows.

    Speedups are None where they were not measured.

    Parameters
    ----------
    kernel : str
    workers : int
    call : Estimate or None
        The length of one call, in seconds, on one worker.
    threads : dict of str to Estimate
        Speedups on threads, by variant.
    processes, native, ceiling : Estimate or None
        Speedups of processes, of the kernel's own native threads, and of the control's.
    size, unit : int, str
        How much work one call is.
    gil : bool
        Whether the interpreter has a GIL.
    held : float or None
        The share of a call that holds it.
    times : float
        How often, at least, a call takes it.
    sent : Estimate or None
        Speedup of processes that are sent the data of every call.
    pickling : float
        Seconds to pickle and unpickle the data and the result of a call.
    pickled : int
        Bytes of these pickles.
    unsendable : str
        Why they cannot be sent; or empty.
    """

    kernel: str
    workers: int
    call: Estimate | None
    threads: dict[str, Estimate]
    processes: Estimate | None
    native: Estimate | None
    ceiling: Estimate | None
    size: int
    unit: str
    gil: bool
    held: float | None = None
    times: float = 1.0
    sent: Estimate | None = None
    pickling: float = 0.0
    pickled: int = 0
    unsendable: str = ""

    @property
    def own(self) -> bool:
        """Whether it is the reader's own code."""
        return self.judged == "function"

    @property
    def judged(self) -> str:
        """The variant whose threads the verdict is about: the most that was released."""
        return next((v for v in JUDGED_VARIANTS if v in self.threads), "")


def shown_workers(results: Results, kernel: str) -> int:
    """Return the worker count that a kernel's row shows: as many as CPUs, or else the most measured."""
    cases = [c for c in (*results, *results.failures) if c.kernel == kernel]
    chosen = {c.workers for c in cases if c != c.baseline} or {c.workers for c in cases} or {1}
    return shown_count(sorted(chosen), results.cpus)


def evidence(results: Results, kernel: str) -> Evidence:
    """Return what the table and the verdict of ``kernel`` need."""
    workers = shown_workers(results, kernel)

    def at(variant: str, executor: str) -> Estimate | None:
        return speedup(results, Case(kernel, variant, executor, workers))

    variants = ("python", "gil", "nogil", "function")
    threads = {v: s for v in variants if (s := at(v, "threads")) is not None}
    in_processes = [
        s for v in ("nogil", "function", "gil", "python") if (s := at(v, "processes")) is not None
    ]
    order = [
        *(v for v in JUDGED_VARIANTS if v in threads),
        *JUDGED_VARIANTS,
    ]  # what is judged, if that was measured
    alone = [
        *(results.baseline(Case(kernel, v, "threads", 1)) for v in order),
        Case(kernel, "native", "openmp", 1),
    ]
    one = next((case for case in alone if results.values(case)), None)
    sendings = pickles(results, one) if one else []
    return Evidence(
        kernel=kernel,
        workers=workers,
        call=estimate(results.values(one)) if one else None,
        threads=threads,
        processes=in_processes[0] if in_processes else None,
        native=at("native", "openmp"),
        ceiling=at("ceiling", "openmp") or at("ceiling", "processes"),
        size=(results.fact(one, facts.SIZE) if one else 0) or 0,
        unit=(results.fact(one, facts.UNIT) if one else "") or "",
        held=results.fact(one, facts.HELD) if one else None,
        times=(results.fact(one, facts.HELD_TIMES) if one else 1.0) or 1.0,
        gil=results.gil,
        sent=at("sent", "processes"),
        pickling=sum(item.seconds for item in sendings),
        pickled=sum(item.nbytes for item in sendings),
        unsendable=next((unsendable(item) for item in sendings if item.problem), ""),
    )


def pickles(results: Results, case: Case) -> list[Pickled]:
    """Return what the data of a call and its result cost to be sent."""
    return [Pickled(**item) for item in results.fact(case, facts.PICKLES) or []]


def unsendable(item: Pickled) -> str:
    """Say why it cannot be sent."""
    return f"{item.name} cannot be pickled ({item.problem})"
