"""The columns of the classic experiment, and whether the time in one stays flat when workers are added.

To add one is to add one entry to COLUMNS: the table, the pictures and the tests have it from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gilkit.arguments import shown_count
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate, paired, paired_ratio

FLAT = 1.25  # times what the fewest workers take, up to which a column is flat


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of work on one kind of worker.

    Parameters
    ----------
    name : str
        Its heading.
    sign : str
        What draws its curve: one character.
    kernel, variant, executor : str
        As in a `Case`.
    about : str
        Who does what.
    """

    name: str
    sign: str
    kernel: str
    variant: str
    executor: str
    about: str

    def case(self, workers: int) -> Case:
        """Return its case with so many workers."""
        return Case(self.kernel, self.variant, self.executor, workers)

    def turns(self, workers: int, cpus: int) -> float:
        """Return by what factor its workers may have to wait for one another."""
        if self.kernel == "sleep":
            return 1.0
        if self.executor == "threads" and self.variant in ("python", "gil"):
            return workers
        return max(1.0, workers / cpus)


COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("CpuThread", "T", "lcg", "python", "threads", "plain Python arithmetic, on threads"),
        Column("CpuProcess", "P", "lcg", "python", "processes", "the same, in processes"),
        Column("IoThread", "t", "sleep", "python", "threads", "`time.sleep`, on threads"),
        Column("IoProcess", "p", "sleep", "python", "processes", "the same, in processes"),
        Column("gil", "g", "lcg", "gil", "threads", "compiled arithmetic that holds the GIL, on threads"),
        Column("nogil", "n", "lcg", "nogil", "threads", "the same without the GIL, on threads"),
        Column("native", "o", "lcg", "native", "openmp", "the same on OpenMP threads, without Python"),
    )
}


@dataclass(frozen=True, slots=True)
class Growth:
    """How the columns fare with so many workers: those that stay flat, that grow, and that may be either.

    Each has its column's seconds as a multiple of what the fewest workers took.
    """

    workers: int
    flat: dict[str, Estimate]
    growing: dict[str, Estimate]
    undecided: dict[str, Estimate]


def counts(results: Results) -> list[int]:
    """Return the worker counts that were asked for."""
    return facts.COUNTS.needed(results.facts)


def measured(results: Results, column: Column) -> dict[int, Estimate]:
    """Return the seconds of a column by workers, where they were measured."""
    found = {workers: results.values(column.case(workers)) for workers in counts(results)}
    return {workers: estimate(values) for workers, values in found.items() if values}


def grown(results: Results, column: Column, workers: int) -> Estimate | None:
    """Return the seconds with so many workers as a multiple of those with the fewest; None if one failed."""
    tops, bases = (results.rounds(column.case(n)) for n in (workers, counts(results)[0]))
    return paired_ratio(tops, bases) if paired(tops, bases) else None


def growth(results: Results, workers: int) -> Growth:
    """Sort the columns by what their intervals say of so many workers."""
    found = Growth(workers, {}, {}, {})
    for name, column in COLUMNS.items():
        if (times := grown(results, column, workers)) is None:
            continue
        # One round has no interval: both ends are nan, and neither comparison holds.
        place = found.flat if times.high <= FLAT else found.growing if times.low > FLAT else found.undecided
        place[name] = times
    return found


def told(results: Results) -> Iterable[Growth]:
    """Return what there is to say: of as many workers as CPUs, and of the most."""
    every = counts(results)
    for workers in sorted({shown_count(every, results.cpus), every[-1]} - {every[0]}):
        yield growth(results, workers)
