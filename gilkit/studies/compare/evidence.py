"""The evidence for a verdict: pure functions from results to the figures of one kernel."""

from __future__ import annotations

from gilkit.arguments import shown_count
from gilkit.results import facts
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate, paired_ratio
from gilkit.studies.compare.figures import Evidence
from gilkit.workloads.pickling import Pickled


def speedup(results: Results, case: Case) -> Estimate | None:
    """Return W · value(one worker) / value(W workers), paired by rounds; None where it was not measured."""
    one, many = results.values(case.baseline), results.values(case)
    if case in results.failures or not one or not many:
        return None
    return paired_ratio(one, many, case.workers)


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
    serial = [*(Case(kernel, v, "serial", 1) for v in order), Case(kernel, "native", "openmp", 1)]
    one = next((case for case in serial if results.values(case)), None)
    sendings = pickles(results, one) if one else []
    return Evidence(
        kernel=kernel,
        workers=workers,
        cpus=results.cpus,
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
