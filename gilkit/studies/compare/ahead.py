"""How long a comparison will take yet, as far as can be told at the moment: for the progress only."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.meter import OVERHEAD, TURNS, TURNS_BEFORE, WARM
from gilkit.results.stats import FEWEST_ROUNDS, estimate, rank
from gilkit.studies.compare.budget import Budget, half_width, targets
from gilkit.studies.compare.plan import Subject

PACING = 0.06  # seconds in which the length of a call is found
WATCHING = 0.3  # seconds in which the GIL is watched, and what else is asked of a subject
SET_UP, FORKED = 0.35, 0.02  # seconds in which the workers of an executor start, and each process of them
FEWEST_TO_FORESEE = 3  # rounds whose spread tells how wide intervals will be


def before_rounds(
    unprepared: Sequence[Subject], subjects: Sequence[Subject], pace: Budget, asked: int | None
) -> float:
    """Return about how long all takes, where some subjects are still to be prepared.

    Parameters
    ----------
    unprepared, subjects : list of Subject
        Those, and all of them.
    pace : Budget
    asked : int or None
        Rounds.
    """
    calls = sum(len({case.baseline for case in subject.cases}) for subject in unprepared)
    preparing = PACING * calls + WATCHING * len(unprepared)
    window = pace.window + WARM + OVERHEAD
    turns = (TURNS + TURNS_BEFORE) * sys.getswitchinterval()  # for each worker that takes turns
    cases = [(subject.beside(case), case) for subject in subjects for case in subject.cases]
    judged = window * sum(not aside for aside, _ in cases)
    beside = sum(max(window, turns * case.workers) for aside, case in cases if aside)
    rounds, few = (asked, asked) if asked else pace.rounds(judged, beside)
    sets = len(targets(rounds)) - (len(unprepared) < len(subjects))  # the first starts with preparing
    return preparing + judged * rounds + beside * few + setting_up(subjects) * sets


def setting_up(subjects: Sequence[Subject]) -> float:
    """Return about how long a set of fresh processes takes to start."""
    used = {case.executor for subject in subjects for case in subject.cases}
    most = max(case.workers for subject in subjects for case in subject.cases)
    apart = sum(len(subject.meters) for subject in subjects)
    return SET_UP * (len(used) + apart) + FORKED * most * sum(EXECUTORS[name].apart for name in used)


def rounds_to_narrow(values: Mapping[int, float], looks: Sequence[int]) -> int:
    """Return about how many more rounds a speedup takes until its interval is narrow.

    By how far the values spread, as if they were normal.

    Parameters
    ----------
    values : mapping of int to float
        The speedup by round.
    looks : sequence of int
        After so many rounds intervals are looked at.
    """
    if (done := len(values)) < FEWEST_TO_FORESEE:
        return 0
    found = estimate(list(values.values()))
    spread = (found.most - found.least) / 2 / _normal(1, done)
    narrow = half_width(found)
    later = [look for look in looks if look >= max(done, FEWEST_ROUNDS)]
    enough = (look for look in later if spread * _normal(rank(look), look) <= narrow)
    return max(0, next(enough, looks[-1]) - done)


def _normal(place: int, values: int) -> float:
    """Return how far the value at a place, counted from an end, is from the middle of so many normal values.

    In standard deviations (Blom, Statistical estimates and transformed beta-variables, 1958).
    """
    return -NormalDist().inv_cdf((place - 0.375) / (values + 0.25))
