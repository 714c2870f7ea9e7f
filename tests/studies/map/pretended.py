"""A made-up machine of any number of CPUs, on which pools map: its clock goes on by what they cost."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

from gilkit.engine.runner import Runner
from gilkit.errors import CaseFailedError
from gilkit.gil.held import HeldCall
from gilkit.gil.share import Share
from gilkit.results.facts import Metadata
from gilkit.results.file import Results
from gilkit.studies.map.course import Course
from gilkit.studies.map.driver import MapRun, Timed, Told
from gilkit.studies.map.phases import Phases, phases
from gilkit.studies.map.plan import Wanted, spread
from gilkit.studies.map.study import Mapped
from gilkit.workloads.pickling import Pickled


@dataclass
class Pretended:
    """A machine, and a function with its items.

    Item ``i`` takes ``items[i]`` seconds, and holds the GIL for the share ``held`` of them, or waits. A task
    costs ``threads`` seconds of the thread that sends it, or ``processes``, with which a process starts in
    ``start``. Figures differ by ``noise``. What is in ``broken`` fails there; others differ in ``different``.
    """

    items: Sequence[float]
    cpus: int = 2
    held: float = 1.0
    waits: bool = False
    threads: float = 15e-6
    processes: float = 1e-4
    start: float = 0.05
    noise: float = 0.005
    broken: dict[str, str] = field(default_factory=dict)
    different: dict[str, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    now: float = 0.0
    asked: list[tuple[str, int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(17)

    def clock(self) -> float:
        return self.now

    def _took(self, seconds: float) -> float:
        found = seconds * (1 + self.noise * self.random.uniform(-1, 1))
        self.now += found
        return found

    def told(self) -> Told:
        return Told(len(self.items), ())

    def timed(self, seconds: float, least: int, most: int) -> Timed:
        found: dict[int, float] = {}
        failed: dict[int, str] = {}
        for place in spread(len(self.items), most):
            if place in self.failed:
                failed[place] = self.failed[place]
                continue
            found[place] = self.items[place]
            if len(found) >= least and sum(found.values()) > seconds:
                break
        self.now += sum(found.values())
        return Timed(found, 0.01 if self.waits else 1.0, failed)

    def called(self, places: Sequence[int], workers: int, seconds: float) -> tuple[list[int], dict[int, str]]:
        gone, tried = 0.0, []
        for place in places:
            if gone / workers > seconds:
                break
            tried.append(place)
            gone += self.items[place]
        self.now += gone / workers
        failed = {place: self.failed[place] for place in tried if place in self.failed}
        return [place for place in tried if place not in failed], failed

    def looped(self, places: Sequence[int]) -> MapRun:
        failed = {place: self.failed[place] for place in places if place in self.failed}
        return MapRun(self._took(sum(self.items[place] for place in places)), failed=failed)

    def started(self, executor: str, workers: int) -> float:
        if executor in self.broken:
            raise CaseFailedError(self.broken[executor])
        return self._took(1e-5 if executor == "threads" else self.start + workers * self.start / 10)

    def chunked(self, executor: str) -> bool:
        return executor != "threads"

    def compared(self, executor: str, workers: int, chunk: int, places: Sequence[int]) -> str:
        self.mapped(executor, workers, chunk, places)
        return self.different.get(executor, "")

    def mapped(
        self, executor: str, workers: int, chunk: int, places: Sequence[int], fresh: bool = False
    ) -> MapRun:
        self.asked.append((executor, workers, chunk, len(places)))
        for place in places:
            if place in self.failed:
                raise CaseFailedError(self.failed[place])
        begin = self.started(executor, workers) if fresh else 0.0
        stamps = self._work(executor, workers, chunk, places)
        return MapRun(begin + self._took(max(stop for _, stop, _ in stamps)), begin)

    def _work(
        self, executor: str, workers: int, chunk: int, places: Sequence[int]
    ) -> list[tuple[float, float, tuple[int, int]]]:
        """Hand out chunks, one after the other, to the worker that is free first."""
        alone = executor == "threads"
        at_once = workers if self.waits else min(workers, self.cpus)
        pace = max(1.0, at_once * self.held) if alone and not self.waits else 1.0
        pace *= workers / at_once if not self.waits else 1.0
        free = [(0.0, number) for number in range(workers)]
        sent, stamps = 0.0, []
        size = 1 if alone else chunk
        for first in range(0, len(places), size):
            sent += self.threads if alone else self.processes
            ready, number = heapq.heappop(free)
            ready = max(ready, sent)
            for place in places[first : first + size]:
                begin, ready = ready, ready + pace * self.items[place]
                stamps.append((begin, ready, (0, number)))
            heapq.heappush(free, (ready, number))
        return stamps

    def traced(self, executor: str, workers: int, chunk: int, places: Sequence[int]) -> Phases:
        stamps = self._work(executor, workers, chunk, places)
        return phases(0.0, max(stop for _, stop, _ in stamps), stamps, workers)

    def gil(self) -> Metadata:
        return {}

    def watched(self, places: Sequence[int], seconds: float) -> HeldCall:  # noqa: ARG002
        self.now += seconds
        share = Share(nan if self.waits else self.held, 0.001)
        return HeldCall(share, self.items[0], 10, 0.01, 1.0)

    def weights(self, places: Sequence[int]) -> list[Pickled]:  # noqa: ARG002
        return [Pickled("function", 30, 1e-6), Pickled("item", 100, 1e-6), Pickled("result", 100, 1e-6)]

    def close(self) -> None:
        pass

    def course(self, runner: Runner, **wanted: Any) -> Course:
        asked = Wanted(wanted.pop("executors", ("threads", "processes")), **wanted)
        return Course(lambda _: self, ("f", "items"), asked, self.cpus, runner)

    def outcome(self, **wanted: Any) -> Mapped:
        """Let the course run on it, and return what it finds."""
        runner = Runner(7, clock=self.clock)
        self.course(runner, **wanted).measure(None)  # type: ignore[arg-type]
        return Mapped(runner.suite())

    def results(self, **wanted: Any) -> Results:
        return self.outcome(**wanted).results
