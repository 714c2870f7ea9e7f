"""The logic of timing, with a clock that does what it is told; and windows on real workers, without times."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from gilkit.engine.executors import CALL_EXECUTORS, EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.window import Window, calibrated, local_window, together
from gilkit.engine.worker import Stint, work
from gilkit.errors import CaseFailedError
from gilkit.kernels import KERNELS
from gilkit.workloads.workload import Call, FunctionCall, KernelCall, ready


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def spin(self, seconds: float) -> None:
        self.now += seconds


class Ticking:
    """A workload whose call moves the clock by so much."""

    def __init__(self, clock: Clock, seconds: float, preparing: float = 0.0) -> None:
        self.clock, self.seconds, self.preparing = clock, seconds, preparing
        self.calls = 0

    def prepare(self) -> Call:
        self.clock.now += self.preparing
        return self.call

    def call(self) -> None:
        self.calls += 1
        self.clock.now += self.seconds


def timed(workload: Ticking, loops: int, start: float) -> Stint | None:
    clock = workload.clock
    return work(workload, loops, start, 0, clock, clock.sleep, clock.spin)


def test_a_worker_waits_for_its_start_and_times_its_loops() -> None:
    clock = Clock()
    workload = Ticking(clock, 0.5)
    stint = timed(workload, 4, start=102.0)
    assert stint is not None
    assert (stint.start, stint.end) == (102.0, 104.0)
    assert workload.calls == 5  # one to warm up
    assert 1.0 < sum(clock.slept) < 2.0


def test_a_worker_that_is_ready_too_late_calls_nothing() -> None:
    workload = Ticking(Clock(), 0.5, preparing=10.0)
    assert timed(workload, 4, start=102.0) is None
    assert workload.calls == 1
    # Prepared by now, it makes the next start.
    stint = timed(workload, 4, start=workload.clock.now + 1)
    assert stint is not None
    assert stint.end - stint.start == 2.0


def test_a_window_lasts_from_the_first_start_to_the_last_end() -> None:
    done = Window(10, (Stint(1.0, 3.0, 1.5), Stint(1.5, 6.0, 4.0)))
    assert done.seconds == 5.0
    assert done.value == 0.5
    assert done.cpu == 1.1


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


def test_calibration_survives_a_clock_that_does_not_move() -> None:
    lengths = iter([0.0, 0.0, 0.0])
    assert calibrated(lambda loops: next(lengths, loops * 1e-3), 0.05)[1] == pytest.approx(1e-3)


def test_workers_of_a_window_begin_together(executor: Executor) -> None:
    workers = 1 if type(executor).__name__ == "SerialExecutor" else 2
    recipe = pickle.dumps(KernelCall("sleep", "nogil", 20_000))
    done = together(executor, recipe, workers, 2)
    assert len(done.stints) == workers
    # Each sleeps for 40 ms without the GIL: they overlap, or one began after the other's end.
    assert max(stint.start for stint in done.stints) < min(stint.end for stint in done.stints)


def test_a_window_is_run_again_until_all_are_ready() -> None:
    clock = time.perf_counter

    class Slow:
        def prepare(self) -> Call:
            time.sleep(0.05)  # longer than the first lead
            return lambda: None

    with ThreadPoolExecutor(2) as pool:
        before = clock()
        done = together(pool, Slow(), 2, 1)
    assert min(stint.start for stint in done.stints) >= before + 0.05


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(2, timeout=30) as started:
        yield started


SMALL = KernelCall("lcg", "nogil", 100)


@pytest.mark.parametrize("name", [name for name, kind in CALL_EXECUTORS.items() if not kind.native])
def test_a_lab_runs_every_executor(name: str, lab: Lab) -> None:
    workers = 1 if EXECUTORS[name].single else 2
    done = lab.window(name, SMALL, workers, 50)
    assert len(done.stints) == workers
    assert done.loops == 50
    assert done.seconds > 0


@pytest.mark.skipif(EXECUTORS["openmp"].missing() is not None, reason="built without OpenMP")
def test_a_lab_runs_native_threads(lab: Lab) -> None:
    for name, kernel in KERNELS.items():
        if kernel.native is not None:
            done = lab.window("openmp", KernelCall(name, "native", 1), 2, 3)
            assert len(done.stints) == 2
            assert done.value > 0


def explode() -> None:
    raise ValueError("boom\n  and more")


def leave() -> None:
    raise SystemExit(3)


def die() -> None:
    import os

    os._exit(9)


@pytest.mark.parametrize("name", ["serial", "threads", "processes"])
@pytest.mark.parametrize(
    ("workload", "reason"),
    [
        (FunctionCall(explode), "ValueError: boom and more"),
        (FunctionCall(leave), "SystemExit: 3"),
        (FunctionCall(die), "a worker process exited with status 9"),
        (FunctionCall(partial(time.sleep, 600)), "no answer within 1 s: killed"),
        (FunctionCall(threading.Lock()), "cannot be sent to a process: TypeError"),
        (KernelCall("lcg", "gil", -1), "ValueError: n must not be negative"),
    ],
    ids=["raises", "exits", "dies", "hangs", "no pickle", "bad size"],
)
def test_what_goes_wrong_is_one_line_and_the_lab_goes_on(
    name: str, workload: FunctionCall | KernelCall, reason: str
) -> None:
    workers = 1 if name == "serial" else 2
    with Lab(2, timeout=1) as lab:
        with pytest.raises(CaseFailedError, match=reason) as caught:
            lab.window(name, workload, workers, 1)
        assert "\n" not in str(caught.value)
        assert lab.window(name, SMALL, workers, 5).seconds > 0


def test_a_lab_here_runs_functions_that_no_process_could_import() -> None:
    seen: list[int] = []
    with Lab(2, hosted=False) as lab:
        lab.window("threads", FunctionCall(lambda: seen.append(threading.get_ident())), 2, 3)
        with pytest.raises(CaseFailedError, match="cannot be sent"):
            lab.window("processes", FunctionCall(lambda: None), 2, 3)
    assert len(seen) >= 8  # three calls and one to warm up, on each of two threads, and what was run again
    assert len(set(seen)) == 2


def test_threads_here_that_hang_are_given_up() -> None:
    with Lab(2, timeout=0.3, hosted=False) as lab:
        with pytest.raises(CaseFailedError, match=r"no answer within 0\.3 s: left to run on"):
            lab.window("threads", FunctionCall(partial(time.sleep, 2)), 2, 1)
        assert lab.window("threads", FunctionCall(partial(time.sleep, 0.001)), 2, 1).seconds > 0


def test_an_error_in_one_worker_waits_for_the_others() -> None:
    both = threading.Barrier(2)
    ended: list[float] = []

    def work() -> None:
        if both.wait() == 0:
            raise ValueError("first")
        time.sleep(0.2)
        ended.append(time.perf_counter())

    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(ValueError, match="first"):
            together(pool, FunctionCall(work), 2, 1)
        assert ended


def seen_by(recipe: KernelCall | bytes, workers: int) -> list[int]:
    """In the host: the addresses of what each thread writes to, after a window of them."""
    local_window("threads", recipe, workers, 1, workers)
    calls = [ready(recipe, place) for place in range(workers)]
    return [call.args[2].ctypes.data for call in calls if isinstance(call, partial)]


def test_threads_have_data_of_their_own_where_commands_measure_them() -> None:
    with Lab(2) as lab:
        assert len(set(lab.call(seen_by, KernelCall("transform", "nogil", 50), 2))) == 2


def test_a_pool_that_does_not_start_is_a_reason(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import gilkit\ntry:\n    gilkit.compare('lcg', quick=True)\nexcept ValueError as e:\n    print(e)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120
    )
    assert "has to call this under if __name__ == '__main__'" in done.stdout
    assert "KeyError" not in done.stderr


def test_leaving_a_lab_ends_its_processes() -> None:
    with Lab(2) as lab:
        lab.window("processes", SMALL, 2, 1)
        lab.window("threads", SMALL, 2, 1)
        members = [process for pool in lab._processes.values() for process in pool.members]
        assert len(members) == 3
    assert not any(process.is_alive() for process in members)
