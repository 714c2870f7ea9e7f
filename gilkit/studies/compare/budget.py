"""How long a run may take, and how it divides that: rounds, sets of processes, looks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gilkit.results.stats import FEWEST_ROUNDS, Estimate

LOOKS = (8, 12, 18, 27, 40)  # rounds after which a case is looked at, to end it where its interval is narrow
SETS = 3  # of fresh processes over which the rounds up to the first look are spread
NARROW_ENOUGH = 0.05  # the half-width of a speedup's interval that is narrow enough
PATIENCE = 3  # times as many rounds as are wanted, where others disturb them


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a run may take, and how it divides that.

    Parameters
    ----------
    budget : float
        Seconds for all of it.
    window : float
        Seconds of a window, at the least.
    first : int
        Undisturbed rounds of every case before the first look.
    looks : tuple of int
        Rounds at which cases whose interval is wide are looked at again.
    patience : float
        Seconds for the fewest rounds that decide anything, where these take longer.
    """

    budget: float
    window: float
    first: int
    looks: tuple[int, ...]
    patience: float

    def for_each(self, subjects: int) -> Budget:
        """Return what so many subjects may take together."""
        return replace(self, budget=subjects * self.budget, patience=subjects * self.patience)

    def rounds(self, cost: float, beside: float = 0.0) -> tuple[int, int]:
        """Return how many rounds there are to be before the first look.

        Parameters
        ----------
        cost : float
            Seconds of a round of what verdicts are about.
        beside : float
            Seconds of a round of what is shown beside it. On many CPUs, threads that hold the GIL take longer
            than all the rest together: these get what is left.

        Returns
        -------
        tuple of int
            Of the one, and of the other; that may be none.
        """
        every, most = cost + beside, max(self.budget, self.patience)
        if self.first * cost + FEWEST_ROUNDS * beside <= self.budget:
            return self.first, min(self.first, FEWEST_ROUNDS)
        if FEWEST_ROUNDS * every <= most:
            return FEWEST_ROUNDS, FEWEST_ROUNDS
        if FEWEST_ROUNDS * cost <= most and beside:
            return FEWEST_ROUNDS, max(0, int((self.budget - FEWEST_ROUNDS * cost) / beside))
        return (few := max(1, int(most / every))), few


def targets(rounds: int, sets: int = SETS) -> list[int]:
    """Return how many rounds there are to be after each set of processes: spread evenly."""
    sets = min(sets, rounds)
    return [-(-rounds * (number + 1) // sets) for number in range(sets)]


def half_width(speedup: float) -> float:
    """Return the half-width of an interval that is narrow enough; of speedups above 2, relative to them."""
    return NARROW_ENOUGH * max(1.0, speedup / 2)


def too_wide(found: Estimate | None) -> float:
    """Return the half-width of an interval that is too wide; 0 where it is narrow, or there is none."""
    if found is None or not found.decided or found.margin <= half_width(found):
        return 0.0
    return found.margin


QUICK_PACE = Budget(budget=14.0, window=0.015, first=FEWEST_ROUNDS, looks=(), patience=21.5)
USUAL_PACE = Budget(budget=104.0, window=0.05, first=LOOKS[0], looks=LOOKS[1:], patience=110.0)
OWN_PACE = Budget(budget=7.0, window=0.05, first=LOOKS[0], looks=LOOKS[1:], patience=40.0)

LADDER_PACE = Budget(budget=45.0, window=0.05, first=LOOKS[0], looks=LOOKS[1:], patience=90.0)
