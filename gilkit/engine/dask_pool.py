"""Workers of Dask: processes with one thread each, on a cluster of our own, through its real scheduler."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future, InvalidStateError
from concurrent.futures import wait as wait_for_futures
from contextlib import ExitStack, suppress
from functools import partial
from itertools import chain, cycle, islice
from multiprocessing.connection import wait
from pickle import PicklingError, UnpicklingError
from typing import Any, TypeVar

import psutil
from distributed import Client
from distributed import wait as wait_for_tasks
from distributed.protocol.pickle import dumps, loads
from distributed.scheduler import KilledWorker
from distributed.utils import silence_logging_cmgr

from gilkit.engine import dask_host, scratch
from gilkit.engine.bursts import BurstExecutor, Outcome, outcome, set_up_once, settle, why_not
from gilkit.engine.families import kill_families
from gilkit.engine.member_pool import alive, how_workers_ended
from gilkit.engine.processes import START_EACH, START_TIMEOUT, ProcessPool
from gilkit.engine.quiet_client import QuietClient
from gilkit.engine.worker_pool import WorkerPool
from gilkit.errors import CaseFailedError, LateError, one_line, without_history

T = TypeVar("T")
CLOSED_WITHIN = 6.0  # seconds in which it ends
LOOKED_AT = 0.5  # seconds after which one looks whether workers are alive


class DaskPool(BurstExecutor, WorkerPool):
    """An executor of Dask, on a cluster that runs in a process of its own and can be killed with that.

    Calls that belong together are pinned to a worker each; others go wherever the scheduler sends them.

    Parameters
    ----------
    workers : int
    threads : int
        Of each worker.
    """

    lead = 0.03

    def __init__(self, workers: int, threads: int = 1) -> None:
        self._client: Client | None = None
        self._known: list[int] = []
        self._waited_for: set[Future[Any]] = set()
        self._host = ProcessPool(1)
        _silence(self)
        try:
            start = self._host.submit(dask_host.start, workers, threads, str(scratch.folder()))
            address = start.result(START_TIMEOUT + workers * START_EACH)
            threading.Thread(target=self._follow_host, name="gilkit-follow-dask", daemon=True).start()
            self._client = client = QuietClient(address, set_as_default=False, timeout=START_TIMEOUT)
            self._executor = client.get_executor(pure=False)
            pids = client.sync(client.run, _enter, callback_timeout=START_TIMEOUT)
            self._known = sorted(pids.values())
            self._addresses: list[str] = sorted(client.scheduler_info(n_workers=-1)["workers"])
            if len(self._addresses) < workers:
                raise BrokenExecutor("a worker ended")
        except BrokenExecutor:
            raise BrokenExecutor(why_not(self.ends())) from None
        except BaseException as error:
            self.kill()
            if isinstance(error, TimeoutError) and not str(error):
                raise TimeoutError("it was not there in time") from None
            raise

    def _hosted(self) -> bool:
        """Whether the process with the scheduler has not ended."""
        return all(map(alive, self._host.members))

    def _follow_host(self) -> None:
        """Fail what waits for the scheduler when that is gone: Dask would try for long to reach it again."""
        wait([process.sentinel for process in self._host.members])
        for future in list(self._waited_for):
            with suppress(InvalidStateError):
                future.set_exception(BrokenExecutor("the scheduler ended"))

    def burst(self, calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
        self._whole()  # a task for a worker that is gone would wait for ever
        places = cycle(self._addresses)
        return [self._sent(call, workers=[place]) for call, place in zip(calls, places, strict=False)]

    def _whole(self) -> None:
        if not (self._hosted() and all(map(psutil.pid_exists, self._known))):
            raise BrokenExecutor("a worker ended")

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self._sent(partial(fn, *args, **kwargs))

    def _sent(self, call: Callable[[], T], **where: Any) -> Future[T]:
        """Submit a call, to a worker that some options of Dask allow."""
        future: Future[T] = Future()
        self._waited_for.add(future)
        future.add_done_callback(self._waited_for.discard)
        if not self._hosted():
            raise BrokenExecutor("the scheduler ended")
        try:
            # In one piece: Dask itself lays arrays anywhere, and misaligned ones are refused by kernels.
            packed = dumps(call)
        except Exception as error:  # noqa: BLE001 (of what it is asked to send)
            future.set_exception(error)
        else:
            self._executor.submit(_called, packed, **where).add_done_callback(partial(_hand_on, future))
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        """Return the results of ``fn`` in order, of tasks that are ``chunksize`` calls each."""
        items = zip(*iterables, strict=False)
        chunks = iter(lambda: list(islice(items, chunksize)), [])
        return chain.from_iterable(super().map(partial(_each, fn), chunks, timeout=timeout))

    def timed(self, call: Callable[[], object], tasks: int, timeout: float) -> float:
        """Run a call so many times, each a task that Dask sends wherever it likes; return the seconds.

        Raises
        ------
        LateError
            If that takes longer than so many seconds.
        """
        client = self._client
        assert client is not None
        begun, left = time.perf_counter(), timeout
        sent = client.map(partial(_numbered, call), range(tasks), pure=False)
        while True:
            try:
                with client.as_current():
                    wait_for_tasks(sent, timeout=max(0.0, min(LOOKED_AT, left)))
                break
            except TimeoutError:
                self._whole()
                left -= LOOKED_AT  # not by the clock: this program may have been stopped
                if left <= 0:
                    raise LateError from None
        seconds = time.perf_counter() - begun
        for one in sent:
            if one.status != "finished":  # nothing but the end of its worker fails one
                raise BrokenExecutor("a worker ended")
        for returned, value in map(_unpacked, self._gathered(client, sent, timeout)):
            if not returned:
                raise value
        return seconds

    def _gathered(self, client: Client, sent: Sequence[Any], timeout: float) -> list[bytes]:
        """Return the results of tasks that are finished, as long as all workers are there.

        For what one had that is gone Dask waits for ever, and says at length that it was cancelled: that ends
        with the client.
        """
        asked: Future[list[bytes]] = asyncio.run_coroutine_threadsafe(
            client.gather(sent, asynchronous=True), client.loop.asyncio_loop
        )
        left = timeout
        try:
            while wait_for_futures([asked], LOOKED_AT).not_done:
                self._whole()
                left -= LOOKED_AT
                if left <= 0:
                    raise LateError
            return asked.result()
        except (KilledWorker, CancelledError):
            raise BrokenExecutor("a worker ended") from None

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """End the cluster once it has nothing to do; see `concurrent.futures.Executor`."""
        if wait and self._client is not None:
            self._executor.shutdown(wait=True)
        self.kill()

    def pids(self) -> list[int]:
        return list(self._known)

    def end(self) -> None:
        self.kill()  # their files are in our folder

    def kill(self) -> None:
        client, self._client = self._client, None
        kill_families(self._known)
        self._known.clear()
        if client is not None:
            with suppress(TimeoutError, OSError):
                client.close(timeout=dask_host.SAID_WITHIN)
            with suppress(BrokenExecutor, RuntimeError, TimeoutError):  # so that no semaphore of its is left
                self._host.submit(dask_host.close).result(CLOSED_WITHIN)
        for process in filter(alive, self._host.members):
            process.terminate()  # it gives up what it starts, and tidies up
            wait([process.sentinel], dask_host.SAID_WITHIN)
        self._host.end()
        _speak(self)

    def slay(self) -> None:
        kill_families(self._known)
        self._host.slay()

    def ends(self) -> str:
        try:
            ends: str = self._host.submit(dask_host.statuses).result(dask_host.SAID_WITHIN)
        except BrokenExecutor:
            ends = self._host.ends()
        except (RuntimeError, TimeoutError):
            ends = how_workers_ended([])
        self.kill()
        return ends


_living: set[DaskPool] = set()
_silent = ExitStack()


def _silence(pool: DaskPool) -> None:
    """Let Dask write nothing to standard error while a pool is there: what goes wrong is a line of ours."""
    if not _living:
        _silent.enter_context(silence_logging_cmgr(logging.CRITICAL))
    _living.add(pool)


def _speak(pool: DaskPool) -> None:
    """Let it write again after the last pool."""
    _living.discard(pool)
    if not _living:
        _silent.close()


def _hand_on(future: Future[Any], sent: Future[bytes]) -> None:
    """Settle a future by what a task of Dask came to."""
    with suppress(InvalidStateError):  # the scheduler is gone, and that was said
        _settle_by(future, sent)


def _settle_by(future: Future[Any], sent: Future[bytes]) -> None:
    if sent.cancelled() or isinstance(sent.exception(), KilledWorker):
        future.set_exception(BrokenExecutor("its worker ended"))
    elif error := sent.exception():
        future.set_exception(error)
    else:
        settle(future, _unpacked(sent.result()))


def _called(packed: bytes) -> bytes:
    """In a worker: make a call, and return what it came to."""
    return _in_one_piece(loads(packed))


def _numbered(call: Callable[[], object], _: int) -> bytes:
    return _in_one_piece(call)


def _in_one_piece(call: Callable[[], object]) -> bytes:
    """In a worker: return what a call came to. For what cannot be pickled Dask would wait without end."""
    returned, value = outcome(call)
    if not returned:
        without_history(value)  # Dask would send that, too, with all its types
    try:
        packed: bytes = dumps((returned, value))
    except Exception as error:  # noqa: BLE001 (objects fail to be pickled in many ways)
        lost = PicklingError(one_line(error)) if returned else CaseFailedError(one_line(value))
        packed = dumps((False, lost))
    return packed


def _unpacked(packed: bytes) -> Outcome:
    """Return what a call came to; what cannot be unpickled is an error of its own."""
    try:
        found: Outcome = loads(packed)
    except Exception as error:  # noqa: BLE001 (as above)
        return False, UnpicklingError(one_line(error))
    return found


def _each(fn: Callable[..., T], items: Iterable[tuple[Any, ...]]) -> list[T]:
    return [fn(*item) for item in items]


def _enter() -> int:
    """In a worker: set it up, and tell which process it is."""
    set_up_once(safe=True)
    return os.getpid()
