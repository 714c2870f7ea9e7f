"""A made-up machine: its CPUs share cores by two, it has a clock of its own, and calls do as they are told.

Windows cost what they are ordered to, and what is counted in them follows from where the workers are placed,
from one GIL, one lock and one memory for all threads, with a little noise.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from math import inf
from pathlib import Path
from typing import Any

import pytest

from gilkit import machine
from gilkit.engine.calibration import Pace
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Progress, Runner
from gilkit.engine.worker import Order
from gilkit.gil.held import HeldCall
from gilkit.gil.share import Share
from gilkit.gil.turned_on import GilState
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.results.windows import Stint, Window
from gilkit.studies.compare.budget import Budget
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.course import Course
from gilkit.studies.compare.plan import Batch, Subject, kernel_subject, own_subject, usual_executors
from gilkit.studies.costs.probes import handed_over
from gilkit.workloads import target
from gilkit.workloads.pickling import Pickled, inputs, pickled
from gilkit.workloads.statement import StatementCall
from gilkit.workloads.target import own_statement
from gilkit.workloads.workload import KernelCall, PlainCall, Workload

SIBLINGS = 1.25  # what two hyperthreads of a core do, to one that has it alone
HAND_OVER = 20e-6  # seconds
START, START_EACH = 0.3, 0.02  # seconds in which a pool starts, and more of them for each of its workers
HANDING_OUT, EACH = 0.006, 0.0002  # seconds that a window takes beside what is ordered, and for each worker


@dataclass(frozen=True)
class Made:
    """What a call is like.

    It takes ``call`` seconds; it holds the GIL for the share ``held`` of them, which it takes so many
    ``times``, and a lock of its own for the share ``locked``; the memory feeds so many workers (``fed``); it
    computes for the share ``busy`` of its time, and waits for the rest.
    """

    call: float = 2e-3
    held: float = 0.001
    times: float = 1.0
    locked: float = 0.0
    fed: float = inf
    busy: float = 1.0


HOLDS, PURE = Made(held=1.0), Made(call=1.5e-3, held=1.0)  # what holds the GIL in C, and plain Python


class SimulatedLab(Lab):
    """A lab on such a machine.

    Parameters
    ----------
    cpus : int
        Of which the second half are siblings of the first.
    most : int
        The largest number of workers.
    made : mapping of str to Made
        What the calls of each kernel are like where they release what they can, or ``own`` ones.
    noise : float
        The standard deviation of what a window counts.
    """

    def __init__(self, cpus: int, most: int, made: Mapping[str, Made], noise: float = 0.004) -> None:
        super().__init__(most)
        self.cpus, self.made, self.noise = cpus, made, noise
        self.now = 0.0
        self.random = random.Random(5)
        self.asked: list[tuple[str, Workload, int, Order]] = []
        self._started: set[str] = set()

    def clock(self) -> float:
        return self.now

    def renew(self) -> None:
        self._started.clear()

    def pace(self, executor: str, workload: Workload) -> Pace:
        self._start(executor)
        made = self._made(workload)
        self.now += 0.05 + 2 * made.call
        return Pace(made.call, made.busy)

    def watch(self, workload: Workload, seconds: float) -> HeldCall:
        self.now += seconds
        made = self._made(workload)
        return HeldCall(Share(made.held, 0.001), made.call, int(seconds / made.call), made.call, made.times)

    def call(self, function: Any, *_: Any) -> Any:
        self.now += 0.02
        known = {handed_over: HAND_OVER, pickled: [Pickled("x", 10_000, 1e-5)], inputs: {}}
        return known[function]

    def gil(self, *_: object) -> GilState:
        return GilState(True)

    def memory(self, executor: str) -> list[int]:
        return [10**7] * (self.most if EXECUTORS[executor].apart else 1)

    def window(self, executor: str, workload: Workload, workers: int, order: Order) -> Window:
        return self._window(executor, workload, workers, order)

    def sent(self, workload: Workload, _: dict[str, Any], workers: int, order: Order) -> Window:
        return self._window("processes", workload, workers, replace(order, cpus=()))

    def _made(self, workload: Workload) -> Made:
        if isinstance(workload, PlainCall):
            return PURE
        if not isinstance(workload, KernelCall):
            assert isinstance(workload, StatementCall)
            return self.made.get(workload.statement) or self.made["own"]
        made = self.made.get(workload.kernel, Made())
        if workload.variant == "native":
            return replace(made, held=0.0, times=0.0, locked=0.0)
        holding = {"gil": HOLDS, "python": PURE}.get(workload.variant)
        return made if holding is None else replace(holding, busy=made.busy)

    def _start(self, executor: str) -> None:
        if executor not in self._started:
            self._started.add(executor)
            self.now += START + START_EACH * (self.most if EXECUTORS[executor].apart else 1)

    def _window(self, executor: str, workload: Workload, workers: int, order: Order) -> Window:
        self._start(executor)
        self.asked.append((executor, workload, workers, order))
        self.now += HANDING_OUT + EACH * workers + order.warm + order.seconds + order.beyond
        made = self._made(workload)
        could = self.gives(workers, order) if made.busy > 0.5 else float(workers)
        does = could = min(could, made.fed)
        if executor == "threads" and workers > 1:
            handing = min(made.times, made.call / 5e-3) if made.held > 0.9 else made.times
            taken = made.held + handing * HAND_OVER / made.call
            does = min(could, 1 / max(taken, made.locked, 1e-9))
        does *= max(0.5, self.random.gauss(1.0, self.noise))
        each = does * order.seconds / made.call / workers
        used = order.seconds * min(1.0, does / could) * made.busy
        seldom = made.held * made.call < made.times * HAND_OVER and not made.locked  # as seen of short calls
        waits = each * (0.02 if seldom else 1.0) if does < 0.9 * could else 0.0  # switches
        stint = Stint(each, order.seconds, used, waits, 0.0, 0.0)
        return Window(order.seconds, workers, (stint,) * workers, pinned=bool(order.cpus))

    def gives(self, workers: int, order: Order) -> float:
        """Return how many times the work of one so many workers could do, where they are placed."""
        placed = Counter(order.cpu(place) for place in range(workers))
        taken = [cpu for cpu in placed if cpu is not None] or list(range(min(workers, self.cpus)))
        cores = Counter(cpu % max(1, self.cpus // 2) for cpu in taken)
        return sum(SIBLINGS if siblings > 1 else 1.0 for siblings in cores.values())


@dataclass
class Machine:
    """A made-up machine that comparisons run on.

    Parameters
    ----------
    cpus : int
    monkeypatch : pytest.MonkeyPatch
    folder : Path
        For the files in which it tells its topology.
    """

    cpus: int
    monkeypatch: pytest.MonkeyPatch
    folder: Path
    order: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        in_order = partial(machine.cpus_in_order, root=topology(self.folder, self.cpus))
        self.order = in_order(range(self.cpus))
        self.monkeypatch.setattr(machine, "cpus_in_order", in_order)
        self.monkeypatch.setattr(machine, "allowed_cpus", lambda: list(range(self.cpus)))
        self.monkeypatch.setattr(machine, "usable_cpus", lambda: self.cpus)
        self.monkeypatch.setattr(machine, "can_pin", lambda: True)
        self.monkeypatch.setattr(target, "free_memory", lambda: self.cpus * 4e9)

    def carried_out(
        self,
        subjects: list[Subject],
        pace: Budget,
        made: Mapping[str, Made],
        noise: float = 0.004,
        rounds: int | None = None,
        together: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> tuple[Comparison, SimulatedLab]:
        """Measure subjects, and return what came of it, with the lab and its clock."""
        batches = [Batch(subjects)] if together else [Batch([subject]) for subject in subjects]
        most = max(case.workers for subject in subjects for case in subject.cases)
        lab = SimulatedLab(self.cpus, most, made, noise)

        def watched(seconds: float = 0.3) -> float:
            lab.now += seconds
            return 0.0

        self.monkeypatch.setattr(machine, "load_by_others", watched)
        runner = Runner(1, progress, clock=lab.clock)
        Course(batches, pace, rounds, self.cpus, runner).measure(lab)
        return Comparison(runner.suite()), lab

    def kernels(self, *names: str, variants: tuple[str, ...] = VARIANTS) -> list[Subject]:
        """Return what a comparison measures of kernels by default; of all, where none is named."""
        counts = [1, self.cpus]
        return [
            kernel_subject(KERNELS[name], variants, usual_executors(own=False), counts, self.cpus, None, None)
            for name in names or KERNELS
        ]

    def own(
        self, *counts: int, shared: bool = False, statements: tuple[str, ...] = ("work()",)
    ) -> list[Subject]:
        """Return what is measured of statements of the reader's own."""
        chosen = list(counts or (1, self.cpus))
        shown = self.cpus if self.cpus in chosen else chosen[-1]
        return [
            own_subject(own_statement(each, "pass"), usual_executors(own=True), chosen, shown, shared)
            for each in statements
        ]


@cache
def topology(folder: Path, cpus: int) -> Path:
    """Write down which CPUs share a core, as Linux does: the second half are siblings of the first."""
    root = folder / f"{cpus}-cpus"
    for cpu in range(cpus):
        path = root / f"cpu{cpu}" / "topology"
        path.mkdir(parents=True)
        (path / "physical_package_id").write_text("0\n")
        (path / "core_id").write_text(f"{cpu % max(1, cpus // 2)}\n")
    return root
