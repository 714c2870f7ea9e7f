"""For what share of its time a call holds the GIL: `held_share`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gilkit.gil.monitor import EXACT_INTERVAL, GilMonitor, Share
from gilkit.workloads.workload import repeated

BATCH = 0.01  # seconds of calls between two looks at the clock


@dataclass(frozen=True, slots=True)
class HeldCall:
    """What `held_share` saw of a call.

    Attributes
    ----------
    share : Share
        The fraction of a call in which the GIL was locked.
    seconds : float
        The length of one call.
    calls : int
        How many were watched.
    longest_hold : float
        Seconds of the longest hold that was seen.
    holds : float
        How many holds were seen in a call: at least so many times it took the GIL.
    """

    share: Share
    seconds: float
    calls: int
    longest_hold: float
    holds: float


def watch(call: Callable[[], object], seconds: float = 0.3, interval: float = EXACT_INTERVAL) -> HeldCall:
    """Call ``call`` in a loop, in this thread, for about so many ``seconds``, and watch the GIL meanwhile.

    Only whole calls are watched, so the share has no error from where the watch began and ended.
    """
    if not 0 < seconds <= 3600:
        raise ValueError(f"seconds must be more than 0 and at most 3600, not {seconds}")
    call()
    start = time.perf_counter()
    call()
    loops = max(1, round(BATCH / max(1e-9, time.perf_counter() - start)))
    calls = 0
    with GilMonitor(interval, room=1) as monitor:
        sampler = monitor._sampler
        before = sampler.counts() if sampler else (0, 0)
        holds = sampler.hold_count() if sampler else 0
        begin = time.perf_counter()
        end = begin
        while end - begin < seconds:
            repeated(call, loops)
            calls += loops
            end = time.perf_counter()
        after = sampler.counts() if sampler else (0, 0)
        samples, locked = after[0] - before[0], after[1] - before[1]
        holds = (sampler.hold_count() if sampler else 0) - holds
    found = monitor.held_share
    longest = monitor.longest_hold
    share = Share(locked / samples, found.error, samples) if samples else found
    seconds = (end - begin) / calls
    return HeldCall(share, seconds, calls, longest.seconds if longest else 0.0, holds / calls)


def held_share(
    func: Callable[..., object], *args: Any, seconds: float = 0.3, interval: float = EXACT_INTERVAL
) -> Share:
    """Return the fraction of a call of ``func`` in which it holds the GIL.

    Calls ``func(*args)`` in a loop, in this thread, and watches the GIL from another, which wants a CPU to
    spare. Other threads of this process that take the GIL meanwhile count, too.

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
        A float with its standard error. 0 on an interpreter without a GIL, and its ``note`` says so.

    Raises
    ------
    MonitorError
        If this interpreter's GIL cannot be read.

    Notes
    -----
    Sampling is stratified: one sample at a uniformly random instant of every interval, so their mean is an
    unbiased estimate of the mean over time, of smaller variance than that of independent instants (Cochran,
    Sampling Techniques, 1977, chapter 5).
    """
    return watch(lambda: func(*args), seconds, interval).share
