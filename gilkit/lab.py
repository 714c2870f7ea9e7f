"""Where rounds are run: pools that are kept, and what goes wrong in them turned into reasons."""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from gilkit.executors import EXECUTORS, ProcessPool
from gilkit.machine import private_bytes
from gilkit.measure import (
    CaseFailedError,
    LateError,
    Round,
    local_pools,
    local_round,
    local_watch,
    one_line,
    together,
)
from gilkit.monitor import HeldCall
from gilkit.recorder import Order, Recorded, local_recorded, recorded
from gilkit.transfer import sent_round
from gilkit.workload import Call, KernelCall, Workload

SENT = 10_000  # bytes of a workload that may be sent with every round
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Stored:
    """A workload in a file, for those whose pickle is too long to be sent with every round."""

    path: str

    def prepare(self) -> Call:
        workload: Workload = pickle.loads(Path(self.path).read_bytes())
        return workload.prepare()


class Lab:
    """Where rounds are run: keeps the pools, and turns what goes wrong in one into a reason.

    A context manager: leaving it ends every process that it started. It belongs to one thread.

    Parameters
    ----------
    most : int
        The largest number of workers that any round will ask for.
    timeout : float
        Seconds after which a round is given up and its processes are killed.
    apart : bool
        Whether threads, too, run in a process of their own, which can crash, hang or be killed without harm
        to this one. Otherwise they run here, where functions work that no other process could import.

    Attributes
    ----------
    starts : dict of str to float
        Seconds that each pool took to start.
    """

    def __init__(self, most: int, timeout: float = 60.0, apart: bool = True) -> None:
        self.most = most
        self.timeout = timeout
        self.apart = apart
        self.starts: dict[str, float] = {}
        self._processes: dict[str, ProcessPool] = {}
        self._recipes: dict[Workload, bytes] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # for recipes too long to be sent

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._processes.values():
            pool.kill()
        self._processes.clear()
        if not self.apart:
            while local_pools:
                local_pools.popitem()[1].shutdown(wait=False, cancel_futures=True)
        if self._folder is not None:
            self._folder.cleanup()

    def round(self, executor: str, workload: Workload, workers: int, loops: int) -> Round:
        """Run one round of ``loops`` calls on each of ``workers``.

        Raises
        ------
        CaseFailedError
            If it cannot be measured. What was broken is started anew for the next round.
        """
        if EXECUTORS[executor].apart:
            with self._reasons(executor):
                recipe = self._recipe(workload)
                return together(self._pool(executor, self.most), recipe, workers, loops, self.timeout)
        return self.call(local_round, executor, workload, workers, loops, self.most, self.timeout)

    def record(self, executor: str, workload: Workload, workers: int, order: Order) -> Recorded:
        """Record each of ``workers`` making calls, and who held the GIL meanwhile.

        Raises
        ------
        CaseFailedError
            If it cannot be done.
        """
        if EXECUTORS[executor].apart:
            with self._reasons(executor):
                recipe = self._recipe(workload)
                return recorded(self._pool(executor, self.most), recipe, workers, order, self.timeout)
        return self.call(local_recorded, executor, workload, workers, order, self.most, self.timeout)

    def watch(self, workload: Workload, seconds: float) -> HeldCall:
        """Return for what share of its calls ``workload`` holds the GIL, where threads are measured.

        Raises
        ------
        CaseFailedError
            If it cannot be told.
        """
        return self.call(local_watch, workload, seconds)

    def sent(self, workload: Workload, inputs: dict[str, Any], workers: int, loops: int) -> Round:
        """Run one round of calls in processes, each of them sent ``inputs`` and sending its result back.

        Raises
        ------
        CaseFailedError
            If it cannot be measured.
        """
        with self._reasons("sent"):
            recipe, fresh = self._recipe(workload), "sent" not in self._processes
            pool = self._pool("sent", workers)
            if fresh:
                together(pool, recipe, workers, 1, self.timeout)
            return sent_round(pool, recipe, inputs, workers, loops, self.timeout)
        raise AssertionError("_reasons swallows nothing")

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function where threads are measured; workloads among its arguments are sent as recipes.

        Kernels are sent as they are, and so known there by what they are: their threads have data by place.

        Raises
        ------
        CaseFailedError
            If it fails.
        """
        with self._reasons("host"):
            if not self.apart:
                return function(*args)
            sent = [
                self._recipe(arg) if isinstance(arg, Workload) and not isinstance(arg, KernelCall) else arg
                for arg in args
            ]
            future = self._pool("host", 1).submit(function, *sent)
            if wait([future], self.timeout).not_done:
                raise LateError
            return future.result()
        raise AssertionError("_reasons swallows nothing")

    def through(self, executor: str, function: Callable[..., T], *args: Any) -> T:
        """Call ``function(pool, *args)`` here, with the pool of an executor whose workers are processes.

        Raises
        ------
        CaseFailedError
            If it fails.
        """
        with self._reasons(executor):
            return function(self._pool(executor, self.most), *args)
        raise AssertionError("_reasons swallows nothing")

    def memory(self, executor: str) -> list[int]:
        """Return the private bytes of each process in which the workers of ``executor`` run.

        Empty where the system does not tell, or none of them has started.
        """
        name = executor if EXECUTORS[executor].apart else "host"
        if name == "host" and not self.apart:
            return private_bytes([os.getpid()])
        pool = self._processes.get(name)
        return private_bytes([p.pid for p in pool.members if p.pid is not None] if pool else [])

    @contextmanager
    def _reasons(self, name: str) -> Iterator[None]:
        """Turn what goes wrong on the pool called ``name`` into a reason, and drop what is broken."""
        try:
            yield
        except CaseFailedError:
            raise
        except LateError:
            if name in self._processes:
                self._processes.pop(name).kill()
                raise CaseFailedError(
                    f"no answer within {self.timeout:g} s: killed (a longer timeout waits longer)"
                ) from None
            raise CaseFailedError(
                f"no answer within {self.timeout:g} s: left to run on, as threads cannot be killed"
            ) from None
        except BrokenExecutor as error:
            if (broken := self._processes.pop(name, None)) is None:  # the call's own error
                raise CaseFailedError(one_line(error)) from error
            # Kept until it has shut down: CPython 3.12 deadlocks otherwise.
            raise CaseFailedError(f"a worker process {broken.ends()}") from error
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            raise CaseFailedError(one_line(error)) from error

    def _pool(self, name: str, workers: int) -> ProcessPool:
        if name not in self._processes:
            start = time.perf_counter()
            try:
                self._processes[name] = ProcessPool(workers)
            except (BrokenExecutor, OSError, RuntimeError, TimeoutError) as error:
                raise CaseFailedError(
                    f"{workers} worker processes did not start; a script has to call this under "
                    f"if __name__ == '__main__' ({one_line(error)})"
                ) from error
            self.starts.setdefault(name, time.perf_counter() - start)
        return self._processes[name]

    def _recipe(self, workload: Workload) -> bytes:
        """Return what is sent to a worker with every round: a few bytes, or where to find more."""
        if workload not in self._recipes:
            try:
                recipe = pickle.dumps(workload)
            except Exception as error:
                raise CaseFailedError(f"it cannot be sent to a process: {one_line(error)}") from error
            if len(recipe) > SENT:
                self._folder = self._folder or tempfile.TemporaryDirectory(prefix="gilkit-")
                path = Path(self._folder.name, f"{len(self._recipes)}.pickle")
                path.write_bytes(recipe)
                recipe = pickle.dumps(_Stored(str(path)))
            self._recipes[workload] = recipe
        return self._recipes[workload]
