"""Speedups, and ratios of them, from the rounds that nobody disturbed: pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import median

from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, paired, spread_over

Rounds = Mapping[int, float]


def speedups(many: Rounds, one: Rounds, workers: int) -> dict[int, float]:
    """Return how many times the work of one worker so many did, by round.

    Parameters
    ----------
    many, one : mapping of int to float
        Seconds per call of each worker, by round: of the workers, and of one alone.
    workers : int
    """
    return {id_: workers * one[id_] / many[id_] for id_ in paired(many, one)}


def over_sets(values: Rounds, sets: Sequence[int]) -> Estimate | None:
    """Return the median over rounds, its interval spanning sets of processes that differ; None without any.

    Parameters
    ----------
    values : mapping of int to float
        By round.
    sets : sequence of int
        The first round of each set of fresh processes, from the second set on.
    """
    if not values:
        return None
    return spread_over(values, {id_: bisect_right(sets, id_) for id_ in values})


def by_round(results: Results, case: Case) -> dict[int, float]:
    """Return the speedup of a case in every round that counts; empty where it was not measured."""
    if case in results.failures:
        return {}
    return speedups(results.rounds(case), results.rounds(results.baseline(case)), case.workers)


def sets_of(results: Results, case: Case) -> list[int]:
    """Return the first round of each further set of processes in which a case was measured."""
    return results.fact(case, facts.GENERATIONS) or []


def speedup(results: Results, case: Case) -> Estimate | None:
    """Return how many times the work of one worker is done; None where it was not measured."""
    found = over_sets(by_round(results, case), sets_of(results, case))
    return found if found is not None or case in results.failures else _disturbed(results, case)


def _disturbed(results: Results, case: Case) -> Estimate | None:
    """Return a speedup of which others disturbed every round: a range, which decides nothing."""
    found = speedups(results.every(case), results.every(results.baseline(case)), case.workers)
    return (
        Estimate(median(found.values()), least=min(found.values()), most=max(found.values()))
        if found
        else None
    )


def compared(results: Results, top: Case, bottom: Case) -> Estimate | None:
    """Return the ratio of two speedups, paired by rounds; None where one was not measured."""
    tops, bottoms = by_round(results, top), by_round(results, bottom)
    return over_sets({id_: tops[id_] / bottoms[id_] for id_ in paired(tops, bottoms)}, sets_of(results, top))
