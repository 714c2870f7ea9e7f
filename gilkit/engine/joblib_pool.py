"""Workers of joblib: each burst of calls is one call of `joblib.Parallel`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, TypeVar

import joblib
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend import resource_tracker

from gilkit.engine.bursts import BurstExecutor, everybody, outcome, settle, starting, why_not
from gilkit.engine.families import kill_families
from gilkit.engine.member_pool import LEFT_WITHIN, TOLD_WITHIN, how_workers_ended
from gilkit.engine.processes import begin_pool
from gilkit.engine.worker_pool import WorkerPool

T = TypeVar("T")
FEWEST = 2  # with one job joblib starts no worker: it runs all itself
STATUS = re.compile(r"\w+\((-?\d+)\)")  # of a worker that ended, as in loky's error


class JoblibExecutor(BurstExecutor):
    """An executor over `joblib.Parallel`, which runs whole lists of calls, one list after the other.

    joblib sends each call to whoever is idle: no worker can be chosen.

    Parameters
    ----------
    workers : int
    backend : str
        One of joblib's.
    """

    lead = 0.016

    def __init__(self, workers: int, backend: str) -> None:
        self.backend = backend
        self.workers = workers
        self.jobs = max(workers, FEWEST)
        # joblib keeps workers: for the thread that asks for them, or for all, as its version is.
        self._thread = ThreadPoolExecutor(1, "gilkit-joblib")
        self._parallel: Any = None

    def burst(self, calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
        futures: list[Future[T]] = [Future() for _ in calls]
        self._thread.submit(self._run, calls, futures)
        return futures

    def _run(self, calls: Sequence[Callable[[], T]], futures: Sequence[Future[T]]) -> None:
        """Run calls, and settle their futures."""
        wanted = {f: call for f, call in zip(futures, calls, strict=True) if f.set_running_or_notify_cancel()}
        try:
            found = self._open()(joblib.delayed(outcome)(call) for call in wanted.values())
        except BaseException as error:  # noqa: BLE001 (the futures carry it)
            found = [(False, self._seen(error))] * len(wanted)
        for future, one in zip(wanted, found, strict=True):
            settle(future, one)

    def _open(self) -> Any:
        """Return what keeps the workers from one burst to the next."""
        if self._parallel is None:
            kept = joblib.Parallel(self.jobs, backend=self.backend, batch_size=1, pre_dispatch="all")
            self._parallel = kept.__enter__()
        return self._parallel

    def _seen(self, error: BaseException) -> BaseException:
        return error

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        """Return the results of ``fn`` in order, from one call of joblib, in batches of ``chunksize``."""

        def run() -> list[T]:
            parallel = joblib.Parallel(self.workers, backend=self.backend, batch_size=chunksize)
            try:
                return list(parallel(map(joblib.delayed(fn), *iterables)))
            except BrokenExecutor as error:
                self._seen(error)
                raise

        return iter(self._thread.submit(run).result(timeout))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """End the workers once they have nothing to do; see `concurrent.futures.Executor`."""
        self._closed()
        self._thread.shutdown(wait)

    def _closed(self) -> list[Future[None]]:
        """Let workers end after what they have to do; return what tells of it."""
        try:
            return [self._thread.submit(self._close)]
        except RuntimeError:  # it was shut down
            return []

    def _close(self) -> None:
        """End the workers, once."""
        parallel, self._parallel = self._parallel, None
        if parallel is not None:
            with suppress(BrokenExecutor):
                self._exit(parallel)

    def _exit(self, parallel: Any) -> None:
        parallel.__exit__(None, None, None)


class JoblibPool(JoblibExecutor, WorkerPool):
    """Worker processes of joblib, by loky, which is its default."""

    def __init__(self, workers: int) -> None:
        begin_pool()
        super().__init__(workers, "loky")
        self._known: list[int] = []
        self._statuses: list[int] = []
        try:
            with starting(resource_tracker) as start:
                self._known = everybody(self, self.jobs, start)
        except BrokenExecutor:
            raise BrokenExecutor(why_not(self.ends())) from None
        except BaseException:
            self.kill()
            raise

    def pids(self) -> list[int]:
        return list(self._known)

    def end(self) -> None:
        wait(self._closed(), LEFT_WITHIN)
        self.kill()

    def kill(self) -> None:
        self.slay()
        wait(self._closed(), TOLD_WITHIN)  # a new pool would be of the same workers until then
        self.shutdown(wait=False)

    def slay(self) -> None:
        kill_families(self._known)

    def ends(self) -> str:
        self.kill()
        return how_workers_ended(self._statuses)

    def _seen(self, error: BaseException) -> BaseException:
        if isinstance(error, BrokenExecutor):
            self._statuses = [int(status) for status in STATUS.findall(str(error))]
        return error

    def _exit(self, parallel: Any) -> None:
        super()._exit(parallel)
        # It would keep them for other calls of the same thread.
        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)
        self._known.clear()
