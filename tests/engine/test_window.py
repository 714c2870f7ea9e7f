"""Windows on real workers; no time decides."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from gilkit.engine import window
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.window import local_window, together
from gilkit.engine.worker import Order
from gilkit.errors import CaseFailedError, LateError
from gilkit.kernels import KERNELS
from gilkit.workloads.pickling import inputs
from gilkit.workloads.statement import StatementCall
from gilkit.workloads.workload import Call, FunctionCall, KernelCall, Workload, ready

ORDER = Order(warm=0.005, seconds=0.02, beyond=0.001, batch=1, call=1e-4)
SWIFT = Order(warm=0.005, seconds=0.02, beyond=0.001, batch=100, call=1e-6)


def test_a_window_is_run_again_until_all_are_ready() -> None:
    made: list[float] = []

    class Slow:
        def prepare(self) -> Call:
            time.sleep(0.05)  # longer than the first lead
            made.append(time.perf_counter())
            return partial(time.sleep, 1e-4)

    with ThreadPoolExecutor(2) as pool:
        done = together(pool, Slow(), 2, ORDER)
    assert len(made) == 2
    assert all(stint.calls > 0 for stint in done.stints)


def test_a_window_is_run_again_with_twice_the_lead_for_calls_longer_than_was_known() -> None:
    with ThreadPoolExecutor(1) as pool:
        done = together(pool, FunctionCall(partial(time.sleep, 0.05)), 1, ORDER)
    assert 0 < done.calls <= 0.02 / 0.05 + 1e-9
    assert done.stints[0].seconds > 0.05  # at work from before the window to after it


def test_a_worker_that_ends_no_call_in_any_lead_has_its_part() -> None:
    length = [0.0002]

    def grow() -> None:
        time.sleep(length[0])
        length[0] *= 2.2  # faster than the lead

    with ThreadPoolExecutor(1) as pool:
        done = together(pool, FunctionCall(grow), 1, Order(0.0001, 0.0001, 0.0001, 1, 0.5))
    assert 0 < done.calls < 1


@pytest.mark.parametrize("stopped", [[], [3600.0], [0.0, 7.0, 3600.0]])
def test_time_in_which_this_program_is_stopped_makes_nobody_late(
    stopped: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    task: Future[None] = Future()

    def wait(futures: list[Future[None]], seconds: float) -> SimpleNamespace:
        ends = now[0] + seconds >= 8.0 + sum(stopped)
        now[0] = 8.0 + sum(stopped) if ends else now[0] + seconds
        if not ends and len(waits) < len(stopped):
            now[0] += stopped[len(waits)]
        waits.append(seconds)
        return SimpleNamespace(not_done=set() if ends else set(futures))

    monkeypatch.setattr(window, "wait", wait)
    clocks = SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: 0.0)
    monkeypatch.setattr(window, "time", clocks)
    waits: list[float] = []
    assert window.awaited([task], 10.0) == pytest.approx(2.0)
    now[0], waits = 0.0, []
    with pytest.raises(LateError):
        window.awaited([task], 7.0)
    assert now[0] == pytest.approx(7.0 + sum(stopped))
    for nothing in (0.0, 1e-300):
        with pytest.raises(LateError):
            window.awaited([task], nothing)


def test_threads_that_keep_the_gil_from_who_waits_for_them_are_late_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    task: Future[None] = Future()

    def wait(futures: list[Future[None]], seconds: float) -> SimpleNamespace:
        now[0] += 3.0 + seconds  # until it has the GIL again
        return SimpleNamespace(not_done=set(futures))

    monkeypatch.setattr(window, "wait", wait)
    clocks = SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: now[0])
    monkeypatch.setattr(window, "time", clocks)
    with pytest.raises(LateError):
        window.awaited([task], 10.0)
    assert now[0] <= 10.0 + 2 * 3.5


def test_all_tries_to_begin_together_have_one_time_for_their_answers() -> None:
    def late(*_: object) -> None:  # never ready in time
        time.sleep(0.1)

    with ThreadPoolExecutor(2) as pool, pytest.raises(LateError):
        window.gathered(pool, 2, 0.3, late)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(2, timeout=30) as started:
        yield started


SMALL = KernelCall("lcg", "nogil", 100)
STATEMENT = StatementCall("pass", "sum(range(100))")
OF_PYTHON = [name for name, kind in EXECUTORS.items() if not kind.native]


@pytest.mark.parametrize("name", OF_PYTHON)
def test_workers_of_a_window_begin_together(name: str, lab: Lab) -> None:
    kind = EXECUTORS[name]
    if why := kind.missing():
        pytest.skip(why)
    workers = 1 if kind.single else 2
    sleeps = StatementCall("import time", "time.sleep(0.02)")
    done = lab.window(name, sleeps, workers, Order(0.05, 0.1, 0.02, 1, 0.02))
    assert len(done.stints) == done.workers == workers
    # Each sleeps for 20 ms at a time without the GIL, from before the window to after it.
    assert all(0 < stint.calls <= 5.0001 for stint in done.stints)
    assert all(stint.seconds >= 0.1 for stint in done.stints)


@pytest.mark.parametrize("workload", [SMALL, STATEMENT], ids=["kernel", "statement"])
@pytest.mark.parametrize("name", OF_PYTHON)
def test_a_lab_runs_every_executor(name: str, workload: Workload, lab: Lab) -> None:
    kind = EXECUTORS[name]
    if why := kind.missing() or (kind.plain and workload is SMALL and "only plain Python runs there"):
        pytest.skip(why)
    workers = 1 if kind.single else 2
    done = lab.window(name, workload, workers, SWIFT)
    assert len(done.stints) == workers
    assert done.seconds == SWIFT.seconds
    assert done.value > 0


@pytest.mark.skipif(EXECUTORS["openmp"].missing() is not None, reason="built without OpenMP")
def test_a_lab_runs_native_threads(lab: Lab) -> None:
    for name, kernel in KERNELS.items():
        if kernel.native is not None:
            workload = KernelCall(name, "native", 1 if name == "primes" else 20)
            call = lab.pace("openmp", workload).call
            order = replace(SWIFT, call=call, batch=max(1, round(20e-6 / call)))
            done = lab.window("openmp", workload, 2, order)
            assert len(done.stints) == 2
            assert done.value > 0


def test_of_calls_that_are_sent_their_data_it_is_told_what_others_used(lab: Lab) -> None:
    statement = StatementCall("x = b'abc'", "x.upper()")
    done = lab.sent(statement, lab.call(inputs, statement), 2, SWIFT)
    assert not done.pinned
    assert done.others >= 0


GOES_WRONG: dict[str, tuple[Workload, str]] = {
    "raises": (StatementCall("pass", "raise ValueError('boom\\n  and more')"), "ValueError: boom and more"),
    "exits": (StatementCall("pass", "raise SystemExit(3)"), "SystemExit: 3"),
    "interrupts": (StatementCall("pass", "raise KeyboardInterrupt('mine')"), "KeyboardInterrupt: mine"),
    "dies": (
        StatementCall("import os", "os._exit(9)"),
        "process( of the interpreters)? exited with status 9",
    ),
    "crashes": (
        StatementCall("import os, signal", "os.kill(os.getpid(), signal.SIGSEGV)"),
        "killed by SIGSEGV",
    ),
    "hangs": (FunctionCall(partial(time.sleep, 600)), "no answer within 1 s: killed"),
    "no pickle": (FunctionCall(threading.Lock()), "cannot be sent to a process: TypeError"),
    "bad size": (KernelCall("lcg", "gil", -1), "ValueError: n must not be negative"),
}


def dear(name: str, what: str) -> bool:
    """Whether it is the second death of a worker of a library, whose others take long to start."""
    return what == "crashes" and not EXECUTORS[name].usual


@pytest.mark.parametrize(
    ("name", "workload", "reason"),
    [
        pytest.param(
            name,
            *GOES_WRONG[what],
            id=f"{what}-{name}",
            marks=pytest.mark.endurance if dear(name, what) else (),
        )
        for what in GOES_WRONG
        for name in OF_PYTHON
    ],
)
def test_what_goes_wrong_is_one_line_and_the_lab_goes_on(
    name: str, workload: Workload, reason: str, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = EXECUTORS[name]
    if why := kind.missing() or (kind.plain and isinstance(workload, KernelCall) and "no kernels there"):
        pytest.skip(why)
    workers = 1 if kind.single else 2
    with monkeypatch.context() as patch:
        if "within 1 s" in reason:
            patch.setattr(lab, "timeout", 1)
        with pytest.raises(CaseFailedError, match=reason) as caught:
            lab.window(name, workload, workers, ORDER)
    assert "\n" not in str(caught.value)
    assert lab.window(name, STATEMENT, workers, SWIFT).value > 0


def test_a_lab_here_runs_functions_that_no_process_could_import() -> None:
    seen: list[int] = []
    with Lab(2, hosted=False) as lab:
        lab.window("threads", FunctionCall(lambda: seen.append(threading.get_ident())), 2, SWIFT)
        with pytest.raises(CaseFailedError, match="cannot be sent"):
            lab.window("processes", FunctionCall(lambda: None), 2, SWIFT)
    assert len(set(seen)) == 2


@pytest.mark.parametrize("name", [name for name, kind in EXECUTORS.items() if kind.by_value])
def test_libraries_that_send_functions_by_value_run_those_that_no_process_could_import(
    name: str, lab: Lab
) -> None:
    if why := EXECUTORS[name].missing():
        pytest.skip(why)
    length = 0.001
    assert lab.window(name, FunctionCall(lambda: time.sleep(length)), 2, SWIFT).calls <= 2 * 21.0001


def test_threads_here_that_hang_are_given_up() -> None:
    with Lab(2, timeout=1, hosted=False) as lab:
        with pytest.raises(CaseFailedError, match=r"no answer within 1 s: left to run on"):
            lab.window("threads", FunctionCall(partial(time.sleep, 4)), 2, ORDER)
        assert lab.window("threads", FunctionCall(partial(time.sleep, 0.001)), 2, ORDER).value > 0


def test_an_error_in_one_worker_waits_for_the_others() -> None:
    both = threading.Barrier(2)
    ended: list[float] = []

    def work() -> None:
        if both.wait() == 0:
            raise ValueError("first")
        time.sleep(0.2)
        ended.append(time.perf_counter())

    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(CaseFailedError, match="ValueError: first"):
            together(pool, FunctionCall(work), 2, ORDER)
        assert ended


def seen_by(recipe: KernelCall | bytes, workers: int) -> list[int]:
    """In the host: the addresses of what each thread writes to, after a window of them."""
    local_window("threads", recipe, workers, SWIFT, workers)
    calls = [ready(recipe, place) for place in range(workers)]
    return [call.args[2].ctypes.data for call in calls if isinstance(call, partial)]


def test_threads_have_data_of_their_own_where_commands_measure_them() -> None:
    with Lab(2) as lab:
        assert len(set(lab.call(seen_by, KernelCall("transform", "nogil", 50), 2))) == 2


def test_a_pool_that_does_not_start_is_a_reason(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import gilkit\ntry:\n    gilkit.compare('lcg', variants='nogil', executors='threads')\n"
        "except ValueError as e:\n    print(e)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120
    )
    assert "has to call this under if __name__ == '__main__'" in done.stdout
    assert "KeyError" not in done.stderr


def test_leaving_a_lab_ends_its_processes() -> None:
    with Lab(2) as lab:
        lab.window("processes", SMALL, 2, SWIFT)
        lab.window("threads", SMALL, 2, SWIFT)
        members = [process for pool in lab._processes.values() for process in pool.members]
        assert len(members) == 3
    assert not any(process.is_alive() for process in members)
