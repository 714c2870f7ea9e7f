"""What workers do for a timeline: calls between stamps, watched by a monitor in their process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.window import gathered, on_local_pool
from gilkit.engine.worker import started
from gilkit.gil.holds import Hold
from gilkit.gil.monitor import GilMonitor, gil_missing
from gilkit.workloads.workload import Workload, repeated

EXACT_LOOKS, LIGHT_LOOKS = 20e-6, 500e-6  # seconds between samples: with a CPU to spare, and without
# Seconds without a sample over which a hold goes on: light samples are apart by less, unless the system kept
# this process from running.
BRIDGE = 3 * LIGHT_LOOKS
HOLDS_KEPT = 20_000  # holds that a monitor keeps


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be captured.

    Parameters
    ----------
    slices : int
        Stretches of calls that every worker makes.
    loops : int
        Calls in each.
    exact : bool
        Whether the monitor may keep a CPU busy.
    """

    slices: int
    loops: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a worker noted: (wall clock, CPU time of its thread) before its first slice and after each."""

    pid: int
    native_id: int
    stamps: list[tuple[float, float]]


@dataclass(slots=True)
class Seen:
    """What a monitor saw of the GIL of a process."""

    pid: int
    holds: list[Hold] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    dropped: int = 0
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Captured:
    """What was captured: all workers, and all GILs."""

    workers: list[Stamped]
    locks: list[Seen]


@contextmanager
def watched(exact: bool) -> Iterator[Seen]:
    """Watch the GIL of this process meanwhile, where that can be done."""
    seen = Seen(os.getpid(), missing=gil_missing() or "")
    if seen.missing:
        yield seen
        return
    with (
        GilMonitor(EXACT_LOOKS, "exact", HOLDS_KEPT)
        if exact
        else GilMonitor(LIGHT_LOOKS, "light", HOLDS_KEPT, BRIDGE) as monitor
    ):
        yield seen
    holds = monitor.holds
    seen.holds, seen.dropped = list(holds), holds.dropped
    seen.gaps = monitor.gaps


def stamped(
    recipe: Workload | bytes,
    plan: Plan,
    start: float,
    place: int,
    clock: Callable[[], float] = time.perf_counter,
    cpu: Callable[[], float] = time.thread_time,
) -> Stamped | None:
    """Make the calls of ``recipe`` from ``start`` on, as worker number ``place``; stamp every slice.

    Returns None, having called nothing, if it was ready too late for the start.
    """
    call = started(recipe, start, place)
    if call is None:
        return None
    stamps = [(clock(), cpu())]
    for _ in range(plan.slices):
        repeated(call, plan.loops)
        stamps.append((clock(), cpu()))
    return Stamped(os.getpid(), threading.get_native_id(), stamps)


def watched_stamped(
    recipe: Workload | bytes, plan: Plan, start: float, place: int
) -> tuple[Stamped, Seen] | None:
    """Do as `stamped`, in a process of its own, and watch its GIL."""
    with watched(plan.exact) as seen:
        found = stamped(recipe, plan, start, place)
    return None if found is None else (found, seen)


def captured(lab: Lab, executor: str, workload: Workload, workers: int, plan: Plan) -> Captured:
    """Let each of ``workers`` make calls, and note who held the GIL meanwhile.

    Raises
    ------
    CaseFailedError
        If it cannot be done.
    """
    if EXECUTORS[executor].apart:
        return lab.through(executor, _in_processes, workload, workers, plan, lab.timeout)
    return lab.call(_here, executor, workload, workers, plan, lab.most, lab.timeout)


def _in_processes(
    pool: Executor, recipe: Workload | bytes, workers: int, plan: Plan, timeout: float
) -> Captured:
    """Capture workers that are processes, each with a GIL of its own."""
    found = gathered(pool, workers, timeout, watched_stamped, recipe, plan)
    return Captured([worker for worker, _ in found], [seen for _, seen in found])


def _here(
    executor: str, recipe: Workload | bytes, workers: int, plan: Plan, most: int, timeout: float
) -> Captured:
    """Capture workers of this process, which share its GIL."""
    with watched(plan.exact) as seen:
        found = on_local_pool(
            executor, most, lambda pool: gathered(pool, workers, timeout, stamped, recipe, plan)
        )
    return Captured(found, [seen])
