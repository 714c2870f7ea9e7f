"""What is planned for a map: samples, chunk sizes, worker counts; and what is made of figures."""

from __future__ import annotations

import pytest

from gilkit.results.stats import Estimate
from gilkit.studies.map.names import Way
from gilkit.studies.map.phases import phases
from gilkit.studies.map.plan import (
    chunk_sizes,
    even,
    item_times,
    pays_with,
    spread,
    stratified,
    worker_order,
)
from gilkit.studies.map.verdict import chosen, pays


def near(value: float, margin: float = 0.02) -> Estimate:
    return Estimate(value, value - margin, value + margin)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100, 997])
def test_items_are_timed_all_over_the_list_and_each_once(count: int) -> None:
    assert sorted(spread(count, count)) == list(range(count))
    if count > 99:
        first = list(spread(count, 10))
        assert min(first) < count / 5
        assert max(first) > 4 * count / 5


def test_a_sample_has_as_many_long_items_as_its_part_of_all() -> None:
    seconds = {place: 0.1 if place % 100 == 7 else 0.001 for place in range(1000)}
    found = stratified(seconds, 200)
    assert found == sorted(set(found))
    assert sum(seconds[place] for place in found) == pytest.approx(sum(seconds.values()) / 5, rel=0.01)


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 64, 512])
def test_chunks_of_every_size_fall_on_workers_alike(workers: int) -> None:
    size = even(5000, workers, 5000)
    for chunk in chunk_sizes(size, workers, whole=False):
        assert size % (workers * chunk) == 0
    assert size > 2500


@pytest.mark.parametrize("cpus", [1, 2, 8, 64, 512])
def test_as_many_workers_as_cpus_come_first_and_none_twice(cpus: int) -> None:
    for waits in (True, False):
        counts = list(worker_order(cpus, 10_000, waits, apart=False))
        assert counts[0] == cpus
        assert len(counts) == len(set(counts))
        assert max(counts) >= (256 if waits else min(1024, 2 * cpus))
    assert max(worker_order(cpus, 5, waits=True, apart=False)) == 5


def test_one_long_item_of_a_hundred_makes_items_uneven_and_a_slow_tiny_one_does_not() -> None:
    long = {place: 0.1 if place == 50 else 0.001 for place in range(100)}
    assert item_times(long, 1.0).uneven
    assert item_times(long, 1.0).longest_item == 50
    assert not item_times({place: 5e-5 if place == 50 else 5e-8 for place in range(100)}, 1.0).uneven
    assert not item_times(dict.fromkeys(range(100), 0.01), 1.0).uneven


def test_where_it_pays_is_rounded_up_and_nowhere_where_nothing_is_gained() -> None:
    assert pays_with(0.2, 2e-3, 2.0) == 240
    assert pays_with(0.2, 2e-3, 1.0) is None
    assert pays_with(1e-5, 2e-3, 2.0) == 2


def test_it_is_decided_by_intervals() -> None:
    assert pays([near(1.9), near(0.9)]) is True
    assert pays([near(1.02), near(0.5)]) is False
    assert pays([near(1.0, 0.2)]) is None
    assert pays([Estimate(1.9)]) is None
    assert pays([]) is None


def test_what_cannot_be_told_apart_goes_by_the_start_and_by_the_chunk_size() -> None:
    known = {
        Way("processes", 2, 1): near(1.80),
        Way("processes", 2, 4): near(1.95),
        Way("processes", 2, 16): near(1.96),
        Way("threads", 2): near(1.94),
    }
    starts = {way: 0.001 if way.executor == "threads" else 0.2 for way in known}
    assert chosen(known, starts, uneven=False) == Way("threads", 2)
    del known[Way("threads", 2)]
    assert chosen(known, starts, uneven=False) == Way("processes", 2, 16)
    assert chosen(known, starts, uneven=True) == Way("processes", 2, 4)
    known[Way("processes", 2, 1)] = near(1.90)  # surely less, but a little
    assert chosen(known, starts, uneven=True) == Way("processes", 2, 1)
    assert chosen(known, starts, uneven=False) == Way("processes", 2, 16)
    assert chosen({}, {}, uneven=False) is None


def test_the_time_of_workers_is_told_by_what_they_do() -> None:
    first, second = (1, 1), (1, 2)
    found = phases(0.0, 10.0, [(1.0, 5.0, first), (5.0, 9.0, first), (2.0, 6.0, second)], 2)
    assert (found.send, found.compute, found.back, found.idle) == pytest.approx((0.15, 0.6, 0.1, 0.15))
    assert found.seconds == 12
    lazy = phases(0.0, 10.0, [(0.0, 10.0, first)], 2)
    assert lazy.idle == pytest.approx(0.5)
