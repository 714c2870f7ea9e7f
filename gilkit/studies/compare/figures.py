"""The figures that a verdict is made from, and comparisons that an interval decides: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from gilkit.gil.law import HAND_OVER
from gilkit.results.case import JUDGED_VARIANTS
from gilkit.results.stats import Estimate
from gilkit.results.windows import known
from gilkit.studies.compare.culprits import Culprit
from gilkit.studies.compare.further import Further

COMPUTES = 0.8  # CPU time per wall second of a whole process from which its call computes
MOSTLY_WAITS = 0.5  # CPU time per wall second of one worker alone below which a call mostly waits


@dataclass(frozen=True, slots=True)
class Usage:
    """What workers used of the CPUs while they were measured.

    Parameters
    ----------
    cpu : float
        CPU seconds per wall second, of all workers together.
    cpu_per_call : float
        CPU seconds of a call.
    voluntary : float
        Voluntary switches in a call: how often it gave its CPU up to wait.
    delay : float
        The share of its time that a worker was ready and waited for a CPU.
    system_per_call, faults : float
        CPU seconds of a call in which the system worked for it, and page faults in a call.
    """

    cpu: float
    cpu_per_call: float = 0.0
    voluntary: float = 0.0
    delay: float = 0.0
    system_per_call: float = 0.0
    faults: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one kernel at the worker count that its table shows.

    Figures have intervals, whose ends are nan where there were too few rounds or pairs. What was not measured
    is None.

    Parameters
    ----------
    kernel : str
    workers, cpus : int
        How many work at once, and how many CPUs there are.
    call : Estimate or None
        The length of one call, in seconds, on one worker.
    size, unit : int, str
        How much work one call is.
    gil : bool
        Whether the interpreter has a GIL, where the call runs.
    threads : dict of str to Estimate
        Speedups on threads, by variant.
    processes, native, ceiling : Estimate or None
        Speedups of processes, of the kernel's own native threads, and of the control's.
    further : dict of str to Further
        What workers of further executors do, by the executor's name.
    sent : Estimate or None
        Speedup of processes that are sent the data of every call.
    pickling, pickled : float, int
        Seconds to pickle and unpickle the data and the result of a call; bytes of these pickles.
    unsendable : str
        Why they cannot be sent; or empty.
    threads_to_ceiling, threads_to_processes, processes_to_ceiling, native_to_ceiling : Estimate or None
        Ratios of these speedups, paired by rounds, of the judged variant's threads.
    held, held_error : float or None, float
        The share of a call that holds the GIL, and its standard error.
    attached : float or None
        The share of a call in which its thread is attached, where there is no GIL.
    times : float
        How often, at least, a call takes the GIL.
    longest : float or None
        The longest hold, in seconds.
    held_note : str
        Why there is no share, or what is to be said of it.
    handover : float
        Seconds of a contended hand-over of the GIL.
    alone, beside, apart : Usage or None
        Of one thread alone, of the threads that are judged, and of the processes.
    inside : float
        CPU seconds per wall second of one call alone, with threads that the call itself has; 0 where nobody
        looked.
    limits : str
        Environment variables that set how many threads a call has inside; or empty.
    single : Estimate or None
        Speedup of threads with one thread inside each call, over one worker with one thread inside.
    single_to_whole : Estimate or None
        The work of those threads over that of one call as it is, with its own threads.
    shared : Estimate or None
        Speedup of threads that share one setup.
    culprit : Culprit or None
        What of that stops them, where it was looked for and found.
    slower : float
        Times as long that a call takes once SETUP was run again, where that was looked for.
    unpinned, unpinned_delay : Estimate or None, float
        Speedup of the judged threads where they are left to the scheduler, and their run delay.
    pinned : bool
        Whether each of the judged threads kept a CPU of its own.
    clean, tried : int
        Rounds of the judged threads that were undisturbed, of how many; 0 of 0 if nobody looked.
    steady : float
        Calls of each worker in a window of the judged threads.
    """

    kernel: str
    workers: int
    cpus: int = 1
    call: Estimate | None = None
    size: int = 0
    unit: str = ""
    gil: bool = True
    threads: dict[str, Estimate] = field(default_factory=dict)
    processes: Estimate | None = None
    native: Estimate | None = None
    ceiling: Estimate | None = None
    further: dict[str, Further] = field(default_factory=dict)
    sent: Estimate | None = None
    pickling: float = 0.0
    pickled: int = 0
    unsendable: str = ""
    threads_to_ceiling: Estimate | None = None
    threads_to_processes: Estimate | None = None
    processes_to_ceiling: Estimate | None = None
    native_to_ceiling: Estimate | None = None
    held: float | None = None
    held_error: float = 0.0
    attached: float | None = None
    times: float = 1.0
    longest: float | None = None
    held_note: str = ""
    handover: float = HAND_OVER
    alone: Usage | None = None
    beside: Usage | None = None
    apart: Usage | None = None
    inside: float = 0.0
    limits: str = ""
    single: Estimate | None = None
    single_to_whole: Estimate | None = None
    shared: Estimate | None = None
    culprit: Culprit | None = None
    slower: float = 1.0
    unpinned: Estimate | None = None
    unpinned_delay: float = 0.0
    pinned: bool = True
    clean: int = 0
    tried: int = 0
    steady: float = inf

    @property
    def own(self) -> bool:
        """Whether it is the reader's own code."""
        return self.judged == "function"

    @property
    def judged(self) -> str:
        """The variant whose threads the verdict is about: the most that was released."""
        return next((v for v in JUDGED_VARIANTS if v in self.threads), "")

    @property
    def subject(self) -> Estimate | None:
        """The speedup of the threads that are judged."""
        return self.threads.get(self.judged)

    @property
    def name(self) -> str:
        """What the judged threads are called."""
        return "threads" if self.own else f"{self.judged} threads"

    @property
    def busy_cpus(self) -> int:
        """How many CPUs so many workers can keep busy."""
        return max(1, min(self.workers, self.cpus))

    @property
    def waits(self) -> bool:
        """Whether a call mostly waits for something, alone too, so that the CPUs do not limit it."""
        if self.alone is None:
            return False
        ready = known(self.alone.delay)  # for a CPU that somebody else had
        # Nor does a call wait for something outside whose own threads or processes compute for it.
        return self.alone.cpu + ready < MOSTLY_WAITS and self.inside < COMPUTES

    @property
    def limit(self) -> Estimate | None:
        """What so many workers could reach: the ceiling of the CPUs, or as many as they are if they wait."""
        return Estimate(self.workers, self.workers, self.workers) if self.waits else self.ceiling

    @property
    def to_limit(self) -> Estimate | None:
        """The share of the limit that the judged threads reach."""
        return self.of_limit(self.subject, self.threads_to_ceiling)

    def of_limit(self, speedup: Estimate | None, to_ceiling: Estimate | None) -> Estimate | None:
        """Return the share of the limit that a speedup is: paired with the ceiling, if that is the limit."""
        return quotient(speedup, self.limit) if self.waits else decided(to_ceiling, speedup, self.limit)

    @property
    def to_processes(self) -> Estimate | None:
        """What the judged threads do, over what processes do."""
        return decided(self.threads_to_processes, self.subject, self.processes)

    @property
    def rivals(self) -> Iterator[Rival]:
        """The same work where no GIL is shared: what shares the memory, too, comes first."""
        if self.native is not None:
            share = self.of_limit(self.native, self.native_to_ceiling)
            yield Rival("native threads", self.native, quotient(self.subject, self.native), share)
        if self.processes is not None:
            share = self.of_limit(self.processes, self.processes_to_ceiling)
            yield Rival("processes", self.processes, self.to_processes, share)
        for name, one in self.alike.items():
            to_it = decided(one.from_threads, self.subject, one.speedup)
            yield Rival(name, one.speedup, to_it, self.of_limit(one.speedup, one.to_ceiling))

    @property
    def alike(self) -> dict[str, Further]:
        """Those of the further executors whose workers do what the judged threads do, and share no GIL."""
        return {
            name: one
            for name, one in self.further.items()
            if one.variant == self.judged and not one.shares_gil
        }


@dataclass(frozen=True, slots=True)
class Rival:
    """Workers that do the same, beside the threads.

    Parameters
    ----------
    name : str
    speedup : Estimate
    threads : Estimate or None
        What the judged threads do, over what these do.
    share : Estimate or None
        The share of the limit that they reach.
    """

    name: str
    speedup: Estimate
    threads: Estimate | None
    share: Estimate | None


def quotient(a: Estimate | None, b: Estimate | None) -> Estimate | None:
    """Return ``a / b`` of figures that were not paired: its interval is as wide as both allow."""
    if a is None or b is None:
        return None
    return Estimate(a / b, a.low / b.high, a.high / b.low)


def decided(paired: Estimate | None, a: Estimate | None, b: Estimate | None) -> Estimate | None:
    """Return a ratio that was paired by rounds; without pairs enough, that of the two figures apart."""
    return paired if paired is not None and paired.decided else quotient(a, b)


def surely_above(figure: Estimate | None, border: float) -> bool:
    """Whether the whole interval is at the border or above it. One without ends decides nothing."""
    return figure is not None and figure.low >= border


def surely_below(figure: Estimate | None, border: float) -> bool:
    """Whether the whole interval is below the border."""
    return figure is not None and figure.high < border
