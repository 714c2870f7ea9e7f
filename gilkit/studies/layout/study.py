"""`layout`: of so many CPUs, how many Dask worker processes with how many threads each."""

from __future__ import annotations

import os

from gilkit import machine
from gilkit.arguments import SHORT_TIMEOUT, checked_rounds, checked_timeout
from gilkit.display.progress import Listener, with_bar
from gilkit.engine.executors import chosen_executors
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.engine.session import obtained
from gilkit.engine.split_lab import DASK, SplitLab
from gilkit.results.writing import check_writable
from gilkit.studies.layout import STUDY
from gilkit.studies.layout.course import SplitCourse
from gilkit.studies.layout.errands import Errands
from gilkit.studies.layout.figures import Standing, standings
from gilkit.studies.layout.hosts import HostRow, host_rows, hosts_of
from gilkit.studies.layout.splits import Split, splits
from gilkit.studies.layout.verdict import SplitChoice, Why, decision
from gilkit.studies.outcome import Outcome
from gilkit.workloads.target import check_processes, own_statement


class Layout(Outcome):
    """What each split of the CPUs into processes and threads does. Its ``repr`` is the report.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    study = STUDY

    @property
    def splits(self) -> list[Standing]:
        """What is known of every split, that of the fewest processes first; of hosts, nothing."""
        return [] if hosts_of(self.results) else standings(self.results)

    @property
    def decision(self) -> SplitChoice:
        """Which of them to use, and why; of hosts it is not decided here: each has its own."""
        return SplitChoice(None, Why.OPEN) if hosts_of(self.results) else decision(self.results)

    @property
    def hosts(self) -> list[HostRow]:
        """What is known of every host of a cluster; empty where none was asked."""
        return host_rows(self.results)


@with_bar
def layout(
    stmt: str,
    setup: str = "pass",
    *,
    rounds: int | None = None,
    scheduler: str | None = None,
    all_at_once: bool = False,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = SHORT_TIMEOUT,
    progress: Listener | bool | None = None,
) -> Layout:
    """Measure how many Dask workers a statement wants, with how many threads each.

    Every split of the CPUs is a LocalCluster of Dask. Tasks go through its scheduler; threads of one worker
    share what SETUP made, as they do in Dask.

    Parameters
    ----------
    stmt : str
        What is called in every task.
    setup : str
        What every worker process runs first, once for all its threads.
    scheduler : str, optional
        The address of the scheduler of a cluster that runs already: every host of it is measured.
    all_at_once : bool
        Measure all hosts at one time; by default one by one.
    rounds, seed, output, timeout, progress
        As in `gilkit.timeit`.

    Returns
    -------
    Layout

    Raises
    ------
    StatementError, TypeError, ValueError, ResultsError, KeyboardInterrupt
        As `gilkit.timeit` does; and a ValueError without the extra ``pools``.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.layout("json.dumps(data)", "import json; data = list(range(10**5))")  # doctest: +SKIP
    """
    own = own_statement(stmt, setup)
    asked, timeout = checked_rounds(rounds), checked_timeout(timeout)
    chosen_executors([DASK], [DASK])
    if output is not None:
        check_writable(output)
    runner = Runner(seed, progress, output)
    if scheduler is not None:
        options = {"rounds": asked, "timeout": timeout}
        errand = Errands("layout", own.name, (stmt, setup), options, all_at_once)
        return _of_hosts(scheduler, errand, runner, output)
    if all_at_once:
        raise ValueError("all_at_once goes with a scheduler: without one there is one host")
    cpus = machine.usable_cpus()
    check_processes(cpus)

    def lab_of(split: Split) -> SplitLab:
        return SplitLab(split.processes, split.threads, timeout)

    course = SplitCourse(own, splits(cpus), asked, cpus, runner, lab_of)
    return obtained(Layout, Lab(1, timeout), course.measure, runner.suite, output)


@with_bar
def on_cluster(
    scheduler: str,
    stmt: str,
    setup: str = "pass",
    *,
    all_at_once: bool = False,
    rounds: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = SHORT_TIMEOUT,
    progress: Listener | bool | None = None,
) -> Layout:
    """Measure a statement as `gilkit.timeit` does, on every host of a Dask cluster that runs already.

    A worker of each host starts a program that measures, and that ends with it. Tasks of others are left
    alone; nothing of ours is in the scheduler's queue.

    Parameters
    ----------
    scheduler : str
        Its address, such as ``tcp://127.0.0.1:8786``.
    stmt, setup, rounds, seed, output, timeout, progress
        As in `gilkit.timeit`.
    all_at_once : bool
        Measure all hosts at one time; by default one by one.

    Returns
    -------
    Layout
        With a row for each host.

    Raises
    ------
    StatementError, TypeError, ValueError, ResultsError, KeyboardInterrupt
        As `gilkit.timeit` does; and a ValueError where there is no such scheduler, or no extra ``pools``.
    """
    own = own_statement(stmt, setup)
    options = {"rounds": checked_rounds(rounds), "timeout": checked_timeout(timeout)}
    chosen_executors([DASK], [DASK])
    if output is not None:
        check_writable(output)
    errand = Errands("timeit", own.name, (stmt, setup), options, all_at_once)
    return _of_hosts(scheduler, errand, Runner(seed, progress, output), output)


def _of_hosts(
    scheduler: str, errands: Errands, runner: Runner, output: str | os.PathLike[str] | None
) -> Layout:
    """Let every host of a cluster do it."""
    from gilkit.studies.layout.by_hosts import HostCourse  # it loads what only clusters need

    if not isinstance(scheduler, str):
        raise TypeError(f"scheduler must be an address, not {type(scheduler).__name__}")
    course = HostCourse(scheduler, errands, runner, output)
    return obtained(Layout, Lab(1), course.measure, course.suite, output)
