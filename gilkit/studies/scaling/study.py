"""`scaling`: the classic experiment, threads and processes started and joined, in interleaved rounds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial

from gilkit import machine
from gilkit.arguments import (
    TIMEOUT,
    checked_rounds,
    checked_timeout,
    shown_count,
    unknown,
    worker_counts,
    worker_list,
)
from gilkit.display.progress import Listener, with_bar
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Lane, Measured, Rule, Runner, exactly, within
from gilkit.engine.session import obtained
from gilkit.kernels import KERNELS
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.stats import FEWEST_ROUNDS, Estimate
from gilkit.results.writing import check_writable
from gilkit.studies.outcome import Outcome
from gilkit.studies.scaling import STUDY, columns, fresh_workers
from gilkit.studies.scaling.columns import COLUMNS, Column

TIME = 36.0  # seconds for the rounds: the fewest of them with the usual work, on two CPUs
LEAST_WORK, USUAL_WORK = 0.01, 0.1  # seconds of work, by default: at the least, and usually
LONGEST_WORK = 10.0  # seconds that may be asked for
BESIDE = 0.15  # seconds that a round of processes takes beside its work
PROCESS_START = 0.01  # and for each process
FITTED = 1.0  # seconds in which the sizes of the work are found, about


class Scaling(Outcome):
    """How long fixed work for each worker takes, by workers. Its ``repr`` is the table with the curves.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    study = STUDY

    @property
    def workers(self) -> list[int]:
        """The worker counts that were measured."""
        return columns.counts(self.results)

    def seconds(self, column: str, workers: int) -> Estimate:
        """Return how long so many workers of a column take, from the first start to the last join.

        Parameters
        ----------
        column : str
            A heading of the table, as ``CpuThread``.
        workers : int

        Returns
        -------
        Estimate
            Seconds: the median over rounds, with the ends of its 95 % interval, ``low`` and ``high``.

        Raises
        ------
        ValueError
            If that was not measured; the message says why.
        """
        self._check(column, workers)
        return columns.measured(self.results, COLUMNS[column])[workers]

    def growth(self, column: str, workers: int | None = None) -> Estimate:
        """Return the seconds of so many workers as a multiple of those of the fewest.

        Parameters
        ----------
        column : str
            A heading of the table, as ``CpuThread``.
        workers : int, optional
            By default as many as there are CPUs.

        Returns
        -------
        Estimate
            1 where the column is flat, as many as the workers where they wait for one another.

        Raises
        ------
        ValueError
            As `seconds` does.
        """
        chosen = shown_count(self.workers, self.results.cpus) if workers is None else workers
        for count in (chosen, self.workers[0]):
            self._check(column, count)
        found = columns.grown(self.results, COLUMNS[column], chosen)
        assert found is not None
        return found

    def _check(self, column: str, workers: int) -> None:
        if column not in COLUMNS:
            raise ValueError(unknown("column", column, COLUMNS))
        if column in self.missing:
            raise ValueError(f"{column} is not available: {self.missing[column]}")
        if workers not in self.workers:
            known = ", ".join(map(str, self.workers))
            raise ValueError(f"{workers} workers were not measured; measured were {known}")
        case = COLUMNS[column].case(workers)
        if not self.results.values(case):
            raise ValueError(f"{case.name} failed: {self.results.failures.get(case, 'no round was whole')}")


def missing(column: Column) -> str | None:
    """Return why a column cannot be measured here, or None."""
    return EXECUTORS[column.executor].missing() or KERNELS[column.kernel].missing.get(column.variant)


def starting(column: Column, count: int) -> float:
    """Return about how many seconds a round of so many workers takes beside their work."""
    return BESIDE + PROCESS_START * count if column.executor == "processes" else 0.0


def usual_work(counts: Iterable[int], cpus: int) -> float:
    """Return the seconds of work for each worker with which the fewest rounds fit into the budget."""
    cells = [(column, count) for column in COLUMNS.values() for count in counts]
    turns = sum(column.turns(count, cpus) for column, count in cells)
    starts = sum(starting(column, count) for column, count in cells)
    return min(USUAL_WORK, max(LEAST_WORK, (TIME / FEWEST_ROUNDS - starts) / turns))


class Course:
    """The course of the experiment.

    Parameters
    ----------
    counts : list of int
        Numbers of workers.
    work : float
        Seconds that the work of one takes.
    rule : Rule
        When to stop.
    runner : Runner
    """

    def __init__(self, counts: Sequence[int], work: float, rule: Rule, runner: Runner) -> None:
        self.counts = counts
        self.work = work
        self.rule = rule
        self.runner = runner
        self.missing = {name: reason for name, c in COLUMNS.items() if (reason := missing(c))}
        cpus = machine.usable_cpus()
        self.cases = {
            column.case(count): column.turns(count, cpus) * work + starting(column, count)
            for name, column in COLUMNS.items()
            if name not in self.missing
            for count in counts
        }  # with the seconds of each in a round, about
        self.sizes: dict[tuple[str, bool], int] = {}  # by kernel, and whether it is compiled

    def measure(self, lab: Lab) -> None:
        """Find out how much work lasts as long as it should, then run the rounds."""
        runner = self.runner
        runner.begin(STUDY.kind)
        runner.facts |= facts.COUNTS.entry(list(self.counts))
        runner.facts |= facts.WORK.entry(self.work)
        runner.facts |= facts.METHOD.entry(fresh_workers.start_method())
        if self.missing:
            runner.facts |= facts.MISSING.entry(self.missing)
        load = machine.load_by_others()
        whole = sum(self.cases.values())
        runner.later = self.rule(1, whole) * whole
        runner.say("calibrating", FITTED)
        self._fit(lab)
        runner.later = 0.0
        cases = runner.open(self.cases)
        for case in cases:
            runner.record(case, load, facts.SIZE.entry(self._size(case)))
        runner.rounds(
            [Lane(case, partial(self._lane, lab, case), self.cases[case]) for case in cases],
            self.rule,
            lambda index, planned, case: f"round {index + 1} of {planned}: {case.name}",
        )
        runner.note_load(cases, machine.load_by_others())

    def _fit(self, lab: Lab) -> None:
        """Find the sizes: of plain Python, and of the compiled versions, which have one body."""
        self.sizes = {("sleep", False): max(1, round(self.work * 1e6))}
        tried = min(self.work, USUAL_WORK)
        for variant in ("python", "gil"):
            key = "lcg", variant != "python"
            fitted = [case for case in self.cases if (case.kernel, case.variant != "python") == key]
            size = self.runner.attempt(
                fitted, partial(lab.call, fresh_workers.fitting, "lcg", variant, tried)
            )
            if size is not None:
                self.sizes[key] = round(size * self.work / tried)

    def _size(self, case: Case) -> int:
        return self.sizes[case.kernel, case.variant != "python"]

    def _lane(self, lab: Lab, case: Case) -> Measured:
        run = fresh_workers.CREWS[case.executor]
        return Measured(lab.call(run, case.kernel, case.variant, self._size(case), case.workers))


@with_bar
def scaling(
    *,
    work: float | None = None,
    workers: Iterable[int] | int | None = None,
    rounds: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,
    progress: Listener | bool | None = None,
) -> Scaling:
    """Run the classic experiment: the same work for each of 1 … 2 × CPUs threads or processes.

    Work is CPU-bound or waits. Fresh threads and processes are started and joined, and both counts. Threads
    run in a process of their own, and processes start from a small program.

    Parameters
    ----------
    work : float, optional
        Seconds that the work of one worker takes; by default 0.1, or less where there are many CPUs.
    workers : list of int, or int, optional
        Worker counts; by default 1 … 2 × CPUs.
    rounds : int, optional
        By default as many as fit into about half a minute, and at least 6.
    seed : int, optional
        For the order of the cases in a round; recorded in the results.
    output, progress
        As in `gilkit.compare`; the file is written at the end.
    timeout : float
        Seconds after which a case is given up and its processes are killed.

    Returns
    -------
    Scaling

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.
    ResultsError, KeyboardInterrupt
        As `gilkit.compare` does.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.scaling(work=0.05)  # doctest: +SKIP
    """
    cpus = machine.usable_cpus()
    counts = worker_list(workers, worker_counts(cpus))
    if work is None:
        work = usual_work(counts, cpus)
    elif isinstance(work, bool) or not isinstance(work, int | float):
        raise TypeError(f"work must be a number of seconds, not {type(work).__name__}")
    elif not 0.001 <= work <= LONGEST_WORK:
        raise ValueError(f"work must be from 0.001 to {LONGEST_WORK:g} seconds, not {work}")
    asked = checked_rounds(rounds)
    rule = within(TIME) if asked is None else exactly(asked)
    lab = Lab(1, checked_timeout(timeout))
    if output is not None:
        check_writable(output)
    course = Course(counts, float(work), rule, Runner(seed, progress))
    return obtained(Scaling, lab, course.measure, course.runner.suite, output)
