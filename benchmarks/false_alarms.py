"""How often the assertions of `gilkit.assertions` pass, give up or fail, and how far off the readings are.

    python benchmarks/false_alarms.py [TIMES [BUSY]]

Each assertion is made so many TIMES (100) on calls that are within the limits, with so many BUSY processes
beside it (none). Nothing may fail. Distances are in standard errors of the reading for shares: those of the
last line are of readings against the mean of all, for a call that holds the GIL for a part of its time, as if
its true share were the limit.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from functools import partial

from gilkit.assertions import BusyError, assert_holds_at_most, assert_releases
from gilkit.kernels import lcg, synthetic
from gilkit.readings import ERRORS, Reading, hold_reading, share_reading

DATA = bytes(10**6)


def outcome(check: Callable[[], None]) -> str:
    """What an assertion comes to."""
    try:
        check()
    except AssertionError as error:
        print(error)
        return "failed"
    except BusyError as why:
        print(why)
        return "gave up"
    return "passed"


def spin() -> None:
    """Keep a CPU busy."""
    while True:
        pass


def main() -> None:
    """Print what happened."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    busy = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(busy)]
    for other in others:
        other.start()
    checks: dict[str, tuple[Callable[[], None], Callable[[], Reading], float]] = {
        "releases zlib.compress": (
            partial(assert_releases, zlib.compress, DATA),
            partial(share_reading, partial(zlib.compress, DATA)),
            0.05,
        ),
        "releases lcg.nogil": (
            partial(assert_releases, lcg.nogil, 10**6),
            partial(share_reading, partial(lcg.nogil, 10**6)),
            0.05,
        ),
        "holds 1 ms lcg.nogil": (
            partial(assert_holds_at_most, 0.001, lcg.nogil, 10**6),
            partial(hold_reading, partial(lcg.nogil, 10**6), 0.001),
            0.001,
        ),
    }
    for name, (check, read, limit) in checks.items():
        begin = time.perf_counter()
        found = Counter(outcome(check) for _ in range(times))
        length = (time.perf_counter() - begin) / times
        readings = [read() for _ in range(times)]
        worst = max(readings, key=lambda reading: reading.figure)
        counts = ", ".join(f"{found[word]} {word}" for word in ("passed", "gave up", "failed"))
        print(
            f"{name}: {counts}, {length:.2f} s each; worst of {times} readings {worst.shown} of {limit}",
            flush=True,
        )
    part = partial(synthetic.nogil, 50_000, 950_000)
    readings = [share_reading(part) for _ in range(times)]
    mean = statistics.fmean(reading.figure for reading in readings)
    errors = [(reading.figure - mean) * ERRORS / (reading.figure - reading.low) for reading in readings]
    beyond = sum(error > ERRORS for error in errors)
    print(
        f"a share of {mean:.2%}: {beyond} of {times} readings more than {ERRORS:g} standard errors above it, "
        f"the worst {max(errors):.1f}"
    )
    for other in others:
        other.kill()


if __name__ == "__main__":
    main()
