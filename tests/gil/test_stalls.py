"""Who makes others wait is found where it is: real threads, real holds, far beyond the limit."""

from __future__ import annotations

import ctypes
import gc
import inspect
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from quiet import needs_gil, needs_monitor
from sandbox import FORBID, needs_seccomp, run

from gilkit._ext import _threads
from gilkit.errors import MonitorError
from gilkit.gil import stalls
from gilkit.gil.monitor import GilMonitor
from gilkit.gil.places import CERTAIN_PLACE, PYTHON_CODE, Stall
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE
from gilkit.gil.stalls import Stalls
from gilkit.gil.threads import NAMELESS, unlisted

HELD, RELEASED = ctypes.PyDLL(None), ctypes.CDLL(None)  # functions of C, called with and without the GIL
LONG = 120_000  # microseconds: twelve times what makes a stall
TRIES = 20  # on a busy machine the sampler may be kept from seeing one

pytestmark = [needs_gil, needs_monitor]
needs_frames = pytest.mark.skipif(
    _threads.frames_missing() is not None, reason=str(_threads.frames_missing())
)


@contextmanager
def somebody_waiting() -> Iterator[None]:
    end = threading.Event()

    def wants() -> None:
        while not end.is_set():
            time.sleep(0.001)

    thread = threading.Thread(target=wants)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def hold() -> None:
    HELD.usleep(LONG)  # this line


def line_of(function: Callable[[], object]) -> int:
    lines, first = inspect.getsourcelines(function)
    return next(first + i for i, line in enumerate(lines) if "# this line" in line)


def long_and_seen(stall: Stall) -> bool:
    """Whether it is long, and was looked at: on a busy machine the sampler may have no turn meanwhile."""
    return stall.seconds > 0.5e-6 * LONG and stall.place is not None


def until_found(
    watch: Stalls, call: Callable[[], object], wanted: Callable[[Stall], bool], tries: int = TRIES
) -> Stall:
    """Call until there is a stall as it is wanted; one on a machine that is not busy."""
    for _ in range(tries):
        call()
        for _ in range(200):
            if found := [stall for stall in watch.stalls if wanted(stall)]:
                return found[0]
            time.sleep(0.001)
    raise AssertionError(watch.stalls)


@needs_frames
def test_a_call_that_makes_another_thread_wait_is_found_on_its_line() -> None:
    with somebody_waiting(), Stalls() as watch:
        stall = until_found(watch, hold, long_and_seen)
    assert stall.place is not None
    assert (stall.place.file, stall.place.function, stall.place.line) == (__file__, "hold", line_of(hold))
    assert stall.own == stall.place
    assert (stall.kind, stall.certainty) == ("C call", CERTAIN_PLACE)
    assert stall.thread.name == threading.current_thread().name
    assert inspect.currentframe().f_code.co_name in {place.function for place in stall.stack}  # type: ignore[union-attr]
    assert watch.waited > 0.5e-6 * LONG
    line = next(line for line in watch.by_line if line.place == stall.place)
    assert line.longest >= stall.seconds
    assert watch.looks > 0
    assert watch.note == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells it on Linux")
def test_who_waited_is_told_and_nobody_else() -> None:
    end, begun = threading.Event(), threading.Barrier(4)

    def wants() -> None:
        begun.wait()
        while not end.is_set():
            time.sleep(0.001)

    def does_not() -> None:
        begun.wait()
        end.wait()

    names = ["one", "two", "idle"]
    threads = [
        threading.Thread(target=target, name=name)
        for target, name in zip((wants, wants, does_not), names, strict=True)
    ]
    for thread in threads:
        thread.start()
    begun.wait()
    try:
        with Stalls() as watch:
            stall = until_found(watch, hold, lambda stall: {"one", "two"} <= waited(stall))
    finally:
        end.set()
        for thread in threads:
            thread.join()
    assert threading.current_thread().name not in waited(stall)
    assert all(stall.start <= waiter.since < stall.end for waiter in stall.waiting)
    assert {waiter.thread.native_id for waiter in stall.waiting} >= {t.native_id for t in threads[:2]}


def waited(stall: Stall) -> set[str | None]:
    return {waiter.thread.name for waiter in stall.waiting}


@needs_frames
def test_a_short_loop_of_python_code_is_no_call_of_c() -> None:
    # It is often where it was at the look before; a look takes long enough to see it go on.
    def loop() -> None:
        sys.setswitchinterval(10.0)
        end = time.perf_counter() + 1e-6 * LONG
        while time.perf_counter() < end:
            for _ in range(1_000_000):  # this line
                pass
        sys.setswitchinterval(usual)

    usual = sys.getswitchinterval()
    with somebody_waiting(), Stalls() as watch:
        stall = until_found(watch, loop, long_and_seen)
    assert stall.kind == PYTHON_CODE
    assert stall.place is not None
    assert stall.place.function.endswith("loop")
    assert stall.place.line - line_of(loop) in (0, 1)


def test_without_copies_of_frames_the_line_is_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    def sampler_that_is_blind(*arguments: object) -> object:
        made = real(*arguments)
        made.look_only_after()
        return made

    from gilkit.gil import monitor

    real = monitor._monitor.Sampler
    monkeypatch.setattr(monitor, "_monitor", SimpleNamespace(**vars(monitor._monitor)))
    monkeypatch.setattr(monitor._monitor, "Sampler", sampler_that_is_blind)
    with somebody_waiting(), Stalls() as watch:
        stall = until_found(watch, hold, lambda stall: stall.certainty == "likely", tries=5 * TRIES)
    assert stall.place is not None
    assert (stall.place.file, stall.place.function) == (__file__, "hold")
    assert all(stall.certainty != CERTAIN_PLACE for stall in watch.stalls)


def test_each_stall_is_told_and_what_the_callback_raises_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[Stall, str]] = []
    raised: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: raised.append(args.exc_value))

    def tell(stall: Stall) -> None:
        told.append((stall, threading.current_thread().name))
        raise KeyError("theirs")

    with somebody_waiting(), Stalls(on_stall=tell) as watch:
        until_found(watch, hold, lambda _: len(told) >= 2 and len(raised) >= 2)
    assert [stall for stall, _ in told] == watch.stalls
    assert {thread for _, thread in told} == {"gilkit-stalls"}
    assert all(isinstance(error, KeyError) for error in raised)


def test_a_stall_is_told_though_threads_cannot_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: GilMonitor) -> None:
        raise TypeError("a program has put something else in the place of what it asks")

    told: list[Stall] = []
    with somebody_waiting(), Stalls(on_stall=told.append) as watch:
        monkeypatch.setattr(GilMonitor, "_namer", fails)
        until_found(watch, hold, lambda _: len(told) >= 2)
        assert watch.settle()
        monkeypatch.undo()
    assert {stall.thread for stall in told[:2]} == {NAMELESS}


@pytest.mark.skipif(sys.version_info < (3, 13), reason="who waits is asked elsewhere")
@pytest.mark.parametrize("kind", [HELD_SHARE, ATTACHED_SHARE])
def test_where_it_cannot_be_read_who_waits_for_the_gil_that_matters_with_a_gil_only(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {**vars(_threads), "counts_waiting": lambda: False, "frames_missing": lambda: "no copies here"}
    monkeypatch.setattr(stalls, "_threads", SimpleNamespace(**known))
    monkeypatch.setattr(stalls, "kind_now", lambda: kind)
    if kind == HELD_SHARE:
        with pytest.raises(MonitorError, match="who waits for the GIL: no copies here"):
            Stalls().start()
    else:
        with Stalls() as watch:
            pass
        assert watch.note == "no copies here"


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt])
def test_a_callback_that_ends_its_thread_does_not_end_the_watch(
    raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def tell(_: Stall) -> None:
        raise raised

    with somebody_waiting(), Stalls(on_stall=tell) as watch:
        until_found(watch, hold, lambda _: len(watch.stalls) >= 2)


def test_with_a_callback_no_stall_is_lost_however_close_they_follow() -> None:
    for _ in range(5):  # on a busy machine the sampler may miss one
        told: list[Stall] = []
        with somebody_waiting(), Stalls(on_stall=told.append):
            for _ in range(20):
                HELD.usleep(LONG // 3)
                time.sleep(0.001)
        if sum(stall.seconds > 0.2e-6 * LONG for stall in told) == 20:
            return
    raise AssertionError(len(told))


def test_a_stall_begins_when_somebody_waits_not_when_the_hold_began() -> None:
    def comes_late() -> None:
        RELEASED.usleep(LONG // 2)

    for _ in range(TRIES):
        thread = threading.Thread(target=comes_late)
        with Stalls() as watch:
            thread.start()
            time.sleep(0.01)
            start = time.perf_counter()
            hold()
            held = time.perf_counter() - start
            thread.join()
        there = [stall for stall in watch.stalls if stall.place and stall.place.line == line_of(hold)]
        if there and there[0].seconds < 0.75 * held:
            return
    raise AssertionError((held, watch.stalls))


def test_a_service_on_a_pool_of_threads_is_told_which_task_holds_it_up() -> None:
    with ThreadPoolExecutor(4) as pool, Stalls() as watch:

        def serve() -> None:
            tasks = [pool.submit(time.sleep, 0.001) for _ in range(50)]
            slow = pool.submit(hold)
            for task in (*tasks, slow):
                task.result()

        stall = until_found(watch, serve, lambda stall: stall.own is not None and stall.own.file == __file__)
    assert stall.place is not None
    assert stall.place.line == line_of(hold)
    assert stall.thread.name is not None
    assert stall.thread.name.startswith("ThreadPoolExecutor")


def test_threads_of_ours_are_not_among_those_of_the_program() -> None:
    before = set(threading.enumerate())
    with Stalls():
        assert {"gilkit-monitor", "gilkit-stalls"} <= set(unlisted())
        assert not [thread for thread in {*threading.enumerate()} - before if "gilkit" in thread.name]


@needs_seccomp
def test_in_a_sandbox_that_forbids_copies_stalls_are_seen_and_it_says_what_is_not_known() -> None:
    done = run(FORBID + PLANTED)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True True True\n"


def test_calls_that_release_the_gil_are_no_stalls() -> None:
    def release() -> None:
        RELEASED.usleep(LONG)  # this line

    with somebody_waiting(), Stalls() as watch:
        for _ in range(5):
            release()
    there = [stall for stall in watch.stalls if stall.place and stall.place.line == line_of(release)]
    assert (
        sum(stall.seconds for stall in there) < 0.5 * 5e-6 * LONG
    )  # what the system may keep its thread from


def test_holds_that_nobody_waits_for_are_counted_apart() -> None:
    done = run(
        "import ctypes, gilkit, time\n"
        "with gilkit.Stalls() as watch:\n"
        "    for _ in range(5):\n"
        f"        ctypes.PyDLL(None).usleep({LONG})\n"
        "        time.sleep(0.01)\n"
        "print(len(watch.stalls), watch.alone > 0)\n"
    )
    assert done.stdout == "0 True\n", done.stderr


def test_the_newest_are_kept_and_the_others_counted() -> None:
    with somebody_waiting(), Stalls(room=1) as watch:
        until_found(watch, hold, lambda _: watch.dropped > 0)
    assert len(watch.stalls) == 1


def test_one_that_is_dropped_ends() -> None:
    watch = Stalls().start()
    monitor, thread, sampler = weakref.ref(watch._monitor), watch._collector, watch._monitor._thread
    assert thread is not None
    assert sampler is not None
    del watch
    gc.collect()
    for ending in (thread, sampler):
        ending.join(30)
        assert not ending.is_alive()
    assert monitor() is None


def test_its_callback_may_stop_it() -> None:
    with somebody_waiting():
        watch = Stalls(on_stall=lambda _: watch.stop())
        watch.start()
        until_found(watch, hold, lambda _: True)
        collector = watch._collector
        assert collector is not None
        collector.join(30)
        assert not collector.is_alive()
        watch.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_is_not_watched_and_ends() -> None:
    done = run(
        "import gilkit, os, sys\n"
        "with gilkit.Stalls() as watch:\n"
        "    child = os.fork()\n"
        "    if child:\n"
        "        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert done.stdout == "0\n", done.stderr
    assert done.stderr == ""


def test_a_program_that_never_stops_it_exits() -> None:
    done = run("import gilkit, sys\nwatch = gilkit.Stalls().start()\nsys.exit(3)\n")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"longer": 0}, ValueError),
        ({"longer": 10**400}, ValueError),
        ({"longer": float("nan")}, ValueError),
        ({"longer": "x"}, TypeError),
        ({"on_stall": 3}, TypeError),
        ({"room": 0}, ValueError),
        ({"room": 1.5}, TypeError),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(arguments))):
        Stalls(**arguments)  # type: ignore[arg-type]


def test_each_is_started_once() -> None:
    with Stalls() as watch, pytest.raises(RuntimeError, match="once"):
        watch.start()


@needs_frames
def test_no_look_at_odd_programs_does_harm() -> None:
    done = run(ODD, "1")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


@pytest.mark.endurance
@needs_frames
def test_no_look_of_very_many_at_odd_programs_does_harm() -> None:
    done = run(ODD, "20")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1000


ODD = Path(__file__).with_name("odd_program.py").read_text("utf-8")
PLANTED = f"""
import threading, time, gilkit
end = threading.Event()
def wants():
    while not end.is_set():
        time.sleep(0.001)
threading.Thread(target=wants).start()
with gilkit.Stalls() as watch:
    for _ in range({TRIES}):
        ctypes.PyDLL(None).usleep({LONG})
        time.sleep(0.02)
        if len(watch.stalls) >= 3:
            break
end.set()
found = watch.stalls
print(len(found) >= 3, all(stall.certainty != "certain" for stall in found), "sandbox" in watch.note)
"""
