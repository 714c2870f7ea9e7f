"""`gilkit timeline`: what runs at one time is seen to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from quiet import NO_GIL_SEEN, mostly_when_quiet, needs_gil_seen
from studies.timeline.traces import named, traced
from traceformat import overlap

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("hasty")]


@needs_gil_seen
def test_who_takes_turns_is_seen_with_the_gil(tmp_path: Path) -> None:
    def turns() -> bool:
        _, found = traced(tmp_path / "t.json", "lcg", "--variant", "gil", "--workers", "2")
        [lock] = named(found, "GIL")
        order = [hold["name"] for hold in lock if hold["name"].startswith("thread")]
        switches = sum(a != b for a, b in pairwise(order))
        return switches >= 3 and overlap(*named(found, "thread"))

    assert mostly_when_quiet(turns)


@needs_gil_seen
def test_threads_that_release_it_run_without_it(tmp_path: Path) -> None:
    def free() -> bool:
        _, found = traced(tmp_path / "t.json", "lcg", "--variant", "nogil", "--workers", "2")
        calls = named(found, "thread")
        took = sum(call["args"]["cpu_us"] for track in calls for call in track)
        held = sum(call["args"]["gil_held_us"] for track in calls for call in track)
        return overlap(*calls) and held < took / 2

    assert mostly_when_quiet(free)


def test_processes_run_at_one_time_each_with_a_gil_of_its_own(tmp_path: Path) -> None:
    def beside() -> bool:
        _, found = traced(
            tmp_path / "t.json", "lcg", "--variant", "gil", "--executor", "processes", "--workers", "2"
        )
        assert len({pid for pid, _ in found}) == 2
        return overlap(*named(found, "process")) and (
            NO_GIL_SEEN is not None or overlap(*named(found, "GIL"))
        )

    assert mostly_when_quiet(beside)
