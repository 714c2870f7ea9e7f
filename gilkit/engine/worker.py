"""One worker: it waits for the start that all have in common, makes its calls, and tells when it did."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from gilkit._ext._start import spin
from gilkit.workloads.workload import Call, Workload, ready, repeated

AWAKE = 0.001  # seconds before the start in which workers spin, each on its CPU


@dataclass(frozen=True, slots=True)
class Stint:
    """What one worker did: its start and end on the shared clock, and its CPU time, in seconds."""

    start: float
    end: float
    cpu: float


@contextmanager
def _own_cpu(place: int) -> Iterator[None]:
    """Keep this thread on the CPU of worker number ``place`` meanwhile, where the system lets us.

    Threads that wake at one time often wake on one CPU, and a scheduler takes milliseconds to part them: in
    windows of 20 ms that alone made 1.5 times out of 2. A worker waits for its start on a CPU of its own, and
    from there on belongs to the scheduler again.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cpus = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, {sorted(cpus)[place % len(cpus)]})
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, cpus)


def started(
    recipe: Workload | bytes,
    start: float,
    place: int,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    spin: Callable[[float], None] = spin,
) -> Call | None:
    """Return what ``recipe`` makes, at the time ``start``, to worker number ``place``.

    Returns None, at once, if it was ready too late for that.
    """
    call = ready(recipe, place)
    if clock() > start:
        return None
    with _own_cpu(place):
        sleep(max(0.0, start - AWAKE - clock()))
        spin(max(0.0, start - clock()))
    return call


def work(
    recipe: Workload | bytes,
    loops: int,
    start: float,
    place: int,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    spin: Callable[[float], None] = spin,
) -> Stint | None:
    """Call what ``recipe`` makes ``loops`` times, from ``start`` on, as worker number ``place``.

    Returns None, having called nothing, if it was ready too late for the start.
    """
    call = started(recipe, start, place, clock, sleep, spin)
    if call is None:
        return None
    cpu = time.thread_time()
    begin = clock()
    repeated(call, loops)
    end = clock()
    return Stint(begin, end, time.thread_time() - cpu)
