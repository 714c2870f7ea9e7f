"""`threshold`: sweep sizes by factors, then bisect, for the size from which releasing the GIL pays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from statistics import mean

from gilkit import machine
from gilkit.arguments import (
    SHORT_TIMEOUT,
    checked_rounds,
    checked_timeout,
    worker_list,
)
from gilkit.display.progress import Listener, with_bar
from gilkit.engine.gil_facts import gil_facts
from gilkit.engine.meter import Meter
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Lane, Measured, Runner
from gilkit.engine.session import obtained
from gilkit.kernels import Kernel
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.writing import check_writable
from gilkit.studies.outcome import Outcome
from gilkit.studies.threshold import STUDY
from gilkit.studies.threshold.contest import Contest, of_kernel, of_statement, swept
from gilkit.studies.threshold.crossing import (
    HOLDING,
    Crossing,
    Point,
    cases,
    crossing,
    point,
    points,
)
from gilkit.studies.threshold.plan import MOST_TIMES, ROUNDS
from gilkit.workloads.target import kernel_or_statement

WINDOW_LENGTH = 0.05  # seconds of a window, at the least
HALVINGS = 5  # from a bracket so wide to one that is narrow enough
HARDER = 1.3  # times as many rounds, about, as a size takes that is far from the threshold
LIMIT = 60.0  # seconds after which no further size is measured


class Threshold(Outcome):
    """From which size on one way beats another, by the number of workers. Its ``repr`` is the report.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    study = STUDY

    @property
    def workers(self) -> list[int]:
        """The worker counts that were measured."""
        return facts.COUNTS.needed(self.results.facts)

    def points(self, workers: int) -> list[Point]:
        """Return what was measured at every size for so many workers.

        Parameters
        ----------
        workers : int
            One of `workers`.

        Returns
        -------
        list of Point
            By size; each has the ``advantage`` of releasing there, with its interval.

        Raises
        ------
        ValueError
            If so many were not measured.
        """
        self._known(workers)
        return points(self.results, workers)

    def crossing(self, workers: int) -> Crossing:
        """Return the bracket of the threshold for so many workers.

        Parameters
        ----------
        workers : int
            One of `workers`.

        Returns
        -------
        Crossing
            ``low`` and ``high``, in the unit of the sizes; ``at`` is between them.

        Raises
        ------
        ValueError
            If so many were not measured.
        """
        return crossing(self.points(workers))

    def _known(self, workers: int) -> None:
        if workers not in self.workers:
            known = ", ".join(map(str, self.workers))
            raise ValueError(f"{workers} workers were not measured; measured were {known}")


class Course:
    """The course of one search.

    Parameters
    ----------
    contest : Contest
    workers : list of int
        Worker counts.
    rounds : int or None
        At every size; None for as many as it takes, within limits.
    cpus : int
    runner : Runner
    """

    def __init__(
        self, contest: Contest, workers: Sequence[int], rounds: int | None, cpus: int, runner: Runner
    ) -> None:
        self.contest = contest
        self.workers = workers
        self.asked = rounds
        self.cpus = cpus
        self.runner = runner
        self.sizes: set[int] = set()  # that were measured
        self.took: list[float] = []  # seconds of those that were swept; or, later, of those in between
        self.halving = False  # whether those are measured
        self.harder = HARDER if rounds is None else 1.0

    def measure(self, lab: Lab) -> None:
        """Sweep, then bisect until every bracket is narrow, or time is up."""
        runner, contest = self.runner, self.contest
        self.meter = Meter(lab, WINDOW_LENGTH, self.cpus, runner.random)
        runner.begin(STUDY.kind)
        runner.facts |= contest.facts
        runner.facts |= facts.SUBJECT.entry(contest.name)
        runner.facts |= facts.BEATEN.entry(contest.beaten)
        runner.facts |= facts.UNIT.entry(contest.unit)
        runner.facts |= facts.COUNTS.entry(list(self.workers))
        sizes = swept(contest.smallest, contest.largest)
        load = machine.load_by_others()
        self._search(sizes, load)
        runner.note_load(list(runner.records), machine.load_by_others())

    def _search(self, sizes: list[int], load: float) -> None:
        """Measure these sizes, and then in the middle of every bracket that is wide."""
        runner, begun = self.runner, self.runner.clock()
        halvings = HALVINGS * sum(count > 1 for count in self.workers)  # releasing gains one alone nothing
        while sizes:
            for number, size in enumerate(sizes):
                before = runner.clock()
                left = len(sizes) - number - 1 + halvings * (1.0 if self.halving else self.harder)
                self._measure(size, load, partial(self._later, left, begun + LIMIT))
                self.took.append(runner.clock() - before)
                if runner.clock() - begun > LIMIT:
                    runner.facts |= facts.UNFINISHED.entry(f"after {LIMIT:g} s no further size was measured")
                    return
            brackets = [crossing(self._points(count)) for count in self.workers]
            middles = {bracket.middle for bracket in brackets}
            sizes = sorted(size for size in middles - {None} if size is not None and size not in self.sizes)
            halvings = max(0, sum(bracket.halvings for bracket in brackets) - len(sizes))
            if not self.halving:
                self.halving, self.took = True, [self.harder * mean(self.took)]

    def _later(self, sizes: float, end: float, seconds: float) -> float:
        """Return about how long so many further sizes take, after one that takes so many seconds."""
        each = mean(self.took) if self.took else seconds
        return max(0.0, min(sizes * each, end - self.runner.clock() - seconds))

    def _points(self, workers: int) -> list[Point]:
        found = (self._point(size, workers) for size in self.sizes)
        return [item for item in found if item is not None]

    def _point(self, size: int, workers: int) -> Point | None:
        def values(case: Case) -> Mapping[int, float]:
            record = self.runner.records.get(case)
            return record.rounds() if record else {}

        return point(values, self.contest.name, size, self.contest.beaten, workers)

    def _measure(self, size: int, load: float, later: Callable[[float], float]) -> None:
        """Run the rounds of one size: more of them where they decide nothing."""
        runner, contest = self.runner, self.contest
        label = f"{contest.name}: {size:,} {contest.unit}"
        runner.say(label)
        wanted = cases(contest.name, size, contest.beaten, self.workers)
        paces = [
            runner.attempt(wanted, partial(self.meter.pace, "threads", self.contest.workload(variant, size)))
            for variant in dict.fromkeys(case.variant for case in wanted)
        ]
        if None not in paces:
            if not self.sizes:
                used = {"threads": contest.workload(wanted[0].variant, size)}
                runner.facts |= gil_facts(self.meter.lab, used, runner.facts)
            self.sizes.add(size)
            for case in wanted:
                runner.record(case, load, facts.SIZE.entry(size))
            lanes = [Lane(case, partial(self._lane, case, size), self._cost(case, size)) for case in wanted]
            planned = self.asked or ROUNDS
            runner.later = later(planned * runner.pace * sum(lane.cost for lane in lanes))
            runner.rounds(lanes, lambda done, _: self._planned(size, done), lambda *_: label)

    def _planned(self, size: int, done: int) -> int:
        """Return how many rounds there are to be of a size, when so many are done: until it is looked at."""
        if self.asked is not None:
            return self.asked
        if done and done % ROUNDS == 0 and not self._open(size):
            return done
        return min(ROUNDS * (done // ROUNDS + 1), MOST_TIMES * ROUNDS)

    def _open(self, size: int) -> bool:
        found = (self._point(size, workers) for workers in self.workers)
        return any(item is None or item.open for item in found)

    def _cost(self, case: Case, size: int) -> float:
        """Return about how long a window of a case takes."""
        return self.meter.seconds(case.executor, self.contest.workload(case.variant, size), case.workers)

    def _lane(self, case: Case, size: int) -> Measured:
        workload = self.contest.workload(case.variant, size)
        if case.variant == HOLDING and facts.GIL.of(self.runner.facts) == "on":
            self.meter.holds(workload)
        done = self.runner.records[case].ids
        window = self.meter.window(case.executor, workload, case.workers, len(done))
        return Measured(window.value, window=window)


@with_bar
def threshold(
    target: str | Kernel | None = None,
    /,
    *,
    stmt: str | None = None,
    setup: str = "pass",
    sizes: tuple[int, int] | None = None,
    workers: Iterable[int] | int | None = None,
    rounds: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = SHORT_TIMEOUT,
    progress: Listener | bool | None = None,
) -> Threshold:
    """Find the size from which on releasing the GIL pays.

    For a kernel: from which its ``nogil`` version beats its ``gil`` version, in what all threads get done.
    For a statement that names ``n``: from which threads beat one.

    Parameters
    ----------
    target : str or Kernel, optional
        A kernel with both versions.
    stmt, setup : str
        A statement instead, as in `gilkit.timeit`; both may use ``n``.
    sizes : (int, int), optional
        The smallest and the largest size; for a kernel by default from 1 to its own.
    workers, rounds, seed, output, timeout, progress
        As in `gilkit.compare`.

    Returns
    -------
    Threshold

    Raises
    ------
    TypeError, ValueError, ResultsError, KeyboardInterrupt
        As `gilkit.compare` and `gilkit.timeit` do.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.threshold("crc32")  # doctest: +SKIP
    """
    cpus = machine.usable_cpus()
    counts = worker_list(workers, (1, max(2, cpus)))
    target_or_own = kernel_or_statement("threshold", target, stmt, setup)
    if isinstance(target_or_own, Kernel):
        contest = of_kernel(target_or_own, sizes)
    else:
        contest = of_statement(target_or_own, str(stmt), setup, sizes)
        counts = [count for count in counts if count > 1]
        if not counts:
            raise ValueError("workers must name a count of 2 or more: one thread cannot beat itself")
    if output is not None:
        check_writable(output)
    runner = Runner(seed, progress)
    course = Course(contest, counts, checked_rounds(rounds), cpus, runner)
    lab = Lab(max(counts), checked_timeout(timeout))
    return obtained(Threshold, lab, course.measure, runner.suite, output)
