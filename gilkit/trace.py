"""What was recorded of who ran when and who held the GIL, and the same in the Trace Event format. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import inf
from typing import Any


@dataclass(frozen=True, slots=True)
class Worker:
    """A thread or process that made calls: what it is called, and the system's ids of it."""

    name: str
    pid: int
    native_id: int


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of calls of a worker.

    Parameters
    ----------
    worker : int
        Its index among the workers.
    start, end : float
        Seconds on the clock that all workers share, that of `time.perf_counter`.
    cpu : float
        Seconds of CPU time that its thread took meanwhile.
    """

    worker: int
    start: float
    end: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Hold:
    """A time in which every sample found one thread with the GIL of its process.

    Parameters
    ----------
    pid : int
        The process whose GIL it was.
    worker : int or None
        Index of the worker that held it; None if it was another thread.
    thread : str
        The name of the thread.
    start, end : float
        Seconds on the clock of the spans: its first and its last sample.
    """

    pid: int
    worker: int | None
    thread: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody looked at the GIL of a process: the system kept its monitor from running.

    It lies between two holds, or within the time that nobody had the lock.
    """

    pid: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Recording:
    """Who ran when and who held the GIL.

    Parameters
    ----------
    subject : str
        What was called.
    executor : str
    loops : int
        Calls in each span.
    workers : tuple of Worker
    spans, holds : tuple of Span, of Hold
        In order of time for each worker, and for each GIL.
    gaps : tuple of Gap
    interval : float
        Mean seconds between two samples of a GIL.
    dropped : int
        Holds that there was no room to keep: the oldest ones.
    missing : str
        Why the GIL could not be watched; empty where it was.
    load : float
        CPUs that others used, just before.
    facts : dict
        Of the machine and the interpreter.
    """

    subject: str
    executor: str
    loops: int
    workers: tuple[Worker, ...]
    spans: tuple[Span, ...]
    holds: tuple[Hold, ...]
    gaps: tuple[Gap, ...] = ()
    interval: float = 0.0
    dropped: int = 0
    missing: str = ""
    load: float = 0.0
    facts: dict[str, str | int | float] = field(default_factory=dict)

    @property
    def start(self) -> float:
        """When the first call began."""
        return min(span.start for span in self.spans)

    @property
    def end(self) -> float:
        """When the last call ended."""
        return max(span.end for span in self.spans)

    @property
    def apart(self) -> bool:
        """Whether every worker has a process, and so a GIL, of its own."""
        return len({worker.pid for worker in self.workers}) > 1

    def held(self, worker: int | None) -> Cover:
        """Return the times in which a worker had its GIL; for None, those in which another thread had."""
        return Cover((hold.start, hold.end) for hold in self.holds if hold.worker == worker)

    def unseen(self, pid: int) -> Cover:
        """Return the times of which it is not known whether the GIL of a process was held, and by whom.

        Those in which nobody looked, and an interval, which samples are apart on average, before and after
        every hold: when, between two samples, the lock was taken or left is not known.
        """
        holds = [hold for hold in self.holds if hold.pid == pid]
        stretches = [(gap.start, gap.end) for gap in self.gaps if gap.pid == pid]
        stretches += [(hold.start - self.interval, hold.start) for hold in holds]
        stretches += [(hold.end, hold.end + self.interval) for hold in holds]
        return Cover(without(stretches, ((hold.start, hold.end) for hold in holds)))

    @property
    def unseen_share(self) -> float:
        """The share of the time in which nobody looked at a GIL, of all GILs."""
        pids = {worker.pid for worker in self.workers}
        unseen = sum(
            Cover((gap.start, gap.end) for gap in self.gaps if gap.pid == pid).between(self.start, self.end)
            for pid in pids
        )
        return unseen / len(pids) / (self.end - self.start)


class Cover:
    """Disjoint stretches of time, which tell how much of any other stretch they cover."""

    def __init__(self, stretches: Iterable[tuple[float, float]]) -> None:
        ordered = sorted(stretches)
        self._starts = [start for start, _ in ordered]
        self._ends = [end for _, end in ordered]
        self._sums = list(accumulate((end - start for start, end in ordered), initial=0.0))

    def between(self, start: float, end: float) -> float:
        """Return the seconds from ``start`` to ``end`` that are covered."""
        return self._until(end) - self._until(start)

    def _until(self, moment: float) -> float:
        begun = bisect_right(self._starts, moment)
        return self._sums[begun] - (max(0.0, self._ends[begun - 1] - moment) if begun else 0.0)


def without(
    stretches: Iterable[tuple[float, float]], others: Iterable[tuple[float, float]]
) -> Iterable[tuple[float, float]]:
    """Return the union of ``stretches`` without what the disjoint ``others`` cover, as disjoint stretches."""
    taken = sorted(others)
    ends = [end for _, end in taken]
    done = -inf
    for start, end in sorted(stretches):
        at = max(start, done)
        done = max(done, end)
        for place in range(bisect_right(ends, at), len(taken)):
            first, last = taken[place]
            if first >= end:
                break
            if first > at:
                yield at, first
            at = max(at, last)
        if at < end:
            yield at, end


def joined(spans: Iterable[Span], least: float) -> Iterable[Span]:
    """Return the spans of one worker; those that follow one another are joined until they last ``least``."""
    last: Span | None = None
    for span in spans:
        if last is not None and last.end == span.start and last.end - last.start < least:
            last = Span(span.worker, last.start, span.end, last.cpu + span.cpu)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def running(span: Span, held: float, unseen: float, interval: float = 0.0) -> tuple[float, float]:
    """Return for what share of the time without the GIL the thread of ``span`` ran: at least, and at most.

    It ran for as long as the CPU time of the span says: while it had the lock, without it, or while nobody
    looked. Without it and seen, so, for at most what is left after the seconds that it ``held`` the lock, and
    at least for what is left after those that went ``unseen``, too, and after the ``interval`` of the
    samples, between two of which it may have had the lock. The rest it waited. When it did which within the
    span is not known.
    """
    rest = span.end - span.start - held - unseen
    if rest <= 0:
        return 0.0, 0.0
    most = span.cpu - held
    least, most = (min(1.0, max(0.0, ran) / rest) for ran in (most - unseen - interval, most))
    return least, most


def events(recording: Recording) -> dict[str, Any]:
    """Return a recording in the Trace Event format, as the JSON object that trace viewers open.

    Every worker is a track of complete events (``X``), one for each span, and every GIL a track with one for
    each hold, named by the thread that held it, and for each gap, named ``not seen``. Times are whole
    microseconds since the first call began. Holds and gaps are cut off there, and where the last call ends.

    Notes
    -----
    The format is that of Chromium's "Trace Event Format" document, which chrome://tracing and Perfetto read.
    Slices of one track may be nested in one another, but must not overlap otherwise.
    """
    found = [*_tracks(recording), *_calls(recording), *_ownership(recording)]
    notes = {
        **recording.facts,
        "subject": recording.subject,
        "executor": recording.executor,
        "calls_in_a_slice": recording.loops,
        "clock_at_zero": recording.start,
        "gil_sample_interval": recording.interval,
        "gil_unseen_share": recording.unseen_share,
        "gil_holds_dropped": recording.dropped,
        "gil_missing": recording.missing,
        "load_by_others": recording.load,
    }
    return {"traceEvents": found, "displayTimeUnit": "ms", "otherData": notes}


def _locks(recording: Recording) -> dict[int, int]:
    """The track of the GIL of every process: an id that no thread of the trace has."""
    free = max(worker.native_id for worker in recording.workers) + 1
    pids = dict.fromkeys(worker.pid for worker in recording.workers)
    return {pid: free + place for place, pid in enumerate(pids)}


def _tracks(recording: Recording) -> Iterable[dict[str, Any]]:
    """Name and order processes and tracks."""

    def named(what: str, pid: int, tid: int, name: str, place: int) -> Iterable[dict[str, Any]]:
        track = {"ph": "M", "pid": pid, "tid": tid}
        yield {**track, "name": f"{what}_name", "args": {"name": name}}
        yield {**track, "name": f"{what}_sort_index", "args": {"sort_index": place}}

    locks = _locks(recording)
    for place, worker in enumerate(recording.workers):
        if recording.apart or not place:
            process = worker.name if recording.apart else "the process of all workers"
            yield from named("process", worker.pid, worker.native_id, process, place)
        yield from named("thread", worker.pid, worker.native_id, worker.name, place)
    if not recording.missing:
        for pid, track in locks.items():
            yield from named("thread", pid, track, "GIL", len(recording.workers))


def _slice(
    recording: Recording, pid: int, tid: int, name: str, kind: str, start: float, end: float, **args: Any
) -> dict[str, Any]:
    """One complete event. Both ends are rounded, not the length, so that neighbours stay neighbours."""
    first, last = (
        round((min(max(moment, recording.start), recording.end) - recording.start) * 1e6)
        for moment in (start, end)
    )
    track = {"ph": "X", "pid": pid, "tid": tid, "name": name, "cat": kind}
    return {**track, "ts": first, "dur": last - first, "args": args}


def _calls(recording: Recording) -> Iterable[dict[str, Any]]:
    name = recording.subject + (f" × {recording.loops:,}" if recording.loops > 1 else "")
    covers = [recording.held(index) for index in range(len(recording.workers))]
    for span in recording.spans:
        worker = recording.workers[span.worker]
        args: dict[str, Any] = {"cpu_us": round(span.cpu * 1e6)}
        if not recording.missing:
            args["gil_held_us"] = round(covers[span.worker].between(span.start, span.end) * 1e6)
        yield _slice(recording, worker.pid, worker.native_id, name, "call", span.start, span.end, **args)


def _ownership(recording: Recording) -> Iterable[dict[str, Any]]:
    locks = _locks(recording)
    found = [(one.start, one.end, one.pid, _holder(recording, one), "gil") for one in recording.holds]
    found += [(one.start, one.end, one.pid, "not seen", "gap") for one in recording.gaps]
    for start, end, pid, name, kind in sorted(found):
        if end >= recording.start and start <= recording.end:
            yield _slice(recording, pid, locks[pid], name, kind, start, end)


def _holder(recording: Recording, hold: Hold) -> str:
    return hold.thread if hold.worker is None else recording.workers[hold.worker].name


def spans(worker: int, stamps: Iterable[tuple[float, float]]) -> Iterable[Span]:
    """Return the spans between stamps of a worker, each its wall clock and its CPU time."""
    for (start, before), (end, after) in pairwise(stamps):
        yield Span(worker, start, end, after - before)
