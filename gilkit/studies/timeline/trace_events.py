"""A history in the Trace Event format, which trace viewers open: pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gilkit.display.traces import named_track, trace_slice
from gilkit.studies.timeline.history import History, WorkerHold


def events(history: History) -> dict[str, Any]:
    """Return a history in the Trace Event format, as the JSON object that trace viewers open.

    Every worker is a track of complete events (``X``), one for each span, and every GIL a track with one for
    each hold, named by the thread that held it, and for each gap, named ``not seen``. Times are whole
    microseconds since the first call began. Holds and gaps are cut off there, and where the last call ends.

    Notes
    -----
    The format is that of Chromium's "Trace Event Format" document, which chrome://tracing and Perfetto read.
    Slices of one track may be nested in one another, but must not overlap otherwise.
    """
    found = [*_tracks(history), *_calls(history), *_ownership(history)]
    notes = {
        **history.facts,
        "subject": history.subject,
        "executor": history.executor,
        "calls_in_a_slice": history.loops,
        "clock_at_zero": history.start,
        "gil_sample_interval": history.interval,
        "gil_unseen_share": history.unseen_share,
        "gil_holds_dropped": history.dropped,
        "gil_missing": history.missing,
        "load_by_others": history.load,
    }
    return {"traceEvents": found, "displayTimeUnit": "ms", "otherData": notes}


def _locks(history: History) -> dict[int, int]:
    """The track of the GIL of every process: an id that no thread of the trace has."""
    free = max(worker.native_id for worker in history.workers) + 1
    pids = dict.fromkeys(worker.pid for worker in history.workers)
    return {pid: free + place for place, pid in enumerate(pids)}


def _tracks(history: History) -> Iterable[dict[str, Any]]:
    """Name and order processes and tracks."""
    locks = _locks(history)
    for place, worker in enumerate(history.workers):
        if history.separate or not place:
            process = worker.name if history.separate else "the process of all workers"
            yield from named_track("process", worker.pid, worker.native_id, process, place)
        yield from named_track("thread", worker.pid, worker.native_id, worker.name, place)
    if not history.missing:
        for pid, track in locks.items():
            yield from named_track("thread", pid, track, "GIL", len(history.workers))


def _slice(
    history: History, pid: int, tid: int, name: str, kind: str, start: float, end: float, **args: Any
) -> dict[str, Any]:
    """One complete event, cut off where the history begins and ends."""
    first, last = (min(max(moment, history.start), history.end) - history.start for moment in (start, end))
    return trace_slice(pid, tid, name, kind, first, last, args)


def _calls(history: History) -> Iterable[dict[str, Any]]:
    name = history.subject + (f" × {history.loops:,}" if history.loops > 1 else "")
    covers = [history.held(index) for index in range(len(history.workers))]
    for span in history.spans:
        worker = history.workers[span.worker]
        args: dict[str, Any] = {"cpu_us": round(span.cpu * 1e6)}
        if not history.missing:
            args["gil_held_us"] = round(covers[span.worker].between(span.start, span.end) * 1e6)
        yield _slice(history, worker.pid, worker.native_id, name, "call", span.start, span.end, **args)


def _ownership(history: History) -> Iterable[dict[str, Any]]:
    locks = _locks(history)
    found = [(one.start, one.end, one.pid, _holder(history, one), "gil") for one in history.holds]
    found += [(one.start, one.end, one.pid, "not seen", "gap") for one in history.gaps]
    for start, end, pid, name, kind in sorted(found):
        if end >= history.start and start <= history.end:
            yield _slice(history, pid, locks[pid], name, kind, start, end)


def _holder(history: History, hold: WorkerHold) -> str:
    return hold.thread if hold.worker is None else history.workers[hold.worker].name
