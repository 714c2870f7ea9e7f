"""Whether others run while a kernel waits."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import Any

import pytest
from quiet import needs_gil

from gilkit import kernels

pytestmark = pytest.mark.alone


@needs_gil
def test_a_released_wait_lets_others_run_and_a_held_one_does_not() -> None:
    # Not a timing: whether the other thread ran at all while this one waited.
    def others_during(sleep: Any) -> tuple[int, float]:
        """How often another thread ran while this one slept for 50 ms, and its longest pause."""
        times = [time.perf_counter()]
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                times.append(time.perf_counter())

        thread = threading.Thread(target=run)
        thread.start()
        before = len(times)
        sleep(0.05)
        after = len(times)
        stop.set()
        thread.join()
        return after - before, max(b - a for a, b in pairwise(times))

    assert others_during(kernels.sleep.gil)[1] >= 0.05
    assert any(others_during(kernels.sleep.nogil)[0] > 10 for _ in range(20))
