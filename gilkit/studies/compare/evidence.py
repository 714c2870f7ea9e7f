"""The evidence for a verdict: pure functions from results to the figures of one kernel."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from statistics import fmean, median
from typing import Any

from gilkit.arguments import shown_count
from gilkit.gil.law import HAND_OVER
from gilkit.results import facts
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.file import Results
from gilkit.results.stats import estimate, paired
from gilkit.results.windows import Window, known
from gilkit.studies.compare.figures import Evidence, Usage
from gilkit.studies.compare.speedups import compared, over_sets, sets_of, speedup, speedups
from gilkit.workloads.pickling import Pickled


def shown_workers(results: Results, kernel: str) -> int:
    """Return the worker count that a kernel's row shows: as many as CPUs, or else the most measured."""
    cases = [c for c in (*results, *results.failures) if c.kernel == kernel]
    chosen = {c.workers for c in cases if c != results.baseline(c)} or {c.workers for c in cases} or {1}
    return shown_count(sorted(chosen), results.cpus)


def worker_counts(results: Results, kernel: str) -> list[int]:
    """Return the worker counts that have a row each: all that were asked for, but one worker alone."""
    cases = (case for case in (*results, *results.failures) if case.kernel == kernel)
    asked = {
        case.workers for case in cases if case.workers > 1 and case.variant not in ("ceiling", "unpinned")
    }
    return sorted(asked) or [1]


def evidence(results: Results, kernel: str, workers: int | None = None) -> Evidence:
    """Return what the table and the verdict of ``kernel`` need, at the worker count that is shown."""
    workers = shown_workers(results, kernel) if workers is None else workers
    cases = {v: Case(kernel, v, "threads", workers) for v in ("python", "gil", "nogil", "function")}
    threads = {v: s for v, case in cases.items() if (s := speedup(results, case)) is not None}
    judged = next((v for v in JUDGED_VARIANTS if v in threads), "")
    subject = Case(kernel, judged, "threads", workers)
    one = _alone(results, kernel, judged)
    apart = next(
        (c for v in JUDGED_VARIANTS if results.values(c := Case(kernel, v, "processes", workers))), subject
    )
    native = Case(kernel, "native", "openmp", workers)
    ceiling = next(
        (c for e in ("openmp", "processes") if results.values(c := Case(kernel, "ceiling", e, workers))),
        native,
    )
    sendings = pickles(results, one) if one else []
    return Evidence(
        kernel=kernel,
        workers=workers,
        cpus=results.cpus,
        call=estimate(results.values(one)) if one else None,
        threads=threads,
        processes=speedup(results, apart) if apart.executor == "processes" else None,
        native=speedup(results, native),
        ceiling=speedup(results, ceiling) if ceiling.variant == "ceiling" else None,
        threads_to_ceiling=compared(results, subject, ceiling) if ceiling.variant == "ceiling" else None,
        threads_to_processes=compared(results, subject, apart) if apart.executor == "processes" else None,
        processes_to_ceiling=compared(results, apart, ceiling) if apart.executor == "processes" else None,
        native_to_ceiling=compared(results, native, ceiling),
        sent=speedup(results, Case(kernel, "sent", "processes", workers)),
        shared=speedup(results, Case(kernel, "shared", "threads", workers)),
        gil=results.gil,
        pickling=sum(item.seconds for item in sendings),
        pickled=sum(item.nbytes for item in sendings),
        unsendable=next((unsendable(item) for item in sendings if item.problem), ""),
        handover=facts.HANDOVER.of(results.facts, HAND_OVER),
        **_of_call(results, one),
        **_of_windows(results, subject, apart),
        **_single(results, kernel, workers),
    )


def _alone(results: Results, kernel: str, judged: str) -> Case | None:
    """Return the case of one worker alone: of what is judged, or else of what there is."""
    wanted = [judged, *JUDGED_VARIANTS]
    alone = [results.baseline(Case(kernel, v, "threads", 1)) for v in wanted if v]
    others = [Case(kernel, v, "processes", 1) for v in JUDGED_VARIANTS]
    return next(
        (c for c in (*alone, *others, Case(kernel, "native", "openmp", 1)) if results.values(c)), None
    )


def _of_call(results: Results, one: Case | None) -> dict[str, Any]:
    """Return what is known of a call: its size, and how it treats the GIL."""
    if one is None:
        return {}
    found = {
        "size": results.fact(one, facts.SIZE),
        "unit": results.fact(one, facts.UNIT),
        "held": results.fact(one, facts.HELD),
        "held_error": results.fact(one, facts.HELD_ERROR),
        "times": results.fact(one, facts.HELD_TIMES),
        "longest": results.fact(one, facts.HELD_LONGEST),
        "held_note": results.fact(one, facts.HELD_NOTE),
        "inside": results.fact(one, facts.INSIDE),
        "limits": results.fact(one, facts.LIMITS),
    }
    return {name: value for name, value in found.items() if value is not None}


def _of_windows(results: Results, subject: Case, apart: Case) -> dict[str, Any]:
    """Return what the windows of threads and of processes tell beside throughput."""
    base, loose = results.baseline(subject), Case(subject.kernel, "unpinned", "threads", subject.workers)
    beside, alone = results.windows(subject), results.windows(base)
    clean = paired(results.rounds(subject), results.rounds(base))
    found: dict[str, Any] = {
        "alone": _usage(_counting(results, base)),
        "beside": _usage(_counting(results, subject)),
        "apart": _usage(_counting(results, apart)) if apart != subject else None,
        "clean": len(clean) if beside else 0,
        "tried": len(paired(beside, alone)),
        "pinned": all(window.pinned for window in beside.values()),
    }
    if beside:
        found["steady"] = median(window.calls / window.workers for window in beside.values())
    left = speedups(results.rounds(loose), results.rounds(base), loose.workers)
    if left and found["pinned"]:
        found["unpinned"] = over_sets(left, sets_of(results, loose))
        usage = _usage(_counting(results, loose))
        found["unpinned_delay"] = usage.delay if usage is not None else 0.0
    return found


def _counting(results: Results, case: Case) -> list[Window]:
    """Return the windows of the rounds that count; all, where none does."""
    windows, rounds = results.windows(case), results.rounds(case)
    return [window for id_, window in windows.items() if id_ in rounds] or list(windows.values())


def _usage(windows: Iterable[Window]) -> Usage | None:
    """Return what workers used in windows: the median of each figure; None where the system does not tell."""
    rows = []
    for window in windows:
        if isnan(window.cpu):
            continue
        calls = [stint.calls * stint.seconds / window.seconds for stint in window.stints]
        done = max(sum(calls), 1e-9)
        rows.append(
            (
                window.cpu,
                sum(stint.cpu for stint in window.stints) / done,
                sum(known(stint.voluntary) for stint in window.stints) / done,
                fmean(known(stint.delay) / stint.seconds for stint in window.stints),
            )
        )
    return Usage(*(median(column) for column in zip(*rows, strict=True))) if rows else None


def _single(results: Results, kernel: str, workers: int) -> dict[str, Any]:
    """Return what threads do whose calls have one thread inside, beside such a call and one as it is."""
    case = Case(kernel, "single", "threads", workers)
    whole = results.rounds(Case(kernel, "function", "threads", 1))
    if not (to_whole := speedups(results.rounds(case), whole, workers)):
        return {}
    return {"single": speedup(results, case), "single_to_whole": over_sets(to_whole, sets_of(results, case))}


def pickles(results: Results, case: Case) -> list[Pickled]:
    """Return what the data of a call and its result cost to be sent."""
    return [Pickled(**item) for item in results.fact(case, facts.PICKLES) or []]


def unsendable(item: Pickled) -> str:
    """Say why it cannot be sent."""
    return f"{item.name} cannot be pickled ({item.problem})"
