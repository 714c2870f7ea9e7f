"""One window: all workers of a case make their calls at once, on an executor. Nothing here prints."""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.worker import Stint, work
from gilkit.errors import CaseFailedError, LateError
from gilkit.gil.held import HeldCall, watch
from gilkit.workloads.workload import KernelCall, Team, Workload, own_call, ready

LEAD = 0.004  # seconds from handing out a window to its start
START_TRIES = 10  # tries to have all workers ready at the start, each with twice the lead
UNLIMITED = 3600.0  # seconds
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """What all workers of a case did at once: ``loops`` calls each."""

    loops: int
    stints: tuple[Stint, ...]

    @property
    def seconds(self) -> float:
        """The wall time from the first start to the last end."""
        return max(stint.end for stint in self.stints) - min(stint.start for stint in self.stints)

    @property
    def value(self) -> float:
        """Wall seconds per call of each worker."""
        return self.seconds / self.loops

    @property
    def cpu(self) -> float:
        """CPU seconds used for each second of the wall clock."""
        return sum(stint.cpu for stint in self.stints) / self.seconds


def gathered(
    pool: Executor, workers: int, timeout: float, task: Callable[..., T | None], *args: Any
) -> list[T]:
    """Run ``task(*args, start, place)`` once for every worker of ``pool``: all begin at one time.

    A task that returns None missed the start, as one does that first has to make its data, and then all are
    run again.
    """
    lead = LEAD
    until = time.perf_counter() + timeout
    for _ in range(START_TRIES):
        start = time.perf_counter() + lead
        futures = [pool.submit(task, *args, start, place) for place in range(workers)]
        # All of them, before an error of one: none may still be running when the next window starts.
        if wait(futures, max(0.0, until - time.perf_counter())).not_done:
            raise LateError
        found = [result for future in futures if (result := future.result()) is not None]
        if len(found) == workers:
            return found
        lead *= 2
    raise CaseFailedError("its workers were never ready at one time: the machine is too busy")


def together(
    pool: Executor, recipe: Workload | bytes, workers: int, loops: int, timeout: float = UNLIMITED
) -> Window:
    """Run one window on ``pool``: all workers begin at one time on the clock that they share."""
    return Window(loops, tuple(gathered(pool, workers, timeout, work, recipe, loops)))


local_pools: dict[tuple[str, int], Executor] = {}
_teams: dict[tuple[Workload | bytes, int], Team] = {}


def _team_window(recipe: Workload | bytes, workers: int, loops: int) -> Window:
    """Run one window of the native variant."""
    if (team := _teams.get((recipe, workers))) is None:
        workload = pickle.loads(recipe) if isinstance(recipe, bytes) else recipe
        assert isinstance(workload, KernelCall)
        while len(_teams) > 8:
            _teams.pop(next(iter(_teams)))
        team = _teams[recipe, workers] = workload.team(workers)
        team(1)
    cpu = time.process_time()
    ends = team(loops)
    cpu = (time.process_time() - cpu) / workers
    return Window(loops, tuple(Stint(start, end, cpu) for start, end in ends))


def local_window(
    executor: str, recipe: Workload | bytes, workers: int, loops: int, most: int, timeout: float = UNLIMITED
) -> Window:
    """Run one window in this process, on an executor whose workers are no processes.

    Its pools stay for the next one, with ``most`` workers each.
    """
    if EXECUTORS[executor].native:
        return _team_window(recipe, workers, loops)
    return on_local_pool(executor, most, lambda pool: together(pool, recipe, workers, loops, timeout))


def on_local_pool(executor: str, most: int, run: Callable[[Executor], T]) -> T:
    """Return ``run(pool)``, of the pool of ``most`` workers in this process.

    A pool that gives no answer in time is left behind.
    """
    pool = local_pools.get((executor, most)) or local_pools.setdefault(
        (executor, most), EXECUTORS[executor].start(most)
    )
    try:
        return run(pool)
    except LateError:
        local_pools.pop((executor, most)).shutdown(wait=False, cancel_futures=True)
        raise


def local_watch(recipe: Workload | bytes, seconds: float) -> HeldCall:
    """Watch the GIL while this thread makes the calls of ``recipe``."""
    return watch(ready(recipe), seconds)


def _sent_call(recipe: Workload | bytes, inputs: dict[str, Any]) -> object:
    """In a worker: make the call on the data that came with it."""
    return own_call(recipe).sent(inputs)


def sent_window(
    pool: Executor,
    recipe: Workload | bytes,
    inputs: dict[str, Any],
    workers: int,
    loops: int,
    timeout: float = UNLIMITED,
) -> Window:
    """Run one window of calls on a pool of ``workers`` processes, ``loops`` for each, all sent ``inputs``.

    This process hands out the data and takes the results, as a program does that has them.
    """
    until = time.perf_counter() + timeout
    cpu, start = time.thread_time(), time.perf_counter()
    futures = deque(pool.submit(_sent_call, recipe, inputs) for _ in range(workers * loops))
    while futures:
        future = futures.popleft()  # results are not kept
        if wait([future], max(0.0, until - time.perf_counter())).not_done:
            raise LateError
        future.result()
    return Window(loops, (Stint(start, time.perf_counter(), time.thread_time() - cpu),))


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
