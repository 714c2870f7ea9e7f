"""The same result from many threads as from one: races and faults that are planted, with real threads."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from command import heed_interrupts
from interrupts import interrupted_at, lines

from gilkit.gil.same_results import _switching, assert_same_under_threads, difference, same
from gilkit.kernels import KERNELS, lcg

NAN = float("nan")


@pytest.mark.parametrize(
    ("func", "args"),
    [
        pytest.param(lcg.nogil, (10_000,), id="nogil"),
        pytest.param(lcg.gil, (1000,), id="gil"),
        pytest.param(KERNELS["transform"].nogil, KERNELS["transform"].make(1000, None), id="an array"),
        pytest.param(sorted, (range(1000),), id="a list"),
        pytest.param(lambda: NAN, (), id="nan"),
    ],
)
@pytest.mark.usefixtures("leaves_no_thread")
def test_what_shares_nothing_is_the_same(func: Callable[..., object], args: tuple[Any, ...]) -> None:
    interval = sys.getswitchinterval()
    assert_same_under_threads(func, *args)
    assert sys.getswitchinterval() == interval


def meeting(workers: int) -> Callable[[], int]:
    """A call that returns how many calls were inside at once: alone 1, together as many as there are."""
    inside = 0
    lock = threading.Lock()
    alone = 2  # the calls on one thread, which come first
    together = threading.Barrier(workers)

    def call() -> int:
        nonlocal inside, alone
        if alone:
            alone -= 1
            return 1
        with lock:
            inside += 1
        together.wait(30)
        found = inside
        together.wait(30)
        with lock:
            inside -= 1
        together.wait(30)
        return found

    return call


def test_all_threads_are_inside_at_once() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_same_under_threads(meeting(5), workers=5, repeat=3)
    first, measured, *rest = str(caught.value).splitlines()
    assert first.endswith("call() does not do the same on 5 threads at once as on one")
    assert measured == (
        "  measured  15 of 15 calls gave another result, seen by 5 of 5 threads; the first: expected 1, got 5"
    )
    assert [line.split()[0] for line in rest] == ["means", "to"]


@pytest.mark.usefixtures("leaves_no_thread")
def test_calls_that_raise_in_threads_only() -> None:
    main = threading.current_thread()

    def call() -> int:
        if threading.current_thread() is not main:
            raise LookupError("not on a thread")
        return 1

    with pytest.raises(AssertionError) as caught:
        assert_same_under_threads(call, workers=3, repeat=4)
    said = "12 of 12 calls raised, seen by 3 of 3 threads; the first: LookupError: not on a thread\n"
    assert said in str(caught.value)
    assert isinstance(caught.value.__cause__, LookupError)


def test_errors_on_one_thread_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        assert_same_under_threads(divmod, 1, 0)


def test_a_call_that_is_never_the_same() -> None:
    counts = iter(range(100))
    with pytest.raises(AssertionError, match="different results on one thread already: expected 0, got 1"):
        assert_same_under_threads(lambda: next(counts))


@pytest.mark.usefixtures("leaves_no_thread")
def test_no_more_threads_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, iter(range(3))

    def fail(self: threading.Thread) -> None:
        if next(started, None) is None:
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        assert_same_under_threads(len, "")


def test_the_switch_interval_is_what_it_was_however_many_ask_at_once() -> None:
    before = sys.getswitchinterval()
    together = threading.Barrier(6)

    def ask() -> None:
        together.wait(60)
        for _ in range(5):
            assert_same_under_threads(len, "", workers=2, repeat=3)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.getswitchinterval() == before


def test_an_interrupt_before_the_calls_leaves_the_switch_interval_as_it_was() -> None:
    before, code = sys.getswitchinterval(), _switching.__wrapped__.__code__  # type: ignore[attr-defined]

    def switched() -> None:
        with _switching(1e-5):
            pass

    source, first = inspect.getsourcelines(_switching)
    last = first + next(i for i, text in enumerate(source) if "yield" in text)
    came = 0
    for line in lines(code):
        if line <= last:
            came += interrupted_at(code, line, switched)
            assert sys.getswitchinterval() == before, line
    assert came > 4


BLOCKED = """
import os, signal, threading
from gilkit.gil.same_results import assert_same_under_threads
main = threading.current_thread()
def call():
    if threading.current_thread() is not main:
        threading.Event().wait()
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    assert_same_under_threads(call)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_interrupt_ends_a_call_that_blocks_on_every_thread_but_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=heed_interrupts if os.name == "posix" else None,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


RECORD = np.dtype([("x", float), ("n", int)])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (NAN, float("nan"), True),
        (NAN, 1.0, False),
        ([1, (NAN, "a")], [1, (float("nan"), "a")], True),
        ([1], [1, 2], False),
        ((1,), [1], False),
        ({"a": np.ones(2)}, {"a": np.ones(2)}, True),
        ({"a": 1}, {"b": 1}, False),
        (np.array([1.0, NAN]), np.array([1.0, NAN]), True),
        (np.array([1.0, NAN]), np.array([NAN, 1.0]), False),
        (np.ones(2), np.ones(2, np.float32), False),
        (np.ones(2), np.ones((2, 1)), False),
        (np.ones(0), np.ones(0), True),
        (np.array(NAN), np.array(NAN), True),
        (np.array(["NaT"], "M8[s]"), np.array(["NaT"], "M8[s]"), True),
        (np.array(["a"]), np.array(["a"]), True),
        (np.array([NAN, "a", [1]], object), np.array([float("nan"), "a", [1]], object), True),
        (np.array([NAN, "a"], object), np.array([NAN, "b"], object), False),
        (np.array([(NAN, 1)], RECORD), np.array([(NAN, 1)], RECORD), True),
        (np.array([(NAN, 1)], RECORD), np.array([(NAN, 2)], RECORD), False),
        (np.float64(NAN), np.float64(NAN), True),
        (object(), object(), False),
    ],
)
def test_what_is_the_same(one: object, other: object, expected: bool) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected
    if not expected:
        assert "\n" not in difference(one, other)


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        (1, 2, "expected 1, got 2"),
        (1, 1.0, "expected int, got float: 1.0"),
        (np.zeros(3), np.array([0.0, 1.0, 2.0]), "2 of 3 elements; at [1], expected 0.0, got 1.0"),
        (np.zeros(3), np.zeros(3, int), "expected dtype float64, got int64"),
        (np.zeros(3), np.zeros(2), "expected shape (3,), got (2,)"),
        (np.zeros((2, 2)), np.eye(2), "2 of 4 elements; at [0, 0], expected 0.0, got 1.0"),
        ([1, {"a": (2, 3)}], [1, {"a": (2, 4)}], "at [1], at ['a'], at [1], expected 3, got 4"),
    ],
)
def test_how_they_differ(expected: object, found: object, said: str) -> None:
    assert difference(expected, found) == said
    assert len(difference("a" * 10**6, "b" * 10**6)) < 120


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"workers": 0}, ValueError, "workers must be at least 1, not 0"),
        ({"workers": 10**6}, ValueError, "workers must be at most 1024, not 1000000"),
        ({"workers": "8"}, TypeError, "workers must be an integer, not str"),
        ({"repeat": 0}, ValueError, "repeat must be at least 1, not 0"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        assert_same_under_threads(len, "", **options)
    with pytest.raises(TypeError, match="func must be callable, not NoneType"):
        assert_same_under_threads(None)  # type: ignore[arg-type]
