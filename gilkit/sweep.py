"""`threshold`: sweep sizes by factors, then bisect, for the size from which releasing the GIL pays."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gilkit import machine, results
from gilkit.crossing import GIL, OWN, Crossing, Point, cases, crossing, point, points
from gilkit.kernels import Kernel
from gilkit.lab import Lab
from gilkit.measure import CaseFailedError, Round, calibrated
from gilkit.outcome import Outcome, obtained
from gilkit.plan import chosen_kernels, worker_counts
from gilkit.results import Case, Record
from gilkit.run import Progress, run_facts
from gilkit.settings import SHORT, checked_rounds, checked_timeout, positive, worker_list
from gilkit.statement import StatementCall, check, named
from gilkit.workload import KernelCall, Workload

FACTOR = 4  # from one size of the sweep to the next
LENGTH = 0.008  # seconds that one worker's calls last in a round
LIMIT = 45.0  # seconds after which no further size is measured
OVERHEAD = 0.006  # seconds that a round of a case takes beside its calls
ROUNDS = 7  # at every size; three times as many where it is close
SMALLEST, LARGEST = 1, 2**40  # sizes


class Threshold(Outcome):
    """From which size on one way beats another, by the number of workers. Its ``repr`` is the report.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    kind = "threshold"

    @property
    def workers(self) -> list[int]:
        """The worker counts that were measured."""
        return list(json.loads(self.results.facts["gilkit_counts"]))

    def points(self, workers: int) -> list[Point]:
        """Return what was measured at every size for so many workers."""
        self._known(workers)
        return points(self.results, workers)

    def crossing(self, workers: int) -> Crossing:
        """Return the bracket of the threshold for so many workers."""
        return crossing(self.points(workers))

    def _known(self, workers: int) -> None:
        if workers not in self.workers:
            known = ", ".join(map(str, self.workers))
            raise ValueError(f"{workers} workers were not measured; measured were {known}")


@dataclass(frozen=True, slots=True)
class Contest:
    """What is swept: a kernel's `nogil` against its `gil` version, or a statement's threads against one.

    Parameters
    ----------
    name : str
    beaten : str
        See `gilkit.crossing`.
    workload : callable
        ``workload(variant, size)``.
    smallest, largest : int
        Sizes.
    unit : str
        What a size counts.
    facts : dict
        What else the results are to hold.
    """

    name: str
    beaten: str
    workload: Callable[[str, int], Workload]
    smallest: int
    largest: int
    unit: str
    facts: dict[str, str]


class Sweep:
    """The course of one search."""

    def __init__(
        self,
        contest: Contest,
        workers: Sequence[int],
        rounds: int | None,
        seed: int | None,
        cpus: int,
        progress: Callable[[Progress], None] | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.contest = contest
        self.workers = workers
        self.rounds = rounds
        self.cpus = cpus
        self.progress = progress
        self.clock = clock
        self.seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self.random = random.Random(self.seed)
        self.records: dict[Case, Record] = {}
        self.failures: dict[Case, str] = {}
        self.facts: dict[str, str | int | float] = {}
        self.done = 0
        self.planned = 0

    def measure(self, lab: Lab) -> None:
        """Sweep, then bisect until every bracket is narrow, or time is up."""
        begun = self.clock()
        self.facts = {
            **run_facts(self.seed),
            **self.contest.facts,
            "gilkit_kind": Threshold.kind,
            "gilkit_subject": self.contest.name,
            "gilkit_beaten": self.contest.beaten,
            "gilkit_unit": self.contest.unit,
            "gilkit_counts": json.dumps(list(self.workers)),
        }
        sizes = swept(self.contest.smallest, self.contest.largest)
        self.planned = len(sizes) + 6  # bisections, about
        load = machine.load_by_others()
        while sizes:
            for size in sizes:
                self._measure(lab, size, load)
                if self.clock() - begun > LIMIT:
                    self.facts["gilkit_unfinished"] = f"after {LIMIT:g} s no further size was measured"
                    return
            measured = {record.facts["gilkit_size"] for record in self.records.values()}
            middles = {crossing(self._points(count)).middle for count in self.workers}
            sizes = sorted(size for size in middles - {None} if size is not None and size not in measured)

    def _points(self, workers: int) -> list[Point]:
        sizes = {int(record.facts["gilkit_size"]) for record in self.records.values()}
        found = (self._point(size, workers) for size in sizes)
        return [item for item in found if item is not None]

    def _point(self, size: int, workers: int) -> Point | None:
        def values(case: Case) -> Sequence[float]:
            return self.records[case].values if case in self.records else ()

        return point(values, self.contest.name, size, self.contest.beaten, workers)

    def _measure(self, lab: Lab, size: int, load: float) -> None:
        """Run the rounds of one size: more of them where they decide nothing."""
        self.done += 1
        self.planned = max(self.planned, self.done)
        if self.progress is not None:
            label = f"{self.contest.name}: {size:,} {self.contest.unit}"
            self.progress(Progress(self.done - 1, self.planned, label))
        wanted = cases(self.contest.name, size, self.contest.beaten, self.workers)
        try:
            loops, _ = calibrated(lambda n: self._round(lab, wanted[0], size, n, 1).seconds, LENGTH)
        except CaseFailedError as error:
            self.failures.update(dict.fromkeys(wanted, str(error)))
            return
        facts: dict[str, str | int | float] = {"gilkit_size": size, "gilkit_load": round(load, 3)}
        for case in wanted:
            self.records[case] = Record(case, facts={**facts, "gilkit_workers": case.workers})
        for index in range(self.rounds or 3 * ROUNDS):
            if index and index % ROUNDS == 0 and not self.rounds and not self._open(size):
                return
            self._interleaved(lab, wanted, size, loops)

    def _open(self, size: int) -> bool:
        found = (self._point(size, workers) for workers in self.workers)
        return any(item is not None and item.open for item in found)

    def _interleaved(self, lab: Lab, wanted: list[Case], size: int, loops: int) -> None:
        order = [case for case in wanted if case not in self.failures]
        self.random.shuffle(order)
        values = {}
        for case in order:
            sharing = case.workers if case.variant == GIL else max(1.0, case.workers / self.cpus)
            try:
                values[case] = self._round(lab, case, size, max(1, round(loops / sharing))).value
            except CaseFailedError as error:
                self.failures[case] = str(error)
        for case, value in values.items():  # whole rounds only
            self.records[case].values.append(value)

    def _round(self, lab: Lab, case: Case, size: int, loops: int, workers: int | None = None) -> Round:
        workload = self.contest.workload(case.variant, size)
        return lab.round(case.executor, workload, workers or case.workers, loops)

    def suite(self) -> Any:
        """Return what was measured so far."""
        return results.build(self.records.values(), self.facts, self.failures)


def swept(smallest: int, largest: int) -> list[int]:
    """Return sizes from one end to the other, each `FACTOR` times the one before."""
    sizes = []
    size = smallest
    while size < largest:
        sizes.append(size)
        size *= FACTOR
    return [*sizes, largest]


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
    timeout: float = SHORT,
    progress: Callable[[Progress], None] | None = None,
) -> Threshold:
    """Find the size from which on releasing the GIL pays.

    For a kernel: from which its `nogil` version beats its `gil` version, in what all threads get done. For a
    statement that names ``n``: from which threads beat one.

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
    counts = worker_list(workers, worker_counts(cpus))
    if (target is None) == (stmt is None):
        raise TypeError("give a kernel or a statement")
    contest = _own(stmt, setup, sizes) if stmt is not None else _kernel(target, sizes)
    if contest.beaten == OWN:
        counts = [count for count in counts if count > 1]
        if not counts:
            raise ValueError("workers must name a count of 2 or more: one thread cannot beat itself")
    if output is not None:
        results.check_writable(output)
    sweep = Sweep(contest, counts, checked_rounds(rounds), seed, cpus, progress)
    return obtained(Threshold, Lab(max(counts), checked_timeout(timeout)), sweep.measure, sweep.suite, output)


def _kernel(target: Any, sizes: tuple[int, int] | None) -> Contest:
    chosen = chosen_kernels(target, None)
    if len(chosen) != 1:
        raise ValueError("threshold takes one kernel at a time")
    kernel = chosen[0]
    for variant in (GIL, "nogil"):
        if kernel.variant(variant) is None:
            why = kernel.missing.get(variant, "it has none")
            raise ValueError(f"{kernel.name} has no {variant} version to compare: {why}")
    smallest, largest = _ends(sizes or (SMALLEST, kernel.size), min(LARGEST, kernel.largest))

    def workload(variant: str, size: int) -> Workload:
        return KernelCall(kernel.name, variant, size)

    return Contest(kernel.name, GIL, workload, smallest, largest, kernel.unit, {})


def _own(stmt: str, setup: str, sizes: tuple[int, int] | None) -> Contest:
    check(setup, stmt)
    if sizes is None:
        raise ValueError("a statement needs sizes: the smallest and the largest n")
    if "n" not in compile(stmt, "", "exec").co_names:
        raise ValueError("the statement does not use n, so its size does not change")
    smallest, largest = _ends(sizes, LARGEST)

    def workload(variant: str, size: int) -> Workload:  # noqa: ARG001 (there is one)
        return StatementCall(setup, stmt, (("n", size),))

    name = named(stmt)
    facts = {"gilkit_statement": json.dumps(stmt), "gilkit_setup": json.dumps(setup)}
    return Contest(name, OWN, workload, smallest, largest, "n", facts)


def _ends(sizes: tuple[int, int], most: int) -> tuple[int, int]:
    try:
        smallest, largest = (positive("sizes", size) for size in sizes)
    except (TypeError, ValueError) as error:
        wanted = "sizes must be two integers of at least 1, the smallest and the largest"
        raise type(error)(f"{wanted}, not {sizes}") from None
    if smallest >= largest:
        raise ValueError(f"sizes must rise: {smallest} is not smaller than {largest}")
    if largest > most:
        raise ValueError(f"sizes must be at most {most}, not {largest}")
    return smallest, largest
