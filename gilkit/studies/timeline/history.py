"""Who ran when and who held the GIL when, as it was captured: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from gilkit.studies.timeline.cover import Cover, without


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
class WorkerHold:
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
class History:
    """Who ran when and who held the GIL.

    Parameters
    ----------
    subject : str
        What was called.
    executor : str
    loops : int
        Calls in each span.
    workers : tuple of Worker
    spans, holds : tuple of Span, of WorkerHold
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
    holds: tuple[WorkerHold, ...]
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
    def separate(self) -> bool:
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


def spans(worker: int, stamps: Iterable[tuple[float, float]]) -> Iterable[Span]:
    """Return the spans between stamps of a worker, each its wall clock and its CPU time."""
    for (start, before), (end, after) in pairwise(stamps):
        yield Span(worker, start, end, after - before)
