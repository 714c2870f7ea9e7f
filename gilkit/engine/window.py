"""One window: all workers of a case make their calls at once, on an executor. Nothing here prints.

Throughput is counted between two instants, with all workers at work before the first and after the last, so
neither the filling of the pipeline at the GIL nor its draining is in it.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import replace
from functools import partial
from math import inf, nan
from typing import Any, TypeVar

from gilkit._ext._start import usage
from gilkit.engine.bursts import burst, lead
from gilkit.engine.calibration import Pace, pace
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.worker import Order, gil_after, paced, stint, work
from gilkit.engine.worker_pool import WorkerPool
from gilkit.errors import CaseFailedError, LateError, one_line, told
from gilkit.gil.held import HeldCall, watch
from gilkit.gil.turned_on import GilState
from gilkit.machine import busy_seconds, cpu_seconds, stolen_seconds
from gilkit.results.windows import Stint, Window
from gilkit.workloads.workload import KernelCall, Team, Workload, own_call, ready

LEAD = 0.004  # seconds from handing out a window to its start
START_TRIES = 10  # tries to have all workers ready at the start, each with twice the lead
PARTS_OF_A_WAIT = 20  # after each of which one looks whether there is an answer
AHEAD = 2  # calls for each worker that is sent its data: the one that it works on, and the next
UNLIMITED = 3600.0  # seconds
T = TypeVar("T")


def answer(future: Future[T]) -> T:
    """Return what a task returned, or raise what it raised; an interrupt would not be this program's."""
    error = future.exception()
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise CaseFailedError(one_line(error))
    return future.result()


def awaited(futures: Sequence[Future[Any]], seconds: float) -> float:
    """Wait until tasks have ended, and return how many of so many seconds are left.

    A look that takes longer than it was to counts as one, for this program may have been stopped, as by
    Ctrl-Z, and the workers with it; unless it was at work meanwhile, as its threads are that have the GIL.

    Raises
    ------
    LateError
        If they have not ended in time.
    """
    left, each = seconds, seconds / PARTS_OF_A_WAIT
    begin, used = time.perf_counter(), time.process_time()
    while wait(futures, each).not_done:
        now, at_work = time.perf_counter(), time.process_time() - used
        left -= max(each, min(now - begin, at_work))
        if left <= each / 2:
            raise LateError
        begin, used = now, used + at_work
    return max(0.0, left - min(each, time.perf_counter() - begin))


def gathered(
    pool: Executor, workers: int, timeout: float, task: Callable[..., T | None], *args: Any
) -> list[T]:
    """Run ``task(*args, start, place)`` once for every worker of ``pool``: all begin at one time.

    A task that returns None missed the start, as one does that first has to make its data, and then all are
    run again.
    """
    ahead, left = lead(pool, LEAD), timeout
    for _ in range(START_TRIES):
        start = time.perf_counter() + ahead
        futures = burst(pool, [partial(told, task, *args, start, place) for place in range(workers)])
        # All of them, before an error of one: none may still be running when the next window starts.
        left = awaited(futures, left)
        found = [result for future in futures if (result := answer(future)) is not None]
        if len(found) == workers:
            return found
        ahead *= 2
    raise CaseFailedError("its workers were never ready at one time: the machine is too busy")


def together(
    pool: Executor, recipe: Workload | bytes, workers: int, order: Order, timeout: float = UNLIMITED
) -> Window:
    """Run one window on ``pool``."""

    def run(again: Order) -> list[Stint | None]:
        return [one for (one,) in gathered(pool, workers, timeout, work, recipe, again)]

    return whole(order, workers, run)


def whole(
    order: Order,
    workers: int,
    run: Callable[[Order], Sequence[Stint | None]],
    own: Callable[[], float] = time.process_time,
) -> Window:
    """Return a window in which every worker was at work from before its first instant to after its last.

    Where one was not, as its calls took longer than was known, all is done again with twice the lead.

    Parameters
    ----------
    order : Order
    workers : int
    run : callable
        Does what an order says.
    own : callable
        Returns the CPU seconds of this process, and of others whose use no stint tells.
    """
    used = {cpu for worker in range(workers) if (cpu := order.cpu(order.first + worker)) is not None}
    for _ in range(START_TRIES):
        stolen, busy, ours = stolen_seconds(used), busy_seconds(), own()
        begin = time.perf_counter()
        found = run(order)
        stints = tuple(one for one in found if one is not None)
        if len(stints) == len(found) and sum(stint.calls for stint in stints) > 0:
            others, part = nan, order.seconds / (time.perf_counter() - begin)  # the window's part
            stolen = part * (stolen_seconds(used) - stolen)
            if workers > len(order.cpus):  # without a CPU each, workers wait for one another, too
                ours = own() - ours + order.apart * sum(stint.cpu for stint in stints)
                others = max(0.0, busy_seconds() - busy - ours)
                others *= part
            return Window(order.seconds, workers, stints, stolen, others, bool(order.cpus))
        order = order.longer()
        if len(stints) == len(found):  # none of them ended a call
            order = replace(order, seconds=2 * order.seconds)
    raise CaseFailedError("the length of its calls varies too much: no window was long enough for them")


local_pools: dict[tuple[str, int], Executor] = {}


def _team(recipe: Workload | bytes, places: Sequence[int]) -> Team:
    workload = pickle.loads(recipe) if isinstance(recipe, bytes) else recipe
    assert isinstance(workload, KernelCall)
    return workload.team(places)


def _team_window(recipe: Workload | bytes, workers: int, order: Order) -> Window:
    """Run one window of the native variant."""
    places = [order.first + worker for worker in range(workers)]
    team = _team(recipe, places)

    def run(again: Order) -> list[Stint | None]:
        start = time.perf_counter() + LEAD
        cpus = [cpu for place in places if (cpu := again.cpu(place)) is not None]
        rows = team(again.batch, start + again.warm + again.seconds + again.beyond, again.room, cpus or None)
        return [stint(stamps, used, again, start) for used, stamps in rows]

    return whole(order, workers, run)


def local_window(
    executor: str, recipe: Workload | bytes, workers: int, order: Order, most: int, timeout: float = UNLIMITED
) -> Window:
    """Run one window in this process, on an executor whose workers are no processes.

    Its pools stay for the next one, with ``most`` workers each.
    """
    if EXECUTORS[executor].native:
        return _team_window(recipe, workers, order)
    return on_local_pool(executor, most, lambda pool: together(pool, recipe, workers, order, timeout))


def local_pace(executor: str, recipe: Workload | bytes, most: int, timeout: float = UNLIMITED) -> Pace:
    """Return how long a call is on one worker in this process."""
    if EXECUTORS[executor].native:
        return _native_pace(recipe)
    return on_local_pool(executor, most, lambda pool: pool_pace(pool, recipe, timeout))


def _native_pace(recipe: Workload | bytes) -> Pace:
    """Return how long a call of the native variant is."""
    team = _team(recipe, [0])

    def run(loops: int) -> tuple[float, float]:
        ((used, (begin, end)),) = team(loops, inf, 1, None)
        return end - begin, used[0]

    return pace(run)


def pool_pace(pool: Executor, recipe: Workload | bytes, timeout: float = UNLIMITED) -> Pace:
    """Return how long a call is on one worker of a pool."""
    return _of_one(pool, timeout, paced, recipe)


def _of_one(pool: Executor, timeout: float, task: Callable[..., T], *args: Any) -> T:
    """Return what a task returns on one worker of a pool."""
    future = pool.submit(told, task, *args)
    awaited([future], timeout)
    return answer(future)


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


def local_gil(executor: str, recipe: Workload | bytes, most: int, timeout: float = UNLIMITED) -> GilState:
    """Return whether workers in this process run with a GIL once a call of ``recipe`` was made."""
    if EXECUTORS[executor].secluded:  # an interpreter has a GIL of its own
        return on_local_pool(executor, most, lambda pool: pool_gil(pool, recipe, timeout))
    return gil_after(recipe)


def pool_gil(pool: Executor, recipe: Workload | bytes, timeout: float = UNLIMITED) -> GilState:
    """Return the same of a worker of a pool."""
    return _of_one(pool, timeout, gil_after, recipe)


def _sent_call(recipe: Workload | bytes, inputs: dict[str, Any]) -> object:
    """In a worker: make the call on the data that came with it; what it returns goes back."""
    return own_call(recipe).sent(inputs)


def sent_window(
    pool: WorkerPool,
    recipe: Workload | bytes,
    inputs: dict[str, Any],
    workers: int,
    order: Order,
    timeout: float = UNLIMITED,
) -> Window:
    """Run one window of calls on a pool of ``workers`` processes, each call sent ``inputs``.

    This process hands out the data and takes the results, as a program does that has them. It keeps every
    worker supplied with one call more than it works on.
    """
    left = timeout

    def run(again: Order) -> list[Stint | None]:
        nonlocal left
        futures = deque(pool.submit(told, _sent_call, recipe, inputs) for _ in range(AHEAD * workers))
        start = time.perf_counter()
        until = start + again.warm + again.seconds + again.beyond
        before, stamps = usage(), [start]
        while futures:
            future = futures.popleft()  # results are not kept
            left = awaited([future], left)
            answer(future)
            if stamps[-1] < until:
                stamps.append(time.perf_counter())
                futures.append(pool.submit(told, _sent_call, recipe, inputs))
        used = [now - then for now, then in zip(usage(), before, strict=True)]
        return [stint(stamps, used, again, start)]

    def own() -> float:
        return time.process_time() + cpu_seconds(pool.pids())

    return whole(replace(order, cpus=(), batch=1), workers, run, own)
