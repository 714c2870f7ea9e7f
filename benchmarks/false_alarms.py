"""How often the assertions of gilkit pass, give up or fail, and how near the limit they come.

    python benchmarks/false_alarms.py [TIMES [BUSY [WAIT]]]

Every assertion is made TIMES (100) on calls that are within the limit, with BUSY processes beside it (none),
and gives up after WAIT seconds (10). None may fail. The last line is of a call that holds the GIL for a part
of its time: how far observations lie above their mean, in their own standard errors, as if that were the
limit.
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

from gilkit.errors import BusyError
from gilkit.gil import assertions
from gilkit.gil.assertions import assert_holds_at_most, assert_releases
from gilkit.gil.observations import CERTAIN, Observation, observe_holds, observe_share
from gilkit.kernels import lcg, synthetic

DATA = bytes(10**6)
LIMIT = 0.05  # of the default assertion
CHECKS: dict[str, Callable[[], None]] = {
    "releases zlib.compress": partial(assert_releases, zlib.compress, DATA),
    "releases lcg.nogil": partial(assert_releases, lcg.nogil, 10**6),
    "releases 96 %": partial(assert_releases, synthetic.nogil, 40_000, 960_000),
    "holds 1 ms lcg.nogil": partial(assert_holds_at_most, 0.001, lcg.nogil, 10**6),
    "holds 0.6 of 1 ms": partial(assert_holds_at_most, 0.001, synthetic.nogil, 100_000, 900_000),
}
found: list[Observation] = []


def kept(observe: Callable[..., Observation]) -> Callable[..., Observation]:
    """The same, but what it observes is kept."""

    def observed(*args: object) -> Observation:
        found.append(observe(*args))
        return found[-1]

    return observed


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


def error(seen: Observation) -> float:
    """Its standard error; infinite where the machine spoilt it."""
    return (seen.figure - seen.low) / CERTAIN


def spin() -> None:
    """Keep a CPU busy."""
    while True:
        pass


def main() -> None:
    """Print what happened."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    busy = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    assertions.GIVEN_UP = float(sys.argv[3]) if len(sys.argv) > 3 else assertions.GIVEN_UP
    assertions.observe_share, assertions.observe_holds = kept(observe_share), kept(observe_holds)
    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(busy)]
    for other in others:
        other.start()
    for name, check in CHECKS.items():
        found.clear()
        begin = time.perf_counter()
        outcomes = Counter(outcome(check) for _ in range(times))
        length = (time.perf_counter() - begin) / times
        worst = max(found, key=lambda seen: seen.figure)
        counts = ", ".join(f"{outcomes[word]} {word}" for word in ("passed", "gave up", "failed"))
        print(f"{name}: {counts}, {length:.2f} s each; the highest of {len(found)} is {worst.shown}")
        near = [(LIMIT - seen.figure) / error(seen) for seen in found if 0 < error(seen) < 1]
        if "releases" in name and near:
            print(f"  the nearest to {LIMIT:.0%} is {min(near):.1f} standard errors from it", flush=True)
    part = partial(synthetic.nogil, 50_000, 950_000)
    every = [observe_share(part) for _ in range(times)]
    fair = [seen for seen in every if error(seen) < 1]  # not spoilt
    if fair:
        mean = statistics.fmean(seen.figure for seen in fair)
        above = [(seen.figure - mean) / error(seen) for seen in fair]
        print(
            f"a share of {mean:.2%}: of {len(fair)} observations {sum(z > CERTAIN for z in above)} are more "
            f"than {CERTAIN:g} standard errors above it, {sum(z > 3 for z in above)} more than 3; "
            f"the highest is {max(above):.1f} above"
        )
    for other in others:
        other.kill()


if __name__ == "__main__":
    main()
