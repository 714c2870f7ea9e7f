"""Which split to use, of made-up figures."""

from __future__ import annotations

from math import nan

import pytest

from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.stats import Estimate
from gilkit.studies.layout.figures import CallFigures, Standing
from gilkit.studies.layout.hosts import HostRow, _with_speedups
from gilkit.studies.layout.splits import MOST_SPLITS, Split, splits
from gilkit.studies.layout.verdict import SplitChoice, Why, because, decided

HOLDS, RELEASES = CallFigures(2e-3, held=0.99), CallFigures(2e-3, held=0.01)
THREADS, PROCESSES = Split(1, 2), Split(2, 1)
GB = 10**9


def standing(split: Split, part: float, margin: float = 0.02, memory: int = 10**8) -> Standing:
    """A split that does such a part of the best; that itself does all of it."""
    ratio = None if part == 1 else Estimate(part, part - margin, part + margin)
    rate = 1000 * part
    return Standing(split, Estimate(rate, 0.98 * rate, 1.02 * rate), ratio, Estimate(1e-3), memory)


def test_who_holds_the_gil_gets_as_many_processes_as_cpus() -> None:
    found = [standing(THREADS, 0.5), standing(PROCESSES, 1.0)]
    assert decided(found, HOLDS) == SplitChoice(PROCESSES, Why.HOLDS)
    assert because(found, HOLDS) == "a call holds the GIL for 99%, so threads of one process take turns"


@pytest.mark.parametrize("best", [THREADS, PROCESSES])
def test_who_releases_it_gets_threads_as_they_take_less_memory(best: Split) -> None:
    found = [standing(split, 1.0 if split == best else 0.98, memory=GB) for split in (THREADS, PROCESSES)]
    assert decided(found, RELEASES) == SplitChoice(THREADS, Why.MEMORY)
    assert because(found, RELEASES) == (
        "it does as much as 2 × 1, with 1.00 GB of memory instead of 2.00 GB; a call holds the GIL for 1.0%"
    )


def test_what_does_not_fit_into_memory_is_the_reason() -> None:
    why = "2 processes of 3.00 GB need 6.00 GB, and 4.00 GB are free"
    found = [standing(THREADS, 1.0, memory=3 * GB), Standing(PROCESSES, failed=why)]
    assert decided(found, HOLDS) == SplitChoice(THREADS, Why.ROOM)
    assert because(found, HOLDS).startswith(why)


def test_what_intervals_allow_is_not_decided() -> None:
    found = [standing(THREADS, 0.88, 0.1), standing(PROCESSES, 1.0)]
    assert decided(found, RELEASES) == SplitChoice(None, Why.OPEN, (THREADS, PROCESSES))
    assert because(found, RELEASES).startswith("between 1 × 2 and 2 × 1: use more --rounds")


def test_a_better_split_of_more_processes_may_not_be_ruled_out() -> None:
    found = [standing(THREADS, 1.0), standing(PROCESSES, 0.98, 0.2)]
    assert decided(found, RELEASES).split is None


def test_few_rounds_decide_nothing() -> None:
    few = Standing(PROCESSES, Estimate(500.0), Estimate(0.5, nan, nan, 0.4, 0.6))
    assert decided([standing(THREADS, 1.0), few], RELEASES) == SplitChoice(
        None, Why.OPEN, (THREADS, PROCESSES)
    )
    assert decided([], RELEASES) == SplitChoice(None, Why.OPEN)


def test_on_one_cpu_there_is_nothing_to_decide() -> None:
    found = [standing(Split(1, 1), 1.0)]
    assert decided(found, HOLDS) == SplitChoice(Split(1, 1), Why.ALONE)
    assert because(found, HOLDS) == "there is no other split of so many CPUs"


def test_in_the_middle_may_be_the_best() -> None:
    found = [standing(Split(1, 8), 0.4), standing(Split(2, 4), 0.75), standing(Split(4, 2), 1.0)]
    found.append(standing(Split(8, 1), 0.8))
    assert decided(found, CallFigures(2e-3, held=0.4)) == SplitChoice(Split(4, 2), Why.FASTEST)


@pytest.mark.parametrize(
    ("cpus", "expected"),
    [
        (1, ["1 × 1"]),
        (2, ["1 × 2", "2 × 1"]),
        (7, ["1 × 7", "7 × 1"]),
        (8, ["1 × 8", "2 × 4", "4 × 2", "8 × 1"]),
    ],
)
def test_every_split_of_the_cpus_is_one(cpus: int, expected: list[str]) -> None:
    assert [str(split) for split in splits(cpus)] == expected


@pytest.mark.parametrize("cpus", [64, 96, 360, 512])
def test_of_many_splits_a_few_are_measured_both_ends_among_them(cpus: int) -> None:
    found = splits(cpus)
    assert len(found) <= MOST_SPLITS
    assert len(set(found)) == len(found)
    assert (found[0], found[-1]) == (Split(1, cpus), Split(cpus, 1))
    assert all(split.workers == cpus for split in found)


def test_a_host_is_told_what_to_use_where_processes_have_fewer_rounds_than_threads() -> None:
    """Threads that vary get more rounds: few are pairs, and the two are compared apart."""
    taken = {("threads", 1): [1.0] * 24, ("threads", 2): [2.0] * 24}
    taken |= {("processes", workers): [1.0] * 8 for workers in (1, 2)}
    records = [
        Record(Case("s", "function", executor, workers), values, facts.WORKERS.entry(workers))
        for (executor, workers), values in taken.items()
    ]
    own = Results(build(records, {**facts.CPUS.entry(2), **facts.GIL.entry("on")}, {}))
    assert _with_speedups(HostRow("here", "", "", 2), own).use == "processes"
