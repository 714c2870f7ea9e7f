"""`scaling`: the classic experiment, threads and processes started and joined, in interleaved rounds."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gilkit import columns, crews, machine, plotting, results
from gilkit.columns import COLUMNS, Column
from gilkit.executors import EXECUTORS
from gilkit.kernels import KERNELS
from gilkit.lab import Lab
from gilkit.measure import CaseFailedError
from gilkit.outcome import Outcome, obtained
from gilkit.plan import worker_counts
from gilkit.results import Case, Record
from gilkit.run import Progress, run_facts
from gilkit.settings import SECONDS, checked_rounds, checked_timeout, shown_count, worker_list
from gilkit.stats import Estimate

BUDGET = 24.0  # seconds for the rounds
FEW, MOST = 3, 25  # rounds
LEAST, WORK, LONGEST = 0.01, 0.1, 10.0  # seconds of work: by default at least, and at most; that may be asked
OVERHEAD, START = 0.15, 0.01  # seconds that a round of processes takes beside its work, and for each process


class Scaling(Outcome):
    """How long fixed work for each worker takes, by workers. Its ``repr`` is the table with the curves.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    kind = "scaling"

    @property
    def workers(self) -> list[int]:
        """The worker counts that were measured."""
        return columns.counts(self.results)

    def seconds(self, column: str, workers: int) -> Estimate:
        """Return how long so many workers of a column take, from the first start to the last join.

        Parameters
        ----------
        column : str
            One of `gilkit.columns.COLUMNS`.
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
            One of `gilkit.columns.COLUMNS`.
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

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the curves into a file.

        Parameters
        ----------
        path : path
            Ends in .svg or .png.

        Raises
        ------
        ValueError
            If it does not, if there is no matplotlib, or if it cannot be written.
        """
        plotting.check(path)
        plotting.draw(self.results, path)

    def _check(self, column: str, workers: int) -> None:
        if column not in COLUMNS:
            raise ValueError(f"unknown column {column!r}: known are {', '.join(COLUMNS)}")
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


def usual_work(counts: Iterable[int], cpus: int) -> float:
    """Return the seconds of work for each worker with which the fewest rounds fit into the budget."""
    cells = [(column, count) for column in COLUMNS.values() for count in counts]
    turns = sum(column.turns(count, cpus) for column, count in cells)
    starts = sum(OVERHEAD + START * count for column, count in cells if column.executor == "processes")
    return min(WORK, max(LEAST, (BUDGET / FEW - starts) / turns))


class Course:
    """The course of one experiment."""

    def __init__(
        self,
        counts: Sequence[int],
        work: float,
        rounds: int | None,
        seed: int | None,
        progress: Callable[[Progress], None] | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.counts = counts
        self.work = work
        self.rounds = rounds
        self.progress = progress
        self.clock = clock
        self.seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self.random = random.Random(self.seed)
        self.missing = {name: reason for name, c in COLUMNS.items() if (reason := missing(c))}
        self.columns = [column for name, column in COLUMNS.items() if name not in self.missing]
        self.cases = [column.case(count) for column in self.columns for count in counts]
        self.sizes: dict[tuple[str, bool], int] = {}  # by kernel, and whether it is compiled
        self.records: dict[Case, Record] = {}
        self.failures: dict[Case, str] = {}
        self.facts: dict[str, str | int | float] = {}

    def measure(self, lab: Lab) -> None:
        """Find out how much work lasts as long as it should, then run the rounds."""
        self.facts = {
            **run_facts(self.seed),
            "gilkit_kind": Scaling.kind,
            "gilkit_counts": json.dumps(list(self.counts)),
            "gilkit_work": self.work,
            "gilkit_method": crews.start_method(),
        }
        if self.missing:
            self.facts["gilkit_missing"] = json.dumps(self.missing)
        load = machine.load_by_others()
        self._say(0, 0, "calibrating")
        self._fit(lab)
        for case in self._open():
            facts: dict[str, str | int | float] = {
                "gilkit_workers": case.workers,
                "gilkit_size": self._size(case),
                "gilkit_load": round(load, 3),
            }
            self.records[case] = Record(case, facts=facts)
        begun = self.clock()
        planned = self.rounds or MOST
        for index in range(planned):
            spent = self.clock() - begun
            if self.rounds is None and index:
                planned = max(FEW, min(MOST, int(BUDGET / max(1e-9, spent) * index)))
                if index >= planned:
                    break
            self._round(lab, index, planned)
        load = max(load, machine.load_by_others())
        for record in self.records.values():
            record.facts["gilkit_load"] = round(load, 3)

    def _fit(self, lab: Lab) -> None:
        """Find the sizes: of plain Python, and of the compiled versions, which have one body."""
        self.sizes = {("sleep", False): max(1, round(self.work * 1e6))}
        for variant in ("python", "gil"):
            key = "lcg", variant != "python"
            try:
                tried = min(self.work, WORK)
                size = lab.call(crews.fitting, "lcg", variant, tried)
                self.sizes[key] = round(size * self.work / tried)
            except CaseFailedError as error:
                lost = [case for case in self.cases if (case.kernel, case.variant != "python") == key]
                self.failures.update(dict.fromkeys(lost, str(error)))

    def _size(self, case: Case) -> int:
        return self.sizes[case.kernel, case.variant != "python"]

    def _open(self) -> list[Case]:
        """The cases that have not failed."""
        return [case for case in self.cases if case not in self.failures]

    def _say(self, done: float, planned: float, label: str) -> None:
        if self.progress is not None:
            self.progress(Progress(done, planned, label))

    def _round(self, lab: Lab, index: int, planned: int) -> None:
        """Measure every case once, in an order of this round's own."""
        order = self._open()
        self.random.shuffle(order)
        values = {}
        for place, case in enumerate(order):
            done = index + place / len(order)
            self._say(done, planned, f"round {index + 1} of {planned}: {case.name}")
            try:
                values[case] = lab.call(
                    crews.CREWS[case.executor], case.kernel, case.variant, self._size(case), case.workers
                )
            except CaseFailedError as error:
                self.failures[case] = str(error)
        for case, value in values.items():  # whole rounds only
            self.records[case].values.append(value)

    def suite(self) -> Any:
        """Return what was measured so far."""
        return results.build(self.records.values(), self.facts, self.failures)


def scaling(
    *,
    work: float | None = None,
    workers: Iterable[int] | int | None = None,
    rounds: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = SECONDS,
    progress: Callable[[Progress], None] | None = None,
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
        By default as many as fit into about half a minute, and at least 3.
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
    elif not 0.001 <= work <= LONGEST:
        raise ValueError(f"work must be from 0.001 to {LONGEST:g} seconds, not {work}")
    if output is not None:
        results.check_writable(output)
    course = Course(counts, float(work), checked_rounds(rounds), seed, progress)
    return obtained(Scaling, Lab(1, checked_timeout(timeout)), course.measure, course.suite, output)
