"""Pools of other libraries: calls that begin together, each on a worker of its own, and workers of theirs."""

from __future__ import annotations

import os
import signal
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

from gilkit.engine.member_pool import how_workers_ended
from gilkit.engine.processes import (
    ALIVE_AGAIN,
    SAFE_PATH,
    START_EACH,
    START_TIMEOUT,
    UNGUARDED,
    UNGUARDED_SCRIPT,
    interrupts_later,
    safe_path,
    set_up_worker,
    start_tracker,
)

P = ParamSpec("P")
T = TypeVar("T")
GREETING = 0.02  # seconds in which a worker that is there takes no second call
REPORT = "PYTHONFAULTHANDLER"  # empty for no report of a crash
Outcome = tuple[bool, Any]


class BurstExecutor(Executor):
    """An executor that has to be told which calls belong together: as many as workers, or fewer.

    Attributes
    ----------
    lead : float
        Seconds from handing calls out to when all of them have begun, about.
    """

    lead: float

    @abstractmethod
    def burst(self, calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
        """Submit calls that run at one time, each on a worker of its own."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Submit one call."""
        return self.burst([partial(fn, *args, **kwargs)])[0]


def burst(pool: Executor, calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
    """Submit calls that run at one time, as many as workers or fewer.

    Of most pools whoever is idle takes the next one: so each is on a worker of its own.
    """
    return pool.burst(calls) if isinstance(pool, BurstExecutor) else [pool.submit(call) for call in calls]


def lead(pool: Executor, least: float) -> float:
    """Return the seconds from handing calls out to their start."""
    return max(least, pool.lead) if isinstance(pool, BurstExecutor) else least


def outcome(call: Callable[[], Any]) -> Outcome:
    """In a worker: return whether a call returned, and what it returned or raised: no library sees that."""
    try:
        return True, call()
    except BaseException as error:  # noqa: BLE001 (its future carries it)
        return False, error


def settle(future: Future[Any], found: Outcome) -> None:
    """Give a future what its call came to."""
    returned, value = found
    if returned:
        future.set_result(value)
    else:
        future.set_exception(value)


def pickled_by_value(workload: object) -> bytes:
    """Pickle what libraries send by value, as they do: functions that no other process could import, too."""
    try:
        from cloudpickle import dumps
    except ImportError:  # joblib has its own
        from joblib.externals.cloudpickle import dumps
    pickled: bytes = dumps(workload)
    return pickled


@dataclass(frozen=True, slots=True)
class Start:
    """How workers are started: whether imports were safe before, and whether an interrupt has come since."""

    safe: bool
    came: Callable[[], bool]


@contextmanager
def starting(tracker: Any) -> Iterator[Start]:
    """Let workers start, with what loky starts beside them, as ours do: see `gilkit.engine.processes`.

    How one crashed is said in a line, so loky's report of every thread's stack is turned off.
    """
    safe, told = SAFE_PATH in os.environ, REPORT in os.environ
    with safe_path(), interrupts_later() as came:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ()) if hasattr(signal, "pthread_sigmask") else set()
        start_tracker(tracker)
        if mask:  # to start it unblocks some of them
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.environ.setdefault(REPORT, "")
        try:
            yield Start(safe, came)
        finally:
            if not told:
                del os.environ[REPORT]


def everybody(pool: Executor, workers: int, start: Start) -> list[int]:
    """Wait until all workers of a pool are there and set up, and return their processes' numbers."""
    late = time.monotonic() + START_TIMEOUT + workers * START_EACH
    found: set[int] = set()
    while len(found) < workers and not start.came():
        futures = burst(pool, [partial(_greet, start.safe)] * workers)
        while wait(futures, ALIVE_AGAIN).not_done and not start.came():
            if time.monotonic() > late:
                raise TimeoutError("they were not there in time")
        found |= {future.result() for future in futures if future.done()}
    return sorted(found)


def why_not(ends: str) -> str:
    """Say why workers did not start, by how one ended."""
    return UNGUARDED_SCRIPT if ends == how_workers_ended([UNGUARDED]) else f"one {ends}"


def _greet(safe: bool) -> int:
    """In a worker: set it up, and tell which process it is."""
    set_up_once(safe)
    time.sleep(GREETING)
    return os.getpid()


@cache
def set_up_once(safe: bool) -> None:
    """In a worker: set it up, if that has not been done."""
    import gilkit.engine.worker  # noqa: F401 (before the start that it must not miss)

    set_up_worker(safe)
