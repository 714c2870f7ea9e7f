"""`timeline`: who ran when, and who held the GIL when."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gilkit import machine, results, trace
from gilkit.executors import EXECUTORS
from gilkit.kernels import VARIANTS, Kernel
from gilkit.lab import Lab
from gilkit.measure import CaseFailedError, calibrated
from gilkit.monitor import why_missing
from gilkit.outcome import obtained
from gilkit.plan import allowed, check_memory, chosen_kernels
from gilkit.recorder import EXACT, LIGHT, Order, Recorded, Seen
from gilkit.results import SUBJECTS, Case, NothingMeasuredError
from gilkit.run import Progress
from gilkit.settings import SHORT, checked_timeout, positive
from gilkit.statement import StatementCall, check, named
from gilkit.trace import Cover, Gap, Hold, Recording, Span, Worker
from gilkit.workload import KernelCall, Workload

if TYPE_CHECKING:
    from rich.console import RenderableType

SLICE = 0.005  # seconds that a slice lasts alone: short calls share one
LENGTH = 0.15  # seconds that all workers need if they take turns
FEWEST = 4  # slices of a worker
MOST_CALLS = 10_000  # of a worker
MOST_WORKERS = 32  # more lanes say nothing
WATCH = 0.05  # seconds to find out whether calls hold the GIL
SPARE = 0.5  # of a CPU that others may use before it counts as taken
HOLDS = 0.9  # the held share from which threads keep no more than one CPU busy


class Timeline:
    """Who ran when and who held the GIL when. Its ``repr`` is the picture.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    @property
    def spans(self) -> tuple[Span, ...]:
        """What every worker did: stretches of calls, in seconds on the clock of `time.perf_counter`."""
        return self.recording.spans

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Who had the GIL, on the same clock."""
        return self.recording.holds

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to ``path`` in the Trace Event format, which Perfetto and chrome://tracing open.

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        # No escapes for letters beyond ASCII: Perfetto shows them as they are.
        text = json.dumps(trace.events(self.recording), ensure_ascii=False, indent=0)
        results.replace(path, lambda name: Path(name).write_text(text, "utf-8", "replace"))

    def __rich__(self) -> RenderableType:
        from gilkit.report import timeline

        return timeline(self.recording)

    def __repr__(self) -> str:
        from gilkit.report import plain

        return plain(self)


class _Course:
    """The course of one recording."""

    def __init__(
        self,
        case: Case,
        workload: Workload,
        calls: int | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.case = case
        self.workload = workload
        self.calls = calls
        self.progress = progress
        self.recording: Recording | None = None
        self.failures: dict[Case, str] = {}

    def measure(self, lab: Lab) -> None:
        """Find out how long a call is, warm up, and record."""
        facts, load = machine.metadata(), machine.load_by_others()
        at = Case(self.case.kernel, self.case.variant, "serial", 1)
        try:
            self._say(0, "calibrating")
            order = self._order(lab, int(facts["gilkit_cpus"]) - load)
            at = self.case
            self._say(1, "warming up")
            lab.round(at.executor, self.workload, at.workers, 1)
            self._say(2, "recording")
            found = lab.record(at.executor, self.workload, at.workers, order)
        except CaseFailedError as error:
            self.failures[at] = str(error)
            return
        self.recording = assembled(self.case, order, found, load, facts)

    def _say(self, done: int, label: str) -> None:
        if self.progress is not None:
            self.progress(Progress(done, 3, f"{self.case.kernel}: {label}"))

    def _order(self, lab: Lab, cpus: float) -> Order:
        """Return what is to be recorded: slices long enough to be seen, and not more than fit."""
        workers = self.case.workers
        loops, call = calibrated(lambda n: lab.round("serial", self.workload, 1, n).seconds, SLICE)
        held = 0.0 if why_missing() else lab.watch(self.workload, WATCH).share
        apart = EXECUTORS[self.case.executor].apart
        busy = (
            2 * workers if apart else 1 + (1 if held >= HOLDS else workers)
        )  # CPUs, with a monitor for each GIL
        exact = busy <= cpus + SPARE
        if self.calls is not None:
            return Order(self.calls, 1, exact)
        return Order(max(FEWEST, round(LENGTH / workers / (loops * call))), loops, exact)

    def result(self) -> Recording:
        """Return what was recorded."""
        if self.recording is None:
            raise NothingMeasuredError(self.failures)
        return self.recording


def assembled(
    case: Case, order: Order, found: Recorded, load: float, facts: dict[str, str | int | float]
) -> Recording:
    """Return the recording of what workers and monitors brought back."""
    kind = {"threads": "thread", "processes": "process"}.get(case.executor, case.executor)
    workers = tuple(
        Worker(f"{kind} {place}" if case.workers > 1 else kind, stamped.pid, stamped.native_id)
        for place, stamped in enumerate(found.workers, 1)
    )
    missing = next((seen.missing for seen in found.locks if seen.missing), "")
    start = min(stamped.stamps[0][0] for stamped in found.workers)
    places = {(worker.pid, worker.native_id): index for index, worker in enumerate(workers)}
    return Recording(
        case.kernel if case.variant == "function" else f"{case.kernel}.{case.variant}",
        case.executor,
        order.loops,
        workers,
        tuple(span for index, one in enumerate(found.workers) for span in trace.spans(index, one.stamps)),
        tuple(
            Hold(
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
        0.0 if missing else EXACT if order.exact else LIGHT,
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


def timeline(
    target: str | Kernel | None = None,
    /,
    *,
    stmt: str | None = None,
    setup: str = "pass",
    variant: str | None = None,
    executor: str = "threads",
    workers: int | None = None,
    size: int | None = None,
    calls: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = SHORT,
    progress: Callable[[Progress], None] | None = None,
) -> Timeline:
    """Record who ran when, and who held the GIL when.

    Parameters
    ----------
    target : str or Kernel, optional
        What the workers call.
    stmt, setup : str
        A statement instead, as in `gilkit.timeit`.
    variant : str, optional
        ``python``, ``gil`` or ``nogil``, of a kernel; by default the one that releases the most.
    executor : str
        ``threads``, ``processes`` or ``serial``.
    workers : int, optional
        By default 2 to 4, as many as there are CPUs; 1 for serial.
    size : int, optional
        How much work a call of a kernel is, in its unit; by default its own.
    calls : int, optional
        Calls of every worker, each a slice of its own. By default so many that all take some tenths of a
        second; short ones share a slice.
    output : path, optional
        Where to write the trace.
    timeout : float
        Seconds after which it is given up and its processes are killed.
    progress : callable, optional
        Called with a `Progress` before every step.

    Returns
    -------
    Timeline

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit; the message says what is allowed.
    ResultsError
        If `output` cannot be written: before anything runs where that can be told. If a call fails, as a
        `NothingMeasuredError` with the reason.
    KeyboardInterrupt
        On Ctrl-C, as an `InterruptedRunError`.

    Notes
    -----
    Threads run in one process, beside a `GilMonitor`; each worker process has a monitor of its own. Where no
    CPU is left for it to spin on, it sleeps between samples, and sees less: a hold may then lack some
    milliseconds at its ends, which the system may keep it waiting.

    The monitor sees who has the GIL. Of the rest of a call's time, the CPU time of the call says how much its
    thread ran without the GIL, and how much it waited, but not when: so the picture shows one of both for all
    of that rest, the larger; or neither, where so much went unseen that either may be true.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.timeline("lcg", variant="gil", workers=3)  # doctest: +SKIP
    """
    if (target is None) == (stmt is None):
        raise TypeError("give a kernel or a statement")
    [executor] = allowed("executor", executor, [name for name, kind in EXECUTORS.items() if not kind.native])
    if reason := EXECUTORS[executor].missing():
        raise ValueError(f"executor {executor} is not available here: {reason}")
    single = EXECUTORS[executor].single
    count = positive("workers", workers) if workers is not None else 1 if single else _usual_workers()
    if count > (most := 1 if single else MOST_WORKERS):
        raise ValueError(f"workers must be at most {most} on {executor}, not {count}")
    if calls is not None and positive("calls", calls) > MOST_CALLS:
        raise ValueError(f"calls must be at most {MOST_CALLS}, not {calls}")
    workload: Workload
    if stmt is not None:
        if variant is not None or size is not None:
            raise ValueError("variant and size are for kernels, not for a statement")
        check(setup, stmt)
        name = named(stmt)
        variant, workload = "function", StatementCall(setup, stmt)
    else:
        name, variant, workload = _kernel(target, variant, size, count)
    if output is not None:
        results.check_writable(output)
    course = _Course(Case(name, variant, executor, count), workload, calls, progress)
    return obtained(Timeline, Lab(count, checked_timeout(timeout)), course.measure, course.result, output)


def _usual_workers() -> int:
    return min(4, max(2, machine.usable_cpus()))


def _kernel(target: Any, variant: str | None, size: int | None, workers: int) -> tuple[str, str, Workload]:
    """Return the name, the variant and the workload of the kernel that is meant."""
    chosen = chosen_kernels(target, None)
    if len(chosen) != 1:
        raise ValueError("timeline takes one kernel at a time")
    kernel = chosen[0]
    if variant is None:
        variant = next(name for name in SUBJECTS if kernel.variant(name) is not None)
    allowed("variant", variant, [name for name in VARIANTS if name != "native"])
    if kernel.variant(variant) is None:
        raise ValueError(
            f"{kernel.name} has no {variant} version: {kernel.missing.get(variant, 'it has none')}"
        )
    amount = kernel.default_size(variant) if size is None else positive("size", size)
    if amount > kernel.largest:
        raise ValueError(f"{kernel.name}: size {amount} is too large: at most {kernel.largest} is allowed")
    check_memory(kernel, amount, workers)
    return kernel.name, variant, KernelCall(kernel.name, variant, amount)
