"""`map`: which pool, how many workers and which chunk size, for a function and its items."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from gilkit import machine
from gilkit.arguments import TIMEOUT, checked_rounds, checked_timeout, number, positive, worker_list
from gilkit.display.progress import Listener, with_bar
from gilkit.engine.executors import chosen_executors
from gilkit.engine.interrupts import heard_once
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.engine.session import obtained
from gilkit.results import facts
from gilkit.results.stats import Estimate
from gilkit.results.writing import check_writable
from gilkit.studies.map import STUDY, driver, figures
from gilkit.studies.map.course import Course
from gilkit.studies.map.engine import LabEngine
from gilkit.studies.map.figures import MapAnswer, Measure
from gilkit.studies.map.job import Job, ObjectJob, text_job
from gilkit.studies.map.names import MAP_EXECUTORS
from gilkit.studies.map.plan import Wanted
from gilkit.studies.outcome import Outcome

USUAL_TIME, QUICK_TIME = 30.0, 10.0  # seconds, by default
LEAST_BUDGET, LONGEST_BUDGET = 0.1, 86_400.0  # seconds that may be asked for
LARGEST_CHUNK = 10**9


class Mapped(Outcome):
    """Which pool pays for a function and its items. Its ``repr`` is the report.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    study = STUDY

    @property
    def answer(self) -> MapAnswer:
        """Whether a pool pays, and which: with the figures that say so."""
        return figures.answer(self.results)

    @property
    def line(self) -> str | None:
        """The line to copy: of a loop, where no pool is faster; None where no pool could be measured."""
        return figures.line(self.results)

    @property
    def pools(self) -> Sequence[Measure]:
        """What is advised for each executor, the fastest first."""
        return figures.best_of_each(self.results)

    @property
    def chunk_sizes(self) -> dict[int, Estimate]:
        """How many times as fast as the loop a pool is, by chunk size; empty where there are no chunks."""
        return {one.way.chunk: one.speedup for one in figures.chunk_curve(self.results)}


def chosen_pools(names: Iterable[str] | None) -> tuple[str, ...]:
    """Return the executors to try: the usual ones, or those of these names, if they are available here.

    Raises
    ------
    TypeError, ValueError
        If one is unknown, or not available.
    """
    if names is None:
        return tuple(name for name, kind in MAP_EXECUTORS.items() if kind.usual)
    return tuple(chosen_executors(names, list(MAP_EXECUTORS)))


@with_bar
def map(  # noqa: A001 (its name in the package, and the question)
    function: Callable[[Any], Any] | str,
    items: Iterable[Any] | str,
    /,
    *,
    setup: str | None = None,
    executors: Iterable[str] | None = None,
    workers: Iterable[int] | int | None = None,
    chunks: Iterable[int] | int | None = None,
    limit: int | None = None,
    budget: float | None = None,
    quick: bool = False,
    rounds: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,
    progress: Listener | bool | None = None,
) -> Mapped:
    """Find which pool, how many workers and which chunk size a map of real items wants, and whether it pays.

    The function is called many times for each item: in a loop, and by ``executor.map`` on each executor; of
    items that take long in waiting, many at one time.

    Parameters
    ----------
    function : callable or str
        What is called with each item; an expression, where there is a `setup`.
    items : iterable or str
        As the function. An iterator is gone through once, and kept as a list.
    setup : str, optional
        Code that defines both, which then runs in a process of its own. Workers run it without what only
        `items` needs.
    executors : list of str, optional
        By default the usual ones: see ``gilkit list``.
    workers, chunks : list of int, or int, optional
        Worker counts and chunk sizes; by default these are searched for.
    limit : int, optional
        Items that are taken at most. Of an iterator a million are, by default.
    budget : float, optional
        Seconds for all of it, about: 30 by default, and 10 where `quick`.
    quick : bool
        Take less time, so that less is certain.
    rounds, seed, output, progress
        As in `gilkit.compare`.
    timeout : float
        Seconds after which a map is given up, and its processes are killed.

    Returns
    -------
    Mapped

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or there are no items.
    StatementError, ResultsError, KeyboardInterrupt
        As `gilkit.timeit` does.

    Examples
    --------
    >>> import gilkit
    >>> found = gilkit.map(parse, files)  # doctest: +SKIP
    >>> found.line  # doctest: +SKIP
    'ProcessPoolExecutor(2).map(parse, files, chunksize=16)'
    """
    job = _job(function, items, setup, None if limit is None else positive("limit", limit))
    usual = QUICK_TIME if quick else USUAL_TIME
    wanted = Wanted(
        chosen_pools(executors),
        () if workers is None else tuple(worker_list(workers, ())),
        () if chunks is None else _chunks(chunks),
        checked_rounds(rounds),
        usual if budget is None else _budget(budget),
    )
    timeout = checked_timeout(timeout)
    if output is not None:
        check_writable(output)
    names = (_name(function), "items" if setup is None else str(items))
    runner = Runner(seed, progress, output)
    if setup is not None:
        runner.facts |= facts.SETUP.entry(setup)
    course = Course(partial(_engine, job=job, timeout=timeout), names, wanted, machine.usable_cpus(), runner)
    lab = Lab(1, timeout + wanted.budget, hosted=setup is not None)

    def measure(lab: Lab) -> None:
        try:
            course.measure(lab)
        except BaseException:
            if not lab.hosted:  # the pools are of this process
                with heard_once():
                    driver.close()
            raise

    return obtained(Mapped, lab, measure, runner.suite, output)


def _engine(lab: Lab, job: Job, timeout: float) -> LabEngine:
    return LabEngine(lab, job, timeout)


def _job(function: Any, items: Any, setup: str | None, limit: int | None) -> Job:
    if setup is not None:
        return text_job(setup, function, items, limit)
    if not callable(function):
        raise TypeError(f"function must be callable, not {type(function).__name__}; a text takes a setup")
    if not isinstance(items, Iterable):
        raise TypeError(f"items must be iterable, not {type(items).__name__}")
    return ObjectJob(function, items, limit)


def _name(function: Any) -> str:
    """Return what is called, as one would write it: by its own name, if that is all it takes to have it."""
    if isinstance(function, str):
        return function.strip()
    name = str(getattr(function, "__qualname__", "")).rpartition("<locals>.")[2]
    of = getattr(function, "__self__", None)  # of a built-in function its module, of a class method its class
    known = of is None or isinstance(of, type | ModuleType)
    return name if known and all(part.isidentifier() for part in name.split(".")) else "function"


def _chunks(chunks: Iterable[int] | int) -> tuple[int, ...]:
    found = sorted({positive("chunks", each) for each in ([chunks] if isinstance(chunks, int) else chunks)})
    if not found or found[-1] > LARGEST_CHUNK:
        raise ValueError(f"chunks must be sizes from 1 to {LARGEST_CHUNK:,}")
    return tuple(found)


def _budget(budget: float) -> float:
    found = number(budget, "budget")
    if not LEAST_BUDGET <= found <= LONGEST_BUDGET:
        raise ValueError(f"budget must be from {LEAST_BUDGET} to {LONGEST_BUDGET:,.0f} seconds, not {budget}")
    return found
