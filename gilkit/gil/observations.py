"""Observations of how a call treats the GIL, as wide as the machine made them."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import count
from math import inf, isnan
from typing import NamedTuple

from gilkit.display.units import seconds
from gilkit.errors import MonitorError
from gilkit.gil.held import watch, watching_caller
from gilkit.gil.monitor import EXACT_INTERVAL, GilMonitor
from gilkit.gil.share import HELD_SHARE, TOO_BUSY, unseen
from gilkit.gil.wording import WORDINGS
from gilkit.machine import BUSY, watched_load

CERTAIN = 5.0  # standard errors between a figure and what it is at least
OBSERVED = 0.3  # seconds of calls in an observation, and of a look at the machine
FEWEST_CALLS, MOST_OBSERVED = 3, 1000  # calls in an observation; the most are of one of holds
OBSERVED_HOLDS = 200_000  # that are kept
IDLE = 0.05  # the held share from which a process is not idle


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look at a call found.

    Parameters
    ----------
    figure : float
        A share, or seconds.
    low, high : float
        What it is at least, for all that is known, and what it is taken for where that speaks for the call.
        Infinite where the machine has spoilt the observation.
    shown : str
        The figure as it is printed.
    call : float
        Seconds of a call.
    times : float
        How many times a call was seen to take the GIL.
    why : str
        What keeps `low` from being more.
    robust : bool
        Whether `low` and `high` hold whatever other programs and threads do.
    kind : str
        What was watched: time with the GIL, or attached; see `gilkit.gil.share.Share`.
    """

    figure: float
    low: float
    high: float
    shown: str
    call: float
    times: float = 1.0
    why: str = ""
    robust: bool = False
    kind: str = HELD_SHARE


def observe_share(call: Callable[[], object]) -> Observation:
    """Return the share of a call that holds the GIL.

    `low` takes all that the monitor did not see for a time without the GIL.
    """
    __tracebackhide__ = True
    load = watched_load()
    found = watch(call, OBSERVED, fewest=FEWEST_CALLS)
    held, others = found.share, load()
    if isnan(held):
        return Observation(
            float(held), -inf, inf, "not told", found.seconds, found.holds, held.note, kind=held.kind
        )
    low = held - CERTAIN * held.error - (1 - held.coverage)
    shown = f"{held:.2%} ± {100 * held.error:.2f}"
    told = fair(float(held), low, shown, found.seconds, found.holds, others, held.coverage)
    return replace(told, kind=held.kind)


def shortest_release(limit: float) -> float:
    """Return the seconds from which on a release between holds is seen, where so many of a hold matter."""
    return min(EXACT_INTERVAL, limit / 50)


def observe_holds(call: Callable[[], object], limit: float) -> Observation:
    """Return the longest hold in a call, in seconds: the median over calls.

    Parameters
    ----------
    call : callable
    limit : float
        The seconds that matter: the monitor looks fifty times in them, or every 10 µs if that is more often.
    """
    __tracebackhide__ = True
    import numpy as np

    interval = shortest_release(limit)
    load = watched_load()
    calls: list[tuple[float, float, float]] = []
    with watching_caller(interval, room=OBSERVED_HOLDS, bridge=limit / 10) as monitor:
        begin = time.perf_counter()
        while len(calls) < MOST_OBSERVED and (len(calls) < FEWEST_CALLS or calls[-1][1] < begin + OBSERVED):
            calls.append(_timed(call))
    others = load()
    times = monitor._sums().takes / len(calls)
    length = statistics.median(end - start for start, end, _ in calls)
    if length <= limit:  # no hold in it is longer
        return Observation(length, -inf, length, f"less than {seconds(length)}", length, kind=monitor.kind)
    holds = monitor.holds
    if holds.dropped:  # only calls of which all is known
        calls = [call for call in calls if call[0] >= holds[0].start]
    if not calls:
        why = "it takes the GIL too often for its holds to be kept"
        return Observation(
            length, -inf, inf, f"at most {seconds(length)}", length, why=why, kind=monitor.kind
        )
    starts = np.array([hold.start for hold in holds])
    ends = np.array([hold.end for hold in holds])
    longest, lowest = [], []
    for start, end, lost in calls:
        inside = slice(np.searchsorted(ends, start), np.searchsorted(starts, end))
        lengths = np.minimum(ends[inside], end) - np.maximum(starts[inside], start)
        longest.append(float(lengths.max(initial=0.0)))
        lowest.append(longest[-1] - lost)
    figure = statistics.median(longest)
    low = statistics.median(lowest)
    told = fair(figure, low, seconds(figure), length, times, others, monitor.held_share.coverage)
    return replace(told, kind=monitor.kind)


def fair(
    figure: float, low: float, shown: str, call: float, times: float, load: float, cover: float
) -> Observation:
    """Return the observation, as wide as the load by others and what the monitor missed make it."""
    if why := unseen(cover):
        return Observation(figure, -inf, inf, shown, call, times, why)
    if load >= BUSY:
        why = f"{TOO_BUSY}: others kept {load:.1f} CPUs busy meanwhile"
        return Observation(figure, -inf, figure, shown, call, times, why)
    return Observation(
        figure, low, figure, shown, call, times, "the readings are too close to the limit to tell"
    )


def trouble() -> str:
    """Look at the machine while this thread does nothing; return why nothing can be decided now, or ''.

    Where only the calling thread can be read, what other threads of this process do is part of the load.
    """
    load = watched_load()
    with ExitStack() as stack:
        monitor: GilMonitor | None = None
        with suppress(MonitorError):
            monitor = stack.enter_context(GilMonitor(OBSERVED / 500, mode="light"))
        time.sleep(OBSERVED)
    if (others := load()) >= BUSY:
        return f"{TOO_BUSY}: others keep {others:.1f} CPUs busy"
    if monitor is None:
        return ""
    held = monitor.held_share
    if isnan(held):
        return held.note
    if held >= IDLE:
        names = ", ".join(map(str, list(monitor.by_thread)[:3]))
        do = WORDINGS[held.kind].idle
        return f"{TOO_BUSY}: other threads of this process {do} for {held:.0%} of the time ({names})"
    return ""


class Switches(NamedTuple):
    """How many times this thread left its CPU: to wait, and because the system took it."""

    own: float
    taken: float


if sys.platform == "linux":
    import resource

    def switches() -> Switches:
        """Return how many times this thread left its CPU so far."""
        usage = resource.getrusage(resource.RUSAGE_THREAD)
        return Switches(usage.ru_nvcsw, usage.ru_nivcsw)

else:
    _unknown = count()

    def switches() -> Switches:
        """Return a number that grows at every look: unknown, as if it did all the time."""
        return Switches(*2 * (float(next(_unknown)),))


def _timed(call: Callable[[], object]) -> tuple[float, float, float]:
    """Make one call; return its start, its end, and how much of it the system may have taken away."""
    __tracebackhide__ = True
    taken, cpu = switches().taken, time.thread_time()
    start = time.perf_counter()
    call()
    end = time.perf_counter()
    used = time.thread_time() - cpu
    return start, end, max(0.0, end - start - used) if switches().taken > taken else 0.0
