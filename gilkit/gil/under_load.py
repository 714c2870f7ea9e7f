"""What can be told of a call while other programs use the CPUs: bounds that hold whatever they do.

Others can stretch a hold, for a thread that the system puts aside keeps the GIL; they can keep the monitor
from seeing; and they can slow down a part of a call more than the rest. They cannot add to the CPU time of
the calling thread. So all of the time in which that thread had no CPU is taken for time that others took
from its holds, what the monitor did not see is taken for what speaks for the call, and what is left must be
`FAR` beyond the limit.

The monitor sleeps between samples here, so that the system lets it run soon after it wakes. How soon depends
on who waits, not on who has the GIL: where the caller waits of its own will, that speaks neither for nor
against it.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

from gilkit.display.units import seconds as time_text
from gilkit.gil import observations
from gilkit.gil.held import batch, watching_caller
from gilkit.gil.holds import Hold
from gilkit.gil.monitor import GilMonitor
from gilkit.gil.observations import (
    CERTAIN,
    FEWEST_CALLS,
    MOST_OBSERVED,
    OBSERVED_HOLDS,
    Observation,
    switches,
)
from gilkit.gil.share import TOO_BUSY, ratio_error
from gilkit.machine import stolen_seconds
from gilkit.workloads.workload import repeated

# How far beyond a limit, or within it, a figure must be, in odds or seconds. Who shares a core, caches and
# memory with others runs at a half to a third of its pace for each, and a call's holds may suffer where the
# rest does not.
FAR = 10.0
SAMPLED, HOLDS_SAMPLED = 500e-6, 100e-6  # seconds between samples of a share, and of holds
LEAST_USED = 50  # samples' worth of CPU time from which a share is told
# How many samples should find the GIL free, or locked, where the limit is kept, or not, and none does: by a
# chance of e⁻⁷. In ten seconds are less than twenty observations: that any three of them err so is one in a
# million. To pass takes one, and so twice as many.
EXPECTED = 7.0
LONGER = 2.0  # seconds of CPU time that an observation of holds may take to expect so many
LASTING = 2.0  # times the CPU time that is wanted that an observation may take
WHY = f"{TOO_BUSY}, and the readings are not far enough from the limit"


class _Look(NamedTuple):
    """What there was so far: on the clock, of this thread, of the monitor; seconds but for the switches."""

    clock: float
    used: float
    switches: float
    sampled: float
    own: float
    locked: float
    missed: float


def _look(monitor: GilMonitor) -> _Look:
    sums, own = monitor._sums(), monitor._held_by_caller()
    clock, used = time.perf_counter(), time.thread_time()
    return _Look(clock, used, switches().own, sums.sampled, own, sums.locked, sums.missed)


def share_under_load(call: Callable[[], object], limit: float) -> Observation:
    """Return the share of a call that holds the GIL, in CPU time, as wide as others may have made it.

    In T seconds of calls the calling thread was seen with the GIL for L, and had a CPU for C. Whoever took
    the rest, T - C, may have taken all of it from holds: so the share is ``(L - (T - C)) / C`` or more. It
    is what was locked over C or less, as others only add to that; for a call that waits nothing is known, as
    its waits may be without the GIL. `low` and `high` are that, `FAR` times less and more in odds.
    """
    __tracebackhide__ = True
    loops, calls, stolen = batch(call), 0, stolen_seconds()
    with watching_caller(SAMPLED, mode="light", room=1) as monitor:
        looks = [_look(monitor)]
        while calls < FEWEST_CALLS or looks[-1].clock - looks[0].clock < LASTING * observations.OBSERVED:
            repeated(call, loops)
            calls += loops
            looks.append(_look(monitor))
    whole = _Look(*(end - begin for begin, end in zip(looks[0], looks[-1], strict=True)))
    error = ratio_error([(b.sampled - a.sampled, b.own - a.own) for a, b in pairwise(looks)])
    told = _bounded_share(whole, CERTAIN * error, stolen_seconds() - stolen, calls, limit)
    return replace(told, kind=monitor.kind)


def _bounded_share(whole: _Look, error: float, stolen: float, calls: int, limit: float) -> Observation:
    length = whole.clock / calls
    if whole.used < LEAST_USED * SAMPLED:
        return Observation(0.0, -inf, inf, "not told", length, why=WHY, robust=True)
    aside = whole.clock - whole.used + stolen
    drawn = (
        3 * SAMPLED * whole.switches
    )  # each wait may have drawn a sample, which stands for no more than this
    least = (whole.own - aside - whole.missed - drawn - error * whole.sampled) / whole.used
    least = min(1.0, max(0.0, least))
    most = min(1.0, (whole.locked + drawn) / whole.used)
    guilty = limit * max(0.0, whole.used - whole.missed) / SAMPLED  # samples that should find it locked
    return Observation(
        least,
        least / (least + FAR * (1 - least)),
        inf if whole.switches or guilty < 2 * EXPECTED else FAR * most / (1 - most + FAR * most),
        f"at least {least:.0%}" if least else "not told",
        length,
        why=WHY,
        robust=True,
    )


class TimedCall(NamedTuple):
    """When a call began and ended, its CPU time, and how many times it waited; times are in seconds."""

    start: float
    end: float
    used: float
    waits: float


def holds_under_load(call: Callable[[], object], limit: float) -> Observation:
    """Return the longest hold in a call, in seconds of CPU time, as wide as others may have made it.

    Parameters
    ----------
    call : callable
    limit : float
        The seconds that matter.
    """
    __tracebackhide__ = True
    release = observations.shortest_release(limit)
    wanted = min(LONGER, max(observations.OBSERVED, 5 * EXPECTED * HOLDS_SAMPLED * limit / release))
    calls: list[TimedCall] = []
    used, stolen = 0.0, stolen_seconds()
    with watching_caller(HOLDS_SAMPLED, "light", OBSERVED_HOLDS, bridge=1000) as monitor:
        until = time.perf_counter() + LASTING * wanted
        while len(calls) < MOST_OBSERVED and (
            len(calls) < FEWEST_CALLS or (used < wanted and calls[-1].end < until)
        ):
            calls.append(_timed(call))
            used += calls[-1].used
    own = threading.get_native_id()
    holds = monitor.holds
    if holds.dropped:
        calls = [one for one in calls if one.start >= holds[0].start]
    told = bounded_holds(
        calls,
        [hold for hold in holds if hold.thread.native_id == own],
        holds,
        monitor.gaps,
        stolen_seconds() - stolen,
        limit,
    )
    return replace(told, kind=monitor.kind)


def bounded_holds(
    calls: list[TimedCall],
    own: list[Hold],
    holds: list[Hold],
    gaps: list[tuple[float, float]],
    stolen: float,
    limit: float,
) -> Observation:
    """Return what the holds that were seen say of calls.

    A hold is a time in which every sample found the thread with the GIL, less all the time of the call in
    which it had no CPU; calls in which more than one was seen, and calls that waited, have none. Samples are
    too rare to see every release. But who keeps to the limit is without the GIL for some part of its CPU
    time, which samples would have found: `low` is told where `EXPECTED` should have, in that half of the
    calls that was seen the least. For `high` all that was locked or not seen in a call counts as one hold.
    Both are medians over calls.
    """
    import numpy as np

    if not calls:
        return Observation(0.0, -inf, inf, "not told", 0.0, why=WHY, robust=True)
    length = statistics.median(one.end - one.start for one in calls)
    if length <= limit:
        return Observation(length, -inf, length, f"less than {time_text(length)}", length, robust=True)
    least, seen, most = [], [], []
    blind = np.array(gaps).reshape(-1, 2)
    every = np.array([(hold.start, hold.end) for hold in holds]).reshape(-1, 2)
    mine = np.array([(hold.start, hold.end) for hold in own]).reshape(-1, 2)
    for one in calls:
        most.append(_within(every, one.start, one.end).sum() + _within(blind, one.start, one.end).sum())
        lengths = _within(mine, one.start, one.end)
        hold = unseen = 0.0
        # With one hold only: of many, the longest would be one whose releases were missed.
        if np.count_nonzero(_within(every, one.start, one.end)) == np.count_nonzero(lengths) == 1 > one.waits:
            start, end = mine[int(lengths.argmax())]
            hold = max(0.0, float(lengths.max()) - (one.end - one.start - one.used) - stolen)
            unseen = float(_within(blind, max(start, one.start), min(end, one.end)).sum())
        least.append(hold)
        seen.append(max(0.0, hold - unseen))
    release = observations.shortest_release(limit)
    half = sum(sorted(seen)[: (len(seen) + 1) // 2])
    expected = half / HOLDS_SAMPLED * release / (limit + release)
    figure = statistics.median(least)
    return Observation(
        figure,
        figure / FAR if expected >= EXPECTED else -inf,
        FAR * float(statistics.median(most)) if limit >= FAR * HOLDS_SAMPLED else inf,
        f"at least {time_text(figure)}" if figure else "not told",
        length,
        why=WHY,
        robust=True,
    )


def _within(spans: Any, start: float, end: float) -> Any:
    """Return how long each span is within such a time."""
    import numpy as np

    return np.clip(np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], start), 0.0, None)


def _timed(call: Callable[[], object]) -> TimedCall:
    __tracebackhide__ = True
    waits, used = switches().own, time.thread_time()
    start = time.perf_counter()
    call()
    end = time.perf_counter()
    return TimedCall(start, end, time.thread_time() - used, switches().own - waits)
