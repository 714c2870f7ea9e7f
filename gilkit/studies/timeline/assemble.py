"""From what workers and monitors brought back to the history of all of them: pure."""

from __future__ import annotations

from collections.abc import Iterator

from gilkit.results.case import Case
from gilkit.results.facts import Metadata
from gilkit.studies.timeline.capture import EXACT_LOOKS, LIGHT_LOOKS, Captured, Plan, Seen
from gilkit.studies.timeline.cover import Cover
from gilkit.studies.timeline.history import Gap, History, Worker, WorkerHold, spans


def assembled(case: Case, plan: Plan, found: Captured, load: float, facts: Metadata) -> History:
    """Return the history of what workers and monitors brought back."""
    kind = {"threads": "thread", "processes": "process"}.get(case.executor, case.executor)
    workers = tuple(
        Worker(f"{kind} {place}" if case.workers > 1 else kind, stamped.pid, stamped.native_id)
        for place, stamped in enumerate(found.workers, 1)
    )
    missing = next((seen.missing for seen in found.locks if seen.missing), "")
    start = min(stamped.stamps[0][0] for stamped in found.workers)
    places = {(worker.pid, worker.native_id): index for index, worker in enumerate(workers)}
    return History(
        case.kernel if case.variant == "function" else f"{case.kernel}.{case.variant}",
        case.executor,
        plan.loops,
        workers,
        tuple(span for index, one in enumerate(found.workers) for span in spans(index, one.stamps)),
        tuple(
            WorkerHold(
                seen.pid,
                places.get((seen.pid, hold.thread.native_id or 0)),
                hold.thread.name or str(hold.thread),
                hold.start,
                hold.end,
            )
            for seen in found.locks
            for hold in seen.holds
        ),
        tuple(gap for seen in found.locks for gap in _gaps(seen, start)),
        0.0 if missing else EXACT_LOOKS if plan.exact else LIGHT_LOOKS,
        sum(seen.dropped for seen in found.locks),
        missing,
        round(load, 3),
        facts,
    )


def _gaps(seen: Seen, start: float) -> Iterator[Gap]:
    """The times without a sample in which no hold went on either; before the first that was kept, all."""
    kept = max(start, seen.holds[0].start) if seen.dropped else start
    if kept > start:
        yield Gap(seen.pid, start, kept)
    held = Cover((hold.start, hold.end) for hold in seen.holds)
    for first, last in seen.gaps:
        if last > kept and not held.between(first, last):
            yield Gap(seen.pid, first, last)
