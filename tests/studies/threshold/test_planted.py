"""`gilkit threshold`: a planted threshold is found on real threads."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import answered, gilkit, leaving_nothing
from quiet import needs_gil

import gilkit as package
from gilkit.results import facts

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("hasty")]


PLANTED = 5000  # the size from which the statement lets others run


@needs_gil
def test_a_planted_threshold_is_found_on_real_threads(tmp_path: Path) -> None:
    # Two threads that sleep with the GIL take twice as long as one, and without it as long as one: 1 or 2
    # times the work. To fail, one of three sizes must have the single sleep 5 % too long in more than half
    # of its 15 rounds, and not the others: below 1e-6, even where that happens in a round of twenty.
    path = tmp_path / "found.json"
    setup = "from gilkit.kernels import sleep"
    statement = f"(sleep.gil if n < {PLANTED} else sleep.nogil)(0.004)"
    options = ["--sizes", "4800:5200", "--workers", "2", "--rounds", "15", "-o", str(path)]
    with leaving_nothing():
        done = gilkit("threshold", "-s", setup, statement, *options)
    assert done.returncode == 0, done.stderr
    found = package.load(path)
    if not all(point.advantage.decided for point in found.points(2)) or "BUSY" in done.stderr:
        pytest.skip("others kept the CPUs busy: too few rounds were undisturbed")
    bracket = found.crossing(2)
    assert bracket.low is not None
    assert bracket.high is not None
    assert bracket.low < PLANTED <= bracket.high
    assert f"{bracket.low:,} – {bracket.high:,}" in done.stdout
    assert facts.STATEMENT.of(found.results.facts) == statement
    assert answered("show", str(path)).stdout == done.stdout
