"""Speedups, and ratios of them, from the rounds that nobody disturbed: pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import median

from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, by_sets, paired, spread_over

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


def medians_of_sets(values: Rounds, sets: Sequence[int], fewest: int = 2) -> list[float]:
    """Return the median of each set of processes that has rounds enough, of these, to have a say."""
    found: dict[int, list[float]] = {}
    for id_, value in values.items():
        found.setdefault(bisect_right(sets, id_), []).append(value)
    return [median(of_set) for of_set in found.values() if len(of_set) >= fewest]


def work_ratio(
    results: Results, top: Case, bottom: Case, fewest_sets: int = 1, certain: float = 0.0
) -> Estimate | None:
    """Return the work of a case over that of another with as many workers, paired by rounds.

    Parameters
    ----------
    results : Results
    top, bottom : Case
    fewest_sets : int
        Of fewer sets of processes that have a say it has no interval.
    certain : float
        With what probability the interval covers the mean of sets, and then the median of each; 0 where it
        need not.

    Returns
    -------
    Estimate or None
        None where one was not measured.
    """
    if top in results.failures or bottom in results.failures:
        return None
    values, sets = speedups(results.rounds(top), results.rounds(bottom), 1), sets_of(results, top)
    found, of_set = over_sets(values, sets), medians_of_sets(values, sets)
    if len(of_set) < fewest_sets:  # others disturbed a round of nearly every set: one is left
        of_set = medians_of_sets(values, sets, 1)
    if found is not None and len(of_set) < fewest_sets:
        return Estimate(found, least=found.least, most=found.most)
    return found.spanning([*of_set, *by_sets(of_set, certain)]) if found is not None and certain else found


def by_round(results: Results, case: Case) -> dict[int, float]:
    """Return the speedup of a case in every round that counts; empty where it was not measured."""
    if case in results.failures:
        return {}
    return speedups(results.rounds(case), results.rounds(results.baseline(case)), case.workers)


def sets_of(results: Results, case: Case) -> list[int]:
    """Return the first round of each further set of processes in which a case was measured."""
    return results.fact(case, facts.GENERATIONS) or []


def of_sets(results: Results, case: Case) -> list[float]:
    """Return the median speedup in each set of processes that has a say."""
    return medians_of_sets(by_round(results, case), sets_of(results, case))


def speedup(results: Results, case: Case) -> Estimate | None:
    """Return how many times the work of one worker is done; None where it was not measured."""
    return beside_one(results, case, results.baseline(case))


def beside_one(results: Results, case: Case, one: Case) -> Estimate | None:
    """Return how many times the work of another case, of one worker, is done; None where it was not measured.

    Where others disturbed every round it is a range, which decides nothing.
    """
    if case in results.failures:
        return None
    counted = speedups(results.rounds(case), results.rounds(one), case.workers)
    if (found := over_sets(counted, sets_of(results, case))) is not None:
        return found
    every = speedups(results.every(case), results.every(one), case.workers).values()
    return Estimate(median(every), least=min(every), most=max(every)) if every else None


def compared(results: Results, top: Case, bottom: Case) -> Estimate | None:
    """Return the ratio of two speedups, paired by rounds; None where one was not measured.

    It has no interval where less than half of the rounds of the first are pairs: the two apart tell more.
    """
    tops, bottoms = by_round(results, top), by_round(results, bottom)
    pairs = {id_: tops[id_] / bottoms[id_] for id_ in paired(tops, bottoms)}
    found = over_sets(pairs, sets_of(results, top))
    if found is None or 2 * len(pairs) >= len(tops):
        return found
    return Estimate(found, least=found.least, most=found.most)
