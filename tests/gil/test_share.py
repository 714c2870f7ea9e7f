"""A share, its error, and when it is told: from made-up figures."""

from __future__ import annotations

import pickle
import random
from math import isnan, nan, sqrt

import pytest

from gilkit.gil import share
from gilkit.gil.share import SEEN_PART, Share, Sums, ratio_error, unseen


def test_a_share_is_a_float_that_keeps_what_it_knows() -> None:
    made = Share(0.25, 0.01, 400, "word", 0.95)
    copy = pickle.loads(pickle.dumps(made))
    assert (copy, copy.error, copy.samples, copy.note, copy.coverage) == (0.25, 0.01, 400, "word", 0.95)
    assert repr(Share(0.25, 0.01, 400)) == "Share(0.2500, error=0.0100, samples=400)"


def test_a_share_that_is_not_told_can_be_kept_and_shown() -> None:
    made = Share(nan, nan, 7, "why", 0.5)
    copy = pickle.loads(pickle.dumps(made))
    assert isnan(copy)
    assert (copy.samples, copy.note, copy.coverage) == (7, "why", 0.5)
    assert repr(made) == "Share(nan, error=nan, samples=7, note='why')"
    assert f"{made:.2%}" == "nan%"


def sums(missed: float, samples: int = 1000, elapsed: float = 1.0) -> Sums:
    return Sums(samples, 3, elapsed, missed, 2.0, 0.5)


def test_a_share_is_told_where_enough_was_seen() -> None:
    told = sums(1 - SEEN_PART).share(0.01)
    assert (told, told.error, told.samples, told.note) == (0.25, 0.01, 1000, "")
    assert told.coverage == pytest.approx(SEEN_PART)
    missed = sums(0.555).share(0.01)
    assert isnan(missed)
    assert isnan(missed.error)
    assert missed.coverage == pytest.approx(0.445)
    assert "ran for 44% of the time only" in missed.note


def test_other_reasons_not_to_tell() -> None:
    assert Sums().share(nan).note == "nothing was watched yet"
    assert sums(0.0, samples=0).share(nan).note.startswith("no samples")
    assert isnan(sums(0.0, samples=0).share(nan))
    assert sums(2.0).share(nan).coverage == 0.0  # a gap that began before


def test_what_came_since() -> None:
    assert Sums(5, 4, 3.0, 2.0, 1.0, 0.5).since(Sums(1, 1, 1.0, 1.0, 0.5, 0.25)) == (
        4,
        3,
        2.0,
        1.0,
        0.5,
        0.25,
    )


@pytest.mark.parametrize(("cpus", "why"), [(1, "there is one CPU only: "), (2, "the machine is too busy: ")])
def test_why_it_was_not_seen(cpus: int, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "usable_cpus", lambda: cpus)
    assert unseen(SEEN_PART) == ""
    assert unseen(0.899).startswith(why)
    assert unseen(0.899).endswith("ran for 89% of the time only")


def test_the_error_comes_from_one_stretch_to_the_next() -> None:
    assert isnan(ratio_error([]))
    assert isnan(ratio_error([(0.1, 0.02)]))
    assert isnan(ratio_error([(0.0, 0.0)] * 3))
    assert ratio_error([(0.1, 0.02)] * 3) == pytest.approx(0.0, abs=1e-12)  # every call is like the others
    parts = [(1.0, 0.1), (1.0, 0.3)] * 500
    assert ratio_error(parts) == pytest.approx(
        0.1 / sqrt(1000), rel=0.01
    )  # as of a mean, where all are as long
    assert ratio_error([(2.0, 0.4), (1.0, 0.2)]) == pytest.approx(0.0, abs=1e-12)  # longer, and as much of it


@pytest.mark.parametrize("calls", [2, 3, 5, 10, 40])
def test_two_errors_hold_the_truth_however_few_calls_there_are(calls: int) -> None:
    chance, inside = random.Random(7), 0
    for _ in range(2000):
        parts = [(1.0, chance.gauss(0.2, 0.01)) for _ in range(calls)]
        mean = sum(locked for _, locked in parts) / calls
        inside += abs(mean - 0.2) <= 1.96 * ratio_error(parts)
    assert 0.93 < inside / 2000 < 0.97
