"""Stalls in the Trace Event format, which trace viewers open: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gilkit.display.traces import named_track, trace_slice
from gilkit.gil.places import Stall, Waiter
from gilkit.gil.threads import ThreadId
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.studies.stalls.processes import processes, source
from gilkit.studies.stalls.watched import Watched

UNNAMED = 2**31 - 1  # an id that no thread has


def events(results: Results) -> dict[str, Any]:
    """Return the stalls of all processes in the Trace Event format, as the JSON object that viewers open.

    Every thread that made others wait is a track, with a complete event (``X``) for each stall: for how long
    others waited, and where it was. So is every thread that was seen to wait, with an event over each stall
    that it waited for. Times are whole microseconds since the first watch began.
    """
    found = processes(results)
    start = min(one.start for one in found)
    known = {
        fact.key: value
        for fact in facts.FACTS.values()
        if fact is not facts.STALLS_SEEN and (value := fact.of(results.facts)) is not None
    }
    return {
        "traceEvents": [event for place, one in enumerate(found) for event in _process(one, place, start)],
        "displayTimeUnit": "ms",
        "otherData": {**known, "clock_at_zero": start, "load_by_others": results.load},
    }


def _process(one: Watched, place: int, start: float) -> Iterator[dict[str, Any]]:
    threads: dict[ThreadId, int] = {}
    for thread in (each for s in one.stalls for each in (s.thread, *(w.thread for w in s.waiting))):
        threads.setdefault(thread, thread.native_id or UNNAMED - len(threads))
    yield from named_track("process", one.pid, one.pid, one.name, place)
    for thread, number in threads.items():
        yield from named_track("thread", one.pid, number, thread.name or str(thread))
    for stall in sorted(one.stalls, key=lambda stall: stall.start):
        yield _event(stall, one.pid, threads[stall.thread], start)
        for waiter in stall.waiting:
            yield _wait(stall, waiter, one.pid, threads[waiter.thread], start)


def _wait(stall: Stall, waiter: Waiter, pid: int, tid: int, start: float) -> dict[str, Any]:
    """One complete event: a thread that waited for the end of a stall."""
    args = {"for": str(stall.thread), "because_of": "unknown" if stall.own is None else str(stall.own)}
    return trace_slice(pid, tid, "waits for the GIL", "wait", waiter.since - start, stall.end - start, args)


def _event(stall: Stall, pid: int, tid: int, start: float) -> dict[str, Any]:
    """One complete event: for how long others waited, and where it was."""
    name = "unknown" if stall.own is None else str(stall.own)
    args: dict[str, Any] = {
        "kind": stall.kind,
        "place": stall.certainty or "unknown",
        "stack": [str(place) for place in stall.stack],
    }
    if text := source(stall.own):
        args["source"] = text
    found = trace_slice(pid, tid, name, "stall", stall.start - start, stall.end - start, args)
    return {**found, "args": {"others_waited_us": found["dur"], **args}}
