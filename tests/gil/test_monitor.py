"""The GIL monitor: what it reads of threads whose doings are known. No test asks how fast anything was."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from math import isnan
from typing import Any

import pytest
from interrupts import interrupted_at, lines
from quiet import NO_MONITOR, median_when_quiet, needs_monitor

import gilkit
from gilkit.gil import held, share
from gilkit.gil import monitor as monitor_module
from gilkit.gil.held import held_share, watch
from gilkit.gil.monitor import GilMonitor
from gilkit.gil.threads import Namer, Present, State, ThreadId
from gilkit.kernels import lcg, sleep

pytestmark = pytest.mark.alone


@pytest.fixture
def _all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares are told however little the monitor saw: for tests of who it was, not of how much."""
    monkeypatch.setattr(share, "SEEN_PART", 0.0)


def busy(seconds: float) -> None:
    """Run Python, which holds the GIL, for some seconds."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@needs_monitor
def test_python_holds_the_gil() -> None:
    found = watch(lambda: sum(range(1000)), seconds=0.1)
    assert found.share.samples > 10
    assert found.calls > 10
    assert 0 < found.seconds < 1
    assert median_when_quiet(lambda: watch(lambda: sum(range(1000)), seconds=0.1).share) > 0.95
    assert median_when_quiet(lambda: held_share(lcg.gil, 1_000_000, seconds=0.1)) > 0.95


@needs_monitor
def test_a_released_wait_does_not() -> None:
    # A thread that is kept from running while it has the lock holds it long: so only quiet looks count.
    assert median_when_quiet(lambda: held_share(sleep.nogil, 0.02, seconds=0.1)) < 0.1
    assert median_when_quiet(lambda: held_share(lcg.nogil, 2_000_000, seconds=0.1)) < 0.1
    assert median_when_quiet(lambda: held_share(sleep.gil, 0.02, seconds=0.1)) > 0.8


@needs_monitor
@pytest.mark.usefixtures("_all_told")
def test_threads_are_told_apart() -> None:
    with GilMonitor() as watched:
        workers = [threading.Thread(target=busy, args=(0.2,), name=f"worker {i}") for i in range(2)]
        for worker in workers:
            worker.start()
        time.sleep(0.1)
        during = dict(watched.by_thread)
        for worker in workers:
            worker.join()
    names = {thread.name for thread in during}
    assert {"worker 0", "worker 1"} <= names
    identities = {thread.name: thread.native_id for thread in during}
    assert identities["worker 0"] == workers[0].native_id
    shares = list(watched.by_thread.values())
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(float(watched.held_share))


@needs_monitor
def test_threads_that_begin_and_end_inside_are_named() -> None:
    # States of ended threads are freed, and their addresses used again by the next.
    with GilMonitor() as watched:
        with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
            list(pool.map(busy, [0.1, 0.1]))
        threads = []
        for i in range(4):
            threads.append(threading.Thread(target=busy, args=(0.05,), name=f"ended {i}"))
            threads[-1].start()
            threads[-1].join()
    found = {thread.name: thread.native_id for thread in watched.by_thread}
    assert {"pool_0", "pool_1"} <= set(found)
    assert {f"ended {i}": threads[i].native_id for i in range(4)}.items() <= found.items()
    assert threading.getprofile() is None


@needs_monitor
@pytest.mark.usefixtures("_all_told")
def test_a_thread_that_nobody_announced_is_not_taken_for_another() -> None:
    def unannounced(seconds: float) -> None:
        done = threading.Event()

        def body() -> None:
            busy(seconds)
            done.set()

        _thread.start_new_thread(body, ())
        done.wait()

    with GilMonitor() as watched:
        announced = threading.Thread(target=busy, args=(0.05,), name="announced")
        announced.start()
        announced.join()
        for _ in range(6):
            unannounced(0.05)
    found = watched.by_thread
    shares = {thread.name: part for thread, part in found.items()}
    nameless = sum(part for thread, part in found.items() if thread.name in (None, "Dummy"))
    assert shares.get("announced", 0.0) < nameless  # a sixth, where it can be told at all


def test_who_was_at_an_address() -> None:
    def state(address: int, unique: int, name: str) -> State:
        return State(address, unique, ThreadId(name, unique))

    main, old, new = state(1, 1, "main"), state(2, 2, "old"), state(2, 5, "new")
    begun = {3: state(3, 3, "three"), 5: new}
    who = Namer(Present((main, old), made=2), begun, Present((main, new), made=6))
    assert who(1, 6).name == "main"  # it was there from first to last
    assert who(2, 2).name == "old"
    assert who(2, 3).name == "old"  # number 3 was made meanwhile, and lies elsewhere
    assert who(2, 4).name is None  # number 4 is unknown: it may have taken the place
    assert who(2, 5).name == who(2, 6).name == "new"
    assert who(3, 3).name == "three"
    assert who(3, 4).name is None
    assert who(9, 6).name is None


@needs_monitor
def test_whoever_profiles_threads_goes_on() -> None:
    seen: list[str] = []

    def profiler(*_: object) -> None:
        seen.append(threading.current_thread().name)

    threading.setprofile(profiler)
    try:
        with GilMonitor() as watched, GilMonitor():
            thread = threading.Thread(target=busy, args=(0.02,), name="profiled")
            thread.start()
            thread.join()
        assert threading.getprofile() is profiler
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
    assert "profiled" in seen
    assert "profiled" in {thread.name for thread in watched.by_thread}


def samplers() -> int:
    """The threads of monitors that run."""
    return sum(thread.name == "gilkit-monitor" for thread in threading.enumerate())


def none_runs() -> bool:
    """Whether all of them end, though not how soon."""
    until = time.monotonic() + 60
    while samplers() and time.monotonic() < until:
        time.sleep(0.01)
    return not samplers()


@needs_monitor
def test_a_monitor_that_is_dropped_ends_when_it_is_collected() -> None:
    for _ in range(2):
        monitor = GilMonitor()
        monitor.__enter__()
        del monitor
        gc.collect()
        assert none_runs()
    assert threading.getprofile() is None
    with GilMonitor() as watched:  # and threads that begin are told of as ever
        thread = threading.Thread(target=busy, args=(0.02,), name="begun")
        thread.start()
        thread.join()
    assert "begun" in {thread.name for thread in watched.by_thread}


def watched_once(monitor: GilMonitor) -> None:
    with monitor:
        pass


@needs_monitor
@pytest.mark.parametrize("step", [GilMonitor.__enter__, GilMonitor.__exit__, GilMonitor._leave])
def test_an_interrupt_at_any_line_leaves_no_sampler_behind(step: Any) -> None:
    came = 0
    for line in lines(step.__code__):
        monitor = GilMonitor()
        came += interrupted_at(step.__code__, line, partial(watched_once, monitor))
        if step is not GilMonitor.__exit__:  # there it ends when it is collected, at the latest
            assert none_runs(), line
        del monitor
        gc.collect()
        assert none_runs(), line
        assert threading.getprofile() is None, line
    assert came > 2


@needs_monitor
@pytest.mark.parametrize("what", ["present", "_leave"])
def test_an_interrupt_in_what_it_calls_leaves_no_sampler_behind(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    begun = GilMonitor()
    begun.__enter__()
    home = monitor_module if what == "present" else GilMonitor
    with monkeypatch.context() as patch:
        patch.setattr(home, what, interrupt)
        with pytest.raises(KeyboardInterrupt):
            begun.__exit__(None, None, None)
        with pytest.raises(KeyboardInterrupt), GilMonitor():
            raise KeyboardInterrupt
    assert none_runs()


@needs_monitor
def test_a_hook_that_outlives_the_watch_hands_on_and_is_not_chained_to_itself() -> None:
    calls: list[str] = []
    try:
        with GilMonitor():
            inner = threading.getprofile()

            def outer(*event: Any) -> None:
                calls.append(threading.current_thread().name)
                inner(*event)  # type: ignore[misc]

            threading.setprofile(outer)
        for _ in range(3):
            with GilMonitor():
                thread = threading.Thread(target=busy, args=(0.001,), name="begun")
                thread.start()
                thread.join()
        assert threading.getprofile() is outer
        assert calls.count("begun") >= 3
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]


@needs_monitor
def test_a_monitor_may_be_entered_in_a_signal_handler_while_its_lock_is_held() -> None:
    done = run(
        "import signal, threading, gilkit\n"
        "from gilkit.gil import monitor as module\n"
        "def handler(*_):\n"
        "    with gilkit.GilMonitor() as monitor:\n"
        "        sum(range(10**5))\n"
        "    print(monitor.held_share.samples > 0, flush=True)\n"
        "signal.signal(signal.SIGINT, handler)\n"
        "with gilkit.GilMonitor():\n"
        "    with module._lock:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "with module._lock:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "print(threading.getprofile())"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\nTrue\nNone\n", "")


@needs_monitor
def test_holds_and_the_longest() -> None:
    def longest() -> float:
        with GilMonitor(mode="light", interval=2e-3) as watched:
            sleep.gil(0.2)
            time.sleep(0.01)
            sleep.gil(0.05)
        found, holds = watched.longest_hold, watched.holds
        assert holds.dropped == 0
        assert all(a.end <= b.start for a, b in pairwise(holds))
        if found is None:
            return 0.0
        assert found in holds
        assert found.thread.name == threading.current_thread().name
        return found.seconds

    # Where the sampler is kept from running, a hold falls apart: so only quiet looks count.
    assert median_when_quiet(longest) > 0.1


@needs_monitor
def test_the_ring_is_bounded_and_says_what_it_dropped() -> None:
    with GilMonitor(room=2) as watched:
        for _ in range(6):
            sleep.gil(0.01)
            time.sleep(0.01)
    assert len(watched.holds) == 2
    assert watched.holds.dropped >= 4


@needs_monitor
@pytest.mark.usefixtures("_all_told")
def test_monitors_nest_and_run_side_by_side() -> None:
    def one() -> float:
        with GilMonitor() as watched:
            busy(0.05)
        return watched.held_share

    found: list[float] = []
    workers = [threading.Thread(target=lambda: found.append(one())) for _ in range(3)]
    with GilMonitor() as outer, GilMonitor(mode="light", interval=1e-3) as inner:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert len(found) == 3
    assert all(0 < held <= 1 for held in [*found, outer.held_share, inner.held_share])


@needs_monitor
@pytest.mark.usefixtures("_all_told")
def test_many_threads_leave_room_for_the_one_that_counts() -> None:
    with GilMonitor() as watched:
        for _ in range(600):
            short = threading.Thread(target=len, args=("",))
            short.start()
            short.join()
        busy(0.5)
    mine = [part for thread, part in watched.by_thread.items() if thread.name == "MainThread"]
    assert mine
    assert mine[0] > 0.4 * watched.held_share


@needs_monitor
def test_a_monitor_ends_at_once_however_rare_its_samples() -> None:
    done = run("import gilkit\nwith gilkit.GilMonitor(mode='light', interval=10): pass\nprint('done')", 30)
    assert done.stdout == "done\n"


@needs_monitor
def test_results_are_there_before_during_and_after() -> None:
    watched = GilMonitor()
    assert isnan(watched.held_share)
    assert watched.held_share.note == "nothing was watched yet"
    assert watched.by_thread == {}
    assert watched.longest_hold is None
    assert watched.holds == []
    with watched:
        busy(0.05)
        assert watched.held_share.samples > 0
    after = watched.held_share
    busy(0.02)
    assert repr(watched.held_share) == repr(after)
    assert watched.held_share.coverage == after.coverage
    with pytest.raises(RuntimeError, match="entered once"), watched:
        pass


@needs_monitor
def test_the_error_is_small_where_nothing_changes() -> None:
    def error() -> float:
        found = held_share(lcg.gil, 100_000, seconds=0.2)
        assert isnan(found) == isnan(found.error)
        return found.error

    # On a busy machine the beginning and the end of the watch are not nothing.
    assert median_when_quiet(error) < 0.02


def test_an_ended_thread_is_called_that() -> None:
    assert str(ThreadId(None, None)) == "a thread that ended"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GilMonitor(mode="fast"), "mode must be 'exact' or 'light', not 'fast'"),
        (lambda: GilMonitor(interval=0), "interval must be between"),
        (lambda: GilMonitor(interval=float("nan")), "interval must be between"),
        (lambda: GilMonitor(room=0), "room must be between"),
        (lambda: GilMonitor(room=1.5), "room must be an integer, not float"),  # type: ignore[arg-type]
        (lambda: GilMonitor(interval="a"), "interval must be a number, not str"),  # type: ignore[arg-type]
        (lambda: GilMonitor(bridge=10**400), "bridge is too large for a float64"),
        (lambda: GilMonitor(bridge="a"), "bridge must be a number, not str"),  # type: ignore[arg-type]
        (lambda: held_share(len, "", seconds=0), "seconds must be more than 0"),
        (lambda: held_share(len, "", seconds="x"), "seconds must be a number, not str"),  # type: ignore[arg-type]
        (lambda: held_share(len, "", seconds=10**400), "seconds is too large for a float64"),
    ],
)
def test_bad_arguments_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@needs_monitor
def test_how_many_times_a_call_takes_the_gil() -> None:
    def call() -> None:
        for _ in range(3):
            sleep.gil(0.003)
            sleep.nogil(0.003)

    assert 2.5 < median_when_quiet(lambda: watch(call, seconds=0.1).holds) < 3.5


@needs_monitor
def test_so_many_calls_are_watched_however_long_they_are() -> None:
    found = watch(lambda: sleep.gil(0.02), seconds=1e-3)
    assert found.calls == 1
    assert isnan(found.share.error)  # of one call there is none
    assert watch(lambda: sleep.gil(0.02), seconds=1e-3, fewest=3).calls == 3


@pytest.mark.parametrize("gil", [True, False])
def test_whether_there_is_a_gil_is_asked_after_the_calls(gil: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # As an extension that a call imports turns it on again.
    if NO_MONITOR and "without a GIL" not in NO_MONITOR:
        pytest.skip(NO_MONITOR)
    state = []
    monkeypatch.setattr(held, "gil_enabled", lambda: gil if state else not gil)
    assert watch(lambda: state.append(1), seconds=1e-3).gil is gil


def test_errors_of_the_call_are_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        held_share(divmod, 1, 0)
    assert threading.active_count() < 50


def test_without_a_gil_the_share_is_zero_and_says_so() -> None:
    if NO_MONITOR is None or "without a GIL" not in NO_MONITOR:
        pytest.skip("this interpreter has a GIL")
    found = gilkit.held_share(sum, range(1000), seconds=0.05)
    assert found == 0
    assert "without a GIL" in found.note


def run(script: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=timeout
    )


@needs_monitor
@pytest.mark.parametrize("mode", ["exact", "light"])
def test_the_interpreter_may_exit_under_a_running_monitor(mode: str) -> None:
    done = run(
        "import threading, gilkit, sys\n"
        f"monitors = [gilkit.GilMonitor(mode={mode!r}).__enter__() for _ in range(3)]\n"
        "threading.Thread(target=sum, args=(range(10**6),)).start()\n"
        "print('done')"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@needs_monitor
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_under_a_running_monitor() -> None:
    done = run(
        "import os, gilkit, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "with gilkit.GilMonitor() as m:\n"
        "    sum(range(10**6))\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        assert m.held_share.samples > 0\n"
        "        assert 'MainThread' in {thread.name for thread in m.by_thread}\n"
        "        with gilkit.GilMonitor() as own:\n"
        "            sum(range(10**6))\n"
        "        assert own.held_share.samples > 0\n"
        "    else:\n"
        "        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
        "print('done')"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done") == 2


@needs_monitor
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no stopping here")
@pytest.mark.parametrize("mode", ["exact", "light"])
def test_what_the_monitor_could_not_see_it_says(mode: str) -> None:
    script = (
        "import gilkit, os, signal\n"
        f"with gilkit.GilMonitor(mode={mode!r}) as m:\n"
        "    while not m._sums().locked: pass\n"  # first samples are of a time before this thread had it
        "    before = m._sums()\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    while m._sums().samples < before.samples + 3: pass\n"
        "    missed = m._sums().since(before)\n"
        "found = m.held_share\n"
        "print(max(end - start for start, end in m.gaps), missed.takes, missed.missed, found.coverage)\n"
        "print(found != found, found.note)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        time.sleep(1)  # all of it stands still
        process.send_signal(signal.SIGCONT)
        figures, note = process.communicate(timeout=60)[0].splitlines()
    gap, takes, missed, coverage = map(float, figures.split())
    assert gap >= 1
    assert missed >= 1
    assert takes == 0  # the GIL was held all the while, and before and after it
    assert coverage < 0.9
    assert note.startswith("True ")
    assert "the monitor, which wants a CPU to spare, ran for" in note


@needs_monitor
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_on_one_cpu_nothing_is_told_of_who_keeps_it_busy() -> None:
    done = run(
        "import os\n"
        "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "import gilkit\n"
        "from gilkit.kernels import lcg\n"
        "found = gilkit.held_share(lcg.nogil, 10**6, seconds=1)\n"
        "with gilkit.GilMonitor() as watched:\n"
        "    for _ in range(100): lcg.nogil(10**6)\n"
        "for share in found, watched.held_share: print(share != share, share.note)"
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    assert all(
        line.startswith("True there is one CPU only: the monitor, which wants a CPU to") for line in lines
    )
