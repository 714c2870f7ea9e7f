"""Windows as long as their calls need, on machines of any number of CPUs: a made-up lab runs them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import cast

import pytest
import simulated

from gilkit import machine
from gilkit.engine.calibration import Pace
from gilkit.engine.meter import CALLS, FADING, HANDS, IN_TURNS, LONG_CALLS, MANY, WARM, Held, Meter, order_for
from gilkit.engine.pools import Lab
from gilkit.engine.worker import Order
from gilkit.results.windows import Stint, Window
from gilkit.workloads.workload import FunctionCall, Workload

SWITCH = 0.005
ONE_CALL = FunctionCall(print)


def ordered(call: float, contended: float = 0.0, workers: int = 2, cpus: int = 2, held: float = 0.0) -> Order:
    return order_for(call, contended, workers, cpus, Held(held), 0.05, SWITCH)


def test_short_calls_are_stamped_in_batches() -> None:
    assert ordered(1e-6).batch in (20, 21)
    assert ordered(19e-6).batch == 2
    assert ordered(50e-6).batch == 1


@pytest.mark.parametrize("call", [1e-7, 50e-6, 3.5e-3, 0.02, 0.099])
@pytest.mark.parametrize("workers", [1, 2, 4, 64])
def test_a_window_is_as_long_as_the_calls_of_all_workers_need(call: float, workers: int) -> None:
    found = ordered(call, call * workers, workers, 64)
    contended = call * workers
    assert found.seconds >= 0.05
    assert found.seconds >= (LONG_CALLS if contended > 0.1 else CALLS) * contended
    assert found.warm >= min(WARM, 2 * contended)
    assert found.warm >= 1.5 * contended
    assert found.beyond >= contended
    assert found.phase <= call
    # Every worker has ended a call before the window, if that takes half as long again (but for rounding).
    assert found.warm >= found.phase + 1.49 * contended


def test_quick_windows_have_half_as_many_calls() -> None:
    assert order_for(5e-3, 5e-3, 2, 2, Held(0.0), 0.015, SWITCH).seconds == pytest.approx(0.02)
    assert order_for(1e-3, 1e-3, 2, 2, Held(0.0), 0.015, SWITCH).seconds == 0.015


def test_workers_that_take_turns_get_several() -> None:
    assert ordered(1e-4, workers=8, cpus=8, held=0.9).seconds >= 4 * 8 * SWITCH
    assert ordered(3e-3, workers=4, cpus=4, held=0.4).seconds >= HANDS * 0.4 * 3e-3
    assert ordered(1e-4, workers=1, held=0.9).seconds == 0.05


@pytest.mark.parametrize("workers", [16, 64])
@pytest.mark.parametrize("call", [1e-5, 1e-3, 5e-3])
def test_many_that_take_turns_are_counted_by_whole_calls(workers: int, call: float) -> None:
    found = ordered(call, call * workers, workers, workers, held=1.0)
    assert found.whole
    assert found.warm >= workers * SWITCH  # as long as it takes until all of them queue
    assert found.seconds >= max(2 * workers * SWITCH, LONG_CALLS * call * workers)
    assert found.warm + found.seconds + found.beyond < 2 * found.seconds
    assert not ordered(call, call, workers, workers).whole
    assert not ordered(call, call * MANY, MANY, workers, held=1.0).whole


@pytest.mark.parametrize("workers", [2, 4, 8])
def test_each_of_a_few_that_take_turns_has_had_one_before_the_window(workers: int) -> None:
    assert ordered(1e-5, workers=workers, cpus=workers, held=1.0).warm >= 2 * workers * SWITCH


def test_a_crowd_gets_longer_windows() -> None:
    assert ordered(1e-4, workers=3, cpus=2).seconds >= 0.06


class MadeUpLab:
    """A lab in which calls take so long, and are contended by so much."""

    def __init__(self, most: int, call: float, contention: float = 1.0, inside: float = 1.0) -> None:
        self.most, self.call, self.contention, self.inside = most, call, contention, inside
        self.orders: list[tuple[str, int, Order]] = []

    def pace(self, *_: object) -> Pace:
        return Pace(self.call, self.inside)

    def window(self, executor: str, _: Workload, workers: int, order: Order) -> Window:
        self.orders.append((executor, workers, order))
        each = order.seconds / self.call / (self.contention if workers > 1 else 1.0)
        return Window(order.seconds, workers, tuple(Stint(each, order.seconds, 0.1) for _ in range(workers)))


def made_up_meter(lab: MadeUpLab, cpus: int, monkeypatch: pytest.MonkeyPatch) -> Meter:
    """A meter on a machine whose CPUs are pairs of hyperthreads, numbered as Linux mostly does."""
    order = [*range(cpus // 2), *range(cpus // 2, cpus)] if cpus > 1 else [0]
    monkeypatch.setattr(machine, "cpus_in_order", lambda _: order)
    monkeypatch.setattr(machine, "can_pin", lambda: True)
    return Meter(cast("Lab", lab), 0.05, cpus, random.Random(1))


@pytest.mark.parametrize("cpus", [1, 2, 4, 16, 64])
def test_every_worker_has_a_cpu_of_its_own_and_cores_come_first(
    cpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = MadeUpLab(2 * cpus, 1e-3)
    meter = made_up_meter(lab, cpus, monkeypatch)
    for workers in (cpus, 2 * cpus):
        meter.window("threads", ONE_CALL, workers)
        _, _, order = lab.orders[-1]
        taken = [order.cpu(place) for place in range(workers)]
        assert sorted(set(taken)) == list(range(cpus))
        assert all(taken.count(cpu) == workers // cpus for cpu in taken)
    half = max(1, cpus // 2)
    assert [order.cpu(place) for place in range(half)] == list(range(half))  # a core each


@pytest.mark.parametrize("allowed", [{5}, {0, 8}, {1, 2, 9, 10, 11}, set(range(4, 12))])
def test_workers_are_placed_on_the_cpus_that_are_allowed(
    allowed: set[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = simulated.Machine(16, monkeypatch, tmp_path)
    monkeypatch.setattr(machine, "allowed_cpus", lambda: sorted(allowed))
    lab = MadeUpLab(2 * len(allowed), 1e-3)
    meter = Meter(cast("Lab", lab), 0.05, len(allowed), random.Random(1))
    assert here.order == list(range(16))
    for workers in (len(allowed), 2 * len(allowed)):
        meter.window("threads", ONE_CALL, workers)
        taken = [lab.orders[-1][2].cpu(place) for place in range(workers)]
        assert set(taken) == allowed
        assert taken[: len(allowed)] * (workers // len(allowed)) == taken
    cores = {cpu % 8 for cpu in allowed}
    assert {cpu % 8 for cpu in meter.places[: len(cores)]} == cores  # a core each, then siblings


def test_where_nobody_may_pin_workers_are_left_to_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(machine.os, "sched_setaffinity", forbidden, raising=False)
    lab = MadeUpLab(2, 1e-3)
    Meter(cast("Lab", lab), 0.05, 2, random.Random(1)).window("threads", ONE_CALL, 2)
    assert lab.orders[-1][2].cpus == ()


def test_one_worker_takes_every_place_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = MadeUpLab(4, 1e-3)
    meter = made_up_meter(lab, 4, monkeypatch)
    for turn in range(8):
        meter.window("threads", ONE_CALL, 1, turn)
    assert [order.first for _, _, order in lab.orders] == [0, 1, 2, 3] * 2
    meter.window("threads", ONE_CALL, 4, 3)
    assert lab.orders[-1][2].first == 0


def test_calls_with_threads_of_their_own_are_never_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = MadeUpLab(2, 1e-3, inside=1.9)
    made_up_meter(lab, 2, monkeypatch).window("threads", ONE_CALL, 2)
    assert lab.orders[-1][2].cpus == ()


def test_who_is_left_to_the_scheduler_is_not_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = MadeUpLab(2, 1e-3)
    made_up_meter(lab, 2, monkeypatch).window("threads", ONE_CALL, 2, pinned=False)
    assert lab.orders[-1][2].cpus == ()


def test_windows_grow_with_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = MadeUpLab(2, 0.02, contention=2.0)
    meter = made_up_meter(lab, 2, monkeypatch)
    meter.window("threads", ONE_CALL, 2)
    meter.window("threads", ONE_CALL, 2)
    lengths = [order.seconds for _, _, order in lab.orders]
    assert lengths == [pytest.approx(CALLS * 0.02), pytest.approx(CALLS * 0.04)]
    assert meter.seconds("threads", ONE_CALL, 2) > lengths[1]


@pytest.mark.parametrize("call", [1e-6, 1e-3, 0.05, 0.2, 2.0])
@pytest.mark.parametrize("workers", [2, 8, 64])
@pytest.mark.parametrize("stopped", [0, 1, 5])
def test_a_program_that_is_stopped_once_has_no_long_windows_from_there_on(
    call: float, workers: int, stopped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = MadeUpLab(workers, call)
    meter = made_up_meter(lab, workers, monkeypatch)
    for number in range(20):
        lab.contention = 60.0 / call if number == stopped else 1.0  # a minute in which no call ended
        meter.window("threads", ONE_CALL, workers)
    lengths = [order.warm + order.seconds + order.beyond for _, _, order in lab.orders]
    longest = max(2.01 * lengths[0], min(workers * lengths[0], (LONG_CALLS + 3) * IN_TURNS))
    assert max(lengths) <= longest
    assert sum(lengths) <= 20 * lengths[0] + longest / (1 - FADING)
    assert lengths[-1] <= 1.01 * lengths[0]


def test_calls_that_take_much_longer_beside_others_are_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = MadeUpLab(2, 0.01, contention=300.0)
    meter = made_up_meter(lab, 2, monkeypatch)
    for _ in range(3):
        meter.window("threads", ONE_CALL, 2)
    assert lab.orders[-1][2].seconds == pytest.approx(LONG_CALLS * 3.0)


def test_a_guess_that_was_too_high_is_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = MadeUpLab(8, 0.02)  # it waits: workers that have no CPU are no slower
    meter = made_up_meter(lab, 2, monkeypatch)
    meter.window("threads", ONE_CALL, 8)
    meter.window("threads", ONE_CALL, 8)
    assert lab.orders[0][2].seconds > lab.orders[1][2].seconds == pytest.approx(CALLS * 0.02)


def test_what_is_known_to_be_held_is_contended_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = MadeUpLab(2, 0.02)
    meter = made_up_meter(lab, 2, monkeypatch)
    meter.held[ONE_CALL] = Held(1.0)
    meter.window("threads", ONE_CALL, 2)
    meter.window("processes", ONE_CALL, 2)
    assert lab.orders[0][2].seconds == pytest.approx(CALLS * 0.04)
    assert lab.orders[1][2].seconds == pytest.approx(CALLS * 0.02)  # each has a GIL of its own
    assert lab.orders[1][2].apart
