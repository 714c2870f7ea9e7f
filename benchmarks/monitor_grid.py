"""The GIL monitor's reading beside a known truth, and gilknocker's where it is installed.

    python benchmarks/monitor_grid.py [SECONDS]

`synthetic(held, released)` runs so many iterations with the GIL and so many without. An iteration costs the
same on both sides, so the truth is 1 - released x cost / length of a call, all measured here: what a call and
its loop take beside the iterations holds the GIL as well. Run it on a quiet machine of two or more CPUs.

Columns are in per cent of the time; slowed is how much longer a call is while it is watched.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

from gilkit.kernels import lcg, synthetic
from gilkit.machine import load_by_others
from gilkit.monitor import watch

try:
    from gilknocker import KnockKnock
except ImportError:
    KnockKnock = None

LENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # seconds of a call
REPEATS, KEPT = 9, 3  # watches of every cell, and those that count
SHARES = (0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999)


def iteration(total: int) -> float:
    """Seconds of one iteration now: on average over as long as a watch takes to be a little unlucky."""
    n = max(total, 10_000)
    return timed(partial(lcg.gil, n), max(1, round(0.02 / (n * 7e-9)))) / n


def timed(call: Callable[[], object], loops: int) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    for _ in range(loops):
        call()
    return (time.perf_counter() - start) / loops


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


def main() -> None:
    """Print the grid."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    print(f"load by others before: {load_by_others(1.0):.2f} CPUs")
    if KnockKnock is None:
        print("gilknocker is not installed: pip install 'gilkit[peers]' adds its column")
    print(
        f"{'call':>10} {'asked':>7} {'truth':>7} {'gilkit':>7} {'error':>7} {'±':>6} {'slowed':>7} "
        f"{'gilknocker':>11}"
    )
    errors, slowed = [], []
    for length in LENGTHS:
        for asked in SHARES:
            total = round(length / iteration(10_000))
            held = round(total * asked)
            call = partial(synthetic.nogil, held, total - held)
            loops = max(1, round(0.02 / length))
            seen = []
            for _ in range(REPEATS):
                alone = min(timed(call, loops) for _ in range(3))
                before = iteration(total)
                found = watch(call, seconds / KEPT)
                after = iteration(total)
                truth = 1 - (total - held) * (before + after) / 2 / found.seconds
                seen.append((abs(after / before - 1), truth, found, found.seconds / alone - 1))
            # A truth that moved while it was measured is none: keep the repeats with the steadiest clock.
            quiet = sorted(seen, key=lambda row: row[0])[:KEPT]
            truth = sum(row[1] for row in quiet) / KEPT
            share = sum(row[2].share for row in quiet) / KEPT
            uncertain = sum(row[2].share.error ** 2 for row in quiet) ** 0.5 / KEPT
            errors.append(share - truth)
            slowed.append(min(row[3] for row in quiet))
            knocked = f"{100 * knock(call, seconds):11.2f}" if KnockKnock is not None else f"{'–':>11}"
            print(
                f"{length * 1e6:7.0f} µs {100 * asked:7.1f} {100 * truth:7.2f} {100 * share:7.2f} "
                f"{100 * errors[-1]:+7.2f} {100 * uncertain:6.2f} {100 * slowed[-1]:+7.2f} {knocked}",
                flush=True,
            )
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
