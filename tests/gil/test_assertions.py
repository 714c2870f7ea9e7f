"""Assertions on the GIL: the decision from made-up readings, and real culprits. No timing decides a test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest
from quiet import Median, needs_monitor

from gilkit.errors import BusyError, MonitorError
from gilkit.gil import assertions, monitor, observations, share
from gilkit.gil.assertions import AGREEING, agreed, assert_holds_at_most, assert_releases, called
from gilkit.gil.monitor import GilMonitor, kind_now
from gilkit.gil.observations import Observation, Switches, fair, observe_holds, observe_share
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE, SEEN_PART
from gilkit.gil.wording import WORDINGS
from gilkit.kernels import KERNELS, lcg, sleep

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("hasty")]

LIMIT, WAIT = 0.05, 10.0
WORDS = WORDINGS[kind_now()]
BUSY = "others keep 1.9 CPUs busy"


def observation(figure: float, margin: float = 0.001) -> Observation:
    return Observation(figure, figure - margin, figure, f"{figure:.1%}", 1.0, why="too close")


GOOD, BAD, CLOSE = observation(0.01), observation(0.5), observation(0.0505)
SPOILT = fair(0.5, 0.49, "50%", 1.0, 1.0, load=0.0, cover=0.5)
LOADED = fair(0.5, 0.49, "50%", 1.0, 1.0, load=1.9, cover=1.0)
FAR_OFF = replace(observation(0.5), robust=True)
FAR_WITHIN = Observation(0.0, 0.0, 0.04, "0.0%", 1.0, robust=True)
UNTOLD = Observation(0.0, -inf, inf, "not told", 1.0, why="the machine is too busy", robust=True)


class Machine:
    """A machine whose readings, troubles and clock are made up; each look takes a third of a second.

    Capital letters are what is read in trouble, of the bounds that hold whatever others do.
    """

    def __init__(self, found: str, troubles: str = "") -> None:
        kinds = {"g": GOOD, "b": BAD, "c": CLOSE, "s": SPOILT, "l": LOADED}
        robust = {"F": FAR_OFF, "W": FAR_WITHIN, "U": UNTOLD}
        plain = [letter for letter in found if letter in kinds] or ["l"]
        busy = [letter for letter in found if letter in robust] or ["U"]
        self.observations = {
            False: iter([kinds[letter] for letter in plain] + [kinds[plain[-1]]] * 1000),
            True: iter([robust[letter] for letter in busy] + [robust[busy[-1]]] * 1000),
        }
        self.troubles: Iterator[str] = iter([BUSY if t == "!" else "" for t in troubles] + [""] * 1000)
        self.now = 0.0
        self.looks = 0

    def read(self, robust: bool) -> Observation:
        self.now += 1 / 3
        self.looks += 1
        return next(self.observations[robust])

    def trouble(self) -> str:
        self.now += 1 / 3
        return next(self.troubles)

    def decide(self) -> list[Observation]:
        return agreed(self.read, self.trouble, LIMIT, WAIT, lambda: self.now)


@pytest.mark.parametrize(
    ("found", "troubles", "looks"),
    [
        ("g", "", 1),  # one is enough
        ("bg", "", 2),
        ("bbbg", "", 4),  # up to the last
        ("cccg", "", 4),
        ("lW", "!", 2),  # on a busy machine, too
        ("lUFFW", "!!!!", 5),
    ],
)
def test_one_reading_within_the_limit_acquits(found: str, troubles: str, looks: int) -> None:
    machine = Machine(found, troubles)
    assert machine.decide() == []
    assert machine.looks == looks


@pytest.mark.parametrize(
    ("found", "troubles", "looks"),
    [
        ("b", "", 1 + AGREEING),
        ("bU", "!", 2 + AGREEING),  # a reading that began in trouble does not count
        ("bU", "...!", 2 + 2 * AGREEING),  # trouble after the last: all of them go
        ("bbbcb", "", 1 + 3 + AGREEING),  # in a row
        ("bbbsbU", "", 1 + 3 + 1 + AGREEING),  # after the spoilt one it tries the other kind
        ("bbblb", "", 1 + 3 + AGREEING),
    ],
)
def test_readings_that_agree_on_a_quiet_machine_convict(found: str, troubles: str, looks: int) -> None:
    machine = Machine(found, troubles)
    assert machine.decide() == [BAD] * AGREEING
    assert machine.looks == looks


@pytest.mark.parametrize(
    ("found", "troubles", "looks"),
    [
        ("lF", "!" * 100, 1 + AGREEING),
        ("lFUFUUF", "!" * 100, 1 + 6),  # one that tells nothing does not speak for the call
        ("lF", "!.!.!", 1 + 2 + AGREEING),  # nor does a look that others spoilt
        ("sF", "", 2 * AGREEING),  # as on one CPU: each kind in turn
    ],
)
def test_readings_far_beyond_the_limit_convict_on_a_busy_machine(
    found: str, troubles: str, looks: int
) -> None:
    machine = Machine(found, troubles)
    assert machine.decide() == [FAR_OFF] * AGREEING
    assert machine.looks == looks


def test_what_was_read_in_quiet_does_not_count_once_there_is_trouble() -> None:
    machine = Machine("bF", "..!!!!")
    assert machine.decide() == [FAR_OFF] * AGREEING


@pytest.mark.parametrize(
    ("found", "troubles", "why"),
    [
        ("bU", "!" * 100, BUSY),
        ("bU", ".!" * 100, BUSY),
        ("lFFU", "!" * 100, BUSY),  # two are not enough
        ("s", "", "the monitor, which wants a CPU to spare, ran for 50% of the time only"),
        ("l", "", "others kept 1.9 CPUs busy meanwhile"),
        ("c", "", "too close"),
        ("bbsbbsbbsbbsbbsbbsbbsbbsbbsbbsbbsbbs", "", "ran for 50%"),
    ],
)
def test_it_gives_up_in_time_and_says_why(found: str, troubles: str, why: str) -> None:
    machine = Machine(found, troubles)
    with pytest.raises(BusyError, match=why) as caught:
        machine.decide()
    assert "the last reading: 50" in str(caught.value) or found == "c" or "U" in found
    assert WAIT <= machine.now < WAIT + 4


def test_calls_that_are_longer_than_the_wait_are_decided_all_the_same() -> None:
    machine = Machine("b")

    def slow(robust: bool) -> Observation:
        machine.now += 60
        return machine.read(robust)

    assert len(agreed(slow, machine.trouble, LIMIT, WAIT, lambda: machine.now)) == AGREEING


def test_what_spoils_a_reading() -> None:
    def made(load: float, cover: float) -> tuple[float, float]:
        found = fair(0.5, 0.49, "50%", 1.0, 1.0, load, cover)
        return found.low, found.high

    assert made(0.0, 1.0) == (0.49, 0.5)
    assert made(0.1, SEEN_PART) == (0.49, 0.5)
    assert made(0.3, 1.0) == (-inf, 0.5)  # it may speak for the call, not against it
    assert made(0.0, SEEN_PART - 0.01) == (-inf, inf)


def failing(check: Callable[..., None], *args: Any, **options: Any) -> str:
    """The message of an assertion that must not pass; on a busy machine the test ends here."""
    with pytest.raises((AssertionError, BusyError)) as caught:
        check(*args, **options)
    if isinstance(caught.value, BusyError):
        assert "nothing can be said of" in str(caught.value)
        pytest.skip(str(caught.value))
    return str(caught.value)


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assertions, "GIVEN_UP", 3.0)


@pytest.fixture
def _believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine does: who never lets go of the GIL holds it on a busy machine, too."""
    monkeypatch.setattr(assertions, "trouble", lambda: "")
    monkeypatch.setattr(observations, "BUSY", inf)
    monkeypatch.setattr(share, "SEEN_PART", 0.0)


@needs_monitor
@pytest.mark.usefixtures("_believed")
@pytest.mark.parametrize(
    ("func", "args", "advice"),
    [
        pytest.param(sorted, (range(10**6),), WORDS.freeing, id="sorted"),
        pytest.param(lcg.gil, (10**6,), WORDS.freeing, id="lcg.gil"),
        pytest.param("x".upper, (), WORDS.entering, id="a short call"),
    ],
)
def test_who_holds_the_gil_fails(func: Callable[..., object], args: tuple[Any, ...], advice: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_releases(func, *args)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith(f"{called(func, args)} {WORDS.runs} for ")
    assert first.endswith("% of its time, not 95.00% or more")
    assert [line.split()[0] for line in rest] == ["measured", "machine", "means", "to"]
    assert advice in rest[-1]
    assert rest[0].count("%") == AGREEING


@pytest.mark.parametrize("kind", [HELD_SHARE, ATTACHED_SHARE])
@pytest.mark.parametrize(
    ("check", "verb"),
    [
        pytest.param(lambda: assert_releases(len, ""), "runs", id="share"),
        pytest.param(lambda: assert_holds_at_most(0.001, len, ""), "holds", id="hold"),
    ],
)
def test_the_words_are_of_what_was_watched(
    check: Callable[[], None], verb: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever is so now: somebody may have turned the GIL on since.
    monkeypatch.setattr(assertions, "why_missing", lambda: None)
    monkeypatch.setattr(assertions, "agreed", lambda *_: [replace(BAD, kind=kind)] * AGREEING)
    with pytest.raises(AssertionError, match=f"len\\(''\\) {getattr(WORDINGS[kind], verb)} "):
        check()


@needs_monitor
def test_an_observation_says_what_was_watched() -> None:
    short, long = partial(len, ""), partial(sleep.gil, 0.02)
    for robust in True, False:
        assert assertions._observed_share(short, LIMIT, robust).kind == kind_now()
        assert assertions._observed_holds(short, 0.001, robust).kind == kind_now()
    assert assertions._observed_holds(long, 0.001, False).kind == kind_now()


@needs_monitor
@pytest.mark.usefixtures("_short")
def test_where_only_the_caller_can_be_read_calls_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    # As where there is no GIL, and memory that may be freed cannot be copied.
    known = {**vars(monitor._threads), "others_missing": lambda: "no copies here"}
    monkeypatch.setattr(monitor, "_threads", SimpleNamespace(**known))
    with pytest.raises(MonitorError, match="no copies here"), GilMonitor():
        pass
    assert WORDS.runs in failing(assert_releases, lcg.gil, 10**6)


@needs_monitor
@pytest.mark.usefixtures("_short")
def test_the_trap_is_named() -> None:
    message = failing(assert_releases, KERNELS["lcg_checked"].nogil, 10**6)
    assert "such as a missing noexcept" in message


@needs_monitor
@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize(("func", "size"), [(lcg.gil, 2 * 10**6), (sleep.gil, 0.02)])
def test_who_holds_it_long_fails(func: Callable[..., object], size: float) -> None:
    # One works while it has the GIL, the other waits, which is no fault of the machine.
    message = failing(assert_holds_at_most, 0.001, func, size)
    assert "at a stretch, not 1.00 ms or less\n" in message
    assert message.count(" ms,") >= AGREEING - 1


@needs_monitor
def test_a_call_shorter_than_the_limit_holds_nothing_longer() -> None:
    assert_holds_at_most(60, lcg.gil, 10**6)
    assert observe_holds("x".upper, 0.001).high < 0.001


@needs_monitor
def test_observations_of_real_calls() -> None:
    assert Median(lambda: observe_share(lambda: sleep.nogil(0.01)).figure) < 0.1
    assert Median(lambda: observe_holds(lambda: sleep.nogil(0.05), 0.04).figure) < 0.02
    assert Median(lambda: observe_share(lambda: sorted(range(10**5))).figure) > 0.8


@needs_monitor
def test_what_a_long_call_holds_in_part_is_certain_after_a_few_calls() -> None:
    def call() -> None:  # half of a second of it would be too few stretches of 10 ms to tell
        sleep.gil(0.02)
        sleep.nogil(0.08)

    assert Median(lambda: observe_share(call).low) > 0.05


@needs_monitor
def test_a_reading_that_the_monitor_missed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "SEEN_PART", 2.0)
    found = observe_share(lambda: sorted(range(1000)))
    assert (found.low, found.high, found.shown) == (-inf, inf, "not told")
    assert "ran for" in found.why
    why = observations.trouble()
    assert "ran for" in why or "CPUs busy" in why


@needs_monitor
def test_a_hold_that_was_put_aside_is_not_held_against_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the system had taken the CPU from every call: one that sleeps with the GIL used none.
    tick = iter(range(10**6))
    monkeypatch.setattr(observations, "switches", lambda: Switches(0, next(tick)))
    found = [observe_holds(lambda: sleep.gil(0.02), 0.005) for _ in range(3)]
    assert all(one.low < 0.005 for one in found)


@needs_monitor
def test_other_threads_that_hold_the_gil_are_trouble() -> None:
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            pass

    other = threading.Thread(target=spin, name="the other")
    other.start()
    try:
        found = [observations.trouble() for _ in range(5)]
    finally:
        stop.set()
        other.join()
    assert all(why.startswith("the machine is too busy: ") for why in found)
    of_others = [any(words in why for words in ("CPUs busy", "a CPU to spare")) for why in found]
    assert all("the other" in why for why, other in zip(found, of_others, strict=True) if not other)
    if all(of_others):
        pytest.skip("others disturbed every look")


def fails_later() -> Callable[[], None]:
    """A call that raises, but not at first."""
    calls = iter(range(3))

    def call() -> None:
        if next(calls, None) is None:
            raise LookupError("later")

    return call


@needs_monitor
@pytest.mark.usefixtures("leaves_no_thread")
def test_errors_of_the_call_come_through_and_leave_nothing_behind() -> None:
    with pytest.raises(ZeroDivisionError):
        assert_releases(divmod, 1, 0)
    with pytest.raises(LookupError, match="later"):
        assert_releases(fails_later())
    with pytest.raises(LookupError, match="later"):
        assert_holds_at_most(0.001, fails_later())


def test_without_a_gil_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assertions, "why_missing", lambda: "this interpreter runs without a GIL")
    with pytest.raises(MonitorError, match="without a GIL"):
        assert_releases(len, "")
    with pytest.raises(MonitorError, match="without a GIL"):
        assert_holds_at_most(1, len, "")


@pytest.mark.parametrize(
    ("check", "error", "message"),
    [
        (lambda: assert_releases(3), TypeError, "func must be callable, not int"),
        (lambda: assert_releases(len, "", at_least=1), ValueError, "at_least must be between 0 and 1, not 1"),
        (lambda: assert_releases(len, "", at_least="a"), TypeError, "at_least must be a number, not str"),
        (lambda: assert_releases(len, "", at_least=float("nan")), ValueError, "at_least must be between"),
        (lambda: assert_holds_at_most(len, ""), TypeError, "seconds must be a number, not builtin_function"),
        (lambda: assert_holds_at_most(0, len, ""), ValueError, "seconds must be between 5e-05 and 3600"),
        (lambda: assert_holds_at_most(1, None), TypeError, "func must be callable, not NoneType"),
    ],
)
def test_bad_arguments_are_named(check: Callable[[], None], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check()


def test_how_a_call_is_shown() -> None:
    assert called(sorted, ([3, 1],)) == "sorted([3, 1])"
    assert len(called(len, (bytes(10**6),))) < 60
