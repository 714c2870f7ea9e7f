"""`timeit`: plan, run, and return a Comparison."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gilkit import machine
from gilkit.arguments import (
    SHORT_TIMEOUT,
    checked_rounds,
    checked_timeout,
    shown_count,
    worker_list,
)
from gilkit.display.progress import Listener, with_bar
from gilkit.engine.executors import EXECUTORS, chosen_executors
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.engine.session import obtained
from gilkit.results.writing import check_writable
from gilkit.studies.compare.budget import OWN_PACE
from gilkit.studies.compare.by_pythons import Task, by_pythons, listed
from gilkit.studies.compare.climb import Climb, check_ladder
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.contrast import MOST
from gilkit.studies.compare.course import Course
from gilkit.studies.compare.plan import Batch, own_subject, usual_executors
from gilkit.workloads.target import own_statement


@with_bar
def timeit(
    stmt: str = "pass",
    setup: str = "pass",
    *,
    against: str | Iterable[str] = (),
    executors: Iterable[str] | None = None,
    workers: Iterable[int] | int | None = None,
    shared: bool = False,
    ladder: bool = False,
    pythons: Iterable[str | os.PathLike[str]] = (),
    rounds: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = SHORT_TIMEOUT,
    progress: Listener | bool | None = None,
) -> Comparison:
    """Measure a statement, on threads and on processes, in interleaved rounds.

    Parameters
    ----------
    stmt : str
        What is timed. Its last expression is its result, where that is sent back from a process.
    setup : str
        What every worker runs first, once and for itself: so nothing needs to be pickled.
    against : str or list of str
        Other statements, after the same setup, to be measured in the same rounds and compared to `stmt`: two
        versions of a function, two libraries, two sizes of a block.
    shared : bool
        Measure threads that share one setup, too: one connection, parser or list for all.
    ladder : bool
        Find out which of the shared objects stops the threads, if one does: each is made private again, in a
        process of its own.
    pythons : list of path
        Interpreters, each with this gilkit installed, that measure the statement by turns and are compared;
        this one is not among them unless it is named. Names are looked for on PATH.
    executors, workers, rounds, seed, output, timeout, progress
        As in `compare`.

    Returns
    -------
    Comparison

    Raises
    ------
    StatementError
        If `stmt` or `setup` is not Python; a ValueError. One that fails is a failed case.
    TypeError, ValueError, ResultsError, KeyboardInterrupt
        As `compare` does.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.timeit("zlib.compress(data)", "import zlib; data = bytes(10**6)")  # doctest: +SKIP
    """
    others, given = _others(against), listed(pythons)
    _check_together(bool(others), shared, ladder, bool(given))
    owns = [own_statement(each, setup) for each in (stmt, *others)]
    if len({own.name for own in owns}) < len(owns):
        raise ValueError("against must name other statements, each once")
    if output is not None:
        check_writable(output)
    known = [name for name, kind in EXECUTORS.items() if not (kind.native or kind.single)]
    chosen = usual_executors(own=True)
    if executors:
        chosen = chosen_executors(executors, known, elsewhere=bool(given))
    if shared and "threads" not in chosen:
        raise ValueError("shared is for threads, which are not among the executors")
    cpus, rounds, timeout = machine.usable_cpus(), checked_rounds(rounds), checked_timeout(timeout)
    counts = worker_list(workers, (1, max(2, cpus)))
    shown = shown_count(counts, cpus)
    if given:
        options = {"executors": chosen if executors else None, "workers": counts, "timeout": timeout}
        task = Task("timeit", [stmt, setup], options, [owns[0].name], rounds)
        return by_pythons(given, task, Runner(seed, progress), output)
    if ladder:
        check_ladder(stmt, setup, chosen, shown)
    batch = Batch([own_subject(own, chosen, counts, shown, shared or ladder) for own in owns])
    for subject in batch.subjects:
        subject.offered = not executors
    runner = Runner(seed, progress, output)
    if ladder:
        course: Course = Climb(owns[0], batch, shown, rounds, cpus, runner)
    else:
        course = Course([batch], OWN_PACE.for_each(len(owns)), rounds, cpus, runner)
    return obtained(Comparison, Lab(max(counts), timeout), course.measure, runner.suite, output)


def _check_together(against: bool, shared: bool, ladder: bool, pythons: bool) -> None:
    """Find out whether these options go together."""
    other = "ladder" if ladder else "shared" if shared else ""
    if against and other:
        raise ValueError(f"against and {other} exclude one another: measure one statement with {other}")
    if pythons and (against or other):
        both = "against" if against else other
        raise ValueError(f"pythons and {both} exclude one another: compare interpreters on one statement")


def _others(against: str | Iterable[str]) -> list[str]:
    """Return the statements that one is measured against."""
    if not isinstance(against, Iterable):
        raise TypeError(f"against must be statements, not {type(against).__name__}")
    others = [against] if isinstance(against, str) else list(against)
    if len(others) >= MOST:
        raise ValueError(f"against must name at most {MOST - 1} statements, not {len(others)}")
    return others
