"""Pools that are kept from one map to the next; what goes wrong on one becomes a reason, and ends it."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, InvalidStateError
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, NoReturn, Protocol, runtime_checkable

from gilkit.engine.bursts import pickled_by_value
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.processes import START_TIMEOUT
from gilkit.errors import CaseFailedError, is_interrupt, one_line
from gilkit.studies.map.job import Loaded
from gilkit.studies.map.names import elsewhere
from gilkit.studies.map.task import loads

LOADED, LOADED_BYTES = 100, 1_000_000  # items, and bytes, of which it is seen whether a worker can load them


@runtime_checkable
class Ending(Protocol):
    """A pool that can be ended at once, whatever its workers do."""

    def end(self) -> None:
        """End every worker: ask those that are idle."""

    def kill(self) -> None:
        """End every worker at once."""

    def ends(self) -> str:
        """Say how a worker ended."""


# One of each executor, with its workers: joblib has no more than that.
_pools: dict[str, tuple[int, Executor]] = {}


def kept(known: Loaded, executor: str, workers: int, timeout: float) -> Executor:
    """Return the pool of an executor, which is started if there is none with so many workers."""
    there, pool = _pools.get(executor, (0, None))
    if pool is None or there != workers:
        end(executor)
        pool = fresh_pool(executor, workers)
        keep(known, executor, workers, pool, timeout)
    return pool


def fresh_pool(executor: str, workers: int) -> Executor:
    """Return a pool that nobody keeps."""
    try:
        return EXECUTORS[executor].start(workers)
    except (BrokenExecutor, EOFError, OSError, RuntimeError, TimeoutError) as error:
        raise CaseFailedError(f"its {workers} workers did not start: {error}") from error


def _check(known: Loaded, executor: str, pool: Executor, timeout: float) -> None:
    """Find out whether a worker that is elsewhere can load the function and items: else a pool breaks."""
    if not elsewhere(executor):
        return
    data = _sent(known, _dumps(executor))
    with explained(known, executor, pool, (), max(timeout, START_TIMEOUT)):
        found = pool.submit(loads, *data).result(max(timeout, START_TIMEOUT))  # it may have much to import
    if found is not None:
        number, problem = found
        _dropped(pool)
        typed = getattr(known.function, "__module__", "") == "__main__" and not number
        hint = ": what is typed in must be put into a module" if typed else ""
        what = "an item" if number else "the function"
        raise CaseFailedError(f"a worker cannot load {what}: {problem}{hint}")


def _sent(known: Loaded, dumps: Callable[[object], bytes]) -> list[bytes]:
    """Return the function and some items as they are sent, as far as they can be."""
    found: list[bytes] = []
    with suppress(Exception):  # objects fail to be pickled in many ways; what sends them may know better
        found.append(dumps(known.function))
        for item in islice(known.items, LOADED):
            found.append(dumps(item))
            if sum(map(len, found)) > LOADED_BYTES:
                break
    return found


def _dropped(pool: Executor) -> None:
    """End a pool that is of no use any more."""
    for executor in [executor for executor, (_, kept) in _pools.items() if kept is pool]:
        del _pools[executor]
    ended(pool, now=True)


@contextmanager
def _unheard() -> Iterator[None]:
    """Let nobody hear that the thread that serves a broken pool met items that ``map`` had cancelled.

    It is CPython's, which then says so on standard error; the pool is ended here, anyway.
    """
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not InvalidStateError:
            before(args)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


@contextmanager
def explained(
    known: Loaded, executor: str, pool: Executor, chosen: Sequence[Any], timeout: float
) -> Iterator[None]:
    """Turn what goes wrong on a pool into a reason, in one line, and end it."""
    begin = time.perf_counter()
    with _unheard():
        try:
            yield
        except BaseException as error:  # noqa: BLE001 (it is raised again, or said)
            _give_up(error, known, executor, pool, chosen, timeout, time.perf_counter() - begin)


def _give_up(
    error: BaseException, known: Loaded, executor: str, pool: Executor, chosen: Sequence[Any],
    timeout: float, gone: float,
) -> NoReturn:  # fmt: skip
    """End a pool on which something went wrong, and say what."""
    if isinstance(error, BrokenExecutor):
        said = f"a worker {pool.ends()}" if isinstance(pool, Ending) else one_line(error)
        said = _unloadable(error) or said
        _dropped(pool)
        raise CaseFailedError(said) from error
    _dropped(pool)
    if isinstance(error, CaseFailedError) or is_interrupt(error):
        raise error
    if isinstance(error, TimeoutError) and gone >= timeout:
        late = "killed" if isinstance(pool, Ending) else "left to run on, as threads cannot be killed"
        raise CaseFailedError(f"no answer within {timeout:.3g} s: {late}") from None
    why = _unsendable(executor, known, chosen) if elsewhere(executor) else ""
    raise CaseFailedError(why or one_line(error)) from error


def _unloadable(error: BrokenExecutor) -> str:
    """Say what broke a pool whose error has a traceback: what was sent, or came back, cannot be unpickled."""
    told = str(error.__cause__ or "").strip().strip("\"'").strip()  # a traceback in quotes
    if not told.startswith("Traceback"):  # newer Pythons say there, too, that a worker ended
        return ""
    last = told.splitlines()[-1].strip()
    own = last.endswith(one_line(error))  # of the function, which may raise it, too
    return one_line(error) if own else f"what was sent or came back cannot be unpickled: {last[:200]}"


def _unsendable(executor: str, known: Loaded, chosen: Sequence[Any]) -> str:
    """Say what cannot be pickled, of a function, its items and its results; nothing if all can."""
    if problem := _problem(executor, known.function):
        return f"the function cannot be pickled: {problem}{_by_value_instead(executor, known.function)}"
    for place, item in enumerate(chosen):
        if problem := _problem(executor, item):
            return f"an item cannot be pickled, number {place} of these: {problem}"
    with suppress(Exception):
        if problem := _problem(executor, known.function(chosen[0])):
            return f"its result cannot be pickled: {problem}"
    return ""


def _by_value_instead(executor: str, function: object) -> str:
    """Say who sends a function that an executor cannot send; nothing if nobody does."""
    if EXECUTORS[executor].by_value:
        return ""
    try:
        pickled_by_value(function)
    except ImportError:  # what does it can be had
        pass
    except Exception:  # noqa: BLE001 (as below)
        return ""
    return "; executor loky sends it by value"


def _problem(executor: str, value: object) -> str:
    """Say why an executor cannot send something; nothing if it can."""
    try:
        _dumps(executor)(value)
    except Exception as error:  # noqa: BLE001 (as above)
        return one_line(error)
    return ""


def _dumps(executor: str) -> Callable[[object], bytes]:
    """Return how an executor pickles what it sends."""
    return pickled_by_value if EXECUTORS[executor].by_value else pickle.dumps


def end(executor: str) -> None:
    """End the pool that is kept of an executor, if there is one."""
    ended(_pools.pop(executor, (0, None))[1])


def ended(pool: Executor | None, now: bool = False) -> None:
    """End a pool: one of processes as it ends itself, or kills them."""
    if pool is None:
        return
    if isinstance(pool, Ending):
        (pool.kill if now else pool.end)()
    else:
        pool.shutdown(wait=not now, cancel_futures=True)


def chunked(executor: str) -> bool:
    """Whether the pool of an executor takes chunks: Python's threads are handed items one by one."""
    return type(_pools[executor][1]).map is not Executor.map


def keep(known: Loaded, executor: str, workers: int, pool: Executor, timeout: float) -> None:
    """Keep a pool, if its workers can load the function."""
    _pools[executor] = workers, pool
    _check(known, executor, pool, timeout)


def end_all() -> None:
    """End all pools."""
    for executor in list(_pools):
        end(executor)
