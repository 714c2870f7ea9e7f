"""A call whose held share is known, and what the monitor says of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isnan

import numpy as np

from gilkit._ext._synthetic import synthetic_clocked
from gilkit.gil.held import watch
from gilkit.kernels import lcg
from gilkit.machine import BUSY, watched_load

WARM = 2  # calls that a watch makes before it begins
REPEATS = 5  # watches of every cell
TRIES = 4  # to watch while others leave the machine alone


@dataclass(frozen=True)
class Cell:
    """What was so and what the monitor read of it, as shares of the time.

    Parameters
    ----------
    call : callable
        What was watched.
    truth, share : float
    uncertain : float
        The standard error that the monitor gives.
    slowed : float
        By what part of itself a call was longer while it was watched.
    """

    call: Callable[[], object]
    truth: float
    share: float
    uncertain: float
    slowed: float

    @property
    def error(self) -> float:
        """How much more the monitor read."""
        return self.share - self.truth


def timed(call: Callable[[], object], loops: int) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    for _ in range(loops):
        call()
    return (time.perf_counter() - start) / loops


def iteration() -> float:
    """Seconds of one iteration, about: it decides what is asked for, not what is true."""
    return min(timed(partial(lcg.gil, 100_000), 3) for _ in range(5)) / 100_000


def cell(length: float, asked: float, one: float, seconds: float) -> Cell:
    """Watch a call of ``length`` seconds that holds the GIL for the share ``asked``, for ``seconds`` in all.

    The call notes by the clock how long it was without the GIL: the truth is what is left of it. Watched and
    unwatched calls alternate.
    """
    total = round(length / one)
    held = round(total * asked)
    log = np.zeros(round(2 * seconds / length) + 100)
    call = partial(synthetic_clocked, held, total - held, log)
    loops = max(1, round(0.02 / length))
    truths, shares, slower = [], [], []
    for _ in range(REPEATS):
        for _ in range(TRIES):
            load = watched_load()
            alone = timed(call, loops)
            log[0] = 0
            found = watch(call, seconds / REPEATS)
            released = log[1 + WARM : 1 + int(log[0])].mean()
            alone = (alone + timed(call, loops)) / 2
            if load() < BUSY and not isnan(found.share):  # otherwise it shows what others did
                break
        truths.append(1 - released / found.seconds)
        shares.append(found.share)
        slower.append(found.seconds / alone - 1)
    uncertain = sum(share.error**2 for share in shares) ** 0.5 / REPEATS
    return Cell(
        call, statistics.fmean(truths), statistics.fmean(shares), uncertain, statistics.median(slower)
    )
