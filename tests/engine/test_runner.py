"""The runner, on a clock that obeys: order, pairing, stopping, failures, interrupts, progress."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gilkit.engine.runner import Lane, Measured, Progress, Rule, Runner, exactly, within
from gilkit.errors import CaseFailedError, NothingMeasuredError
from gilkit.results import facts, loading
from gilkit.results.case import Case

A, B, C = (Case("k", name, "serial", 1) for name in "abc")


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


class Machine:
    """Lanes whose calls take known seconds, and a note of the order in which they were measured."""

    def __init__(self, **seconds: float) -> None:
        self.clock = Clock()
        self.asked: list[str] = []
        self.seconds = seconds
        self.steps: list[Progress] = []
        self.runner = Runner(7, self.steps.append, clock=self.clock)

    def lanes(self, cost: float = 1.0) -> list[Lane]:
        return [
            Lane(Case("k", name, "serial", 1), partial(self.measure, name), cost) for name in self.seconds
        ]

    def measure(self, name: str) -> Measured:
        self.asked.append(name)
        self.clock.now += self.seconds[name]
        return Measured(self.seconds[name] + len(self.asked) * 1e-6, facts.CPU_USED.entry(1.0))


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (-1, ValueError, "seed must be from 0 to 4294967295, not -1"),
        (10**18, ValueError, "seed must be from 0 to"),
        ("5", TypeError, "seed must be an integer, not str"),
    ],
)
def test_a_seed_that_results_cannot_keep_is_refused(seed: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Runner(seed)


def test_every_round_has_every_lane_once_in_an_order_of_its_own() -> None:
    machine = Machine(a=1.0, b=2.0, c=3.0)
    found = machine.runner.rounds(machine.lanes(), exactly(30))
    assert [one.id for one in found] == list(range(30))
    orders = {tuple(machine.asked[i : i + 3]) for i in range(0, 90, 3)}
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert len(orders) == 6  # 30 rounds miss one of the six with a chance of 2.5 %: the seed is fixed
    again = Machine(a=1.0, b=2.0, c=3.0)
    again.runner.rounds(again.lanes(), exactly(30))
    assert again.asked == machine.asked


def test_values_are_kept_by_round() -> None:
    machine = Machine(a=1.0, b=2.0)
    found = machine.runner.rounds(machine.lanes(), exactly(4))
    for case in (A, B):
        record = machine.runner.records[case]
        assert record.values == [one.values[case].seconds for one in found]
        assert facts.CPU_USED.of(record.facts) == 1.0


@pytest.mark.parametrize(
    ("rule", "done"),
    [
        (exactly(0), 0),
        (exactly(5), 5),
        (within(14.0), 7),  # a round takes two seconds
        (within(15.9), 7),
        (within(1.0), 6),
        (within(1.0, least=1), 1),
        (within(1e6), 25),
        (within(1e6, most=9), 9),
        (lambda done, spent: done + 1 if spent < 7 else done, 4),
    ],
)
def test_it_stops_when_the_rule_says(rule: Rule, done: int) -> None:
    machine = Machine(a=2.0)
    assert len(machine.runner.rounds(machine.lanes(), rule)) == done


def test_a_budget_is_for_a_clock_that_stands_still_too() -> None:
    machine = Machine(a=0.0)
    assert len(machine.runner.rounds(machine.lanes(), within(1.0))) == 25


def test_a_lane_that_fails_is_closed_and_the_others_stand() -> None:
    runner = Runner(1)
    left = iter([1.0, 2.0])

    def breaks() -> Measured:
        try:
            return Measured(next(left))
        except StopIteration:
            raise CaseFailedError("it broke") from None

    found = runner.rounds([Lane(A, breaks), Lane(B, lambda: Measured(3.0))], exactly(5))
    assert runner.failures == {A: "it broke"}
    assert runner.records[A].values == [1.0, 2.0]
    assert runner.records[B].values == [3.0] * 5
    assert [A in one.values for one in found] == [True, True, False, False, False]
    assert runner.open([A, B]) == [B]


def test_a_lane_may_tell_of_several_cases_which_fail_together() -> None:
    runner, tried = Runner(1), 0

    def measure() -> Measured:
        nonlocal tried
        tried += 1
        if tried == 3:
            raise CaseFailedError("it was planted")
        return Measured(1.0 * tried, beside={B: Measured(2.0 * tried)})

    runner.rounds([Lane(A, measure, beside=(B,)), Lane(C, lambda: Measured(5.0))], exactly(4))
    assert (runner.records[A].values, runner.records[B].values) == ([1.0, 2.0], [2.0, 4.0])
    assert runner.records[A].ids == runner.records[B].ids == [0, 1]
    assert runner.failures == {A: "it was planted", B: "it was planted"}
    assert len(runner.records[C].values) == 4


def test_an_interrupt_leaves_whole_rounds_only() -> None:
    runner = Runner(1)
    asked = iter(range(100))

    def interrupted() -> Measured:
        if next(asked) == 5:  # of the third round, the first or the second
            raise KeyboardInterrupt
        return Measured(1.0)

    with pytest.raises(KeyboardInterrupt):
        runner.rounds([Lane(A, interrupted), Lane(B, interrupted)], exactly(9))
    assert runner.records[A].values == runner.records[B].values == [1.0, 1.0]


def test_what_cannot_be_tried_fails_all_its_cases() -> None:
    runner = Runner(1)

    def broken() -> int:
        raise CaseFailedError("no")

    assert runner.attempt([A, B], broken) is None
    assert runner.attempt([C], lambda: 5) == 5
    assert runner.failures == {A: "no", B: "no"}
    assert runner.open([A, B, C]) == [C]


def test_progress_rises_to_the_end() -> None:
    machine = Machine(a=1.0, b=1.0)
    machine.runner.rounds(machine.lanes(), exactly(3))
    assert [step.done / step.total for step in machine.steps] == [i / 6 for i in range(6)]
    assert [step.label for step in machine.steps[::2]] == [f"round {i} of 3" for i in (1, 2, 3)]


def test_progress_goes_by_what_a_round_takes_once_that_is_known() -> None:
    machine = Machine(a=4.0, b=2.0)
    machine.runner.rounds(machine.lanes(cost=0.1), exactly(4))
    assert machine.steps[0].left == pytest.approx(0.8)
    assert [step.left for step in machine.steps[2::2]] == pytest.approx([18.0, 12.0, 6.0])
    assert machine.runner.pace > 10  # what other lanes cost is seen with that


def test_progress_of_a_budget_is_known_before_the_first_round() -> None:
    machine = Machine(a=0.5, b=0.5)
    machine.runner.rounds(machine.lanes(cost=0.5), within(12.0))
    assert [step.total for step in machine.steps] == [12.0] * len(machine.steps)
    assert machine.steps[0].label == "round 1 of 12"


def test_progress_of_a_planned_whole_goes_on_from_part_to_part() -> None:
    machine = Machine(a=1.0)
    for later in (2.0, 0.0):
        machine.runner.later = later
        machine.runner.rounds(machine.lanes(), exactly(2), lambda index, _, case: f"{case.variant} {index}")
    assert [(step.done, step.total) for step in machine.steps] == [(float(i), 4.0) for i in range(4)]
    assert [step.label for step in machine.steps] == ["a 0", "a 1", "a 0", "a 1"]


def test_the_larger_load_of_before_and_after_is_noted() -> None:
    runner = Runner(1)
    for before, after, noted in ((0.1, 0.5, 0.5), (0.5, 0.1, 0.5)):
        runner.record(A, before, facts.SIZE.entry(3))
        runner.note_load([A, B], after)
        assert facts.LOAD.of(runner.records[A].facts) == noted
        assert facts.SIZE.of(runner.records[A].facts) == 3
        assert facts.WORKERS.of(runner.records[A].facts) == 1


def test_what_there_is_can_be_saved_at_any_time(tmp_path: Path) -> None:
    runner = Runner(3, output=tmp_path / "r.json")
    runner.begin("costs")
    runner.save()  # nothing yet: nothing is written, and nothing fails
    assert not (tmp_path / "r.json").exists()
    with pytest.raises(NothingMeasuredError):
        runner.suite()
    runner.rounds([Lane(A, lambda: Measured(1.0))], exactly(2))
    runner.save()
    found = loading.load(tmp_path / "r.json")
    assert list(found.values(A)) == [1.0, 1.0]
    assert (found.kind, facts.SEED.of(found.facts)) == ("costs", 3)


def test_a_seed_by_chance_is_recorded() -> None:
    assert len({Runner().seed for _ in range(5)}) == 5  # equal with a chance of 2e-9
