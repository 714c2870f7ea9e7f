"""Splits of CPUs into processes with threads each, and what is measured of them is called."""

from __future__ import annotations

from dataclasses import dataclass

from gilkit.results.case import Case
from gilkit.results.file import Results

MOST_SPLITS = 8  # that are measured; of more there are those that lie evenly between the ends
EMPTY = "an empty task"  # what is measured beside the statement
EXECUTOR = "dask"
OF = "by-"


@dataclass(frozen=True, slots=True, order=True)
class Split:
    """So many processes, each with so many threads."""

    processes: int
    threads: int

    def __str__(self) -> str:
        return f"{self.processes} × {self.threads}"

    @property
    def options(self) -> str:
        """What ``dask worker`` is to be told."""
        return f"--nworkers {self.processes} --nthreads {self.threads}"

    @property
    def workers(self) -> int:
        """How many tasks run at one time."""
        return self.processes * self.threads

    def case(self, what: str) -> Case:
        """Return what is measured of a statement, or of ``EMPTY``."""
        return Case(what, f"{OF}{self.threads}", EXECUTOR, self.processes)


def splits(cpus: int) -> list[Split]:
    """Return every split of so many CPUs, that of one process first.

    Of many there are `MOST_SPLITS`, the first and the last among them.
    """
    every = [Split(count, cpus // count) for count in range(1, cpus + 1) if cpus % count == 0]
    if len(every) <= MOST_SPLITS:
        return every
    last = len(every) - 1
    return [every[round(place * last / (MOST_SPLITS - 1))] for place in range(MOST_SPLITS)]


def is_split(case: Case) -> bool:
    """Whether a case is one of a split."""
    return case.executor == EXECUTOR and case.variant.startswith(OF)


def split_of(case: Case) -> Split:
    """Return the split that a case is of."""
    return Split(case.workers, int(case.variant.removeprefix(OF)))


def splits_in(results: Results) -> list[Split]:
    """Return the splits of which there are results, or failures."""
    return sorted({split_of(case) for case in (*results, *results.failures)})
