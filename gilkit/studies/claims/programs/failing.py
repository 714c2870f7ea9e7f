"""Workers that crash, are killed or interrupted, or write to one number at once.

A program of its own: see `talk`.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from talk import WORKER_PATIENCE, process, run, tell, usual


def _segfault() -> None:
    import ctypes

    time.sleep(0.1)
    ctypes.string_at(0)


def _well(seconds: float) -> str:
    time.sleep(seconds)
    return "well"


def crash(kind: str) -> None:
    """Let one worker crash beside another that is well, and tell how both ended: if that is to be told."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except ImportError:
        pass
    if kind == "thread":
        thread = threading.Thread(target=_segfault)
        thread.start()
        thread.join()
        tell({"crashed": 0, "other": "well"})
    elif kind == "process":
        broken, other = process(usual(), _segfault), process(usual(), _well, 0.3)
        broken.join()
        other.join()
        tell({"crashed": broken.exitcode, "other": "well" if other.exitcode == 0 else "ended, too"})
    else:
        context = multiprocessing.get_context(usual())
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(_well, [0.05, 0.05]))  # both are there, and the pool watches them
            neighbour = pool.submit(_well, 3.0)
            bad = pool.submit(_segfault)
            crashed, other = bad.exception(), neighbour.exception()
        tell({"crashed": type(crashed).__name__, "other": type(other).__name__ if other else "well"})


def inside(variant: str, seconds: float) -> None:
    """Call into C, for so long."""
    from gilkit.kernels import sleep

    call = sleep.variant(variant)
    call(0.0)
    tell("ready")
    call(seconds)
    tell("whole")


def interrupted(variant: str, seconds: float) -> None:
    """Let a thread call into C; tell when an interrupt was noticed here, and when the thread ended."""
    import signal

    from gilkit.kernels import sleep

    signal.signal(signal.SIGINT, signal.default_int_handler)
    ended: list[float] = []
    done = threading.Event()  # not join(): an interrupt in it makes some versions forget the thread

    def run() -> None:
        sleep.variant(variant)(seconds)
        ended.append(time.perf_counter())
        done.set()

    noticed = 0.0
    thread = threading.Thread(target=run)
    tell("ready")
    begin = time.perf_counter()
    try:
        thread.start()
        while not done.wait(0.05):
            pass
    except KeyboardInterrupt:
        noticed = time.perf_counter()
    done.wait()
    tell({"begin": begin, "noticed": noticed, "ended": ended[0]})


def _add(value: int) -> int:
    return value + 1


class _Counter:
    """A number, or one in memory that processes share."""

    value = 0


def _count(counter: Any, gate: Any, times: int, lock: Any) -> None:
    gate.wait(WORKER_PATIENCE)
    for _ in range(times):
        if lock is None:
            counter.value = _add(counter.value)
        else:
            with lock:
                counter.value = _add(counter.value)


def _count_own(times: int) -> int:
    counter = _Counter()
    for _ in range(times):
        counter.value = _add(counter.value)
    return counter.value


def race(kind: str, workers: int, times: int, locked: bool) -> None:
    """Let workers add to one number, reading and writing it; tell the sum that is due, and that there is."""
    context = multiprocessing.get_context(usual())
    if kind == "pool":
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            total = sum(pool.map(_count_own, [times] * workers))
        tell([workers * times, total])
        return
    counter: Any = _Counter()
    lock: Any = threading.Lock() if locked else None
    gate: Any = threading.Barrier(workers)
    start: Callable[..., Any] = threading.Thread
    if kind == "processes":
        counter = context.RawValue("q", 0)
        lock = context.Lock() if locked else None
        gate = context.Barrier(workers)
        start = context.Process
    run = [start(target=_count, args=(counter, gate, times, lock)) for _ in range(workers)]
    for worker in run:
        worker.start()
    for worker in run:
        worker.join()
    tell([workers * times, counter.value])


if __name__ == "__main__":
    run(crash, inside, interrupted, race)
