"""Where windows are run: pools that are kept, and what goes wrong in them turned into reasons."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

import threadpoolctl

from gilkit.engine import scratch
from gilkit.engine.bursts import pickled_by_value
from gilkit.engine.calibration import Pace
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.window import (
    answer,
    awaited,
    gathered,
    local_gil,
    local_pace,
    local_pools,
    local_watch,
    local_window,
    pool_gil,
    pool_pace,
    sent_window,
    together,
)
from gilkit.engine.worker import Order, began
from gilkit.engine.worker_pool import WorkerPool
from gilkit.errors import CaseFailedError, LateError, is_interrupt, one_line, told
from gilkit.gil.held import HeldCall
from gilkit.gil.turned_on import GilState
from gilkit.machine import private_bytes
from gilkit.results.windows import Window
from gilkit.workloads.workload import KernelCall, StoredWorkload, Workload, one_thread_inside

SENDABLE = 10_000  # bytes of a workload that may be sent with every window
HOST, SENT = "host", "sent"  # pools beside those of executors: where threads run; that are sent data
T = TypeVar("T")


def pool_of(executor: str) -> str:
    """Return the name of the pool of processes in which the workers of an executor are."""
    kind = EXECUTORS[executor]
    return executor if kind.elsewhere else HOST


class Lab:
    """Where windows are run: keeps the pools, and turns what goes wrong in one into a reason.

    A context manager: leaving it ends every process that it started. It belongs to one thread.

    Parameters
    ----------
    most : int
        The largest number of workers that any window will ask for.
    timeout : float
        Seconds after which a window is given up and its processes are killed.
    hosted : bool
        Whether threads run in a process of their own, the host, which can crash, hang or be killed without
        harm to this one. Otherwise they run here, where functions work that no other process could import.
    single : bool
        Whether libraries are told to run one thread inside a call; otherwise they do as in any program.
    switch : float, optional
        Seconds of the switch interval where threads run in a host; by default this process's.

    Attributes
    ----------
    starts : dict of str to float
        Seconds that each pool took to start.
    """

    def __init__(
        self,
        most: int,
        timeout: float = 60.0,
        hosted: bool = True,
        single: bool = False,
        switch: float | None = None,
    ) -> None:
        self.most = most
        self.timeout = timeout
        self.hosted = hosted
        self.single = single
        self.switch = sys.getswitchinterval() if switch is None else switch
        self.starts: dict[str, float] = {}
        self._processes: dict[str, WorkerPool] = {}
        self._recipes: dict[tuple[Workload, bool], bytes] = {}
        self._stored: list[Path] = []  # recipes too long to be sent

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.renew()
        if not self.hosted:
            while local_pools:
                local_pools.popitem()[1].shutdown(wait=False, cancel_futures=True)
        for path in self._stored:
            path.unlink(missing_ok=True)

    def window(self, executor: str, workload: Workload, workers: int, order: Order) -> Window:
        """Run one window of calls on so many workers.

        Raises
        ------
        CaseFailedError
            If it cannot be measured. What was broken is started anew for the next window.
        """
        if EXECUTORS[executor].apart:
            return self.through(executor, together, workload, workers, order, self.timeout)
        asked = (executor, workload, workers, order, self.most, self.timeout)
        return self.call(local_window, *asked, host=pool_of(executor))

    def pace(self, executor: str, workload: Workload) -> Pace:
        """Return how long a call is on one worker.

        Raises
        ------
        CaseFailedError
            If it cannot be told.
        """
        if EXECUTORS[executor].apart:
            return self.through(executor, pool_pace, workload, self.timeout)
        return self.call(local_pace, executor, workload, self.most, self.timeout, host=pool_of(executor))

    def renew(self) -> None:
        """End all processes, so that what is measured next has fresh ones."""
        pools = list(self._processes.values())
        self._processes.clear()
        try:
            for pool in pools:
                pool.end()
        except BaseException:  # a second interrupt: nobody waits for them any more
            for pool in pools:
                pool.slay()
            raise

    def watch(self, workload: Workload, seconds: float) -> HeldCall:
        """Return for what share of its calls ``workload`` holds the GIL, where threads are measured.

        Raises
        ------
        CaseFailedError
            If it cannot be told.
        """
        return self.call(local_watch, workload, seconds)

    def gil(self, executor: str, workload: Workload) -> GilState:
        """Return whether workers run with a GIL, after SETUP and a first call; it fails as `pace` does."""
        if EXECUTORS[executor].apart:
            return self.through(executor, pool_gil, workload, self.timeout)
        asked = (executor, workload, self.most, self.timeout)
        return self.call(local_gil, *asked, host=pool_of(executor))

    def sent(self, workload: Workload, inputs: dict[str, Any], workers: int, order: Order) -> Window:
        """Run one window of calls in processes, each of them sent ``inputs`` and sending its result back.

        Raises
        ------
        CaseFailedError
            If it cannot be measured.
        """

        def run() -> Window:
            recipe, fresh = self._recipe(workload), SENT not in self._processes
            pool = self._pool(SENT, workers)
            if fresh:
                gathered(pool, workers, self.timeout, began, recipe)
            return sent_window(pool, recipe, inputs, workers, order, self.timeout)

        return self._told(SENT, run)

    def call(self, function: Callable[..., T], *args: Any, host: str = HOST) -> T:
        """Call a function where threads are measured; workloads among its arguments are sent as recipes.

        Or else in a host of another name, which is always a process of its own.

        Kernels are sent as they are, and so known there by what they are: their threads have data by place.

        Raises
        ------
        CaseFailedError
            If it fails.
        """

        def run() -> T:
            if host == HOST and not self.hosted:
                with threadpoolctl.threadpool_limits(1) if self.single else nullcontext():
                    return function(*args)
            sent = [arg if isinstance(arg, KernelCall) else self._recipe_of(arg) for arg in args]
            future = self._pool(host, 1).submit(told, function, *sent)
            awaited([future], self.timeout)
            return answer(future)

        return self._told(host, run)

    def through(self, executor: str, function: Callable[..., T], *args: Any) -> T:
        """Call ``function(pool, *args)`` here, with the pool of an executor whose workers are processes.

        Workloads among the arguments become recipes.

        Raises
        ------
        CaseFailedError
            If it fails.
        """

        def run() -> T:
            by_value = EXECUTORS[executor].by_value
            recipes = [self._recipe_of(arg, by_value) for arg in args]
            return function(self._pool(executor, self.most), *recipes)

        return self._told(executor, run)

    def memory(self, executor: str) -> list[int]:
        """Return the private bytes of each process in which the workers of ``executor`` run.

        Empty where the system does not tell, or none of them has started.
        """
        name = pool_of(executor)
        if name == HOST and not self.hosted:
            return private_bytes([os.getpid()])
        pool = self._processes.get(name)
        return private_bytes(pool.pids() if pool else [])

    def _told(self, name: str, run: Callable[[], T]) -> T:
        """Return what ``run`` does; turn what goes wrong on the pool ``name`` into a reason, and drop it."""
        try:
            return run()
        except CaseFailedError:
            raise
        except LateError:
            late = f"no answer within {self.timeout:g} s: "
            if name in self._processes:
                self._processes.pop(name).kill()
                raise CaseFailedError(f"{late}killed (a longer timeout waits longer)") from None
            raise CaseFailedError(f"{late}left to run on, as threads cannot be killed") from None
        except BrokenExecutor as error:
            if (broken := self._processes.pop(name, None)) is None:  # the call's own error
                raise CaseFailedError(one_line(error)) from error
            # Kept until it has shut down: CPython 3.12 deadlocks otherwise.
            one = name in EXECUTORS and EXECUTORS[name].secluded
            who = f"the process of the {name}" if one else "a worker process"
            raise CaseFailedError(f"{who} {broken.ends()}") from error
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise CaseFailedError(one_line(error)) from error

    def _pool(self, name: str, workers: int) -> WorkerPool:
        if name not in self._processes:
            start = time.perf_counter()
            try:
                self._processes[name] = self._start(name, workers)
            except (BrokenExecutor, EOFError, OSError, RuntimeError, TimeoutError) as error:
                what = f"{workers} worker process{'es' * (workers != 1)}"
                raise CaseFailedError(f"{what} did not start: {error}") from error
            self.starts.setdefault(name, time.perf_counter() - start)
            if name == HOST:  # one worker: what comes next waits for it
                self._processes[name].submit(sys.setswitchinterval, self.switch)
                if self.single:
                    self._processes[name].submit(one_thread_inside).result(self.timeout)
        return self._processes[name]

    def _start(self, name: str, workers: int) -> WorkerPool:
        """Start the pool of a name."""
        own = name in EXECUTORS and EXECUTORS[name].apart
        return cast("WorkerPool", EXECUTORS[name if own else "processes"].start(workers))

    def _recipe_of(self, argument: Any, by_value: bool = False) -> Any:
        """Return an argument as it is sent: a workload as its recipe, anything else as it is."""
        return self._recipe(argument, by_value) if isinstance(argument, Workload) else argument

    def _recipe(self, workload: Workload, by_value: bool = False) -> bytes:
        """Return what is sent to a worker with every window: a few bytes, or where to find more."""
        if (known := (workload, by_value)) not in self._recipes:
            try:
                recipe = pickled_by_value(workload) if by_value else pickle.dumps(workload)
            except Exception as error:
                raise CaseFailedError(f"it cannot be sent to a process: {one_line(error)}") from error
            if len(recipe) > SENDABLE:
                handle, path = tempfile.mkstemp(".pickle", dir=scratch.folder())
                with os.fdopen(handle, "wb") as file:
                    file.write(recipe)
                self._stored.append(Path(path))
                recipe = pickle.dumps(StoredWorkload(path))
            self._recipes[known] = recipe
        return self._recipes[known]
