"""Worker processes: pools of them that are whole from the start, can be killed, and always end."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
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
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from gilkit.engine import scratch
from gilkit.engine.families import kill_children, kill_families

START_TIMEOUT = 60.0  # seconds for a pool to start
START_EACH = 0.5  # more seconds for each of them, on a machine that is busy
ALIVE_AGAIN = 0.05  # seconds after which one looks again whether those who are waited for are alive
LEFT_WITHIN = 1.0  # seconds in which workers that are idle end when they are asked to
SEEN_WITHIN = 1.0  # seconds in which a pool has seen that its workers were killed
TOLD_WITHIN = 10.0  # seconds in which it has, in the middle of a result, without the other end of a pipe
UNGUARDED, THREADLESS = 77, 78  # status of a child in which the script runs again; that has no thread
SAFE_PATH = "PYTHONSAFEPATH"
HELD_BACK = {getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)}  # from children
INTERRUPTS = {  # what asks a program to end
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
}


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


@contextmanager
def _safe_path() -> Iterator[None]:
    """Let processes that start meanwhile import nothing from the working folder for themselves."""
    if SAFE_PATH in os.environ:
        yield
        return
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        os.environ.pop(SAFE_PATH, None)


def _enter_worker(together: Barrier, patience: float, safe: bool) -> None:
    """Set a worker process up, and wait for the others, so that a pool starts with every worker there.

    It leaves interrupts to its parent and ends when that ends, however it ends. As timeit does, it measures
    without the cyclic garbage collector.
    """
    for number in INTERRUPTS - {signal.SIGTERM}:  # by that a pool ends its workers
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
    if not safe:  # that was for this interpreter's own start, not for what calls start
        os.environ.pop(SAFE_PATH, None)
    gc.disable()
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            wait([parent.sentinel])
            kill_children()
            os._exit(1)

    try:
        threading.Thread(target=follow, name="gilkit-follow-parent", daemon=True).start()
    except RuntimeError:
        os._exit(THREADLESS)
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
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
        yield lambda: bool(came or signal.sigpending() & HELD_BACK)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:  # an error that it led to, as of a server that was told to end, too, is none then
            signal.raise_signal(number)


class ProcessPool(ProcessPoolExecutor):
    """Processes that are all there from the start, can be killed, and say how they ended.

    To end one never takes for ever. The thread that serves it may be in the middle of a result, or of what is
    sent, when a worker dies; it would wait for the rest as long as anybody has the other end of the pipe.
    """

    def __init__(self, workers: int) -> None:
        stop_if_run_again()
        scratch.lend()
        method = start_context()
        patience = START_TIMEOUT + workers * START_EACH
        self.members: list[BaseProcess] = []
        self._serving: threading.Thread | None = None
        self._theirs: tuple[Any, ...] = (None, None)
        safe = SAFE_PATH in os.environ
        # What Python starts beside the workers, such as its tracker of resources, begins in here, too.
        try:
            with _safe_path(), interrupts_later() as came:
                initargs = (method.Barrier(workers), patience, safe)
                super().__init__(workers, mp_context=method, initializer=_enter_worker, initargs=initargs)
                self._start(workers, time.monotonic() + patience, came)
        except (BrokenExecutor, ConnectionError, EOFError) as error:
            self.kill()
            raise BrokenExecutor(self._why_not(error)) from None
        except BaseException:
            self.kill()
            raise

    def _start(self, workers: int, late: float, came: Callable[[], bool]) -> None:
        """Start all workers."""
        try:
            # No worker is idle before all are there, so that each of these starts one.
            futures = [self.submit(os.getpid) for _ in range(workers)]
        finally:
            self.members = list((self._processes or {}).values())
            self._serving = vars(self).get("_executor_manager_thread")
            self._theirs = tuple(vars(self).get(f"_{name}_queue") for name in ("call", "result"))
            for process in self.members:
                # Where one crashed Python ends the others, and waits: for one that ignores SIGTERM, too.
                vars(process)["terminate"] = partial(_kill, process)
        self._wait_for(futures, late, came)

    def _wait_for(self, futures: Sequence[Future[int]], late: float, came: Callable[[], bool]) -> None:
        """Wait until all workers are there: not for those that ended, nor without the thread that serves."""
        while wait_for_futures(futures, ALIVE_AGAIN).not_done and not came():
            if any(not _alive(process) for process in self.members):
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
            return "a script has to call this under if __name__ == '__main__'"
        if THREADLESS in statuses:
            return "one of them could start no thread: the system allows no more processes or threads"
        return f"one {self.ends()}" if any(process.exitcode for process in self.members) else str(error)

    def _close_their_ends(self) -> None:
        """Close the workers' ends of the pipes here: so that who waits for a dead worker is told."""
        calls, results = self._theirs
        for end in (getattr(calls, "_reader", None), getattr(results, "_writer", None)):
            if end is not None:
                end.close()

    def end(self) -> None:
        """End every worker: ask those that are idle, so that they tidy up, and kill the rest."""
        with suppress(OSError):
            self.shutdown(wait=False, cancel_futures=True)
        late = time.monotonic() + LEFT_WITHIN
        waiting = [process.sentinel for process in self.members]
        while waiting and (left := late - time.monotonic()) > 0:
            ended = wait(waiting, left)
            waiting = [sentinel for sentinel in waiting if sentinel not in ended]
        self.kill()

    def kill(self) -> None:
        """End every worker at once, whatever it does, with the processes that it started."""
        self.slay()
        self._end()

    def slay(self) -> None:
        """Kill every worker, with the processes that it started, and wait for nothing."""
        for process in self.members:
            _kill(process)

    def ends(self) -> str:
        """Say how a worker of a broken pool ended, as ``was killed by SIGSEGV``."""
        # The pool's own thread joins its processes: to join them here, too, would lose exit statuses.
        self._end()
        # The others are killed, by the pool or here, so any other code tells more.
        codes = sorted((p.exitcode for p in self.members if p.exitcode), key=(-signal.SIGKILL).__eq__)
        if not codes:
            return "ended unexpectedly"
        if codes[0] > 0:
            return f"exited with status {codes[0]}"
        try:
            return f"was killed by {signal.Signals(-codes[0]).name}"
        except ValueError:
            return f"was killed by signal {-codes[0]}"

    def _end(self) -> None:
        """Let the pool see that its workers have ended, and wait for that: not for ever."""
        if self._serving is None or not self._serving.is_alive():
            return  # it has seen it, or has never begun
        with suppress(OSError):
            self.shutdown(wait=False, cancel_futures=True)
        self._serving.join(SEEN_WITHIN)
        if self._serving.is_alive():
            self._close_their_ends()
            self._serving.join(TOLD_WITHIN)


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


def _kill(process: BaseProcess) -> None:
    """Kill a process, with those that it started, if it has not ended."""
    if _alive(process) and process.pid is not None:
        kill_families([process.pid])
        process.kill()  # families are not known everywhere


def _alive(process: BaseProcess) -> bool:
    """Whether a process has not ended; its status is left to who joins it."""
    return not wait([process.sentinel], 0)
