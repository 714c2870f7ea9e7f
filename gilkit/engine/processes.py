"""Worker processes: pools of them that are whole from the start, can be killed, and always end."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for_futures
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, TypeVar

from gilkit.engine import scratch
from gilkit.engine.families import kill_children, kill_group
from gilkit.engine.interrupts import INTERRUPTS
from gilkit.engine.member_pool import SEEN_WITHIN, TOLD_WITHIN, MemberPool, alive, kill
from gilkit.gil.turned_on import notice

T = TypeVar("T")
START_TIMEOUT = 60.0  # seconds for a pool to start
START_EACH = 0.5  # more seconds for each of them, on a machine that is busy
ALIVE_AGAIN = 0.05  # seconds after which one looks again whether those who are waited for are alive
FOLLOWED = 1.0  # seconds after which a worker looks again whether its parent is there, if nobody tells it
ERROR = 1  # status of a child that ends by an error of Python's, as where it cannot import something
UNGUARDED, THREADLESS = 77, 78  # status of a child in which the script runs again; that has no thread
UNGUARDED_SCRIPT = "a script has to call this under if __name__ == '__main__'"
STANDARD_LIBRARY = sysconfig.get_path("stdlib")
SAFE_PATH = "PYTHONSAFEPATH"
WARNINGS, OF_TRACKER = "PYTHONWARNINGS", "ignore:resource_tracker"
HELD_BACK = {getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)}  # from children


def start_context() -> BaseContext:
    """Return how processes start: by forkserver where there is one, else by spawn; never by fork."""
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")


def stop_if_run_again() -> None:
    """End this process if it is a child in which the script that began all runs once more.

    So does every script that starts processes outside of ``if __name__ == "__main__"``; the parent says it.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(UNGUARDED)


def begin_pool() -> None:
    """Find out whether this process may start others.

    Raises
    ------
    RuntimeError
        If it may not; loky and joblib would say so late, or not at all.
    """
    stop_if_run_again()
    if multiprocessing.current_process().daemon:
        raise RuntimeError("this process is itself of a pool, as a worker of Dask: it may start no others")
    try:
        Path.cwd()
    except OSError as error:  # which every process would be told
        raise RuntimeError(f"the working folder is gone: {error.strerror}") from None


@contextmanager
def safe_path() -> Iterator[None]:
    """Let processes that start meanwhile import nothing from the working folder for themselves."""
    if SAFE_PATH in os.environ:
        yield
        return
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        os.environ.pop(SAFE_PATH, None)


def start_tracker(tracker: Any) -> None:
    """Start what removes semaphores and files of processes that were killed, and let it say nothing of it.

    We kill them, so what it would warn of is no fault of the program's.
    """
    before = os.environ.get(WARNINGS)
    os.environ[WARNINGS] = f"{before},{OF_TRACKER}" if before else OF_TRACKER
    try:
        tracker.ensure_running()
    finally:
        if before is None:
            del os.environ[WARNINGS]
        else:
            os.environ[WARNINGS] = before


def set_up_worker(safe: bool) -> None:
    """Set a worker process up.

    It leaves interrupts to its parent and ends when that ends, however it ends. It leads a group of its own,
    by which all are found that its calls leave behind; no session, since Linux may share CPUs out by these.
    As timeit does, it measures without the cyclic garbage collector.
    """
    if hasattr(os, "setpgid"):
        with suppress(OSError):
            os.setpgid(0, 0)
    for number in INTERRUPTS - {signal.SIGTERM}:  # by that a pool ends its workers
        with suppress(ValueError):  # not in the main thread: its parent saw to it
            signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
    if not safe:  # that was for this interpreter's own start, not for what calls start
        os.environ.pop(SAFE_PATH, None)
    gc.disable()
    notice()
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is None:
            return
        if parent.sentinel is not None:
            wait([parent.sentinel])
        while parent.sentinel is None and os.getppid() == parent.pid:  # nobody else would tell
            time.sleep(FOLLOWED)
        kill_children()
        kill_group(os.getpid())  # with this one
        os._exit(1)

    try:
        threading.Thread(target=follow, name="gilkit-follow-parent", daemon=True).start()
    except RuntimeError:
        os._exit(THREADLESS)


def _enter_worker(together: Barrier, patience: float, safe: bool) -> None:
    """Set a worker process up, and wait for the others, so that a pool starts with every worker there."""
    set_up_worker(safe)
    try:
        together.wait(patience)
    except threading.BrokenBarrierError:  # one is missing, and the parent says why
        os._exit(1)


@contextmanager
def interrupts_later() -> Iterator[Callable[[], bool]]:
    """Hold back what asks this program to end until the processes that start meanwhile have seen to it.

    Yields a function that tells whether anything came; it has its effect afterwards.
    """
    came: list[int] = []
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    # Children inherit the mask, and so does the server that they come from, which is this program's, too: so
    # SIGTERM stays as it is, by which programs end their processes. Here it is not enough: another thread may
    # take a signal, and Python then runs the handler in this one.
    handlers: dict[int, Any] = {}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        for number in INTERRUPTS:
            handlers[number] = signal.getsignal(number)
            signal.signal(number, lambda n, _: came.append(n))
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
        # Python's tracker of resources inherits it, too, or a hangup would end it before them. To start it
        # unblocks some of them here.
        start_tracker(resource_tracker)
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
        yield lambda: bool(came or signal.sigpending() & HELD_BACK)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:  # an error that it led to, as of a server that was told to end, too, is none then
            signal.raise_signal(number)


class ProcessPool(ProcessPoolExecutor, MemberPool):
    """Processes that are all there from the start, can be killed, and say how they ended."""

    _latest: Future[Any] | None = None

    def __init__(self, workers: int) -> None:
        begin_pool()
        scratch.lend()
        method = start_context()
        patience = START_TIMEOUT + workers * START_EACH
        self.members = []
        safe = SAFE_PATH in os.environ
        # What Python starts beside the workers, such as its tracker of resources, begins in here, too.
        try:
            with safe_path(), interrupts_later() as came:
                initargs = (method.Barrier(workers), patience, safe)
                super().__init__(workers, mp_context=method, initializer=_enter_worker, initargs=initargs)
                self._start(workers, time.monotonic() + patience, came)
        except (BrokenExecutor, ConnectionError, EOFError) as error:
            self.kill()
            raise BrokenExecutor(self._why_not(error)) from None
        except BaseException:
            self.kill()
            raise

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        try:
            future = super().submit(fn, *args, **kwargs)
        except BrokenExecutor:  # Python tells why to calls only that were on their way
            told = self._latest and _raised_by(self._latest)
            if isinstance(told, BrokenExecutor):
                raise told from told.__cause__
            raise
        self._latest = future
        return future

    def _start(self, workers: int, late: float, came: Callable[[], bool]) -> None:
        """Start all workers."""
        try:
            # No worker is idle before all are there, so that each of these starts one.
            futures = [self.submit(os.getpid) for _ in range(workers)]
        finally:
            self._began()
            for process in self.members:
                # Where one crashed Python ends the others, and waits: for one that ignores SIGTERM, too.
                vars(process)["terminate"] = partial(kill, process)
        self._wait_for(futures, late, came)

    def _wait_for(self, futures: Sequence[Future[int]], late: float, came: Callable[[], bool]) -> None:
        """Wait until all workers are there: not for those that ended, nor without the thread that serves."""
        while wait_for_futures(futures, ALIVE_AGAIN).not_done and not came():
            if any(not alive(process) for process in self.members):
                raise BrokenExecutor("a worker ended")
            if self._serving is None or not self._serving.is_alive():
                raise BrokenExecutor("the thread that serves them ended")
            if time.monotonic() > late:
                raise TimeoutError("they were not there in time")
        for future in futures:
            if future.done():
                future.result()

    def _why_not(self, error: Exception) -> str:
        """Say why not all workers were there."""
        statuses = [process.exitcode for process in self.members]
        if not isinstance(error, BrokenExecutor):  # the connection to the server that starts them
            statuses.append(_status_of_server())
        if UNGUARDED in statuses:
            return UNGUARDED_SCRIPT
        if THREADLESS in statuses:
            return "one of them could start no thread: the system allows no more processes or threads"
        if not any(process.exitcode for process in self.members):
            return str(error)
        return f"one {self.ends()}{_in_the_way() if ERROR in statuses else ''}"


def _in_the_way() -> str:
    """Say what in the folder that is looked into first has the name of a module of Python's own."""
    first = Path(sys.path[0])
    modules = [*first.glob("*.py"), *(inside.parent for inside in first.glob("*/__init__.py"))]
    for found in () if str(first) == STANDARD_LIBRARY else sorted(modules):
        if found.stem in sys.stdlib_module_names:
            return f"; {found} is found before Python's own {found.stem}: rename it"
    return ""


def _raised_by(future: Future[Any]) -> BaseException | None:
    """Return what a call raised that ends soon; None if nothing."""
    wait_for_futures([future], TOLD_WITHIN)
    return future.exception() if future.done() and not future.cancelled() else None


def _status_of_server() -> int | None:
    """Return the status with which the server ended that processes come from; None if it runs.

    From Python 3.14 on it runs the script before any of them does. The status is left to who started it.
    """
    pid = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_pid", None)
    until = time.monotonic() + SEEN_WITHIN
    while pid is not None and time.monotonic() < until:
        with suppress(ChildProcessError):
            if ended := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
                return ended.si_status
        time.sleep(ALIVE_AGAIN)
    return None
