"""`gilkit timeit` where there is one CPU."""

from __future__ import annotations

import os

import pytest
from command import gilkit

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("hasty")]


FAST = ["--workers", "2", "--rounds", "2"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_with_one_cpu_nothing_can_scale_and_the_gil_is_not_to_blame() -> None:
    one = {min(os.sched_getaffinity(0))}
    done = gilkit("timeit", *FAST, "sum(range(1000))", preexec_fn=lambda: os.sched_setaffinity(0, one))
    assert done.returncode == 0, done.stderr
    assert " · 1 CPU" in done.stdout.splitlines()[0]
    assert "the GIL" not in done.stdout
    verdict = "the hardware: nothing can scale here: one CPU → use a machine with more CPUs"
    if verdict not in done.stdout:  # rounds that others disturbed: threads may seem to do more
        assert "busy machine: " in done.stdout or "too few rounds for an interval" in done.stdout
        pytest.skip("others use the machine")
