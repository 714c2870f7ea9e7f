"""Comparisons on made-up machines of 4, 16 and 64 CPUs: rounds and seconds, tables and verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulated import HOLDS, SIBLINGS, Machine, Made, SimulatedLab

from gilkit.display.tables import plain
from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import KERNELS
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.studies.compare import study, timeit_study
from gilkit.studies.compare.budget import LOOKS, OWN_PACE, QUICK_PACE, USUAL_PACE, half_width
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.plan import usual_executors
from gilkit.studies.compare.table import table
from gilkit.studies.compare.verdict import Cause

pytestmark = pytest.mark.once

MANY = [4, 16, 64]
STARTING = 16.0  # seconds of preparing twelve kernels and starting their processes, beside the budget


@pytest.fixture
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Machine:
    return Machine(request.param, monkeypatch, folder)


Carried = tuple[Comparison, SimulatedLab]


@pytest.fixture(scope="module")
def known() -> dict[tuple[int, float], Carried]:
    """What comparisons of all kernels found so far, by CPUs and noise."""
    return {}


@pytest.fixture(params=[0.004])
def of_all(
    request: pytest.FixtureRequest, machine: Machine, known: dict[tuple[int, float], Carried]
) -> Carried:
    """What a comparison of all kernels finds there, with so much noise: it is made once."""
    key = machine.cpus, request.param
    if key not in known:
        known[key] = machine.carried_out(machine.kernels(), USUAL_PACE, kernels(machine.cpus), request.param)
    return known[key]


on_many = pytest.mark.parametrize("machine", MANY, indirect=True)
on_most = pytest.mark.parametrize("machine", [64], indirect=True)


def kernels(cpus: int) -> dict[str, Made]:
    """What the kernels are like there: those that are not named scale."""
    return {
        "objects": HOLDS,
        "lcg_checked": Made(held=0.18, times=52),
        "synthetic": Made(held=0.5),
        "triad": Made(fed=max(2.0, cpus / 10)),
        "transform": Made(fed=max(1.5, cpus / 8)),
        "sleep": Made(5e-3, busy=0.01),
    }


def counts(found: Comparison) -> dict[Case, int]:
    """The rounds of every case."""
    return {case: len(found.results.rounds(case)) for case in found.results}


def judged(machine: Machine, made: Made, **options: float) -> Comparison:
    """A statement of the reader's own that is like that."""
    return machine.carried_out(machine.own(), OWN_PACE, {"own": made}, **options)[0]


# Rounds and seconds


@on_many
def test_all_kernels_are_decided_within_two_minutes(of_all: Carried) -> None:
    found, lab = of_all
    assert lab.now <= 120.0
    assert found.results.kernels == list(KERNELS)
    for kernel, verdict in found.verdicts.items():
        rounds = {n for case, n in counts(found).items() if case.kernel == kernel and judges(found, case)}
        assert min(rounds) >= FEWEST_ROUNDS, kernel
        assert "too few rounds" not in verdict.why


def judges(found: Comparison, case: Case) -> bool:
    """Whether a case is what the verdict is about, or beside it on other executors."""
    best = "nogil" if found.results.values(Case(case.kernel, "nogil", "threads", 1)) else "gil"
    beside = case.executor == "threads" or EXECUTORS[case.executor].plain
    return not beside or case.variant in (best, "unpinned")


@on_most
def test_what_is_beside_the_verdict_gets_what_time_is_left(of_all: Carried) -> None:
    """Sixty-four threads that take turns need a second a window: they are measured, but less often."""
    found, _ = of_all
    rounds = counts(found)
    assert 1 <= rounds[Case("lcg", "python", "threads", 64)] < FEWEST_ROUNDS
    assert rounds[Case("objects", "gil", "threads", 64)] >= FEWEST_ROUNDS
    assert found.verdicts["lcg"].advice == "release the GIL and use threads"


@on_many
@pytest.mark.parametrize("call", [5e-6, 1e-3, 10e-3])
def test_a_statement_takes_about_ten_seconds(machine: Machine, call: float) -> None:
    found, lab = machine.carried_out(machine.own(), OWN_PACE, {"own": Made(call)})
    there = [name for name in usual_executors(own=True) if not EXECUTORS[name].missing()]
    assert lab.now <= 1.6 * 5.0 * len(there)
    assert min(counts(found).values()) >= FEWEST_ROUNDS
    assert found.verdict.cause is not Cause.NOT_DECIDED


@on_many
@pytest.mark.parametrize("made", [HOLDS, Made(10e-3, held=0.5), Made(10e-3, locked=1.0)])
def test_workers_that_wait_for_each_other_take_no_more_than_there_is_patience_for(
    machine: Machine, made: Made
) -> None:
    found, lab = machine.carried_out(machine.own(), OWN_PACE, {"own": made})
    assert lab.now <= OWN_PACE.patience + 8.0
    if machine.cpus < 64:
        assert min(counts(found).values()) >= FEWEST_ROUNDS


@on_many
def test_quick_is_quick(machine: Machine) -> None:
    subjects = machine.kernels(variants=tuple(study.QUICK_VARIANTS))
    _, lab = machine.carried_out(subjects, QUICK_PACE, kernels(machine.cpus))
    assert lab.now <= QUICK_PACE.patience + STARTING


@on_many
def test_narrow_cases_stop_at_the_first_look(machine: Machine) -> None:
    found, lab = machine.carried_out(machine.kernels("lcg"), USUAL_PACE, {}, noise=0.002)
    assert set(counts(found).values()) == {FEWEST_ROUNDS, LOOKS[0]}
    assert lab.now < USUAL_PACE.budget / 3


@on_many
def test_wide_cases_get_more_rounds_while_there_is_time(machine: Machine) -> None:
    found, lab = machine.carried_out(machine.kernels("lcg"), USUAL_PACE, {}, noise=0.05)
    rounds = counts(found)
    assert lab.now <= 120.0
    assert max(rounds.values()) > LOOKS[0]
    assert max(rounds.values()) <= LOOKS[-1]
    for case, done in rounds.items():
        assert done in (FEWEST_ROUNDS, *LOOKS)
        if case.workers > 1 and case.variant != "unpinned":
            speedup = found.speedup(case.variant, case.executor, case.workers)
            late = lab.now > 0.8 * USUAL_PACE.budget
            assert speedup.margin <= half_width(speedup) or done == LOOKS[-1] or late


def test_the_rounds_that_are_asked_for_are_made(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    made = Machine(16, monkeypatch, folder)
    found, _ = made.carried_out(made.kernels("lcg", "objects"), USUAL_PACE, kernels(16), rounds=3)
    assert set(counts(found).values()) == {3}


@on_many
def test_rounds_are_spread_over_fresh_processes(machine: Machine) -> None:
    found, _ = machine.carried_out(machine.kernels("lcg", "objects"), USUAL_PACE, kernels(machine.cpus))
    for case in found.results:
        assert found.results.fact(case, facts.GENERATIONS) == [3, 6]


# Placement and worker counts


@on_many
def test_workers_have_a_core_each_before_siblings_share_one(machine: Machine) -> None:
    half = machine.cpus // 2
    _, lab = machine.carried_out(machine.own(1, half, machine.cpus), OWN_PACE, {"own": Made()})
    pinned = [(workers, order) for _, _, workers, order in lab.asked if order.cpus and not order.first]
    assert {workers for workers, _ in pinned} == {1, half, machine.cpus}
    for workers, order in pinned:
        taken = [order.cpu(place) for place in range(workers)]
        assert len(set(taken)) == workers
        assert lab.gives(workers, order) == (workers if workers <= half else SIBLINGS * half)


@on_many
def test_one_and_as_many_as_cpus_by_default(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def planned(_: object, __: object, counts: list[int], shown: int, ___: bool) -> None:
        asked.append([*counts, shown])
        raise InterruptedError

    monkeypatch.setattr(timeit_study, "own_subject", planned)
    for workers, wanted in (
        (None, [1, machine.cpus, machine.cpus]),
        ([1, 2, machine.cpus, 128], [1, 2, machine.cpus, 128, machine.cpus]),
        ([1, 3], [1, 3, 3]),
        (128, [128, 128]),
    ):
        with pytest.raises(InterruptedError):
            timeit_study.timeit("pass", workers=workers)
        assert asked.pop() == wanted


@on_many
def test_every_worker_count_has_a_row(machine: Machine) -> None:
    found, lab = machine.carried_out(machine.own(1, 2, 4), OWN_PACE, {"own": Made()})
    rows = [line.split()[0] for line in repr(found).splitlines() if line[:7].strip().isdigit()]
    assert rows == ["1", "2", "4"]
    assert found.speedup("function", "threads", 2) == pytest.approx(2.0, abs=0.05)
    assert lab.now <= 20.0


# Tables


def lines(found: Comparison) -> list[str]:
    """The table; nothing in it is cut, or wider than a screen."""
    text = plain(table(found.results))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    return text.splitlines()


@on_many
@pytest.mark.parametrize("of_all", [0.004, 0.02, 0.1, 0.4], indirect=True)
def test_tables_are_as_wide_as_a_screen_and_cut_nothing(of_all: Carried) -> None:
    rows = [line for line in lines(of_all[0]) if line.split(" ")[0] in KERNELS][: len(KERNELS)]
    assert [row.split()[0] for row in rows] == list(KERNELS)
    assert all("±" in row for row in rows)


@on_many
@pytest.mark.parametrize("noise", [0.002, 0.4])
def test_the_table_of_a_statement_is_as_wide_as_a_screen(machine: Machine, noise: float) -> None:
    made = {"own": Made(2e-3, busy=1.0)}
    subjects = machine.own(1, 2, machine.cpus, 2 * machine.cpus, shared=True)
    found, _ = machine.carried_out(subjects, OWN_PACE, made, noise)
    assert any(line.split()[:1] == [str(2 * machine.cpus)] for line in lines(found))


@on_most
@pytest.mark.parametrize("rounds", [1, 2, 6])
def test_tables_of_few_rounds_cut_nothing_either(machine: Machine, rounds: int) -> None:
    found, _ = machine.carried_out(
        machine.kernels("lcg", "sleep"), USUAL_PACE, kernels(machine.cpus), 0.3, rounds=rounds
    )
    lines(found)


# Verdicts


@on_many
def test_what_reaches_the_ceiling_scales(machine: Machine) -> None:
    found = judged(machine, Made(10e-3))
    ceiling = SIBLINGS * machine.cpus / 2
    assert found.speedup("ceiling", "openmp") == pytest.approx(ceiling, rel=0.02)
    assert found.verdict.cause is Cause.SCALES
    nearly = judged(machine, Made(10e-3, fed=0.95 * ceiling), noise=0.002)
    assert nearly.verdict.cause is Cause.SCALES
    assert "95% of the ceiling" in nearly.verdict.why


@on_many
def test_half_held_is_the_gil_by_its_law(machine: Machine) -> None:
    found = judged(machine, Made(10e-3, held=0.5))
    assert found.verdict.cause is Cause.GIL
    assert "the law allows 1.99× (" in found.verdict.why
    assert found.speedup("function", "threads") == pytest.approx(2.0, abs=0.03)
    assert judged(machine, HOLDS).verdict.cause is Cause.GIL


@pytest.mark.parametrize("machine", [4, 16], indirect=True)
def test_what_more_cpus_would_give_is_said_of_one_kernel(machine: Machine) -> None:
    def text(*names: str) -> str:
        return repr(machine.carried_out(machine.kernels(*names), USUAL_PACE, kernels(machine.cpus))[0])

    assert "with more CPUs threads would do at most 2.0× the work of one on " in text("synthetic")
    assert "with more CPUs" not in text("synthetic", "lcg")


@pytest.mark.parametrize("machine", [4, 16], indirect=True)
def test_a_mutex_is_another_lock(machine: Machine) -> None:
    found = judged(machine, Made(5e-3, held=0.01, locked=1.0))
    assert found.verdict.cause is Cause.LOCK
    assert "the GIL is held for 1.0% of a call" in found.verdict.why


@on_most
def test_a_mutex_of_sixty_four(machine: Machine) -> None:
    assert judged(machine, Made(1e-3, locked=1.0)).verdict.cause is Cause.LOCK


@on_many
def test_calls_of_microseconds_are_too_short(machine: Machine) -> None:
    found = judged(machine, Made(5e-6, held=0.1))
    assert found.verdict.cause is Cause.SHORT
    assert "batch" in found.verdict.advice


@on_many
def test_memory_is_the_hardware(machine: Machine) -> None:
    found, _ = machine.carried_out(machine.kernels("triad"), USUAL_PACE, kernels(machine.cpus))
    assert found.verdict.cause is Cause.HARDWARE
    assert "nothing can scale" not in found.verdict.why


@on_many
def test_waits_are_side_by_side(machine: Machine) -> None:
    found = judged(machine, Made(20e-3, busy=0.01))
    assert found.verdict.cause is Cause.WAITING
    assert found.speedup("function", "threads") == pytest.approx(machine.cpus, rel=0.03)


@on_many
@pytest.mark.parametrize("held", [0.001, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("locked", [0.0, 0.3])
def test_nothing_can_scale_is_not_said_where_the_machine_does(
    machine: Machine, held: float, locked: float
) -> None:
    found = judged(machine, Made(2e-3, held=held, locked=locked))
    assert "nothing can scale" not in str(found.verdict)
    assert found.verdict.cause is not Cause.HARDWARE
