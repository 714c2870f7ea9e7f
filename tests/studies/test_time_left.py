"""The time left that the progress tells, on made-up clocks: after a quarter of a run, within a third."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from simulated import HOLDS, Machine, Made, SimulatedLab

from gilkit import machine as real
from gilkit.display.progress import time_left
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Progress, Rule, Runner, exactly, within
from gilkit.kernels import VARIANTS
from gilkit.results.case import Case
from gilkit.studies.claims import study as claims
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.registry import CLAIMS
from gilkit.studies.claims.study import QUICKER
from gilkit.studies.compare.budget import OWN_PACE, QUICK_PACE, USUAL_PACE, Budget
from gilkit.studies.costs import study as costs
from gilkit.studies.costs.constants import CONSTANTS, Constant
from gilkit.studies.scaling import fresh_workers
from gilkit.studies.scaling import study as scaling
from gilkit.studies.scaling.study import TIME
from gilkit.studies.threshold import study as threshold
from gilkit.studies.threshold.contest import Contest
from gilkit.studies.threshold.crossing import HOLDING
from gilkit.workloads.workload import KernelCall, Workload

pytestmark = pytest.mark.once


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load of this machine is of no interest to a clock that is told what to say."""
    monkeypatch.setattr(real, "load_by_others", lambda *_: 0.0)


def true_enough(told: Sequence[Progress], end: float) -> None:
    """What is told after a quarter of the run, and after half of it."""
    for part in (0.25, 0.5):
        step = next(step for step in told if step.done >= part * end)
        assert step.left == pytest.approx(end - step.done, rel=1 / 3), (part, step, end)


MADE = {"objects": HOLDS, "sleep": Made(5e-3, busy=0.01), "own": Made()}
on_many = pytest.mark.parametrize("cpus", [2, 16, 64])


@on_many
@pytest.mark.parametrize("noise", [0.004, 0.02, 0.06])
@pytest.mark.parametrize(
    ("pace", "variants"),
    [(USUAL_PACE, VARIANTS), (QUICK_PACE, ("gil", "nogil", "native"))],
    ids=["usual", "quick"],
)
def test_compare(
    pace: Budget,
    variants: tuple[str, ...],
    noise: float,
    cpus: int,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
) -> None:
    told: list[Progress] = []
    machine = Machine(cpus, monkeypatch, folder)
    subjects = machine.kernels(variants=variants)
    _, lab = machine.carried_out(subjects, pace, MADE, noise, progress=told.append)
    true_enough(told, lab.now)


@on_many
@pytest.mark.parametrize("names", [("lcg",), ("lcg", "sleep", "crc32")], ids=["one", "three"])
def test_compare_of_a_few_kernels_on_a_quiet_machine(
    names: tuple[str, ...], cpus: int, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """On one that is not, how long it takes until intervals are narrow is seen later only."""
    told: list[Progress] = []
    machine = Machine(cpus, monkeypatch, folder)
    _, lab = machine.carried_out(machine.kernels(*names), USUAL_PACE, MADE, progress=told.append)
    true_enough(told, lab.now)


@on_many
@pytest.mark.parametrize("rounds", [None, 30])
@pytest.mark.parametrize("made", [Made(), HOLDS, Made(call=0.3)], ids=["short", "holding", "long"])
def test_timeit(
    made: Made, rounds: int | None, cpus: int, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    told: list[Progress] = []
    machine = Machine(cpus, monkeypatch, folder)
    _, lab = machine.carried_out(machine.own(), OWN_PACE, {"own": made}, rounds=rounds, progress=told.append)
    true_enough(told, lab.now)


class ThresholdLab(SimulatedLab):
    """Calls take a nanosecond for each of their size; from `PLANTED` on releasing lets others run."""

    def _made(self, workload: Workload) -> Made:
        assert isinstance(workload, KernelCall)
        held = 1.0 if workload.variant == "gil" or workload.size < PLANTED else 0.001
        return Made(call=1e-9 * workload.size + (1e-7 if workload.variant == "nogil" else 0.0), held=held)


PLANTED = 5000


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("largest", [10**5, 10**7])
@pytest.mark.parametrize("counts", [[2], [1, 2], [1, 2, 4]])
@pytest.mark.parametrize("rounds", [None, 10])
def test_threshold(largest: int, counts: list[int], rounds: int | None) -> None:
    told: list[Progress] = []
    lab = ThresholdLab(4, 4, {})
    contest = Contest("planted", HOLDING, partial(KernelCall, "lcg"), 1, largest, "n", {})
    threshold.Course(contest, counts, rounds, 4, Runner(1, told.append, clock=lab.clock)).measure(lab)
    true_enough(told, lab.now)


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("slow", [1.0, 3.0])
@pytest.mark.parametrize("rule", [within(14.0), within(3.0), exactly(40)], ids=["usual", "quick", "asked"])
def test_costs(rule: Rule, slow: float) -> None:
    now, told = Clock(), list[Progress]()

    def probe(_: Lab, __: int, loops: int, length: float) -> float:
        now.time += slow * loops * length
        return slow * length

    def made_up(constant: Constant) -> Constant:
        length = 0.03 if constant.loops else 1e-6
        return replace(constant, probe=partial(probe, length=length), missing=lambda: None)

    course = costs.Course(
        map(made_up, CONSTANTS.values()), [1, 2, 4], rule, Runner(1, told.append, clock=now)
    )
    course.measure(Lab(1, 5.0))
    true_enough(told, now.time)


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("slow", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("rule", [within(TIME), exactly(20)], ids=["usual", "asked"])
def test_scaling(rule: Rule, slow: float) -> None:
    class Crews(Lab):
        def call(self, function: Any, kernel: str, variant: str, *sizes: Any) -> Any:
            if function is fresh_workers.fitting:
                now.time += 0.3
                return 1000
            executor = next(name for name, crew in fresh_workers.CREWS.items() if crew is function)
            now.time += (length := slow * course.cases[Case(kernel, variant, executor, sizes[1])])
            return length

    now, told = Clock(), list[Progress]()
    course = scaling.Course([1, 2, 3, 4], 0.1, rule, Runner(1, told.append, clock=now))
    course.measure(Crews(1, 5.0))
    true_enough(told, now.time)


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("slow", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("quick", [False, True])
def test_claims(quick: bool, slow: float) -> None:
    """Experiments take longer and shorter than is planned, as seldom as they do on a quiet machine."""
    now, told, chance = Clock(), list[Progress](), Random(4)

    def experiment(bench: Bench, seconds: float) -> None:
        for part in range(4):
            bench.say(f"part {part}")
            now.time += seconds * chance.uniform(0.5, 1.5) / 4

    entries = [
        replace(
            claim, experiment=partial(experiment, seconds=slow * claim.seconds / (QUICKER if quick else 1))
        )
        for claim in CLAIMS.values()
    ]
    claims.Course(entries, quick, 2, Runner(1, told.append, clock=now)).measure(Lab(1, 5.0))
    true_enough(told, now.time)


def test_the_screen_tells_minutes_and_seconds() -> None:
    assert [time_left(seconds) for seconds in (0.0, 0.2, 59.2, 61.0, 3600.0)] == [
        "",
        "0:01 left",
        "1:00 left",
        "1:01 left",
        "60:00 left",
    ]
