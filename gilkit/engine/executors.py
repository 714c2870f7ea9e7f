"""Executors: EXECUTORS, a registry of names and of what runs workers under each.

Each is started as something with the interface of `concurrent.futures.Executor`. To add one is to add one
entry to EXECUTORS: all that measures, the tables, the verdicts and the tests have it from there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

from gilkit.arguments import allowed
from gilkit.engine import interpreters, written
from gilkit.engine.processes import ProcessPool
from gilkit.engine.written import Written
from gilkit.errors import is_interrupt, one_line

POOLS = "pip install 'gilkit[pools]'"
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


def _without_openmp() -> str | None:
    """Return why native threads cannot run here, or None."""
    from gilkit.kernels import lcg  # which a worker of the reader's own code need not load

    return lcg.missing.get("native")


def _not_installed(library: str) -> Callable[[], str | None]:
    """Return what tells how to get a library that is not there."""
    return lambda: None if find_spec(library) else f"it needs {library}: {POOLS}"


def _of_library(start: Callable[[int], Executor]) -> Callable[[int], Executor]:
    """Let what starts a pool of a library say why that cannot be imported."""

    @wraps(start)
    def started(workers: int) -> Executor:
        try:
            return start(workers)
        except ImportError as error:
            raise RuntimeError(_not_imported(error)) from None

    return started


def _not_imported(error: ImportError) -> str:
    """Say why a library is not imported: a file of that name may be found before it."""
    top = (error.name or "").partition(".")[0]
    found = error.path or getattr(sys.modules.get(top), "__file__", None)
    return one_line(error) + (f" (found {found}: rename that if it is not the library)" if found else "")


@_of_library
def _loky(workers: int) -> Executor:
    from gilkit.engine.loky_pool import LokyPool

    return LokyPool(workers)


@_of_library
def _joblib(workers: int) -> Executor:
    from gilkit.engine.joblib_pool import JoblibPool

    return JoblibPool(workers)


@_of_library
def _joblib_threads(workers: int) -> Executor:
    from gilkit.engine.joblib_pool import JoblibExecutor

    return JoblibExecutor(workers, "threading")


@_of_library
def _dask(workers: int) -> Executor:
    from gilkit.engine.dask_pool import DaskPool

    return DaskPool(workers)


@dataclass(frozen=True, slots=True)
class ExecutorKind:
    """One way to run workers.

    Parameters
    ----------
    name : str
    about : str
        What runs a worker, in a few words.
    worker : str
        What one is called.
    start : callable
        ``start(workers)`` returns an executor with that many workers: where they are `apart`, a `WorkerPool`.
        If it cannot, it raises an `OSError`, `RuntimeError` or `BrokenExecutor` that says why.
    missing : callable
        Returns why it is not available here and how to get it, in one line, or None.
    apart : bool
        Whether workers are processes of their own. Otherwise they are of a process that is started for them,
        their host, which can be killed.
    secluded : bool
        Whether that host is another than that of threads, which are measured as if these were not there.
    native : bool
        Whether it runs the native variant, and that only.
    plain : bool
        Whether it runs pure Python only: neither NumPy nor what is compiled for gilkit can be imported there.
    single : bool
        Whether it has one worker, and no more.
    by_value : bool
        Whether functions are sent to it by value, as cloudpickle does: lambdas and closures work.
    usual : bool
        Whether it is measured where no executors are asked for; otherwise only by its name.
    code : Written, optional
        How one writes it; by default by its name.
    """

    name: str
    about: str
    worker: str
    start: Callable[[int], Executor]
    missing: Callable[[], str | None] = lambda: None
    apart: bool = False
    secluded: bool = False
    native: bool = False
    plain: bool = False
    single: bool = False
    by_value: bool = False
    usual: bool = True
    code: Written | None = None

    @property
    def written(self) -> Written:
        """How one writes it."""
        return self.code or written.by_name(self.name)

    @property
    def elsewhere(self) -> bool:
        """Whether its workers share neither memory nor the GIL with who sends them work: that is pickled."""
        return self.apart or self.secluded

    @property
    def shares_gil(self) -> bool:
        """Whether its workers have one GIL in common."""
        return not (self.elsewhere or self.native or self.single)

    @property
    def further(self) -> bool:
        """Whether its workers do what threads do, beside these and processes: one more column, and rival."""
        return self.name not in ("threads", "processes") and not (self.native or self.single)


EXECUTORS: dict[str, ExecutorKind] = {
    kind.name: kind
    for kind in (
        ExecutorKind("serial", "one worker: the baseline", "worker", lambda _: SerialExecutor(), single=True),
        ExecutorKind(
            "threads",
            "Python threads, of a ThreadPoolExecutor",
            "thread",
            ThreadPoolExecutor,
            code=written.THREAD_POOL,
        ),
        ExecutorKind(
            "processes",
            "processes, of a ProcessPoolExecutor",
            "process",
            ProcessPool,
            apart=True,
            missing=_no_processes,
            code=written.PROCESS_POOL,
        ),
        ExecutorKind(
            "interpreters",
            "interpreters, of an InterpreterPoolExecutor",
            "interpreter",
            interpreters.start,
            missing=interpreters.missing,
            secluded=True,
            plain=True,
            code=written.INTERPRETER_POOL,
        ),
        ExecutorKind(
            "openmp",
            "native threads, for the native variant alone",
            "native thread",
            lambda _: SerialExecutor(),  # a team starts its threads itself: nothing is submitted
            native=True,
            missing=_without_openmp,
        ),
        ExecutorKind(
            "loky",
            "processes, of loky's ProcessPoolExecutor",
            "loky process",
            _loky,
            missing=_not_installed("loky"),
            apart=True,
            by_value=True,
            usual=False,
            code=written.LOKY,
        ),
        ExecutorKind(
            "joblib",
            "processes, of joblib.Parallel; each call is sent to whoever is idle",
            "joblib process",
            _joblib,
            missing=_not_installed("joblib"),
            apart=True,
            by_value=True,
            usual=False,
            code=written.JOBLIB,
        ),
        ExecutorKind(
            "joblib-threading",
            "threads, of joblib.Parallel with the backend threading",
            "joblib thread",
            _joblib_threads,
            missing=_not_installed("joblib"),
            usual=False,
            code=written.JOBLIB_THREADS,
        ),
        ExecutorKind(
            "dask",
            "processes with a thread each, of Dask's LocalCluster, by its scheduler",
            "Dask worker",
            _dask,
            missing=_not_installed("distributed"),
            apart=True,
            by_value=True,
            usual=False,
            code=written.DASK_CLIENT,
        ),
    )
}


def chosen_executors(names: Iterable[str], known: Sequence[str], elsewhere: bool = False) -> list[str]:
    """Return the executors of these names, each of them available.

    Parameters
    ----------
    names : iterable of str
    known : list of str
        Those that are allowed.
    elsewhere : bool
        Whether they are for other interpreters, each of which finds out itself which are available there.

    Raises
    ------
    TypeError, ValueError
        If one is none of those that are known, or is not available here; the message says why.
    """
    chosen = allowed("executor", names, known)
    for name in chosen:
        if not elsewhere and (why := EXECUTORS[name].missing()):
            raise ValueError(f"executor {name} is not available here: {why}")
    return chosen
