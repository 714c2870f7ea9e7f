"""From measured points to the bracket of a threshold: pure logic."""

from __future__ import annotations

import random
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.stats import Estimate
from gilkit.studies.threshold.crossing import (
    HOLDING,
    NARROW,
    OWN,
    Crossing,
    Point,
    cases,
    crossing,
    point,
    price,
)


def at(size: int, advantage: float, half: float = 0.01) -> Point:
    return Point(size, Estimate(advantage, advantage - half, advantage + half), 1e-6)


def test_a_point_wins_only_without_doubt() -> None:
    assert at(1, 2.0).wins
    assert not at(1, 1.04).wins  # too little to be worth the trouble
    assert not at(1, 1.5, 0.6).wins  # the interval holds a loss
    assert at(1, 1.06, 0.02).open
    assert not at(1, 1.5, 0.1).open


def test_a_point_without_an_interval_decides_nothing() -> None:
    few = Point(4, Estimate(1.5), 1e-6)
    assert few.open
    assert not few.wins
    assert crossing([few]) == Crossing(None, None)
    assert crossing([at(1, 0.9), few, at(16, 1.5)]) == Crossing(1, 16)


def test_the_bracket_lies_between_the_last_loss_and_the_next_win() -> None:
    points = [at(1, 0.5), at(4, 1.9), at(16, 0.9), at(64, 1.5), at(256, 2.0)]
    found = crossing(reversed(points))
    assert found == Crossing(16, 64)
    assert found.at == found.middle == 32


def test_a_win_everywhere_and_nowhere() -> None:
    assert crossing([at(1, 2.0), at(4, 2.0)]) == Crossing(None, 1)
    assert crossing([at(1, 2.0)]).at == 1
    assert crossing([at(1, 0.9), at(4, 1.0)]) == Crossing(4, None)
    assert crossing([at(4, 1.0)]).at is None
    assert crossing([]) == Crossing(None, None)
    assert crossing([]).middle is None


@given(st.integers(1, 10**9), st.integers(2, 10**9))
def test_bisection_ends_at_a_planted_threshold(smallest: int, planted: int) -> None:
    largest = max(smallest, planted) * 4
    points = {size: at(size, 2.0 if size >= planted else 1.0) for size in (smallest, largest)}
    for _ in range(64):
        middle = crossing(points.values()).middle
        if middle is None:
            break
        assert middle not in points
        points[middle] = at(middle, 2.0 if middle >= planted else 1.0)
    found = crossing(points.values())
    assert found.high is not None
    assert found.high >= planted
    if smallest >= planted:
        assert found.low is None
    else:
        assert found.low is not None
        assert found.low < planted
        assert found.high <= NARROW * found.low or found.high - found.low <= 1


@pytest.mark.parametrize("beaten", [HOLDING, OWN])
def test_a_point_of_the_values(beaten: str) -> None:
    one, *_, many = cases("k", 8, beaten, [1, 2] if beaten == HOLDING else [2])
    lists = {one: [1.0, 2.0, 1.0], Case("k@8", "gil", "threads", 2): [4.0, 8.0, 4.0], many: [2.0, 4.0, 2.0]}
    values = {case: dict(enumerate(found)) for case, found in lists.items()}
    found = point(lambda case: values.get(case, {}), "k", 8, beaten, 2)
    assert found is not None
    # The gil version took twice as long; the statement's two threads, too, but for twice the work.
    assert found.advantage == pytest.approx(2.0 if beaten == HOLDING else 1.0)
    assert found.call == 1.0
    assert point(lambda _: {}, "k", 8, beaten, 2) is None


def test_the_price_is_that_of_the_shortest_call() -> None:
    draw = random.Random(1)
    records = []
    for size, extra in ((64, 1e-6), (1, 40e-9)):
        base = [1e-6 * (1 + draw.random()) for _ in range(50)]  # drift falls on both alike
        records.append(Record(Case(f"k@{size}", "gil", "threads", 1), base))
        records.append(Record(Case(f"k@{size}", "nogil", "threads", 1), [value + extra for value in base]))
    facts = {"gilkit_subject": "k", "gilkit_beaten": HOLDING}
    found = price(Results(build(records, facts, {})))
    assert found == pytest.approx(40e-9)
    assert price(Results(build(records, {**facts, "gilkit_beaten": OWN}, {}))) is None


def test_sizes_are_compared_by_factors() -> None:
    assert crossing([at(100, 1.0), at(10_000, 2.0)]).middle == round(sqrt(100 * 10_000))
