"""How often the assertions of `gilkit.assertions` pass, give up or fail, and how near the limit they come.

    python benchmarks/false_alarms.py [TIMES [BUSY [WAIT]]]

Every assertion is made TIMES (100) on calls that are within the limit, with BUSY processes beside it (none),
and gives up after WAIT seconds (10). None may fail. The last line is of a call that holds the GIL for a part
of its time: how far readings lie above their mean, in their own standard errors, as if that were the limit.
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

from gilkit import assertions
from gilkit.assertions import BusyError, assert_holds_at_most, assert_releases
from gilkit.kernels import lcg, synthetic
from gilkit.readings import ERRORS, Reading, hold_reading, share_reading

DATA = bytes(10**6)
LIMIT = 0.05  # of the default assertion
CHECKS: dict[str, Callable[[], None]] = {
    "releases zlib.compress": partial(assert_releases, zlib.compress, DATA),
    "releases lcg.nogil": partial(assert_releases, lcg.nogil, 10**6),
    "releases 96 %": partial(assert_releases, synthetic.nogil, 40_000, 960_000),
    "holds 1 ms lcg.nogil": partial(assert_holds_at_most, 0.001, lcg.nogil, 10**6),
    "holds 0.6 of 1 ms": partial(assert_holds_at_most, 0.001, synthetic.nogil, 100_000, 900_000),
}
found: list[Reading] = []


def recorded(read: Callable[..., Reading]) -> Callable[..., Reading]:
    """The same, but what it reads is kept."""

    def reading(*args: object) -> Reading:
        found.append(read(*args))
        return found[-1]

    return reading


def outcome(check: Callable[[], None]) -> str:
    """What an assertion comes to."""
    try:
        check()
    except AssertionError as error:
        print(error)
        return "failed"
    except BusyError:
        return "gave up"
    return "passed"


def errors(reading: Reading) -> float:
    """Its standard error; infinite where the machine spoilt it."""
    return (reading.figure - reading.low) / ERRORS


def spin() -> None:
    """Keep a CPU busy."""
    while True:
        pass


def main() -> None:
    """Print what happened."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    busy = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    assertions.WAIT = float(sys.argv[3]) if len(sys.argv) > 3 else assertions.WAIT
    assertions.share_reading, assertions.hold_reading = recorded(share_reading), recorded(hold_reading)
    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(busy)]
    for other in others:
        other.start()
    for name, check in CHECKS.items():
        found.clear()
        begin = time.perf_counter()
        outcomes = Counter(outcome(check) for _ in range(times))
        length = (time.perf_counter() - begin) / times
        worst = max(found, key=lambda reading: reading.figure)
        counts = ", ".join(f"{outcomes[word]} {word}" for word in ("passed", "gave up", "failed"))
        print(f"{name}: {counts}, {length:.2f} s each; the highest of {len(found)} readings {worst.shown}")
        near = [(LIMIT - reading.figure) / errors(reading) for reading in found if 0 < errors(reading) < 1]
        if "releases" in name and near:
            print(f"  the nearest to {LIMIT:.0%} is {min(near):.1f} standard errors from it", flush=True)
    part = partial(synthetic.nogil, 50_000, 950_000)
    readings = [share_reading(part) for _ in range(times)]
    readings = [reading for reading in readings if errors(reading) < 1]  # not spoilt
    if readings:
        mean = statistics.fmean(reading.figure for reading in readings)
        above = [(reading.figure - mean) / errors(reading) for reading in readings]
        print(
            f"a share of {mean:.2%}: of {len(readings)} readings {sum(z > ERRORS for z in above)} are more "
            f"than {ERRORS:g} standard errors above it, {sum(z > 3 for z in above)} more than 3; "
            f"the highest is {max(above):.1f} above"
        )
    for other in others:
        other.kill()


if __name__ == "__main__":
    main()
