"""Who stops threads, as the ladder found; and what to do about that. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gilkit.results.stats import Estimate


@dataclass(frozen=True, slots=True)
class Culprit:
    """What stops threads that share it, as the ladder found.

    Parameters
    ----------
    name : str
        With its type.
    shared, private : Estimate
        Speedups of threads that share it, and of such that have one each.
    guards : bool
        Whether it is there to keep threads out: a lock, a condition, a semaphore.
    shared_still : bool
        Whether threads share it, too, that each ran SETUP: what a module keeps. Only then it stops these.
    """

    name: str
    shared: Estimate
    private: Estimate
    guards: bool = False
    shared_still: bool = False

    @property
    def advice(self) -> str:
        """What to do. One lock for each thread would guard nothing any more."""
        if self.guards:
            return f"hold {self.name} for less, or guard each thread's data by its own"
        return f"give every thread a {self.name} of its own"
