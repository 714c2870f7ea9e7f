"""Executors: EXECUTORS, a registry of names and of what runs workers under each.

Each is started as something with the interface of `concurrent.futures.Executor`. To add one is to add one
entry to EXECUTORS.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import ParamSpec, TypeVar

from gilkit.kernels import lcg

START_TIMEOUT = 60.0  # seconds for a pool to start
START_EACH = 0.5  # more seconds for each of them, on a machine that is busy

P = ParamSpec("P")
T = TypeVar("T")


class SerialExecutor(Executor):
    """Run every task at once, in the thread that submits it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` and return its finished future."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 (as every executor: the future carries it)
            future.set_exception(error)
        return future


def _no_processes() -> str | None:
    """Return why this interpreter cannot start processes, as in a browser, or None."""
    return None if find_spec("_multiprocessing") else "this Python has no multiprocessing"


def start_context() -> BaseContext:
    """Return how processes start: by forkserver where there is one, else by spawn; never by fork."""
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")


def _enter_worker(together: Barrier, patience: float) -> None:
    """Set a worker process up, and wait for the others, so that a pool starts with every worker there.

    It leaves interrupts to its parent and ends when that ends, however it ends. As timeit does, it measures
    without the cyclic garbage collector.
    """
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=follow, name="gilkit-follow-parent", daemon=True).start()
    try:
        together.wait(patience)
    except threading.BrokenBarrierError:
        os._exit(1)  # the parent says why


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold Ctrl-C back, here and in the processes that start meanwhile, until those have seen to it."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    # Children inherit the mask. Here it is not enough: another thread may take the signal, and Python then
    # runs the handler in this one.
    interrupts: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if interrupts:
        raise KeyboardInterrupt


class ProcessPool(ProcessPoolExecutor):
    """Processes that are all there from the start, can be killed, and say how they ended."""

    def __init__(self, workers: int) -> None:
        method = start_context()
        patience = START_TIMEOUT + workers * START_EACH
        super().__init__(
            workers,
            mp_context=method,
            initializer=_enter_worker,
            initargs=(method.Barrier(workers), patience),
        )
        self.members: list[BaseProcess] = []
        try:
            with _interrupts_later():
                # No worker is idle before all are there, so that each of these starts one.
                futures = [self.submit(os.getpid) for _ in range(workers)]
                self.members = list((self._processes or {}).values())
                for future in futures:
                    future.result(patience)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End every worker at once, whatever it does."""
        for process in self.members or list((self._processes or {}).values()):
            process.kill()
        self.shutdown(wait=True, cancel_futures=True)

    def ends(self) -> str:
        """Say how a worker of a broken pool ended, as ``was killed by SIGSEGV``."""
        # The pool's own thread joins its processes: to join them here, too, would lose exit statuses.
        self.shutdown(wait=True, cancel_futures=True)
        # The pool itself ends the rest with SIGTERM, so any other code tells more.
        codes = sorted(
            (p.exitcode for p in self.members if p.exitcode), key=lambda code: code == -signal.SIGTERM
        )
        if not codes:
            return "ended unexpectedly"
        if codes[0] > 0:
            return f"exited with status {codes[0]}"
        try:
            return f"was killed by {signal.Signals(-codes[0]).name}"
        except ValueError:
            return f"was killed by signal {-codes[0]}"


@dataclass(frozen=True, slots=True)
class ExecutorKind:
    """One way to run workers.

    Parameters
    ----------
    name : str
    about : str
        What runs a worker, in a few words.
    start : callable
        ``start(workers)`` returns an executor with that many workers: where they are processes, a
        `ProcessPool`, or what can be killed as that can.
    missing : callable
        Returns why it is not available here, or None.
    apart : bool
        Whether workers are processes of their own.
    native : bool
        Whether it runs the native variant, and that only.
    single : bool
        Whether it has one worker, and no more.
    calls : bool
        Whether kernels, functions and statements are measured on it; otherwise it only tells what it costs.
    """

    name: str
    about: str
    start: Callable[[int], Executor]
    missing: Callable[[], str | None] = lambda: None
    apart: bool = False
    native: bool = False
    single: bool = False
    calls: bool = True


def _interpreters(workers: int) -> Executor:
    from concurrent import futures

    pool: Executor = futures.InterpreterPoolExecutor(workers)  # type: ignore[attr-defined,unused-ignore]
    return pool


def _no_interpreters() -> str | None:
    """Return why there are no interpreters here, or None."""
    return None if sys.version_info >= (3, 14) else "interpreters came with Python 3.14"


EXECUTORS: dict[str, ExecutorKind] = {
    kind.name: kind
    for kind in (
        ExecutorKind("serial", "one worker: the baseline", lambda _: SerialExecutor(), single=True),
        ExecutorKind("threads", "Python threads, of a ThreadPoolExecutor", ThreadPoolExecutor),
        ExecutorKind(
            "processes",
            "processes, of a ProcessPoolExecutor",
            ProcessPool,
            apart=True,
            missing=_no_processes,
        ),
        ExecutorKind(
            "openmp",
            "native threads, for the native variant alone",
            lambda _: SerialExecutor(),  # a team starts its threads itself: nothing is submitted
            native=True,
            missing=lambda: lcg.missing.get("native"),
        ),
        ExecutorKind(
            "interpreters",
            "interpreters, of an InterpreterPoolExecutor",
            _interpreters,
            _no_interpreters,
            calls=False,
        ),
    )
}
CALL_EXECUTORS = {name: kind for name, kind in EXECUTORS.items() if kind.calls}
