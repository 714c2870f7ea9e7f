"""The evidence for a verdict: from results to the figures of one kernel, which are made once."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import Any
from weakref import WeakKeyDictionary

from gilkit.arguments import shown_count
from gilkit.gil.law import HAND_OVER
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE
from gilkit.results import facts
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.file import Results
from gilkit.results.stats import estimate, paired
from gilkit.studies.compare.figures import Evidence
from gilkit.studies.compare.further import FURTHER_EXECUTORS, further
from gilkit.studies.compare.ladder import culprit
from gilkit.studies.compare.speedups import compared, over_sets, sets_of, speedup, speedups
from gilkit.studies.compare.usage import usage
from gilkit.workloads.pickling import Pickled

_made: WeakKeyDictionary[Results, dict[tuple[str, int], Evidence]] = WeakKeyDictionary()


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
    made = _made.setdefault(results, {})  # verdicts, tables and pictures all ask for it
    if (kernel, workers) not in made:
        made[kernel, workers] = _evidence(results, kernel, workers)
    return made[kernel, workers]


def _evidence(results: Results, kernel: str, workers: int) -> Evidence:
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
    found = Evidence(
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
        further=further(results, subject, apart, ceiling),
        sent=speedup(results, Case(kernel, "sent", "processes", workers)),
        shared=speedup(results, shared := Case(kernel, "shared", "threads", workers)),
        slower=(results.fact(shared, facts.OWN_NAMES) or {}).get("slower", 1.0),
        gil=results.gil,
        pickling=sum(item.seconds for item in sendings),
        pickled=sum(item.nbytes for item in sendings),
        unsendable=next((unsendable(item) for item in sendings if item.problem), ""),
        handover=facts.HANDOVER.of(results.facts, HAND_OVER),
        **_of_call(results, one),
        **_of_windows(results, subject, apart),
        **_single(results, kernel, workers),
    )
    return replace(found, culprit=culprit(results, found))


def _alone(results: Results, kernel: str, judged: str) -> Case | None:
    """Return the case of one worker alone: of what is judged, or else of what there is."""
    wanted = [judged, *JUDGED_VARIANTS]
    alone = [results.baseline(Case(kernel, v, "threads", 1)) for v in wanted if v]
    beside = ("processes", *FURTHER_EXECUTORS)
    others = [Case(kernel, v, executor, 1) for executor in beside for v in JUDGED_VARIANTS]
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
        "held": held_share_in(results, one, HELD_SHARE),
        "attached": held_share_in(results, one, ATTACHED_SHARE),
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
        "alone": usage(results, base),
        "beside": usage(results, subject),
        "apart": usage(results, apart) if apart != subject else None,
        "clean": len(clean) if beside else 0,
        "tried": len(paired(beside, alone)),
        "pinned": all(window.pinned for window in beside.values()),
    }
    if beside:
        found["steady"] = median(window.calls / window.workers for window in beside.values())
    left = speedups(results.rounds(loose), results.rounds(base), loose.workers)
    if left and found["pinned"]:
        found["unpinned"] = over_sets(left, sets_of(results, loose))
        used = usage(results, loose)
        found["unpinned_delay"] = used.delay if used is not None else 0.0
    return found


def _single(results: Results, kernel: str, workers: int) -> dict[str, Any]:
    """Return what threads do whose calls have one thread inside, beside such a call and one as it is."""
    case = Case(kernel, "single", "threads", workers)
    whole = results.rounds(Case(kernel, "function", "threads", 1))
    if not (to_whole := speedups(results.rounds(case), whole, workers)):
        return {}
    return {"single": speedup(results, case), "single_to_whole": over_sets(to_whole, sets_of(results, case))}


def held_share_in(results: Results, case: Case, kind: str) -> float | None:
    """Return what share of a call holds the GIL, or stays attached, by the kind; None if that was not seen.

    Older files say of interpreters without a GIL that nothing of a call holds it.
    """
    if (results.fact(case, facts.HELD_KIND) or HELD_SHARE) != kind or (
        kind == HELD_SHARE and not results.gil
    ):
        return None
    return results.fact(case, facts.HELD)


def held_notes(results: Results) -> dict[str, list[str]]:
    """Return why the GIL was not watched, or not enough, each with the kernels that it is said of."""
    found: dict[str, list[str]] = {}
    for case in results:
        if (note := results.fact(case, facts.HELD_NOTE)) and case.kernel not in found.setdefault(note, []):
            found[note].append(case.kernel)
    return found


def pickles(results: Results, case: Case) -> list[Pickled]:
    """Return what the data of a call and its result cost to be sent."""
    return [Pickled(**item) for item in results.fact(case, facts.PICKLES) or []]


def unsendable(item: Pickled) -> str:
    """Say why it cannot be sent."""
    return f"{item.name} cannot be pickled ({item.problem})"
