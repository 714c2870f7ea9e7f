"""Without a GIL: who is attached, who keeps the others from stopping, and for how long."""

from __future__ import annotations

import ctypes
import gc
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from quiet import Median, needs_gil, needs_monitor, needs_no_gil
from sandbox import FORBID, needs_seccomp, run
from undeclared import compiled, needs_compiler

import gilkit
from gilkit._ext import _threads
from gilkit.errors import BusyError
from gilkit.gil import share
from gilkit.gil.assertions import assert_releases
from gilkit.gil.monitor import GilMonitor
from gilkit.gil.pauses import Pause
from gilkit.gil.places import C_CALL, CERTAIN_PLACE, COLLECTION, PUT_ASIDE, Stall
from gilkit.gil.stalls import Stalls
from gilkit.kernels import lcg, sleep

UNDETACHED = ctypes.PyDLL(None)  # functions of C, called without detaching
LONG = 120_000  # microseconds: twelve times what makes a stall
TRIES = 20  # on a busy machine the sampler may be kept from seeing one

pytestmark = [needs_monitor]


@pytest.fixture(autouse=True)
def _all_told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares are told however little the monitor saw, but in tests of how much."""
    if request.node.get_closest_marker("alone") is None:
        monkeypatch.setattr(share, "SEEN_PART", 0.0)


def stay() -> None:
    UNDETACHED.usleep(LONG)  # this line


def line_of(function: Callable[[], object]) -> int:
    lines, first = inspect.getsourcelines(function)
    return next(first + i for i, line in enumerate(lines) if "# this line" in line)


def collect_beside(call: Callable[[], object]) -> float:
    """Collect garbage while another thread makes a call; return how long that took."""
    begun = threading.Event()

    def body() -> None:
        begun.set()
        call()

    late = threading.Thread(target=body, name="late")
    late.start()
    begun.wait()
    time.sleep(0.001)
    start = time.perf_counter()
    gc.collect()
    took = time.perf_counter() - start
    late.join()
    return took


@contextmanager
def somebody_collecting() -> Iterator[None]:
    end = threading.Event()

    def collects() -> None:
        while not end.is_set():
            gc.collect(0)
            time.sleep(0.001)

    thread = threading.Thread(target=collects, name="collects")
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


@needs_gil
def test_with_a_gil_nobody_stops_the_others() -> None:
    kept = [[object()] for _ in range(500_000)]
    with GilMonitor(mode="light") as monitor:
        collect_beside(stay)
        for _ in range(5):
            gc.collect()
    assert kept
    assert monitor.kind == monitor.held_share.kind == "held"
    assert monitor.stopped_share == 0
    assert "with a GIL nobody stops" in monitor.stopped_share.note
    assert monitor.pauses == []
    assert monitor.collecting_share > 0


@needs_no_gil
@pytest.mark.alone
def test_a_share_is_of_the_time_in_which_the_thread_is_attached() -> None:
    assert gilkit.held_share(len, "", seconds=0.05).kind == "attached"
    assert Median(lambda: gilkit.held_share(sleep.gil, 0.02, seconds=0.1)) > 0.8
    assert Median(lambda: gilkit.held_share(sleep.nogil, 0.02, seconds=0.1)) < 0.1


@needs_no_gil
@pytest.mark.alone
def test_others_that_are_attached_are_no_part_of_a_call() -> None:
    with somebody_collecting():
        assert Median(lambda: gilkit.held_share(time.sleep, 0.02, seconds=0.1)) < 0.1


@needs_no_gil
@pytest.mark.alone
def test_all_threads_are_seen_at_the_same_time() -> None:
    def both() -> float:
        with GilMonitor() as monitor:
            threads = [threading.Thread(target=stay, name=f"attached {i}") for i in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        shares = {thread.name: float(share) for thread, share in monitor.by_thread.items()}
        assert monitor.held_share.kind == "attached"
        assert not monitor.held_share > 1  # any of them, not the sum
        return min(shares[thread.name] for thread in threads)

    assert Median(both) > 0.7


@needs_no_gil
def test_a_call_that_stays_attached_delays_a_collection_in_another_thread_and_is_the_culprit() -> None:
    long: list[Pause] = []
    for _ in range(TRIES):
        with GilMonitor(interval=1e-3, mode="light") as monitor:
            collect_beside(stay)
        if long := [pause for pause in monitor.pauses if pause.waited > 0.5e-6 * LONG]:
            break
    pause = long[0]
    assert pause.last is not None
    assert pause.last.name == "late"
    assert pause.requester.name == threading.current_thread().name
    assert pause.waited <= pause.seconds
    assert monitor.stopped_share > 0
    assert monitor.collecting_share > 0
    assert monitor.stopped_share.kind == "attached"


@needs_no_gil
def test_a_call_that_detaches_is_not_waited_for() -> None:
    with GilMonitor(interval=1e-3, mode="light") as monitor:
        for _ in range(5):
            collect_beside(lambda: sleep.nogil(1e-6 * LONG))
    long = [pause for pause in monitor.pauses if pause.waited > 0.5e-6 * LONG]
    assert "late" not in {pause.last.name for pause in long if pause.last is not None}


@needs_no_gil
@pytest.mark.skipif(_threads.frames_missing() is not None, reason=str(_threads.frames_missing()))
def test_the_line_for_which_others_waited_is_found() -> None:
    def wanted(stall: Stall) -> bool:
        return stall.kind == C_CALL and stall.seconds > 0.5e-6 * LONG

    with somebody_collecting(), Stalls() as watch:
        for _ in range(TRIES):
            stay()
            assert watch.settle()
            if found := list(filter(wanted, watch.stalls)):
                break
    stall = found[0]
    assert stall.place is not None
    assert (stall.place.file, stall.place.function, stall.place.line) == (__file__, "stay", line_of(stay))
    assert stall.certainty == CERTAIN_PLACE
    assert stall.thread.name == threading.current_thread().name
    assert watch.note == ""


@needs_no_gil
def test_a_long_collection_for_which_others_wait_is_told_as_one() -> None:
    def wanted(stall: Stall) -> bool:  # on a busy machine the collector may lose its CPU
        return stall.kind in (COLLECTION, PUT_ASIDE) and stall.thread.name == threading.current_thread().name

    kept = [[object()] for _ in range(500_000)]
    end = threading.Event()

    def works() -> None:
        while not end.is_set():
            sum(range(1000))

    thread = threading.Thread(target=works)
    thread.start()
    try:
        with Stalls(0.002) as watch:
            for _ in range(TRIES):
                gc.collect()
                assert watch.settle()
                if found := list(filter(wanted, watch.stalls)):
                    break
    finally:
        end.set()
        thread.join()
    assert kept
    assert found


@needs_no_gil
def test_one_thread_that_collects_keeps_nobody_waiting_but_a_canary() -> None:
    done = run(
        "import gc, gilkit\n"
        "from gilkit.gil.canary import Canary\n"
        "kept = [[object()] for _ in range(500_000)]\n"
        "for canary in None, Canary():\n"
        "    with gilkit.Stalls(0.002, canary=canary) as watch:\n"
        f"        for _ in range({TRIES}):\n"
        "            gc.collect()\n"
        "        assert watch.settle()\n"
        "    print(len(watch.stalls) > 0, {stall.thread.name for stall in watch.stalls})\n"
    )
    assert done.stdout == "False set()\nTrue {'MainThread'}\n", done.stderr


CHURNED = 100  # threads, one after another, at least: the newest thousand are named


@contextmanager
def threads_coming_and_going() -> Iterator[list[threading.Thread]]:
    end = threading.Event()

    def churn() -> None:
        made = 0
        while made < CHURNED or not end.is_set():
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()
            made += 1

    churners = [threading.Thread(target=churn, name=f"churner {i}") for i in range(4)]
    for thread in churners:
        thread.start()
    try:
        yield churners
    finally:
        end.set()
        for thread in churners:
            thread.join()


@needs_no_gil
def test_what_was_seen_is_told_while_threads_come_and_go() -> None:
    with Stalls() as watch, somebody_collecting(), threads_coming_and_going():
        for _ in range(5):
            for _ in range(20):
                assert watch.by_thread
            stay()
        assert watch.settle()
        assert watch._collector is not None
        assert watch._collector.is_alive()
    assert watch.stalls


@needs_no_gil
def test_threads_may_come_and_go_while_they_are_looked_at() -> None:
    with GilMonitor() as monitor, somebody_collecting(), threads_coming_and_going() as churners:
        pass
    assert {thread.name for thread in churners} <= {thread.name for thread in monitor.by_thread}
    assert monitor._sums().samples > 0
    assert all(0 <= share <= 1 for share in monitor.by_thread.values() if share == share)
    for pause in monitor.pauses:
        assert pause.start <= pause.stopped <= pause.end


@needs_no_gil
@pytest.mark.alone
@pytest.mark.usefixtures("hasty")
def test_an_assertion_says_who_waits() -> None:
    try:
        assert_releases(lcg.nogil, 1_000_000)
        with pytest.raises(AssertionError) as raised:
            assert_releases(lcg.gil, 1_000_000)
    except BusyError as error:
        pytest.skip(str(error))
    text = str(raised.value)
    assert "is detached for" in text
    assert "stays attached for" in text
    assert "collect garbage" in text
    assert "holds the GIL" not in text


@needs_no_gil
def test_of_very_many_threads_the_oldest_is_seen() -> None:
    end = threading.Event()
    many = [threading.Thread(target=end.wait) for _ in range(2100)]
    try:
        for thread in many:
            thread.start()
        with GilMonitor(interval=0.01, mode="light") as monitor:
            stay()
    except RuntimeError as error:
        pytest.skip(str(error))
    finally:
        end.set()
        for thread in many:
            if thread.ident is not None:
                thread.join()
    assert threading.current_thread().name in {thread.name for thread in monitor.by_thread}


@needs_no_gil
@needs_compiler
def test_while_another_thread_makes_a_module_there_is_no_gil_and_where_one_turns_it_on_it_is_said(
    tmp_path: Path,
) -> None:
    slow = f"Py_BEGIN_ALLOW_THREADS usleep({5 * LONG}); Py_END_ALLOW_THREADS"
    compiled(tmp_path, "declared", declares=True, one_phase=True, execute=slow)
    compiled(tmp_path, "undeclared")
    done = run(
        "import sys, threading, time, gilkit\n"
        "from math import isnan\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "importing = threading.Thread(target=__import__, args=('declared',))\n"
        "importing.start()\n"
        "while not sys._is_gil_enabled():\n"
        "    time.sleep(0.001)\n"
        "with gilkit.GilMonitor(mode='light') as within:\n"
        "    importing.join()\n"
        "    print(within.kind, within.turned_on, sys._is_gil_enabled())\n"
        "    import undeclared\n"
        "    time.sleep(0.1)\n"
        "print(within.kind, isnan(within.held_share), within.held_share.note)\n"
        "with gilkit.GilMonitor() as after:\n"
        "    time.sleep(0.1)\n"
        "print(after.kind, after.turned_on)\n",
        str(tmp_path),
    )
    assert done.stdout.splitlines() == [
        "attached False False",
        "attached True an import turned the GIL on while it was watched",
        "held False",
    ], done.stderr


@needs_no_gil
@needs_seccomp
def test_where_only_the_caller_can_be_read_calls_are_judged() -> None:
    done = run(
        FORBID + "import gilkit\n"
        "from gilkit.errors import BusyError, MonitorError\n"
        "from gilkit.gil.assertions import assert_releases\n"
        "from gilkit.kernels import lcg\n"
        "try:\n"
        "    gilkit.GilMonitor().__enter__()\n"
        "except MonitorError as error:\n"
        "    print('sandbox' in str(error))\n"
        "print(gilkit.held_share(lcg.gil, 10**6).kind)\n"
        "try:\n"
        "    assert_releases(lcg.gil, 10**6)\n"
        "except (AssertionError, BusyError) as error:\n"
        "    print(type(error).__name__)\n"
    )
    *known, error = done.stdout.split()
    assert known == ["True", "attached"], done.stderr
    assert error in ("AssertionError", "BusyError")
