"""Executors: EXECUTORS, a registry of names and of what runs workers under each.

Each is started as something with the interface of `concurrent.futures.Executor`. To add one is to add one
entry to EXECUTORS.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

from gilkit.engine.processes import ProcessPool
from gilkit.errors import is_interrupt
from gilkit.kernels import lcg

P = ParamSpec("P")
T = TypeVar("T")


class SerialExecutor(Executor):
    """Run every task at once, in the thread that submits it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` and return its finished future."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # as every executor: the future carries it
            if is_interrupt(error):
                raise
            future.set_exception(error)
        return future


def _no_processes() -> str | None:
    """Return why this interpreter cannot start processes, as in a browser, or None."""
    return None if find_spec("_multiprocessing") else "this Python has no multiprocessing"


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
