"""One worker, with a clock that does what it is told: what it counts between two instants is exact."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import pairwise

import pytest

from gilkit.engine.worker import Order, cpu_with_children, ended, finished, stint, work
from gilkit.results.windows import Stint
from gilkit.workloads.workload import Call


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Ticking:
    """A workload whose call moves the clock by so much."""

    def __init__(self, clock: Clock, seconds: float, preparing: float = 0.0) -> None:
        self.clock, self.seconds, self.preparing = clock, seconds, preparing
        self.calls = 0

    def prepare(self) -> Call:
        self.clock.now += self.preparing
        return self.call

    def call(self) -> None:
        self.calls += 1
        self.clock.now += self.seconds


def worked(workload: Ticking, order: Order, start: float, place: int = 0) -> tuple[Stint | None] | None:
    clock = workload.clock

    def used() -> tuple[float, ...]:
        return clock.now / 2, 3 * clock.now, 0.0, 0.0, clock.now / 4, 5 * clock.now

    return work(workload, order, start, place, clock, clock.sleep, clock.sleep, used)


def test_a_worker_counts_calls_between_two_instants_by_parts() -> None:
    workload = Ticking(Clock(), 0.3)
    found = worked(workload, Order(warm=1.0, seconds=2.0, beyond=0.3, batch=1, call=0.3), start=101.0)
    assert found is not None
    (done,) = found
    assert done is not None
    assert done.calls == pytest.approx(2.0 / 0.3)  # not rounded to whole calls
    assert done.seconds == pytest.approx(3.3, abs=0.3)  # until the first stamp that is late enough
    assert done.cpu == pytest.approx(done.seconds / 2)
    assert done.voluntary == pytest.approx(3 * done.seconds)
    assert (done.system, done.faults) == pytest.approx((done.seconds / 4, 5 * done.seconds))


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_batches_change_nothing(batch: int) -> None:
    workload = Ticking(Clock(), 0.01)
    found = worked(workload, Order(warm=1.0, seconds=2.0, beyond=0.1, batch=batch, call=0.01), start=101.0)
    assert found is not None
    assert found[0] is not None
    assert found[0].calls == pytest.approx(200.0)


def test_a_worker_that_is_ready_too_late_calls_nothing() -> None:
    workload = Ticking(Clock(), 0.5, preparing=10.0)
    order = Order(warm=2.0, seconds=4.0, beyond=0.5, batch=1, call=0.5)
    assert worked(workload, order, start=102.0) is None
    assert workload.calls == 1  # to warm up
    # Prepared by now, it makes the next start.
    found = worked(workload, order, start=workload.clock.now + 1)
    assert found is not None
    assert found[0] is not None
    assert found[0].calls == pytest.approx(8.0)


def test_calls_that_do_not_reach_across_the_window_make_it_invalid() -> None:
    slow = Ticking(Clock(), 5.0)  # no call has ended before the window begins
    assert worked(slow, Order(warm=2.0, seconds=4.0, beyond=5.0, batch=1, call=5.0), 110.0) == (None,)
    swift = Ticking(Clock(), 1e-3)  # a thousand times as fast as was known: no room for the stamps
    assert worked(swift, Order(warm=2.0, seconds=4.0, beyond=1.0, batch=1, call=1.0), 110.0) == (None,)
    order = Order(warm=2.0, seconds=4.0, beyond=5.0, batch=1, call=5.0).longer()
    assert (order.warm, order.seconds, order.beyond, order.call) == (4.0, 4.0, 10.0, 2.5)


def test_workers_do_not_march_in_step_and_every_round_anew() -> None:
    order = Order(0.01, 0.1, 0.01, 1, 0.01, phase=0.01, seed=7)
    begins = [order.begins(place) for place in range(64)]
    assert all(0 <= begin < 0.01 for begin in begins)
    assert len(set(begins)) == 64
    assert begins == [order.begins(place) for place in range(64)]
    assert begins[0] != Order(0.01, 0.1, 0.01, 1, 0.01, phase=0.01, seed=8).begins(0)


def test_what_is_finished_at_an_instant() -> None:
    stamps = [10.0, 11.0, 13.0, 14.0]
    assert finished(stamps, 12.0, batch=4) == pytest.approx(6.0)
    assert finished(stamps, 11.0, batch=4) == pytest.approx(4.0)
    assert finished(stamps, 10.5, batch=4) is None  # no stamp before it
    assert finished(stamps, 14.0, batch=4) is None  # none after it


def test_what_has_ended_at_an_instant() -> None:
    stamps = [10.0, 11.0, 13.0, 14.0]
    assert ended(stamps, 12.9, batch=4) == 4.0
    assert ended(stamps, 10.5, batch=4) == 0.0  # within its first
    assert ended(stamps, 9.0, batch=4) == 0.0
    assert ended(stamps, 14.0, batch=4) is None  # none after it


@pytest.mark.parametrize("workers", [16, 64])
def test_many_that_take_turns_end_one_call_after_the_other(workers: int) -> None:
    """Each holds the GIL for five calls of 1 ms, and whose turn it is is chance: some have none for long."""
    chance, now = random.Random(3), 0.0
    stamps: list[list[float]] = [[0.0] for _ in range(workers)]
    order = Order(warm=0.005 * workers, seconds=0.01 * workers, beyond=0.001, batch=1, call=1e-3, whole=True)
    until = order.warm + order.seconds + order.beyond
    while left := [mine for mine in stamps if mine[-1] < until]:
        mine = chance.choice(left)
        for _ in range(5):
            now += 1e-3
            mine.append(now)
    found = [stint(mine, (0.0, 0.0, 0.0, 0.0), order, 0.0) for mine in stamps]
    assert sum(done.calls for done in found if done is not None) == pytest.approx(order.seconds / 1e-3, abs=1)
    assert len([done for done in found if done is None]) == 0


def test_transients_do_not_count() -> None:
    """Two workers at a lock that each call holds for 0.7 of its length do 1/0.7 of the work of one."""
    stamps: list[list[float]] = [[0.0], [0.35]]
    free = 0.0
    ends = [0.0, 0.35]
    for _ in range(400):
        worker = 0 if ends[0] <= ends[1] else 1
        took = max(ends[worker] + 0.3, free)  # released for 0.3, then it wants the lock
        free = ends[worker] = took + 0.7
        stamps[worker].append(free)
    order = Order(warm=5.0, seconds=100.0, beyond=2.0, batch=1, call=1.0)
    found = [stint(mine, (0.0, 0.0, 0.0, 0.0), order, 0.0) for mine in stamps]
    assert sum(done.calls for done in found if done is not None) / 100 == pytest.approx(1 / 0.7, rel=0.01)
    assert all(later > earlier for mine in stamps for earlier, later in pairwise(mine))


@pytest.mark.skipif(sys.platform == "win32", reason="nobody counts them there")
def test_what_processes_of_a_call_use_is_what_it_uses() -> None:
    before = cpu_with_children()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True)
    assert cpu_with_children() - before >= 0.3
