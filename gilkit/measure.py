"""Rounds of timed calls on an executor. Nothing here prints."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from gilkit._start import spin
from gilkit.executors import EXECUTORS
from gilkit.monitor import HeldCall, watch
from gilkit.statement import StatementError
from gilkit.workload import Call, KernelCall, Team, Workload, ready, repeated

SPIN = 0.001  # seconds before the start in which workers are awake, each on its CPU
LEAD = 0.004  # seconds from handing out a round to its start
PATIENCE = 10  # tries to have all workers ready at the start, each with twice the lead
T = TypeVar("T")


class CaseFailedError(Exception):
    """A case could not be measured; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Span:
    """What one worker did in a round: its start and end on the shared clock, and its CPU time, in seconds."""

    start: float
    end: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a case: ``loops`` calls on each worker."""

    loops: int
    spans: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        """The wall time from the first start to the last end."""
        return max(span.end for span in self.spans) - min(span.start for span in self.spans)

    @property
    def value(self) -> float:
        """Wall seconds per call of each worker."""
        return self.seconds / self.loops

    @property
    def cpu(self) -> float:
        """CPU seconds used for each second of the wall clock."""
        return sum(span.cpu for span in self.spans) / self.seconds


@contextmanager
def _own_cpu(place: int) -> Iterator[None]:
    """Keep this thread on the CPU of worker number ``place`` meanwhile, where the system lets us.

    Threads that wake at one time often wake on one CPU, and a scheduler takes milliseconds to part them: in
    rounds of 20 ms that alone made 1.5 times out of 2. A worker waits for its start on a CPU of its own, and
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
        sleep(max(0.0, start - SPIN - clock()))
        spin(max(0.0, start - clock()))
    return call


def stretch(
    recipe: Workload | bytes,
    loops: int,
    start: float,
    place: int,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    spin: Callable[[float], None] = spin,
) -> Span | None:
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
    return Span(begin, end, time.thread_time() - cpu)


class LateError(Exception):
    """No answer in time: the pool is of no use any more."""


def gathered(
    pool: Executor, workers: int, timeout: float, task: Callable[..., T | None], *args: Any
) -> list[T]:
    """Run ``task(*args, start, place)`` once for every worker of ``pool``: all begin at one time.

    A task that returns None missed the start, as one does that first has to make its data, and then all are
    run again.
    """
    lead = LEAD
    until = time.perf_counter() + timeout
    for _ in range(PATIENCE):
        start = time.perf_counter() + lead
        futures = [pool.submit(task, *args, start, place) for place in range(workers)]
        # All of them, before an error of one: none may still be running when the next round starts.
        if wait(futures, max(0.0, until - time.perf_counter())).not_done:
            raise LateError
        found = [result for future in futures if (result := future.result()) is not None]
        if len(found) == workers:
            return found
        lead *= 2
    raise CaseFailedError("its workers were never ready at one time: the machine is too busy")


def together(
    pool: Executor, recipe: Workload | bytes, workers: int, loops: int, timeout: float = 3600.0
) -> Round:
    """Run one round on ``pool``: all workers begin at one time on the clock that they share."""
    return Round(loops, tuple(gathered(pool, workers, timeout, stretch, recipe, loops)))


local_pools: dict[tuple[str, int], Executor] = {}
_teams: dict[tuple[Workload | bytes, int], Team] = {}


def _team_round(recipe: Workload | bytes, workers: int, loops: int) -> Round:
    """Run one round of the native variant."""
    if (team := _teams.get((recipe, workers))) is None:
        workload = pickle.loads(recipe) if isinstance(recipe, bytes) else recipe
        assert isinstance(workload, KernelCall)
        while len(_teams) > 8:
            _teams.pop(next(iter(_teams)))
        team = _teams[recipe, workers] = workload.team(workers)
        team(1)
    cpu = time.process_time()
    spans = team(loops)
    cpu = (time.process_time() - cpu) / workers
    return Round(loops, tuple(Span(start, end, cpu) for start, end in spans))


def local_round(
    executor: str, recipe: Workload | bytes, workers: int, loops: int, most: int, timeout: float = 3600.0
) -> Round:
    """Run one round in this process, on an executor whose workers are no processes.

    Its pools stay for the next round, with ``most`` workers each.
    """
    if EXECUTORS[executor].native:
        return _team_round(recipe, workers, loops)
    with local_pool(executor, most) as pool:
        return together(pool, recipe, workers, loops, timeout)
    raise AssertionError("local_pool swallows nothing")


@contextmanager
def local_pool(executor: str, most: int) -> Iterator[Executor]:
    """Lend the pool of ``most`` workers in this process; one that gives no answer in time is left."""
    pool = local_pools.get((executor, most)) or local_pools.setdefault(
        (executor, most), EXECUTORS[executor].start(most)
    )
    try:
        yield pool
    except LateError:
        local_pools.pop((executor, most)).shutdown(wait=False, cancel_futures=True)
        raise


def local_watch(recipe: Workload | bytes, seconds: float) -> HeldCall:
    """Watch the GIL while this thread makes the calls of ``recipe``."""
    return watch(ready(recipe), seconds)


def calibrated(run: Callable[[int], float], seconds: float) -> tuple[int, float]:
    """Return how many loops make ``run(loops)``, which returns its length, last about ``seconds``.

    Also returns the length of one. Loops grow until a run is long enough to be believed.
    """

    def shortest(loops: int) -> float:
        """The shortest of a few runs, which no single slow moment spoils; one run where it is long."""
        length = run(loops)
        return length if length > 2 * seconds else min(length, run(loops), run(loops))

    loops = 1
    while (length := shortest(loops)) < seconds / 4 and loops < 2**40:
        loops = max(2 * loops, min(100 * loops, int(loops * seconds / 2 / length) if length > 0 else 0))
    call = length / loops
    return max(1, round(seconds / call)), call


def one_line(error: BaseException) -> str:
    """The error in one line."""
    text = " ".join(str(error).split())
    if isinstance(error, StatementError):  # it says whose error it was
        return text[:200]
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
