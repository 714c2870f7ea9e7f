"""Assertions on how a call treats the GIL, decided only where the machine lets it be.

`agreed` decides from observations, and is pure. Nothing fails for the load of a machine: on a busy one only
what is far beyond the limit does, by bounds that hold whatever others do (see `under_load`), and where
nothing can be decided in time, a `BusyError` says why.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from math import inf
from reprlib import repr as short
from typing import Any

from gilkit.arguments import number
from gilkit.display.gil_words import gil_words
from gilkit.display.units import seconds as time_text
from gilkit.errors import BusyError, MonitorError
from gilkit.gil.law import HAND_OVER, behaviour, taken_again
from gilkit.gil.monitor import why_missing
from gilkit.gil.observations import Observation, observe_holds, observe_share, trouble
from gilkit.gil.turned_on import gil_state
from gilkit.gil.under_load import holds_under_load, share_under_load
from gilkit.gil.wording import WORDINGS, Wording
from gilkit.machine import free_threaded, interpreter, usable_cpus

GIVEN_UP = 10.0  # seconds after which it is given up where there is no decision
AGREEING = 3  # that must agree, one after another
SHORTEST_HOLD, LONGEST_HOLD = 50e-6, 3600.0  # seconds of a hold that may be asked for


def agreed(
    observe: Callable[[bool], Observation],
    trouble: Callable[[], str],
    limit: float,
    wait: float = GIVEN_UP,
    clock: Callable[[], float] = time.monotonic,
) -> list[Observation]:
    """Return the observations that agree that a figure is beyond ``limit``; none if it is not.

    Parameters
    ----------
    observe : callable
        Makes an observation: of those whose bounds hold whatever others do (`Observation.robust`), if it is
        called with True: in trouble, and where the one before, of the others, told nothing.
    trouble : callable
        Looks at the machine, and returns why it allows no decision now, or an empty string.
    limit : float
        One observation whose `high` is within it is enough to acquit. To convict takes `AGREEING` whose
        `low` is beyond it: in a row, with no trouble before, between and after them; or such as are robust,
        and one of these that tells nothing does not speak for the call.
    wait : float
        Seconds to go on without any such observation.
    clock : callable

    Raises
    ------
    BusyError
        If there was no decision in that time.
    """
    __tracebackhide__ = True
    until = clock() + wait
    observation = plain = observe(False)
    if observation.high <= limit:
        return []
    over: list[Observation] = []
    while True:
        why = trouble()
        if why:
            over = [observation for observation in over if observation.robust]
        if len(over) == AGREEING:
            return over
        observation = observe(bool(why) or (observation is plain and plain.high == inf))
        plain = plain if observation.robust else observation
        if observation.high <= limit:
            return []
        if observation.low > limit and (observation.robust or not why):
            over.append(observation)
            continue
        over = [observation for observation in over if observation.robust]
        if clock() >= until:
            last = observation if why else plain
            raise BusyError(f"{why or plain.why} (the last reading: {last.shown})")


def assert_releases(func: Callable[..., object], /, *args: Any, at_least: float = 0.95) -> None:
    """Assert that a call of ``func`` runs without the GIL for that share of its time.

    Calls ``func(*args)`` in a loop, in this thread, as `held_share` does: other threads of this process
    that take the GIL because of the call count, too. Where there is no GIL it asserts that the call is
    detached for that share: whoever stops all threads, as to collect garbage, waits for a call into C that
    stays attached.

    Parameters
    ----------
    func : callable
    *args
        Its arguments.
    at_least : float
        A share, between 0 and 1.

    Raises
    ------
    AssertionError
        If three observations in a row are beyond the limit by five standard errors each, on a machine that
        was found quiet before, between, during and after them; or, on a busy one, three are far beyond it.
        It says what was measured and what it means.
    BusyError
        If the machine lets nothing be decided for some ten seconds.
    MonitorError
        If neither the GIL nor, where there is none, threads can be read.

    Notes
    -----
    One observation, of at least three calls, within the limit is enough to pass. For a call at the limit,
    an observation is beyond it by five standard errors with a chance of 3e-7 if errors are Gaussian, and of
    0.5 % if they are told from three calls only; and if every hundredth observation were, three in a row
    would still be one in a million. What the monitor did not see counts as a time without the GIL. The
    how-to on pytest has what was measured.

    On a busy machine it is about the CPU time of this thread, which others cannot add to. All of the time
    in which it had none counts as taken by them from its holds, so a hold cannot look longer for their
    sake, and the odds must be ten times those of the limit: 35 % of the time where 5 % are allowed. A call
    that waits is not decided there. Three such errors of sampling, of five standard errors each, come
    together less than once in a million times. A call passes if the GIL was locked for a tenth of the
    limit's odds at most, where fourteen samples or more should have found it locked: that one at most does
    is a chance of one in some ten thousand.
    """
    __tracebackhide__ = True
    least = number(at_least, "at_least")
    if not 0 < least < 1:
        raise ValueError(f"at_least must be between 0 and 1, not {at_least!r}")
    call = _checked(func, args)
    name = called(func, args)
    if over := _decided(name, partial(_observed_share, call, 1 - least), 1 - least):
        held, words = statistics.median(observation.figure for observation in over), WORDINGS[over[-1].kind]
        most = "at most " * any(observation.robust for observation in over)
        raise AssertionError(
            _told(
                f"{name} {words.runs} for {most}{1 - held:.2%} of its time, not {least:.2%} or more",
                words.holds,
                over,
                words.means_share(held),
                _remedy(over[-1], words),
            )
        )


def assert_holds_at_most(seconds: float, func: Callable[..., object], /, *args: Any) -> None:
    """Assert that a call of ``func`` does not hold the GIL for more than so many seconds at a stretch.

    Where there is no GIL it asserts that the call does not stay attached for longer.

    Parameters
    ----------
    seconds : float
        From 50 µs on.
    func : callable
    *args
        Its arguments.

    Raises
    ------
    AssertionError
        If half of the calls or more hold it longer, in each of three observations in a row on a machine
        that was found quiet before, between, during and after them; or, on a busy one, ten times longer in
        each of three.
    BusyError
        If the machine lets nothing be decided for some ten seconds.
    MonitorError
        If neither the GIL nor, where there is none, threads can be read.

    Notes
    -----
    An observation is the median, over up to a thousand calls, of the longest hold in a call, which no odd
    call spoils: a hold that less than half of the calls have is not found. Nobody asks for the GIL
    meanwhile, so Python code, which would hand it over after the switch interval, holds it throughout.
    Releases shorter than 10 µs, or a fiftieth of the limit if that is less, may go unseen. Time for which
    the system took the CPU from the calling thread is taken off the call's longest hold before that counts
    against it.

    On a busy machine all time without a CPU is taken off, whoever it was: so a hold cannot look longer for
    the sake of others. Samples are rarer, and may all miss the releases of a call that keeps to the limit;
    any three observations do so less than once in a million times. That takes a call that does not wait and
    has one hold only, and a limit of some milliseconds at the most.
    """
    __tracebackhide__ = True
    limit = number(seconds, "seconds")
    if not SHORTEST_HOLD <= limit <= LONGEST_HOLD:
        raise ValueError(f"seconds must be between {SHORTEST_HOLD:g} and {LONGEST_HOLD:g}, not {seconds!r}")
    call = _checked(func, args)
    name = called(func, args)
    if over := _decided(name, partial(_observed_holds, call, limit), limit):
        held, words = statistics.median(observation.figure for observation in over), WORDINGS[over[-1].kind]
        least = "at least " * any(observation.robust for observation in over)
        raise AssertionError(
            _told(
                f"{name} {words.holds} {least}{time_text(held)} at a stretch, not {time_text(limit)} or less",
                words.keeps,
                over,
                words.means_hold,
                words.between,
            )
        )


def _checked(func: Callable[..., object], args: tuple[Any, ...]) -> Callable[[], object]:
    """Return the call, if it can be watched; an error that it raises is raised here."""
    __tracebackhide__ = True
    if not callable(func):
        raise TypeError(f"func must be callable, not {type(func).__name__}")
    func(*args)  # first: it may import what turns the GIL on
    if why := why_missing():
        raise MonitorError(why)
    return partial(func, *args)


def _observed_share(call: Callable[[], object], limit: float, robust: bool) -> Observation:
    __tracebackhide__ = True
    return share_under_load(call, limit) if robust else observe_share(call)


def _observed_holds(call: Callable[[], object], limit: float, robust: bool) -> Observation:
    __tracebackhide__ = True
    return holds_under_load(call, limit) if robust else observe_holds(call, limit)


def _decided(name: str, observe: Callable[[bool], Observation], limit: float) -> list[Observation]:
    __tracebackhide__ = True
    try:
        return agreed(observe, trouble, limit, GIVEN_UP)
    except BusyError as error:
        raise BusyError(f"nothing can be said of {name}: {error}") from None


def _told(claim: str, verb: str, over: list[Observation], means: str, remedy: str) -> str:
    """Return the message of a failure."""
    cpus = usable_cpus()
    quiet = not any(observation.robust for observation in over)
    state = "quiet before, between and after" if quiet else "busy: what others took counts for the call"
    return "\n".join(
        [
            claim,
            f"  measured  {verb} {', '.join(observation.shown for observation in over)}; "
            f"a call is {time_text(statistics.median(observation.call for observation in over))}",
            f"  machine   {interpreter()}{_gil()}, {cpus} CPU{'s' * (cpus != 1)}, {state}",
            f"  means     {means}",
            f"  to do     {remedy}",
        ]
    )


def _gil() -> str:
    """Return what there is to say of the GIL of a free-threaded build."""
    return f", {gil_words(gil_state().facts)}" if free_threaded() else ""


def _remedy(observation: Observation, words: Wording) -> str:
    if observation.call < HAND_OVER:
        return words.entering
    if taken_again(observation.times) and behaviour(observation.figure) != "holds":
        return f"{words.again} at least {observation.times:,.0f} times a call: {words.callbacks}"
    return words.freeing


def called(func: Callable[..., object], args: tuple[Any, ...]) -> str:
    """Return how a call is written, in short."""
    name = getattr(func, "__qualname__", None) or short(func)
    return f"{name}({', '.join(map(short, args))})"
