"""What a held share means, and how far threads get that share one GIL."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gilkit.gil.law import behaviour, contended, law, pessimistic, taken_again

WORKERS = (2, 4, 16, 64)
PACES = (0.6, 1.0)  # of a machine with hyperthreads; of one without


def test_what_a_call_does_with_the_gil() -> None:
    assert [behaviour(held) for held in (0.0, 0.1, 0.5, 0.9, 1.0)] == [
        "releases",
        "releases",
        "releases in part",
        "holds",
        "holds",
    ]


def test_what_is_taken_again() -> None:
    assert not taken_again(4.9)
    assert taken_again(5.0)


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("p", PACES)
def test_the_law_is_the_least_of_what_the_machine_and_the_gil_give(workers: int, p: float) -> None:
    assert law(workers, p, 1e-3, 0.0, times=0) == workers * p
    assert law(workers, p, 1e-3, 1.0, times=0) == 1.0
    assert law(workers, p, 1e-3, 0.25, times=0) == min(workers * p, 4.0)
    # 1 ms that holds 250 µs, and hands over five times at 50 µs: the GIL is taken for half of it.
    assert law(workers, p, 1e-3, 0.25, times=5, handover=50e-6) == pytest.approx(min(workers * p, 2.0))


def test_its_interval_is_that_of_the_share() -> None:
    found = law(16, 1.0, 1e-3, 0.2, times=0, margin=0.05)
    assert (found, found.low, found.high) == pytest.approx((5.0, 4.0, 1 / 0.15))
    assert law(2, 1.0, 1e-3, 0.02, times=0, margin=0.05).high == 2.0  # a share is never below nought
    assert law(2, 1.0, 1e-3, 0.98, times=0, margin=0.05).low == 1.0  # nor above one


@pytest.mark.parametrize("held", [0.0, 0.1, 0.5, 0.7, 1.0])
def test_the_pessimistic_neighbour_of_two_workers(held: float) -> None:
    assert pessimistic(2, 1.0, 1e-3, held, times=0) == pytest.approx(2 / (1 + held**2))


@pytest.mark.parametrize("p", PACES)
@pytest.mark.parametrize("held", [0.0, 0.01, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("times", [0.0, 1.0, 50.0])
def test_the_neighbour_is_below_the_law_and_grows_with_workers(p: float, held: float, times: float) -> None:
    found = [pessimistic(workers, p, 1e-3, held, times) for workers in WORKERS]
    assert all(low <= law(w, p, 1e-3, held, times) + 1e-9 for w, low in zip(WORKERS, found, strict=True))
    assert all(a <= b + 1e-9 for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("held", "released", "workers", "measured"),
    [
        (500e-6, 2e-3, 2, 1.95),
        (500e-6, 2e-3, 4, 3.93),
        (500e-6, 2e-3, 16, 4.95),
        (2e-3, 2e-3, 8, 2.05),
        (100e-6, 1e-3, 4, 3.86),
        (100e-6, 1e-3, 16, 9.70),
        (20e-6, 200e-6, 16, 7.86),
        (10e-3, 30e-3, 8, 3.86),
    ],
)
def test_what_was_measured_lies_between_the_law_and_its_neighbour(
    held: float, released: float, workers: int, measured: float
) -> None:
    """Threads that hold the GIL and then sleep, so that two CPUs were enough for sixteen."""
    call = held + released
    low = pessimistic(workers, 1.0, call, held / call, times=1.0)
    assert 0.9 * low <= measured <= 1.1 * law(workers, 1.0, call, held / call, times=0)


def test_who_holds_it_throughout_hands_it_over_once_a_turn() -> None:
    assert contended(2e-6, 1.0, 1.0) == pytest.approx(0.0004)
    assert contended(20e-3, 1.0, 1.0) == 1.0
    assert contended(2e-6, 0.5, 1.0) == 1.0
