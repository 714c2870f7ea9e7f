"""A cluster of Dask that runs already: who is there, and a program of gilkit on every host of it.

Whatever is asked of a worker goes past its tasks, and past the scheduler's queue: others lose no place in it.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from gilkit.engine import remote
from gilkit.engine.cluster_hosts import BY_VALUE, WORKER_PROBE, ClusterHost, grouped
from gilkit.errors import CaseFailedError, one_line

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
REACHED_WITHIN = 10.0  # seconds in which a scheduler answers
ANSWERED_WITHIN = 10.0  # seconds in which a worker does; it may load a library meanwhile
ASKED_FOR = 4.0  # seconds that a worker takes to say that a program is not done yet
PATIENT_FOR = 3  # questions without an answer, after which a host hangs
ENDED_WITHIN = 5.0  # seconds in which workers are told that we go
SEEN_AFTER = 0.2  # seconds in which a client sees that its scheduler is gone
SCHEDULER_GONE, WORKER_ENDED = "the scheduler went away", "its worker ended"


@dataclass(slots=True)
class ErrandRun:
    """A program that runs on a host."""

    host: ClusterHost
    worker: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)


class Cluster:
    """A cluster that runs already. A context manager: what it began ends when it is left.

    Parameters
    ----------
    address : str

    Raises
    ------
    ValueError
        If there is no scheduler.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Client | None = None
        self._running: list[ErrandRun] = []
        self._quiet = ExitStack()

    def __enter__(self) -> Cluster:
        from distributed.comm import get_address_host_port

        from gilkit.engine.quiet_client import QuietClient

        with ExitStack() as quiet:
            quiet.enter_context(_without_log())
            try:
                get_address_host_port(self.address)  # a client of an address that is none ends slowly
                with warnings.catch_warnings():  # other versions of what is there beside gilkit, at length
                    warnings.simplefilter("ignore")
                    self._client = QuietClient(self.address, set_as_default=False, timeout=REACHED_WITHIN)
            except (OSError, ValueError, RuntimeError, TypeError) as error:
                raise ValueError(f"no scheduler of Dask answers at {self.address!r}: {_why(error)}") from None
            self._quiet = quiet.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        with self._quiet:
            if client is None:
                return
            with suppress(Exception):
                client.sync(self._end_all, client, callback_timeout=ENDED_WITHIN)
            with suppress(Exception):
                client.close(timeout=ENDED_WITHIN)

    @property
    def client(self) -> Client:
        """The client; it knows how to ask."""
        if self._client is None:
            raise CaseFailedError("the cluster was left")
        return self._client

    def busy(self) -> int:
        """Return how many tasks its workers have now: all of them are of others."""
        return sum(map(len, self._answer(self.client.processing).values()))

    def _answer(self, question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the scheduler answers; it fails where there is no answer."""

        async def asked() -> T:
            try:
                return await asyncio.wait_for(question(), ANSWERED_WITHIN)
            except TimeoutError:
                raise CaseFailedError(_hangs(ANSWERED_WITHIN)) from None

        found: T = self.client.sync(asked)
        return found

    def hosts(self) -> list[ClusterHost]:
        """Return all hosts, each with what it has: those of one interpreter together.

        Raises
        ------
        CaseFailedError
            If the scheduler went away.
        """
        threads = dict(self._answer(self.client.nthreads))
        answers: dict[str, dict[str, Any] | str] = self.client.sync(self._probe_all, list(threads))
        return grouped(threads, answers)

    async def _probe_all(self, workers: Sequence[str]) -> dict[str, dict[str, Any] | str]:
        found = await asyncio.gather(*map(self._probed, workers))
        return dict(zip(workers, found, strict=True))

    async def _probed(self, worker: str) -> dict[str, Any] | str:
        """Return what a worker says of itself, or why it does not."""
        try:
            found: dict[str, Any] = await self._ask(
                worker, eval, BY_VALUE, {"source": WORKER_PROBE, "names": {}}
            )
            return found
        except TimeoutError:
            return _hangs(ANSWERED_WITHIN)
        except CaseFailedError as error:
            return str(error)

    def errand(self, host: ClusterHost, program: str, asked: Mapping[str, Any], limit: float) -> Future[Any]:
        """Let a host run a program of ours, and return the future of what that says.

        Its future has a `CaseFailedError` where there is no answer, or where it takes longer than ``limit``.
        """
        running = ErrandRun(host, sorted(host.workers)[0])
        self._running.append(running)
        work: Coroutine[Any, Any, Any] = self._run(running, program, asked, limit)
        return asyncio.run_coroutine_threadsafe(work, self.client.loop.asyncio_loop)

    async def _run(self, running: ErrandRun, program: str, asked: Mapping[str, Any], limit: float) -> Any:
        loop = asyncio.get_running_loop()
        late, silent = loop.time() + limit, 0
        try:
            await self._ask(running.worker, remote.begin_errand, running.token, program, dict(asked))
            while True:
                try:
                    found = await self._ask(running.worker, remote.ask_errand, running.token, ASKED_FOR)
                    silent = 0
                except TimeoutError:
                    found, silent = None, silent + 1
                    if silent == PATIENT_FOR:
                        raise CaseFailedError(_hangs(PATIENT_FOR * ANSWERED_WITHIN)) from None
                if found is not None:
                    self._running.remove(running)
                    return found
                if loop.time() > late:
                    await self._ask(running.worker, remote.end_errand, running.token)
                    raise CaseFailedError(f"not done within {limit:g} s: ended")
        except TimeoutError:
            raise CaseFailedError(_hangs(ANSWERED_WITHIN)) from None

    async def _ask(self, worker: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function in the process of a worker, whatever else that does.

        Raises
        ------
        TimeoutError
            If it does not answer.
        CaseFailedError
            If it is not there, or the scheduler is not.
        """
        client = self.client
        if client.status != "running":
            raise CaseFailedError(SCHEDULER_GONE)
        asked = client.run(function, *args, workers=[worker], on_error="return")
        try:
            found = (await asyncio.wait_for(asked, ANSWERED_WITHIN))[worker]
        except TimeoutError:
            if await self._is_there(worker):
                raise
            raise CaseFailedError(WORKER_ENDED) from None
        except (OSError, KeyError, ValueError):
            await self._is_there(worker)
            raise CaseFailedError(WORKER_ENDED) from None
        if isinstance(found, OSError):
            raise CaseFailedError(WORKER_ENDED)
        if isinstance(found, BaseException):
            raise CaseFailedError(one_line(found))
        return found

    async def _is_there(self, worker: str) -> bool:
        """Whether the scheduler knows a worker; it fails where that does not answer either."""
        await asyncio.sleep(SEEN_AFTER)
        try:
            if self.client.status == "running":
                return worker in await asyncio.wait_for(self.client.nthreads(), ANSWERED_WITHIN)
        except OSError:
            pass
        raise CaseFailedError(SCHEDULER_GONE)

    async def _end_all(self, client: Client) -> None:
        """Tell every worker to end what it runs for us."""
        calls = [
            client.run(remote.end_errand, one.token, workers=[one.worker], on_error="return")
            for one in self._running
        ]
        await asyncio.gather(*calls, return_exceptions=True)


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep Dask from writing at length what is one line here."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def outcomes(futures: Iterable[Future[Any]]) -> None:
    """Wait for all futures; an interrupt gets through."""
    waiting = set(futures)
    while waiting:
        waiting = wait(waiting, 0.2).not_done


def _hangs(silence: float) -> str:
    return f"no answer for {silence:g} s: it hangs"


def _why(error: BaseException) -> str:
    """Return the first line of what Dask says."""
    text = str(error).strip().splitlines()
    return text[0][:120] if text else type(error).__name__
