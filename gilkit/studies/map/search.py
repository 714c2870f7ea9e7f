"""The search: how many workers, and which chunk size, of one executor; each is tried a few times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from gilkit.machine import free_memory
from gilkit.studies.map.engine import MapEngine
from gilkit.studies.map.names import Way, elsewhere
from gilkit.studies.map.plan import (
    FULL_CHUNKS,
    GAIN_OF_WAITERS,
    ItemTimes,
    chunk_sizes,
    even,
    stratified,
    worker_order,
)
from gilkit.workloads.target import FOOTPRINT

BETTER = 1.05  # times the work that as many workers as CPUs do, from which another number of them is better
LEAST_PART = 4  # of as many workers as CPUs, fewer are not tried
PART_OF_SEARCH = 0.1  # that one number of workers takes, at the most, to have as many items each as usual
TRIES_OF_A_WAY = 2  # of each way, of which the faster counts


@dataclass(slots=True)
class Searched:
    """What is known of an executor after the search.

    Parameters
    ----------
    best : Way
    places : list of int
        The items that it is measured on.
    start : float
        Seconds of its start with as many workers.
    different : str
        How its results differ from those of the loop.
    sizes : list of int
        The chunk sizes that can be told apart with as many workers.
    starts : dict of int to float
        Seconds of a start, by workers.
    rates : dict of Way to float
        Seconds of the loop that are done in each second.
    """

    best: Way
    places: list[int]
    start: float = 0.0
    different: str = ""
    sizes: list[int] = field(default_factory=lambda: [1])
    starts: dict[int, float] = field(default_factory=dict)
    rates: dict[Way, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WaySearch:
    """Tries ways on samples.

    A pool is tried on so many items that it takes about as long as the loop with its sample, if there are.

    Parameters
    ----------
    engine : MapEngine
    seconds : mapping of int to float
        Of the items that were timed.
    places : sequence of int
        The sample of the loop.
    count : int
        All items.
    times : ItemTimes
    cpus : int
    clock : callable
    workers, chunks : sequence of int
        What was asked for; empty for what is usual.
    """

    engine: MapEngine
    seconds: Mapping[int, float]
    places: Sequence[int]
    count: int
    times: ItemTimes
    cpus: int
    clock: Callable[[], float]
    workers: Sequence[int] = ()
    chunks: Sequence[int] = ()

    def run(self, executor: str, apart: bool, seconds: float, say: Callable[[str], None]) -> Searched:
        """Return the best way of an executor that is found in so many seconds, and leave its pool."""
        late = self.clock() + seconds
        first, *others = self._counts(executor, apart)
        found = Searched(Way(executor, first), list(self.places))
        say(f"{executor}: {first} workers")
        self._start(found, first)
        for chunk in self._sizes(found, first):
            self._try(found, Way(executor, first, chunk))
            if self.clock() > late:
                break
        fewer = found.rates[found.best]
        for count in others:
            if self.clock() > late or (not self.workers and LEAST_PART * count < first):
                break
            say(f"{executor}: {count} workers")
            if self.times.waits:
                self._grow(found, self._of_each(seconds) * count)
            self._start(found, count)
            each = Way(executor, count, min(found.best.chunk, self._sizes(found, count)[-1]))
            self._try(found, each)
            if self.times.waits and not apart and found.rates[each] < GAIN_OF_WAITERS * fewer:
                break
            fewer = found.rates[each]
        if found.best.workers != list(found.starts)[-1]:
            self._start(found, found.best.workers)
        found.start = found.starts[found.best.workers]
        found.sizes = self._sizes(found, found.best.workers)
        return found

    def _counts(self, executor: str, apart: bool) -> list[int]:
        """Return the worker counts to try: processes and interpreters only as far as there is memory."""
        counts = list(self.workers) or list(
            worker_order(self.cpus, len(self.seconds), self.times.waits, apart)
        )
        most = free_memory() / FOOTPRINT if elsewhere(executor) else inf
        return [count for count in counts if count < most] or [1]

    def _sizes(self, found: Searched, workers: int) -> list[int]:
        """Return the chunk sizes to try with so many workers."""
        if not self.engine.chunked(found.best.executor):
            return [1]
        whole = len(found.places) == self.count
        return list(self.chunks) or chunk_sizes(len(found.places), workers, whole)

    def _start(self, found: Searched, workers: int) -> None:
        """Start a pool and compare its results, which warms it up and tells how many items it should have."""
        executor = found.best.executor
        begin = self.clock()
        found.starts[workers] = self.engine.started(executor, workers)
        there = self.clock()
        chunk = self.chunks[0] if self.chunks else max(1, len(self.places) // (FULL_CHUNKS * workers))
        found.different = self.engine.compared(executor, workers, chunk, self.places) or found.different
        loop = sum(self.seconds[place] for place in self.places)
        if len(found.starts) == 1 and there > begin:
            self._grow(found, int(len(self.places) * loop / max(1e-9, self.clock() - there)))

    def _of_each(self, seconds: float) -> int:
        """Return how many items each worker has in a search of so many seconds, where calls wait."""
        return FULL_CHUNKS if TRIES_OF_A_WAY * FULL_CHUNKS * self.times.mean < PART_OF_SEARCH * seconds else 1

    def _grow(self, found: Searched, size: int) -> None:
        if size > len(found.places):
            found.places = stratified(self.seconds, even(size, self.cpus, len(self.seconds)))

    def _try(self, found: Searched, tried: Way) -> None:
        runs = [
            self.engine.mapped(tried.executor, tried.workers, tried.chunk, found.places).seconds
            for _ in range(TRIES_OF_A_WAY)
        ]
        work = sum(self.seconds[place] for place in found.places)
        found.rates[tried] = work / max(1e-9, min(runs))
        before = found.rates.get(found.best, 0.0)
        if found.rates[tried] >= (BETTER if tried.workers != found.best.workers else 1.0) * before:
            found.best = tried
