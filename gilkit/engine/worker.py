"""One worker: it waits for the start that all have in common, makes its calls, and tells what it did.

What it imports has to be importable in an interpreter of its own, where neither NumPy nor what is compiled
can be loaded.
"""

from __future__ import annotations

import os
import random
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

from gilkit.engine.calibration import Pace, pace
from gilkit.gil.turned_on import GilState, gil_state
from gilkit.machine import allowed_cpus, cpus_in_order
from gilkit.results.windows import Stint
from gilkit.workloads.workload import Call, Workload, looped, ready

try:
    from gilkit._ext._start import spin, usage
except ImportError:  # in an interpreter of its own
    from gilkit.engine.plain_start import spin, usage
try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

AWAKE = 0.001  # seconds before the start in which workers spin, each on its CPU
MANY_THREADS = 1.2  # CPU seconds a second from which a call has threads of its own
SETTLED, SETTLING_TRIES = 0.1, 3  # seconds in which threads that have nothing to do go to sleep
LEADS = 2  # times that a lead is doubled for a worker that ends no call in it
SPARE_STAMPS = 4.0  # times as many stamps as calls need that are as long as they were


@dataclass(frozen=True, slots=True)
class Order:
    """What the workers of a window are to do, on the clock from their common start.

    Parameters
    ----------
    warm, seconds : float
        From the start to the first instant of the window, and from there to its last.
    beyond : float
        How long they go on after that: whoever is within a call then must not be left alone in it.
    batch : int
        Calls from one stamp to the next.
    call : float
        Seconds of a call alone, at the least.
    phase : float
        Seconds within which the workers begin, each at a time of its own: so they do not march in step.
    cpus : tuple of int
        The CPU of each worker in turn; empty for any.
    first : int
        The place of the first worker: its data, and its turn in `cpus`.
    seed : int
        What the phases are made from.
    apart : bool
        Whether each worker is a process of its own, so that all that the process uses is the worker's.
    whole : bool
        Whether only whole batches count. Of many workers that take turns at the GIL some wait all the time:
        the parts of their calls tell nothing, and together they end one call after the other.
    leads : int
        How often the lead was doubled.
    """

    warm: float
    seconds: float
    beyond: float
    batch: int
    call: float
    phase: float = 0.0
    cpus: tuple[int, ...] = ()
    first: int = 0
    seed: int = 0
    apart: bool = False
    whole: bool = False
    leads: int = 0

    @property
    def starving(self) -> bool:
        """Whether a worker that ended no call in the lead has its part, all the same.

        A thread that gives the GIL up and takes it back before others wake up lets them wait for seconds:
        they never ask for it. No lead is long enough for them then, and their one call is the truth.
        """
        return self.leads >= LEADS

    @property
    def room(self) -> int:
        """Stamps that a worker needs."""
        whole = self.warm + self.seconds + self.beyond
        return ceil(SPARE_STAMPS * whole / (self.batch * self.call)) + 8

    def cpu(self, place: int) -> int | None:
        """The CPU of the worker at a place."""
        return self.cpus[place % len(self.cpus)] if self.cpus else None

    def begins(self, place: int) -> float:
        """Seconds after the start at which the worker at a place makes its first call."""
        return self.phase * random.Random(f"{self.seed} {place}").random()

    def longer(self) -> Order:
        """Return the order with twice the lead, for calls that take longer than was known."""
        return replace(
            self, warm=2 * self.warm, beyond=2 * self.beyond, call=self.call / 2, leads=self.leads + 1
        )


@contextmanager
def kept_on(cpu: int | None) -> Iterator[None]:
    """Keep this thread on one CPU meanwhile, where the system lets us."""
    if cpu is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    cpus = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, cpus)


def finished(stamps: Sequence[float], instant: float, batch: int, before: int = 1) -> float | None:
    """Return how many calls were finished at an instant, by the stamps of a worker.

    The first stamp is its start, each further one the end of a batch. Calls that were under way count by the
    part of the batch that was over, so nothing is rounded to whole calls.

    Returns
    -------
    float or None
        None if fewer batches than `before` ended before the instant, or none after it.
    """
    done = bisect_right(stamps, instant)
    if not before < done < len(stamps):
        return None
    last, following = stamps[done - 1], stamps[done]
    return batch * (done - 1 + (instant - last) / (following - last))


def ended(stamps: Sequence[float], instant: float, batch: int) -> float | None:
    """Return how many calls were in the batches that ended up to an instant; None if none did after it."""
    done = bisect_right(stamps, instant)
    return batch * max(0.0, done - 1) if done < len(stamps) else None


def stint(stamps: Sequence[float], used: Sequence[float], order: Order, start: float) -> Stint | None:
    """Return what a worker did in a window; None if its calls did not reach from before it to after it."""
    count = ended if order.whole else partial(finished, before=0 if order.starving else 1)
    first = count(stamps, start + order.warm, order.batch)
    last = count(stamps, start + order.warm + order.seconds, order.batch)
    if first is None or last is None:
        return None
    return Stint(last - first, stamps[-1] - stamps[0], *used)


def wait_for(
    start: float,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    spin: Callable[[float], None] = spin,
) -> None:
    """Sleep until shortly before ``start``, and spin from there on."""
    sleep(max(0.0, start - AWAKE - clock()))
    spin(max(0.0, start - clock()))


def started(recipe: Workload | bytes, start: float, place: int) -> Call | None:
    """Return what ``recipe`` makes, at the time ``start``, to worker number ``place``.

    Returns None, at once, if it was ready too late for that. The worker waits on a CPU of its own, for
    threads that wake at one time often wake on one CPU; from there on it belongs to the scheduler again.
    """
    call = ready(recipe, place)
    if time.perf_counter() > start:
        return None
    cpus = cpus_in_order(allowed_cpus())
    with kept_on(cpus[place % len(cpus)] if cpus else None):
        wait_for(start)
    return call


def began(recipe: Workload | bytes, start: float, place: int) -> bool | None:
    """Return True, after the first call of ``recipe`` was made; None if that was not before ``start``."""
    return None if started(recipe, start, place) is None else True


def work(
    recipe: Workload | bytes,
    order: Order,
    start: float,
    place: int,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    spin: Callable[[float], None] = spin,
    used: Callable[[], Sequence[float]] = usage,
) -> tuple[Stint | None] | None:
    """Call what ``recipe`` makes for a window, as worker number ``place`` of those that `order` begins with.

    Returns None, having called nothing, if it was ready too late for the start; and else what it did, which
    is None if its calls did not reach from before the window to after it.
    """
    place += order.first
    loop = looped(ready(recipe, place))
    if clock() > start:
        return None
    with kept_on(order.cpu(place)):
        begin = start + order.begins(place)
        wait_for(begin, clock, sleep, spin)
        until = start + order.warm + order.seconds + order.beyond
        stamps = array("d", bytes(8 * order.room))
        before, whole = used(), time.process_time()
        count = _stamped(loop, order.batch, stamps, begin, until, clock)
        after, whole = used(), time.process_time() - whole
    costs = [late - early for early, late in zip(before, after, strict=True)]
    if order.apart:
        costs[0] = whole
    return (stint(stamps[:count], costs, order, start),)


def _stamped(
    loop: Callable[[int], object],
    batch: int,
    stamps: array[float],
    begin: float,
    until: float,
    clock: Callable[[], float],
) -> int:
    """Repeat batches, with a stamp after each, until one is late enough; return how many there are.

    The first stamp is when it was to begin: a thread that first has to wait for the GIL is at work by then.
    """
    stamps[0] = begin
    for index in range(1, len(stamps)):
        loop(batch)
        stamps[index] = now = clock()
        if now >= until:
            return index + 1
    return len(stamps)


def cpu_with_children() -> float:
    """Return the CPU seconds of this process, and of the processes that it started and that have ended."""
    if resource is None:
        return time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def gil_after(recipe: Workload | bytes) -> GilState:
    """Return whether there is a GIL here once a call of ``recipe`` was made."""
    ready(recipe)
    return gil_state()


def paced(recipe: Workload | bytes, place: int = 0) -> Pace:
    """Return how long a call of ``recipe`` is for this worker, which is not pinned yet."""
    loop = looped(ready(recipe, place))

    def run(loops: int) -> tuple[float, float]:
        used, begin = cpu_with_children(), time.perf_counter()
        loop(loops)
        return time.perf_counter() - begin, cpu_with_children() - used

    found = pace(run)
    for _ in range(SETTLING_TRIES):
        if found.inside <= MANY_THREADS or found.call > SETTLED:
            break
        time.sleep(SETTLED)  # threads of a library that was just loaded may still be spinning
        again = pace(run)
        found = min(found, again, key=lambda one: one.inside)
    return found
