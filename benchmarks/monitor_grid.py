"""What the GIL monitor says beside a known truth, and what gilknocker says where it is installed.

    python benchmarks/monitor_grid.py [SECONDS]

A call runs so many iterations with the GIL and so many without, and notes by the clock how long it was
without it: the truth is what is left of the call. Run it on a quiet machine of two or more CPUs.

Columns are in per cent of the time; slowed is how much longer a call is while it is watched, in rounds of
watched and unwatched calls that alternate. Below the grid: for how long a call of `lcg.nogil` holds the GIL.
That is the same at every length, until calls are so long that the caches are cold when it is taken again;
what a clock inside a like call says, the time to read it included, stands beside it. At last: what the light
mode takes of a CPU.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from suite.truth import REPEATS, cell, iteration, timed

from gilkit._ext._synthetic import synthetic_clocked
from gilkit.gil.monitor import GilMonitor
from gilkit.kernels import lcg
from gilkit.machine import load_by_others

try:
    from gilknocker import KnockKnock
except ImportError:
    KnockKnock = None

LENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # seconds of a call
SHARES = (0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999)
FORMS = ("8.1f", "8.2f", "8.2f", "+8.2f", "7.2f", "+8.2f")  # of the columns
SIZES = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)  # of lcg
COLD = 1e-4  # seconds of a call after which others may have had the caches


def knock(call: Callable[[], object], seconds: float) -> float:
    """The share that gilknocker reads."""
    knocker = KnockKnock(
        polling_interval_micros=1_000, sampling_interval_micros=10_000, sleeping_interval_micros=0
    )
    knocker.start()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        call()
    found = knocker.contention_metric
    knocker.stop()
    return float(found)


def held_part(size: int, seconds: float) -> tuple[float, float]:
    """Seconds of a call of `lcg.nogil`, and for how many of them it holds the GIL.

    Sampled every microsecond: a call of 1 ms holds it for less than a ten-thousandth of its time.
    """
    call = partial(lcg.nogil, size)
    loops = max(1, round(seconds / timed(call, max(3, 10**6 // size))))
    with GilMonitor(interval=1e-6, room=1) as monitor:
        before = monitor._sums()
        length = timed(call, loops)
        seen = monitor._sums().since(before)
    return length, seen.locked / seen.sampled * length if seen.sampled else 0.0


def clocked_part(size: int, seconds: float) -> float:
    """Seconds that a call of the same length is not without the GIL, by the clock, with no monitor about."""
    log = np.zeros(round(seconds / 1e-7))
    loops = max(3, min(len(log) - 1, 10**8 // size))
    length = timed(partial(synthetic_clocked, 0, size, log), loops)
    return length - float(log[1 : 1 + int(log[0])].mean())


def light(seconds: float) -> float:
    """CPU seconds that a light monitor takes in a second."""
    before = time.process_time()
    with GilMonitor(mode="light"):
        time.sleep(seconds)
    return (time.process_time() - before) / seconds


def main() -> None:
    """Print the grid, the held parts and the light mode's share."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    grid(seconds)
    print()
    parts = []
    print(f"{'lcg.nogil':>12} {'held for':>10} {'by the clock':>14}")
    for size in SIZES:
        found = sorted((held_part(size, seconds) for _ in range(REPEATS)), key=lambda item: item[1])
        length, part = found[REPEATS // 2]
        clocked = statistics.median(clocked_part(size, seconds) for _ in range(REPEATS))
        print(f"{length * 1e6:9.2f} µs {part * 1e9:7.1f} ns {clocked * 1e9:11.1f} ns", flush=True)
        if length < COLD:
            parts.append(part)
    middle = (max(parts) + min(parts)) / 2
    print(f"below {COLD * 1e6:.0f} µs the same ± {1e9 * (max(parts) - middle):.1f} ns (at most 20)")
    print(f"the light mode takes {100 * light(5 * seconds):.2f} % of a CPU (at most 2)")


def grid(seconds: float) -> None:
    """Print the grid."""
    print(f"load by others before: {load_by_others(1.0):.2f} CPUs")
    if KnockKnock is None:
        print("gilknocker is not installed: pip install 'gilkit[peers]' adds its column")
    print(
        f"{'call':>10} {'asked':>7} {'truth':>7} {'gilkit':>7} {'error':>7} {'±':>6} {'slowed':>7} "
        f"{'gilknocker':>11}"
    )
    errors, slowed = [], []
    one = iteration()
    for length in LENGTHS:
        for asked in SHARES:
            found = cell(length, asked, one, seconds)
            errors.append(found.error)
            slowed.append(found.slowed)
            cells = [asked, found.truth, found.share, found.error, found.uncertain, found.slowed]
            figures = "".join(f"{100 * figure:{form}}" for figure, form in zip(cells, FORMS, strict=True))
            knocked = f"{100 * knock(found.call, seconds):.2f}" if KnockKnock is not None else "–"
            print(f"{length * 1e6:7.0f} µs{figures}{knocked:>12}", flush=True)
    largest = max(abs(error) for error in errors)
    mean = sum(abs(error) for error in errors) / len(errors)
    print(
        f"largest error {100 * largest:.2f}, mean {100 * mean:.2f} percentage points "
        "(at most 1 and 0.3 on a quiet machine)"
    )
    print(
        f"watched calls are slower by {100 * sorted(slowed)[len(slowed) // 2]:+.2f} % (median; at most 2 %)"
    )


if __name__ == "__main__":
    main()
