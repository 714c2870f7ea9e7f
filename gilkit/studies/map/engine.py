"""What the course asks of the process that maps: `MapEngine`. A made-up one can stand in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gilkit.engine.pools import Lab
from gilkit.gil.held import HeldCall
from gilkit.results.facts import Metadata
from gilkit.studies.map import driver, keeping, waiters
from gilkit.studies.map.driver import MapRun, Timed, Told
from gilkit.studies.map.job import Job
from gilkit.studies.map.phases import Phases
from gilkit.workloads.pickling import Pickled

Places = Sequence[int]


class MapEngine(Protocol):
    """Maps, and takes the time. Whatever cannot be done raises a `CaseFailedError` that says why."""

    def told(self) -> Told:
        """Load the function and its items."""

    def timed(self, seconds: float, least: int, most: int) -> Timed:
        """Call the function on items one by one, for about so long."""

    def called(self, places: Places, workers: int, seconds: float) -> tuple[list[int], dict[int, str]]:
        """Call it on items, so many at one time, for about so long; return those, and what others raise."""

    def looped(self, places: Places) -> MapRun:
        """Call it on these items in a loop."""

    def started(self, executor: str, workers: int) -> float:
        """Start a pool, which is kept in place of that executor's last, and return in how many seconds."""

    def chunked(self, executor: str) -> bool:
        """Whether the pool that is kept takes chunks."""

    def compared(self, executor: str, workers: int, chunk: int, places: Places) -> str:
        """Map on a pool that is kept, and say how results differ from those of the loop."""

    def mapped(self, executor: str, workers: int, chunk: int, places: Places, fresh: bool = False) -> MapRun:
        """Map on a pool that is kept, or on a fresh one whose start counts."""

    def traced(self, executor: str, workers: int, chunk: int, places: Places) -> Phases:
        """Map with workers that note what they do when."""

    def gil(self) -> Metadata:
        """Return what a results file says of the GIL, once calls were made."""

    def watched(self, places: Places, seconds: float) -> HeldCall:
        """Watch the GIL in a loop over these items."""

    def weights(self, places: Places) -> list[Pickled]:
        """Return what sending costs."""

    def close(self) -> None:
        """End all pools, and keep nothing."""


class LabEngine:
    """The real one: it maps where a lab runs threads.

    Parameters
    ----------
    lab : Lab
    job : Job
    timeout : float
        Seconds after which a map is given up, and its processes are killed, beside those of a loop.
    """

    def __init__(self, lab: Lab, job: Job, timeout: float) -> None:
        self.lab = lab
        self.job = job
        self.timeout = timeout
        self.mean = 0.0  # seconds of an item

    def told(self) -> Told:
        return self.lab.call(driver.told, self.job)

    def timed(self, seconds: float, least: int, most: int) -> Timed:
        found = self.lab.call(driver.timed, self.job, seconds, least, most)
        self.mean = sum(found.seconds.values()) / max(1, len(found.seconds))
        return found

    def _within(self, places: Places) -> float:
        """Return in how many seconds a map of these has to end: many items take long without hanging."""
        return self.timeout + self.mean * len(places)

    def called(self, places: Places, workers: int, seconds: float) -> tuple[list[int], dict[int, str]]:
        return self.lab.call(waiters.called, self.job, places, workers, seconds)

    def looped(self, places: Places) -> MapRun:
        return self.lab.call(driver.looped, self.job, places)

    def started(self, executor: str, workers: int) -> float:
        return self.lab.call(driver.started, self.job, executor, workers, self.timeout)

    def chunked(self, executor: str) -> bool:
        return self.lab.call(keeping.chunked, executor)

    def compared(self, executor: str, workers: int, chunk: int, places: Places) -> str:
        return self.lab.call(
            driver.compared, self.job, executor, workers, chunk, places, self._within(places)
        )

    def mapped(self, executor: str, workers: int, chunk: int, places: Places, fresh: bool = False) -> MapRun:
        late = self._within(places)
        return self.lab.call(driver.mapped, self.job, executor, workers, chunk, places, late, fresh)

    def traced(self, executor: str, workers: int, chunk: int, places: Places) -> Phases:
        return self.lab.call(driver.traced, self.job, executor, workers, chunk, places, self._within(places))

    def gil(self) -> Metadata:
        return self.lab.call(driver.gil)

    def watched(self, places: Places, seconds: float) -> HeldCall:
        return self.lab.call(driver.watched, self.job, places, seconds)

    def weights(self, places: Places) -> list[Pickled]:
        return self.lab.call(driver.weights, self.job, places)

    def close(self) -> None:
        self.lab.call(driver.close)
