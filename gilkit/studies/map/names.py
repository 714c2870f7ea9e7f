"""What cases of a map are called, and what their names say."""

from __future__ import annotations

from dataclasses import dataclass

from gilkit.engine.executors import EXECUTORS
from gilkit.results.case import Case

LOOP = "serial"  # where the loop runs that all is compared with
MAP_EXECUTORS = {name: kind for name, kind in EXECUTORS.items() if not (kind.native or kind.single)}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do it: a loop, or a pool.

    Parameters
    ----------
    executor : str
    workers, chunk : int
    count : int
        How many items, of a fresh pool and of the loop beside it; 0 for the sample, on a pool that is there.
    """

    executor: str = LOOP
    workers: int = 1
    chunk: int = 1
    count: int = 0

    def __str__(self) -> str:
        pool = f"{self.executor}, {self.workers} worker{'s' * (self.workers != 1)}, chunks of {self.chunk}"
        name = "the loop" if self.is_loop else pool
        return f"{name}, {self.count:,} items" if self.count else name

    @property
    def is_loop(self) -> bool:
        """Whether it is the loop."""
        return self.executor == LOOP

    @property
    def loop(self) -> Way:
        """The loop over the same items."""
        return Way(count=self.count)

    def case(self, function: str) -> Case:
        """Return the case that it is measured as."""
        what = "loop" if self.is_loop else f"chunk-{self.chunk}"
        return Case(function, f"{what}-of-{self.count}" if self.count else what, self.executor, self.workers)


def way(case: Case) -> Way:
    """Return what a case is."""
    what, _, count = case.variant.partition("-of-")
    chunk = int(what.removeprefix("chunk-")) if what != "loop" else 1
    return Way(case.executor, case.workers, chunk, int(count or 0))


def elsewhere(executor: str) -> bool:
    """Whether its workers share neither memory nor the GIL of the loop, and are sent what they work on."""
    kind = EXECUTORS.get(executor)
    return kind is not None and kind.elsewhere
