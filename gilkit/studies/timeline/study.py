"""`timeline`: who ran when, and who held the GIL when."""

from __future__ import annotations

import os
import time
from random import Random
from typing import TYPE_CHECKING, Any

from gilkit import machine
from gilkit.arguments import SHORT_TIMEOUT, allowed, checked_timeout, positive
from gilkit.display.progress import Listener, Progress, with_bar
from gilkit.display.traces import save_trace
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.gil_facts import gil_facts
from gilkit.engine.meter import Meter
from gilkit.engine.pools import Lab
from gilkit.engine.session import obtained
from gilkit.errors import CaseFailedError, NothingMeasuredError
from gilkit.gil.monitor import gil_missing
from gilkit.kernels import Kernel
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.facts import machine_facts
from gilkit.results.writing import check_writable
from gilkit.studies.drawn import Drawn
from gilkit.studies.outcome import Report
from gilkit.studies.timeline import STUDY
from gilkit.studies.timeline.assemble import assembled
from gilkit.studies.timeline.capture import Plan, captured
from gilkit.studies.timeline.findings import document, slices
from gilkit.studies.timeline.history import History, Span, WorkerHold
from gilkit.studies.timeline.lanes import LANE_EXECUTORS, LANE_VARIANTS
from gilkit.studies.timeline.trace_events import events
from gilkit.workloads.target import check_size, has_variant, kernel_or_statement
from gilkit.workloads.workload import KernelCall, Workload

if TYPE_CHECKING:
    from rich.console import RenderableType

SLICE = 0.005  # seconds that a slice lasts alone: short calls share one
ALL_TURNS = 0.15  # seconds that all workers need if they take turns
FEWEST_SLICES = 4  # of a worker
MOST_CALLS = 10_000  # of a worker
MOST_LANES = 32  # more say nothing
GLANCE = 0.05  # seconds to find out whether calls hold the GIL
SPARE = 0.5  # of a CPU that others may use before it counts as taken
HOLDS_ONE_CPU = 0.9  # the held share from which threads keep no more than one CPU busy


class Timeline(Report, Drawn):
    """Who ran when and who held the GIL when. Its ``repr`` is the picture.

    Parameters
    ----------
    history : History
    """

    study = STUDY

    def __init__(self, history: History) -> None:
        self.history = history

    @property
    def _shown(self) -> History:
        return self.history

    @property
    def spans(self) -> tuple[Span, ...]:
        """What every worker did: stretches of calls, in seconds on the clock of `time.perf_counter`."""
        return self.history.spans

    @property
    def holds(self) -> tuple[WorkerHold, ...]:
        """Who had the GIL, on the same clock."""
        return self.history.holds

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to ``path`` in the Trace Event format, which Perfetto and chrome://tracing open.

        Parameters
        ----------
        path : path

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        save_trace(path, events(self.history))

    def __rich__(self) -> RenderableType:
        from gilkit.studies.timeline.picture import picture

        return picture(self.history)

    def to_dict(self) -> dict[str, Any]:
        return document(self.history)

    def rows(self) -> list[dict[str, Any]]:
        return slices(self.history)

    _finest = rows


class Course:
    """The course of one timeline.

    Parameters
    ----------
    case : Case
    workload : Workload
    calls : int or None
        Calls of every worker, each a slice of its own; None for what fits.
    progress : callable, optional
    """

    def __init__(
        self,
        case: Case,
        workload: Workload,
        calls: int | None,
        progress: Listener | bool | None,
    ) -> None:
        self.case = case
        self.workload = workload
        self.calls = calls
        self.progress = progress if callable(progress) else None
        self.begun = time.perf_counter()
        self.history: History | None = None
        self.failures: dict[Case, str] = {}

    def measure(self, lab: Lab) -> None:
        """Find out how long a call is, warm up, and capture."""
        known, load = machine_facts(), machine.warned_load()
        at = Case(self.case.kernel, self.case.variant, "threads", 1)
        try:
            self._say("calibrating", 2.0)
            plan = self._plan(lab, machine.usable_cpus() - load)
            at = self.case
            self._say("warming up", 1.0)
            Meter(lab, SLICE, machine.usable_cpus(), Random()).window(at.executor, self.workload, at.workers)
            self._say("recording", 0.5)
            known |= gil_facts(lab, {at.executor: self.workload}, known)
            found = captured(lab, at.executor, self.workload, at.workers, plan)
        except CaseFailedError as error:
            self.failures[at] = str(error)
            return
        self.history = assembled(self.case, plan, found, load, known)

    def _say(self, label: str, left: float) -> None:
        """Tell what is next, with about how many seconds all takes from here on."""
        if self.progress is not None:
            done = time.perf_counter() - self.begun
            self.progress(Progress(done, done + left, f"{self.case.kernel}: {label}"))

    def _plan(self, lab: Lab, cpus: float) -> Plan:
        """Return what is to be captured: slices long enough to be seen, and not more than fit."""
        workers = self.case.workers
        call = lab.pace("threads", self.workload).call
        loops = max(1, round(SLICE / call))
        held = 0.0 if gil_missing() else lab.watch(self.workload, GLANCE).share
        if EXECUTORS[self.case.executor].apart:
            busy = 2 * workers  # CPUs, with a monitor for each GIL
        else:
            busy = 1 + (1 if held >= HOLDS_ONE_CPU else workers)
        exact = busy <= cpus + SPARE
        if self.calls is not None:
            return Plan(self.calls, 1, exact)
        return Plan(max(FEWEST_SLICES, round(ALL_TURNS / workers / (loops * call))), loops, exact)

    def result(self) -> History:
        """Return what was captured."""
        if self.history is None:
            raise NothingMeasuredError(self.failures)
        return self.history


@with_bar
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
    timeout: float = SHORT_TIMEOUT,
    progress: Listener | bool | None = None,
) -> Timeline:
    """Show who ran when, and who held the GIL when.

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
    progress : bool or callable, optional
        True for a bar, on a terminal or in a notebook; or what is called with a `Progress` before every step.

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
    [executor] = allowed("executor", executor, LANE_EXECUTORS)
    count = _count(executor, workers)
    if calls is not None and positive("calls", calls) > MOST_CALLS:
        raise ValueError(f"calls must be at most {MOST_CALLS}, not {calls}")
    if stmt is not None and target is None and (variant is not None or size is not None):
        raise ValueError("variant and size are for kernels, not for a statement")
    meant = kernel_or_statement("timeline", target, stmt, setup)
    workload: Workload
    if isinstance(meant, Kernel):
        workload = _kernel_call(meant, variant, size, count)
        case = Case(meant.name, workload.variant, executor, count)
    else:
        workload, case = meant.workload(), Case(meant.name, "function", executor, count)
    if output is not None:
        check_writable(output)
    course = Course(case, workload, calls, progress)
    return obtained(Timeline, Lab(count, checked_timeout(timeout)), course.measure, course.result, output)


def _count(executor: str, workers: int | None) -> int:
    """Return how many workers there are to be on an executor."""
    kind = EXECUTORS[executor]
    if reason := kind.missing():
        raise ValueError(f"executor {executor} is not available here: {reason}")
    usual = 1 if kind.single else min(4, max(2, machine.usable_cpus()))
    count = usual if workers is None else positive("workers", workers)
    if count > (most := 1 if kind.single else MOST_LANES):
        raise ValueError(f"workers must be at most {most} on {executor}, not {count}")
    return count


def _kernel_call(kernel: Kernel, variant: str | None, size: int | None, workers: int) -> KernelCall:
    """Return the call of a kernel that is meant."""
    if variant is None:
        variant = next(name for name in JUDGED_VARIANTS if kernel.variant(name) is not None)
    allowed("variant", variant, LANE_VARIANTS)
    has_variant(kernel, variant)
    amount = kernel.default_size(variant) if size is None else positive("size", size)
    check_size(kernel, amount, workers)
    return KernelCall(kernel.name, variant, amount)
