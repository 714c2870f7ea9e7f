"""Assertions on how a call treats the GIL: measured, and decided only where the machine lets it be.

A reading says within which limits a figure is known; `agreed` decides from readings and is pure. Nothing fails
for the load of a machine: where no decision can be had in time, a `BusyError` says why.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from math import inf
from reprlib import repr as short
from typing import Any

import numpy as np

from gilkit.checks import number
from gilkit.machine import BUSY, interpreter, usable_cpus, watched_load
from gilkit.monitor import EXACT, GilMonitor, MonitorError, watch, why_missing
from gilkit.verdict import AGAIN, HAND_OFF, seconds

WAIT = 10.0  # seconds after which no further reading is begun on a machine that allows no decision
READINGS = 3  # that must agree, one after another
ERRORS = 5.0  # standard errors beyond the limit that each of them must be
COVER = 0.8  # the part of a reading that the monitor must have seen
SECONDS = 0.3  # of calls in a reading, and of a look at the machine
LEAST, MOST = 3, 1000  # calls in a reading of holds
IDLE = 0.05  # the held share from which a process is not idle
SHORTEST, LONGEST = 50e-6, 3600.0  # seconds of a hold that may be asked for
ROOM = 200_000  # holds of a reading that are kept

TOO_BUSY = "the machine is too busy"


class BusyError(RuntimeError):
    """No decision could be had in time; the message says why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at a call found.

    Parameters
    ----------
    figure : float
    low, high : float
        What it is at least, for all that is known, and what it is taken for where that speaks for the call.
        Infinite where the machine has spoilt the reading.
    shown : str
        The figure as it is printed.
    call : float
        Seconds of a call.
    times : float
        How many times a call was seen to take the GIL.
    why : str
        What keeps `low` from being `figure`.
    """

    figure: float
    low: float
    high: float
    shown: str
    call: float
    times: float = 1.0
    why: str = ""


def agreed(
    read: Callable[[], Reading],
    trouble: Callable[[], str],
    limit: float,
    wait: float = WAIT,
    clock: Callable[[], float] = time.monotonic,
) -> list[Reading]:
    """Return the readings that agree that a figure is beyond ``limit``; none if it is not.

    Parameters
    ----------
    read : callable
        Takes a reading.
    trouble : callable
        Looks at the machine, and returns why it allows no decision now, or an empty string.
    limit : float
        One reading whose `high` is within it is enough to acquit. To convict takes `READINGS` in a row whose
        `low` is beyond it, with no trouble before, between and after them.
    wait : float
        Seconds to go on without any such row.
    clock : callable

    Raises
    ------
    BusyError
        If there was no decision in that time.
    """
    __tracebackhide__ = True
    until = clock() + wait
    if read().high <= limit:
        return []
    over: list[Reading] = []
    while True:
        why = trouble()
        if not why and len(over) == READINGS:
            return over
        reading = read()
        if reading.high <= limit:
            return []
        if not why and reading.low > limit:
            over.append(reading)
            continue
        over.clear()
        if clock() >= until:
            raise BusyError(f"{why or reading.why} (the last reading: {reading.shown})")


def assert_releases(func: Callable[..., object], /, *args: Any, at_least: float = 0.95) -> None:
    """Assert that a call of ``func`` runs without the GIL for that share of its time.

    Calls ``func(*args)`` in a loop, in this thread, as `held_share` does: other threads of this process that
    take the GIL because of the call count, too.

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
        If three readings in a row are beyond the limit by five standard errors each, on a machine that was
        found quiet before, between, during and after them. It says what was measured and what it means.
    BusyError
        If the machine lets nothing be decided for some ten seconds.
    MonitorError
        If there is no GIL, or none that can be read.

    Notes
    -----
    One reading within the limit is enough to pass. For a call within the limit, a reading is beyond it by five
    standard errors with a chance of 3e-7 if errors are Gaussian; and if every hundredth reading were so, three
    in a row would still be one in a million. CONTRIBUTING.md has what was measured.
    """
    __tracebackhide__ = True
    least = number(at_least, "at_least")
    if not 0 < least < 1:
        raise ValueError(f"at_least must be between 0 and 1, not {at_least!r}")
    call = _checked(func, args)
    name = called(func, args)
    if over := _decided(name, partial(share_reading, call), 1 - least):
        held = statistics.median(reading.figure for reading in over)
        raise AssertionError(
            _told(
                f"{name} runs without the GIL for {1 - held:.2%} of its time: at least {least:.2%} was asked for",
                "holds the GIL for",
                over,
                "threads that call it wait for each other: however many, they do at most "
                f"{1 / held:.1f} times the work of one",
                _remedy(over[-1]),
            )
        )


def assert_holds_at_most(longest: float, func: Callable[..., object], /, *args: Any) -> None:
    """Assert that a call of ``func`` never holds the GIL for more than so many seconds at a stretch.

    Parameters
    ----------
    longest : float
        Seconds, from 50 µs on.
    func : callable
    *args
        Its arguments.

    Raises
    ------
    AssertionError
        If half of the calls or more hold it longer, in each of three readings in a row on a machine that was
        found quiet before, between, during and after them.
    BusyError
        If the machine lets nothing be decided for some ten seconds.
    MonitorError
        If there is no GIL, or none that can be read.

    Notes
    -----
    A reading is the median, over up to a thousand calls, of the longest hold in a call, which no odd call
    spoils: a hold that less than half of the calls have is not found. Nobody asks for the GIL meanwhile, so
    Python code, which would hand it over after the switch interval, holds it throughout. Releases shorter than
    10 µs, or a fiftieth of the limit if that is less, may go unseen.
    The time for which the system took the CPU from the calling thread is taken off the call's longest hold
    before that counts against it.
    """
    __tracebackhide__ = True
    limit = number(longest, "seconds")
    if not SHORTEST <= limit <= LONGEST:
        raise ValueError(f"seconds must be between {SHORTEST:g} and {LONGEST:g}, not {longest!r}")
    call = _checked(func, args)
    name = called(func, args)
    if over := _decided(name, partial(hold_reading, call, limit), limit):
        held = seconds(statistics.median(reading.figure for reading in over))
        raise AssertionError(
            _told(
                f"{name} holds the GIL for {held} at a stretch: at most {seconds(limit)} was asked for",
                "holds it, in half of the calls, for",
                over,
                "whatever else waits for the GIL, in any thread, stands still for so long",
                "release the GIL around the long part, or now and then between its steps",
            )
        )


def share_reading(call: Callable[[], object]) -> Reading:
    """Return the share of a call that holds the GIL."""
    load = watched_load()
    found = watch(call, SECONDS)
    held = found.share
    return _reading(
        float(held),
        held - ERRORS * held.error,
        f"{held:.2%} ± {100 * held.error:.2f}",
        found.seconds,
        found.holds,
        load(),
        held.samples * EXACT / (found.seconds * found.calls),
    )


def hold_reading(call: Callable[[], object], limit: float) -> Reading:
    """Return the longest hold in a call: the median over calls, with what the system took away in `low`."""
    interval = min(EXACT, limit / 50)
    load = watched_load()
    calls = []
    with GilMonitor(interval, room=ROOM, bridge=limit / 10) as monitor:
        begin = time.perf_counter()
        while len(calls) < MOST and (len(calls) < LEAST or calls[-1][1] < begin + SECONDS):
            calls.append(_timed(call))
        cover = monitor.held_share.samples * interval / (time.perf_counter() - begin)
    others = load()
    length = statistics.median(end - start for start, end, _ in calls)
    if length <= limit:  # no hold in it is longer
        return Reading(length, -inf, length, f"less than {seconds(length)}", length)
    holds = monitor.holds
    if holds.dropped:  # only calls of which all is known
        calls = [call for call in calls if call[0] >= holds[0].start]
    if not calls:
        why = "it takes the GIL too often for its holds to be kept"
        return Reading(length, -inf, inf, f"at most {seconds(length)}", length, why=why)
    starts = np.array([hold.start for hold in holds])
    ends = np.array([hold.end for hold in holds])
    longest, lowest = [], []
    for start, end, lost in calls:
        inside = slice(np.searchsorted(ends, start), np.searchsorted(starts, end))
        lengths = np.minimum(ends[inside], end) - np.maximum(starts[inside], start)
        longest.append(float(lengths.max(initial=0.0)))
        lowest.append(longest[-1] - lost)
    figure = statistics.median(longest)
    times = len(starts) / len(calls)
    return _reading(figure, statistics.median(lowest), seconds(figure), length, times, others, cover)


def _reading(
    figure: float, low: float, shown: str, call: float, times: float, load: float, cover: float
) -> Reading:
    """Return the reading, as wide as the load by others and what the monitor missed make it."""
    if cover < COVER:
        why = f"{TOO_BUSY}: the monitor, which wants a CPU to spare, ran for {cover:.0%} of the time only"
        return Reading(figure, -inf, inf, shown, call, times, why)
    if load >= BUSY:
        why = f"{TOO_BUSY}: others kept {load:.1f} CPUs busy meanwhile"
        return Reading(figure, -inf, figure, shown, call, times, why)
    return Reading(figure, low, figure, shown, call, times, "the readings are too close to the limit to tell")


def trouble() -> str:
    """Look at the machine while this thread does nothing; return why nothing can be decided now, or ''."""
    load = watched_load()
    with GilMonitor(SECONDS / 500, mode="light") as monitor:
        time.sleep(SECONDS)
    if (others := load()) >= BUSY:
        return f"{TOO_BUSY}: others keep {others:.1f} CPUs busy"
    if (held := monitor.held_share) >= IDLE:
        names = ", ".join(map(str, list(monitor.by_thread)[:3]))
        return f"{TOO_BUSY}: other threads of this process hold the GIL for {held:.0%} of the time ({names})"
    return ""


if sys.platform == "linux":
    import resource

    def _interruptions() -> int:
        """Return how many times the system took the CPU from this thread."""
        return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw

else:
    _interruptions = count().__next__  # unknown: as if it did all the time


def _timed(call: Callable[[], object]) -> tuple[float, float, float]:
    """Make one call; return its start, its end, and how much of it the system may have taken away."""
    interruptions, cpu = _interruptions(), time.thread_time()
    start = time.perf_counter()
    call()
    end = time.perf_counter()
    used = time.thread_time() - cpu
    return start, end, max(0.0, end - start - used) if _interruptions() > interruptions else 0.0


def _checked(func: Callable[..., object], args: tuple[Any, ...]) -> Callable[[], object]:
    """Return the call, if it can be watched; an error that it raises is raised here."""
    __tracebackhide__ = True
    if not callable(func):
        raise TypeError(f"func must be callable, not {type(func).__name__}")
    if why := why_missing():
        raise MonitorError(why)
    func(*args)
    return partial(func, *args)


def _decided(name: str, read: Callable[[], Reading], limit: float) -> list[Reading]:
    __tracebackhide__ = True
    try:
        return agreed(read, trouble, limit)
    except BusyError as error:
        raise BusyError(f"nothing can be said of {name}: {error}") from None


def _told(claim: str, verb: str, over: list[Reading], means: str, remedy: str) -> str:
    """Return the message of a failure."""
    cpus = usable_cpus()
    return "\n".join(
        [
            claim,
            f"  measured  {verb} {', '.join(reading.shown for reading in over)}; "
            f"a call is {seconds(statistics.median(reading.call for reading in over))}",
            f"  machine   {interpreter()}, {cpus} CPU{'s' * (cpus != 1)}, quiet before, between and after",
            f"  means     {means}",
            f"  to do     {remedy}",
        ]
    )


def _remedy(reading: Reading) -> str:
    if reading.call < HAND_OFF:
        return "do more in one call, and release the GIL there: short calls are mostly entering and leaving"
    if reading.times >= AGAIN:
        return (
            f"it takes the GIL at least {reading.times:,.0f} times a call: look for callbacks and checks where it "
            "should run without, such as a missing noexcept"
        )
    return "release the GIL around the work (Cython: with nogil; C: Py_BEGIN_ALLOW_THREADS), or use processes"


def called(func: Callable[..., object], args: tuple[Any, ...]) -> str:
    """Return how a call is written, in short."""
    name = getattr(func, "__qualname__", None) or short(func)
    return f"{name}({', '.join(map(short, args))})"
