"""How long a call is: found by runs that grow, with made-up clocks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gilkit.engine.calibration import PACED, calibrated, pace


@pytest.mark.parametrize("call", [1e-8, 1e-6, 3e-4, 0.02, 0.3, 7.0])
def test_calibration_finds_the_loops_that_last_as_long_as_asked(call: float) -> None:
    runs: list[int] = []

    def run(loops: int) -> float:
        runs.append(loops)
        return loops * call

    loops, length = calibrated(run, 0.05)
    assert length == pytest.approx(call)
    assert loops == max(1, round(0.05 / call))
    assert sum(runs) * call <= max(0.15, 2 * call)


STOPPED = 60.0  # seconds for which a program is stopped while it finds out how long a call is


@pytest.mark.parametrize("call", [1e-6, 3e-4, 0.02, 0.3])
@pytest.mark.parametrize(
    "found",
    [
        lambda run: calibrated(run, 0.05)[1],
        lambda run: pace(lambda loops: (length := run(loops), length)).call,
    ],
)
def test_a_program_that_is_stopped_once_knows_how_long_a_call_is(
    call: float, found: Callable[[Callable[[int], float]], float]
) -> None:
    stopped, runs = -1, 0

    def run(loops: int) -> float:
        nonlocal runs
        runs += 1
        return loops * call + STOPPED * (runs - 1 == stopped)

    assert found(run) == pytest.approx(call)
    for stopped in range(runs):  # in each of the runs that it takes
        runs = 0
        assert found(run) == pytest.approx(call)
        assert runs > stopped


def test_calibration_survives_a_clock_that_does_not_move() -> None:
    lengths = iter([0.0, 0.0, 0.0])
    assert calibrated(lambda loops: next(lengths, loops * 1e-3), 0.05)[1] == pytest.approx(1e-3)


@pytest.mark.parametrize("call", [1e-8, 1e-6, 3e-4, 0.02, 0.3, 7.0])
def test_a_pace_is_that_of_a_run_long_enough(call: float) -> None:
    runs: list[int] = []

    def run(loops: int) -> tuple[float, float]:
        runs.append(loops)
        return loops * call, 1.9 * loops * call

    found = pace(run)
    assert found.call == pytest.approx(call)
    assert found.inside == pytest.approx(1.9)
    assert runs[-1] * call >= PACED / 2
    assert sum(runs) * call <= max(3 * PACED, 2 * call)


def test_a_pace_survives_a_clock_that_does_not_move() -> None:
    assert pace(lambda _: (0.0, 0.0)).call > 0
