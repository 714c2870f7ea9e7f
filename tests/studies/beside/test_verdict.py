"""What is decided of neighbours: by the ends of the intervals, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from made_up import near

from gilkit.results.stats import Estimate
from gilkit.studies.beside.figures import Late, Side
from gilkit.studies.beside.verdict import (
    Answer,
    Effect,
    Ruled,
    event_loop,
    in_one_call,
    shorter_interval,
    together,
)

SWITCH = 5e-3
UNDECIDED = Estimate(0.5, least=0.3, most=0.7)  # of fewer than six rounds


def late(beyond: Estimate, usual: float = 1e-4) -> Late:
    return Late(near(usual, 1e-5), near(beyond + usual, 1e-5), 2 * beyond, beyond)


def side(
    letter: str, threads: Any, processes: float | None = 0.99, hold: float = SWITCH, **known: Any
) -> Side:
    """A statement that keeps so much on threads and in processes, and holds the GIL for so long."""
    on_threads = threads if isinstance(threads, Estimate) else near(threads)
    kept = {"threads": on_threads}
    against = None
    if processes is not None:
        kept["processes"] = near(processes)
        against = Estimate(*(end / processes for end in (on_threads, on_threads.low, on_threads.high)))
    usual = Side(letter, "x", "B" if letter == "A" else "A", kept=kept, to_processes=against, held=1.0)
    return replace(usual, hold=near(hold, hold / 50), **known)


@pytest.mark.parametrize(
    ("a", "b", "answer", "whom"),
    [
        # Nobody minds.
        (side("A", 0.99), side("B", 0.97), Answer.TOGETHER, ""),
        # Both lose as much in processes: to the memory, or to the one CPU that there is.
        (side("A", 0.5, 0.5), side("B", 0.5, 0.5), Answer.TOGETHER, ""),
        # One loses to plain Python code, or to one long call in C.
        (side("A", 0.3), side("B", 0.98), Answer.PROCESS, "B"),
        (side("A", 0.98), side("B", 0.3), Answer.PROCESS, "A"),
        (side("A", 0.3), side("B", 0.98, hold=20e-3), Answer.RELEASE, "B"),
        # Both lose: to the one that holds for longer, or to each other.
        (side("A", 0.2), side("B", 0.8, hold=20e-3), Answer.RELEASE, "B"),
        (side("A", 0.5), side("B", 0.5), Answer.PROCESS, "AB"),
        (side("A", 0.5, hold=20e-3), side("B", 0.5, hold=20e-3), Answer.PROCESS, "AB"),
        # Where there are no processes nobody can say that they would help.
        (side("A", 0.5, None), side("B", 0.5, None), Answer.OPEN, "AB"),
        (side("A", 0.3, None), side("B", 0.98, None, hold=20e-3), Answer.RELEASE, "B"),
        # Intervals that allow both, and too few rounds.
        (side("A", near(0.9, 0.05)), side("B", 0.98), Answer.OPEN, ""),
        (side("A", UNDECIDED, None), side("B", 0.98), Answer.OPEN, ""),
        (side("A", UNDECIDED, None), side("B", UNDECIDED, None), Answer.OPEN, ""),
    ],
)  # fmt: skip
def test_two_statements(a: Side, b: Side, answer: Answer, whom: str) -> None:
    found = together(a, b, SWITCH)
    assert (found.answer, found.whom) == (answer, whom)


def test_a_process_is_advised_only_where_it_was_seen_to_help() -> None:
    seen = together(side("A", 0.2), side("B", 0.95, hold=20e-3), SWITCH)
    assert seen == Ruled(Answer.RELEASE, "B", processes=True)
    unseen = together(side("A", 0.2, None), side("B", 0.95, None, hold=20e-3), SWITCH)
    assert not unseen.processes


def test_a_hold_is_one_call_where_python_code_would_have_let_go() -> None:
    assert in_one_call(side("A", 1.0, hold=20e-3), SWITCH)
    assert not in_one_call(side("A", 1.0, hold=5.1e-3), SWITCH)
    assert not in_one_call(side("A", 1.0, hold=7.51e-3), SWITCH)  # its interval goes below
    assert in_one_call(side("A", 1.0, hold=5.1e-3), 5e-4)
    assert not in_one_call(replace(side("A", 1.0), hold=None), SWITCH)
    assert not in_one_call(replace(side("A", 1.0), hold=Estimate(20e-3)), SWITCH)


@pytest.mark.parametrize(
    ("threads", "hold", "answer"),
    [
        (near(2e-4, 1e-4), 1e-4, Answer.TOGETHER),
        (near(5e-3, 1e-4), SWITCH, Answer.PROCESS),
        (near(20e-3, 1e-3), 20e-3, Answer.CUT),
        (near(1e-3, 1e-4), SWITCH, Answer.OPEN),
        (Estimate(20e-3), 20e-3, Answer.OPEN),
    ],
)
def test_a_statement_beside_an_event_loop(threads: Estimate, hold: float, answer: Answer) -> None:
    elsewhere = {"threads": late(threads), "processes": late(near(1e-5, 1e-6))}
    found = event_loop(side("A", 0.9, hold=hold, late=elsewhere), SWITCH)
    assert found.answer is answer
    assert found.whom == "A"
    assert found.pieces == (SWITCH if answer is Answer.CUT else 0.0)
    assert found.processes is (True if answer in (Answer.CUT, Answer.PROCESS) else None)
    assert event_loop(side("A", 0.9), SWITCH).answer is Answer.OPEN  # no ticker ran


@pytest.mark.parametrize(("hold", "answer"), [(SWITCH, Answer.OPEN), (20e-3, Answer.CUT)])
def test_a_process_is_no_advice_where_the_event_loop_is_late_beside_that_too(
    hold: float, answer: Answer
) -> None:
    everywhere = {"threads": late(near(hold, 1e-4)), "processes": late(near(hold, 1e-4))}
    found = event_loop(side("A", 0.9, hold=hold, late=everywhere), SWITCH)
    assert (found.answer, found.processes) == (answer, False)
    del everywhere["processes"]  # nobody looked
    assert event_loop(side("A", 0.9, hold=hold, late=everywhere), SWITCH).processes is None


@pytest.mark.parametrize(
    ("gain", "effect"),
    [
        (near(3.0), Effect.HELPS),
        (near(0.2), Effect.HURTS),
        (near(1.0), Effect.NOTHING),
        (near(1.1), Effect.OPEN),
        (near(1.0, 0.2), Effect.OPEN),
        (Estimate(3.0), Effect.OPEN),
        (None, Effect.OPEN),
    ],
)
def test_a_shorter_interval_is_judged_by_who_keeps_least(gain: Estimate | None, effect: Effect) -> None:
    least, most = side("A", 0.2, to_shorter=gain), side("B", 0.8, to_shorter=near(0.5))
    assert shorter_interval(least, most) is effect
    assert shorter_interval(most, least) is effect
    assert shorter_interval(least, replace(most, kept={})) is Effect.OPEN  # it failed


@pytest.mark.parametrize(
    ("ratio", "effect"),
    [
        (near(0.1), Effect.HELPS),
        (near(1.5), Effect.HURTS),
        (near(1.0), Effect.NOTHING),
        (near(0.8), Effect.OPEN),
        (None, Effect.OPEN),
    ],
)
def test_for_an_event_loop_it_is_judged_by_how_late_that_is(ratio: Estimate | None, effect: Effect) -> None:
    assert shorter_interval(side("A", 0.9, late_to_shorter=ratio)) is effect
