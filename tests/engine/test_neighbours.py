"""Different calls in one window: a ticker on a clock that is told what to say, and real threads."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from gilkit.engine.meter import Meter
from gilkit.engine.neighbours import PERIOD, Neighbours, on_pool, tick
from gilkit.engine.pools import Lab
from gilkit.engine.worker import Order
from gilkit.results.windows import Lateness
from gilkit.workloads.statement import StatementCall

WINDOW = Order(warm=0.010, seconds=0.020, beyond=0.004, batch=1, call=PERIOD)


class Clock:
    """A clock on which only sleep moves on, to when it is told, or to when the GIL is free again."""

    def __init__(self, held: list[tuple[float, float]]) -> None:
        self.now = 0.0
        self.held = held

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for begin, end in self.held:
            if begin <= self.now < end:
                self.now = end


def ticked(*held: tuple[float, float], order: Order = WINDOW) -> Lateness:
    clock = Clock(list(held))
    found = tick(order, 0.0, 0, clock, clock.sleep, lambda: (0.0, 1.0, 2.0, 3.0))
    assert found is not None
    stint, late = found
    assert late is not None
    assert stint.calls == late.ticks
    assert stint.seconds == pytest.approx(order.warm + order.seconds + order.beyond, abs=0.0011)
    return late


def test_a_ticker_that_nobody_disturbs_is_on_time() -> None:
    late = ticked()
    assert 19 <= late.ticks <= 21  # those at the ends may fall on either side
    assert late.most == pytest.approx(0.0, abs=1e-9)
    assert late.hold == pytest.approx(PERIOD, rel=1e-6)


def test_it_is_as_late_as_others_hold_the_gil_and_leaves_out_what_is_past() -> None:
    late = ticked((0.0145, 0.0205))
    assert late.most == pytest.approx(0.0205 - 0.015)
    assert late.usual == pytest.approx(0.0, abs=1e-9)
    assert 14 <= late.ticks <= 16
    assert ticked((0.0120, 0.0280)).hold == pytest.approx(0.0280 - 0.0110, abs=1.1e-3)


def test_what_lies_beside_the_window_does_not_count() -> None:
    assert ticked((0.0041, 0.0080)).most == pytest.approx(0.0, abs=1e-9)
    assert ticked((0.0301, 0.0330)).most == pytest.approx(0.0, abs=1e-9)


def test_a_hold_over_the_whole_window_counts() -> None:
    late = ticked((0.0005, 0.0500), order=Order(0.010, 0.020, 0.0196, 1, PERIOD))
    assert late.ticks == 1
    assert late.most == pytest.approx(0.049)


def test_a_ticker_that_is_late_for_the_start_says_so() -> None:
    clock = Clock([])
    clock.now = 1.0
    assert tick(WINDOW, 0.5, 0, clock, clock.sleep) is None


def test_half_of_the_time_went_by_in_holds_so_long_or_longer() -> None:
    assert Lateness.of([0.0, 0.0, 0.019], [0.001, 0.001, 0.020]).hold == 0.020
    assert Lateness.of([0.0] * 30, [0.001] * 29 + [0.020]).hold == 0.001
    late = Lateness.of([k / 1000 for k in range(1, 101)], [0.001] * 100)
    assert (late.ticks, late.usual, late.nearly_all, late.most) == (100, 0.0505, 0.099, 0.1)
    assert Lateness.unpacked(late.packed()) == late


def test_each_worker_does_its_own() -> None:
    """Two calls that leave a mark, and a ticker: on real threads."""
    orders = [Order(0.02, 0.05, 0.02, 1, 1e-4) for _ in range(3)]
    recipes = [StatementCall("import time", f"time.sleep({seconds})") for seconds in (0.001, 0.004)]
    with ThreadPoolExecutor(3) as pool:
        window, late = on_pool(pool, orders, 60.0, *recipes, None)
    assert late is not None
    fast, slow, ticks = window.stints
    assert fast.calls > slow.calls > 0
    assert ticks.calls == late.ticks > 0


def test_orders_are_the_same_on_the_clock_and_as_long_as_the_longest_needs() -> None:
    short, long = (StatementCall("import time", f"time.sleep({seconds})") for seconds in (1e-4, 0.02))
    with Lab(2, hosted=False) as lab:
        neighbours = Neighbours(Meter(lab, 0.05, 2, random.Random(1)), 0.005)
        first, second = neighbours.orders("threads", (short, long))
        assert (first.warm, first.seconds, first.beyond) == (second.warm, second.seconds, second.beyond)
        assert first.seconds >= 8 * 0.02
        assert first.call < second.call
        usual = first.seconds
        neighbours.holds[long] = 0.050
        assert neighbours.orders("threads", (short, long))[0].seconds > usual
        window, late = neighbours.window("threads", (short, None))
        assert len(window.stints) == 2
        assert late is not None


def test_a_machine_that_stood_still_once_makes_no_window_that_never_ends() -> None:
    call = StatementCall("pass", "sum(range(100))")
    with Lab(2, hosted=False) as lab:
        neighbours = Neighbours(Meter(lab, 0.05, 2, random.Random(1)), 0.005)
        neighbours.learn_hold(call, 100.0)
        assert neighbours.holds[call] < 0.1
        for _ in range(9):
            neighbours.learn_hold(call, 0.02)
        assert neighbours.holds[call] == pytest.approx(0.02)


@pytest.mark.parametrize("limit", [1.0, 5.0, 20.0])
def test_a_thread_that_starves_beside_another_is_answered_for_in_time(limit: float) -> None:
    """Who gives the GIL up and takes it back at once looks as if it held it for as long as anybody looks."""
    short, greedy = StatementCall("pass", "sum(range(100))"), StatementCall("pass", "sum(range(10_000))")
    with Lab(2, timeout=limit, hosted=False) as lab:
        neighbours = Neighbours(Meter(lab, 0.05, 2, random.Random(1)), 0.005)
        for _ in range(9):
            neighbours.learn_hold(greedy, 100.0)
        neighbours._lengths = {("threads", (short, greedy), 0): 100.0}
        order, _ = neighbours.orders("threads", (short, greedy))
        tries = [order]
        while not tries[-1].starving:  # none ends a call in the lead: the last one counts all the same
            tries.append(tries[-1].longer())
        assert sum(each.warm + each.seconds + each.beyond for each in tries) < limit


def test_threads_switch_as_often_as_it_was_told_or_as_in_the_program_that_asks() -> None:
    with Lab(1, switch=0.0005) as lab:
        assert lab.call(sys.getswitchinterval) == pytest.approx(0.0005)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.002)
    try:
        with Lab(1) as lab:
            assert lab.call(sys.getswitchinterval) == pytest.approx(0.002)
    finally:
        sys.setswitchinterval(usual)
