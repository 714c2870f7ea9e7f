"""What more CPUs would give: a bound by the law, where there can be one."""

from __future__ import annotations

import pytest
from made_up import near, own, working

from gilkit.studies.compare.figures import Evidence, Usage
from gilkit.studies.compare.prediction import predicted, predictions
from gilkit.studies.compare.verdict import Cause, judge


def line(f: Evidence) -> str | None:
    return predicted(f, judge(f))


def test_the_line() -> None:
    found = line(own(1.97, held=0.19, call=near(5e-3, 0), ceiling=near(1.96)))
    assert found == (
        "with more CPUs threads would do at most 3.9× the work of one on 4 CPUs, 5.2× on 8, 16 and 64 "
        "(computed from the time that a call holds the GIL, not measured)"
    )


def test_it_has_the_interval_of_the_share() -> None:
    found = line(own(1.97, held=0.19, held_error=0.002, call=near(5e-3, 0), ceiling=near(1.96)))
    assert found is not None
    assert "at most 3.9× the work of one on 4 CPUs, 5.2× (5.0–5.5) on 8, " in found
    figures = dict(predictions(own(1.97, held=0.19, held_error=0.002, call=near(5e-3, 0))))
    assert figures[8].low < figures[8] < figures[8].high


def test_only_more_cpus_than_here() -> None:
    many = own(15.0, workers=16, cpus=16, ceiling=near(15.8), processes=near(15.5), held=0.01)
    assert [cpus for cpus, _ in predictions(many)] == [64]
    most = own(60.0, workers=64, cpus=64, ceiling=near(63.0), processes=near(62.0), held=0.001)
    assert line(most) is None


def test_hand_overs_that_are_not_contended_are_no_bound() -> None:
    """With 40,000 of them a call would take 0.8 s more; threads do better, so only the share counts."""
    again = own(0.9, held=0.5, times=40_000, call=near(25e-3, 0))
    assert judge(again).cause is Cause.AGAIN
    assert [figure for _, figure in predictions(again)] == [2.0, 2.0, 2.0, 2.0]
    few = own(0.8, held=0.25, times=50, call=near(1e-3, 0))
    assert [figure for _, figure in predictions(few)] == pytest.approx([4 / 3] * 4)


def test_a_hand_over_costs_half_where_many_queue() -> None:
    """Measured (benchmarks/prediction.py, two CPUs): 8.1 and 8.8 of 8 and 16 threads; all of it says 7.1."""
    found = dict(predictions(own(2.0, held=0.071, times=1.0, handover=21e-6, call=near(295e-6, 0))))
    assert found[8] == pytest.approx(8.0, abs=0.05)
    assert 8.8 <= found[16] < 1.1 * 8.8


def test_a_call_that_holds_it_throughout() -> None:
    found = line(own(1.0, held=1.0))
    assert found is not None
    assert "at most 1.0× the work of one on 4, 8, 16 and 64 CPUs (" in found


def test_not_from_memory_or_hardware() -> None:
    for f in (
        own(0.8, **working(cost=2.5)),
        own(1.3, processes=near(1.3), **working(cost=1.5)),
    ):
        found = line(f)
        assert found is not None
        assert "cannot be told from here" in found


@pytest.mark.parametrize(
    "f",
    [
        own(1.97, held=None),
        own(1.0, inside=1.9),
        own(7.9, workers=8, alone=Usage(0.01), processes=near(7.8)),
        own(1.0, clean=2, tried=30),
        own(1.0),
    ],
    ids=["no share", "parallel", "waiting", "busy", "not decided between a lock and memory"],
)
def test_nothing_where_it_is_not_the_law_that_decides(f: Evidence) -> None:
    assert line(f) is None
