"""For what share of its time a call holds the GIL, or stays attached where there is none: `held_share`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gilkit.arguments import number
from gilkit.gil.monitor import EXACT_INTERVAL, KEPT_HOLDS, GilMonitor
from gilkit.gil.share import Share, ratio_error
from gilkit.workloads.workload import repeated

BATCH = 0.01  # seconds of calls between two looks at the clock


@dataclass(frozen=True, slots=True)
class HeldCall:
    """What `held_share` saw of a call.

    Attributes
    ----------
    share : Share
        The fraction of a call in which the GIL was locked, or the thread attached, by its kind; nan where it
        cannot be told: its note says why.
    seconds : float
        The length of one call.
    calls : int
        How many were watched.
    longest_hold : float
        Seconds of the longest hold, or time attached, that was seen.
    holds : float
        How many times a call was seen to take the GIL, or to attach, by two samples next to each other: at
        least so many times it did.
    """

    share: Share
    seconds: float
    calls: int
    longest_hold: float
    holds: float


def batch(call: Callable[[], object]) -> int:
    """Return how many calls take about `BATCH`: from the second, as the first may be slow."""
    call()
    start = time.perf_counter()
    call()
    return max(1, round(BATCH / max(1e-9, time.perf_counter() - start)))


def watching_caller(
    interval: float, mode: str = "exact", room: int = KEPT_HOLDS, bridge: float | None = None
) -> GilMonitor:
    """Return a monitor for calls of the calling thread.

    Where there is no GIL it looks at that thread only: others that are attached are not in its way.
    """
    monitor = GilMonitor(interval, mode, room, bridge)
    monitor._caller = True
    return monitor


def watch(
    call: Callable[[], object], seconds: float = 0.3, interval: float = EXACT_INTERVAL, fewest: int = 1
) -> HeldCall:
    """Call ``call`` in a loop, in this thread, for about so many ``seconds``, and watch the GIL meanwhile.

    At least ``fewest`` calls are watched, and only whole ones: so the share has no error from where the watch
    began and ended, and its error is that from one stretch of whole calls to the next.
    """
    if not 0 < number(seconds, "seconds") <= 3600:
        raise ValueError(f"seconds must be more than 0 and at most 3600, not {seconds}")
    loops, calls = batch(call), 0
    with watching_caller(interval, room=1) as monitor:
        begin = end = look = time.perf_counter()
        looks = [monitor._sums()]
        while calls < fewest or end - begin < seconds:
            repeated(call, loops)
            calls += loops
            end = time.perf_counter()
            if end - look >= BATCH / 2:  # loops may be too few for calls that were slow at first
                looks.append(monitor._sums())
                look = end
        if end > look:
            looks.append(monitor._sums())
    parts = [(part.sampled, part.locked) for part in (b.since(a) for a, b in pairwise(looks))]
    share = monitor._told(looks[-1].since(looks[0]), ratio_error(parts))
    longest = monitor.longest_hold
    return HeldCall(
        share,
        (end - begin) / calls,
        calls,
        longest.seconds if longest else 0.0,
        (looks[-1].takes - looks[0].takes) / calls,
    )


def held_share(
    func: Callable[..., object], *args: Any, seconds: float = 0.3, interval: float = EXACT_INTERVAL
) -> Share:
    """Return the fraction of a call of ``func`` in which it holds the GIL.

    Calls ``func(*args)`` in a loop, in this thread, and watches the GIL from another, which wants a CPU to
    spare. Other threads of this process that take the GIL meanwhile count, too.

    Where there is no GIL it is the fraction in which this thread is attached to the interpreter: nobody can
    stop the world meanwhile, as to collect garbage. Its ``kind`` tells which of both it is.

    Parameters
    ----------
    func : callable
    *args
        Its arguments.
    seconds : float
        How long to watch: at least one call.
    interval : float
        Mean seconds between samples.

    Returns
    -------
    Share
        A float with its standard error. nan where the monitor saw less than nine tenths of the time: its
        ``note`` says so.

    Raises
    ------
    MonitorError
        If this interpreter's GIL, or where there is none its threads, cannot be read.

    Notes
    -----
    Sampling is stratified: one sample at a uniformly random instant of every interval, so their mean is an
    unbiased estimate of the mean over time, of smaller variance than that of independent instants (Cochran,
    Sampling Techniques, 1977, chapter 5). Each sample stands for the time half the way to its neighbours.

    A monitor that is kept from running sees too little of just what runs without the GIL, so nothing is told
    where it missed much. The error is that of a ratio, from stretches of whole calls; one call has none.
    """
    return watch(lambda: func(*args), seconds, interval).share
