"""The GIL monitor: what it reads of threads whose doings are known. No test asks how fast anything was."""

from __future__ import annotations

import _thread
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import isnan
from pathlib import Path
from types import SimpleNamespace

import pytest
from quiet import Median, needs_monitor

import gilkit
from gilkit._ext import _threads
from gilkit.gil import share
from gilkit.gil.held import held_share, watch
from gilkit.gil.monitor import GilMonitor
from gilkit.gil.threads import Namer, Present, State, ThreadId, copied
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
    assert Median(lambda: watch(lambda: sum(range(1000)), seconds=0.1).share) > 0.95
    assert Median(lambda: held_share(lcg.gil, 1_000_000, seconds=0.1)) > 0.95


@needs_monitor
def test_a_released_wait_does_not() -> None:
    # A thread that is kept from running while it has the lock holds it long: so only quiet looks count.
    assert Median(lambda: held_share(sleep.nogil, 0.02, seconds=0.1)) < 0.1
    assert Median(lambda: held_share(lcg.nogil, 2_000_000, seconds=0.1)) < 0.1
    assert Median(lambda: held_share(sleep.gil, 0.02, seconds=0.1)) > 0.8


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
    if _threads.has_gil():
        assert sum(shares) == pytest.approx(float(watched.held_share))
    else:  # threads are attached at once
        assert shares[0] <= float(watched.held_share) + 1e-6


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
def test_new_threads_have_no_profiler_for_it() -> None:
    # One that comes and goes in every thread would slow programs down whose threads do so.
    seen = []
    with GilMonitor() as watched:
        thread = threading.Thread(target=lambda: seen.append(sys.getprofile()), name="one")
        thread.start()
        thread.join()
        assert seen == [None]
    assert "one" in {state.thread.name for state in watched._begun.states()}


@needs_monitor
def test_no_python_code_of_ours_runs_in_new_threads() -> None:
    # They would wait for the memory that it takes.
    called: list[str] = []
    before = threading.gettrace()
    threading.settrace(lambda frame, *_: called.append(frame.f_code.co_filename))
    try:
        with GilMonitor():
            thread = threading.Thread(target=busy, args=(0,))
            thread.start()
            thread.join()
    finally:
        threading.settrace(before)  # type: ignore[arg-type]
    assert __file__ in called  # what runs there is seen
    ours = Path(gilkit.__file__).parent
    assert not [file for file in called if ours in Path(file).parents]


@needs_monitor
def test_a_thread_whose_name_cannot_be_had_runs_all_the_same() -> None:
    class Nameless(threading.Thread):
        broken = False

        @property
        def name(self) -> str:
            if self.broken:
                raise LookupError("it has none")
            return "nameless"

    ran = []
    with GilMonitor():
        thread = Nameless(target=ran.append, args=(1,))
        thread.broken = True
        thread.start()
        thread.join()
    assert ran == [1]


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


def made_up_thread(name: str, native: int) -> threading.Thread:
    thread = threading.Thread(name=name)
    thread._native_id = native  # type: ignore[attr-defined]  # the system gives it when it starts
    return thread


def test_notes_are_bounded_and_names_are_cut() -> None:
    notes = _threads.NewestThreads(2)
    assert notes.all() == []
    for name, native in (("one", 1), ("é" * 100, 2), ("three", 0)):
        notes.take(made_up_thread(name, native))
    (*own, first, two), (*same, three, none) = notes.all()
    assert own == same == list(_threads.own_state())
    assert (first, two) == ("é" * 48, 2)
    assert (three, none) == ("three", None)
    before = notes.all()
    notes.take(made_up_thread("\ud800", 1))  # which has no bytes
    assert notes.all() == before


def test_who_was_at_an_address() -> None:
    def state(address: int, unique: int, name: str) -> State:
        return State(address, unique, ThreadId(name, unique))

    main, old, new = state(1, 1, "main"), state(2, 2, "old"), state(2, 5, "new")
    begun = (state(3, 3, "three"), new)
    who = Namer(Present((main, old), made=2), begun, Present((main, new), made=6))
    assert who(1, 6).name == "main"  # it was there from first to last
    assert who(2, 2).name == "old"
    assert who(2, 3).name == "old"  # number 3 was made meanwhile, and lies elsewhere
    assert who(2, 4).name is None  # number 4 is unknown: it may have taken the place
    assert who(2, 5).name == who(2, 6).name == "new"
    assert who(3, 3).name == "three"
    assert who(3, 4).name is None
    assert who(9, 6).name is None


def test_what_threads_add_to_is_copied_again_until_none_added_meanwhile() -> None:
    # As without a GIL, where it raises while it is copied.
    class Changing(deque[int]):
        def __iter__(self) -> Iterator[int]:
            if len(self) < 3:
                self.append(len(self))
                raise RuntimeError("deque mutated during iteration")
            return super().__iter__()

    assert copied(Changing()) == [0, 1, 2]


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
    assert Median(longest) > 0.1


@needs_monitor
def test_the_ring_is_bounded_and_says_what_it_dropped() -> None:
    with GilMonitor(room=2) as watched:
        for _ in range(1000):  # on a busy machine two may be taken for one
            sleep.gil(0.01)
            time.sleep(0.01)
            if watched.holds.dropped >= 4:
                break
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
    assert Median(error) < 0.02


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

    assert 2.5 < Median(lambda: watch(call, seconds=0.1).holds) < 3.5


@needs_monitor
def test_so_many_calls_are_watched_however_long_they_are() -> None:
    found = watch(lambda: sleep.gil(0.02), seconds=1e-3)
    assert found.calls == 1
    assert isnan(found.share.error)  # of one call there is none
    assert watch(lambda: sleep.gil(0.02), seconds=1e-3, fewest=3).calls == 3


@pytest.mark.usefixtures("leaves_no_thread")
def test_errors_of_the_call_are_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        held_share(divmod, 1, 0)


def test_what_is_of_two_kinds_is_no_share() -> None:
    watched = GilMonitor()
    sampler = SimpleNamespace(
        turned_on=True,
        sums=lambda: (100, 1, 1.0, 0.0, 1.0, 0.5),
        parts=lambda: [(0.5, 0.2), (0.5, 0.3)],
        holders=lambda: ([(1, 1, 0.5)], 0.0),
        world_sums=lambda: (0.1, 0.1),
    )
    watched._sampler, watched.kind = sampler, "attached"  # type: ignore[assignment]
    for told in (watched.held_share, watched.stopped_share, *watched.by_thread.values()):
        assert isnan(told)
        assert told.note == "an import turned the GIL on while it was watched"
        assert told.kind == "attached"
    sampler.turned_on = False
    assert watched.held_share == 0.5
    assert watched.held_share.note == ""
