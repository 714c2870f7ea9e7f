"""What `gilkit beside` says of a planted neighbour, beside what plain pinned threads do.

    python benchmarks/neighbours.py [SECONDS]

A is plain Python. B calls what holds the GIL for a planted time at a stretch, and runs without it for the
rest of its call. Nothing here but B's call is gilkit's: this script starts two threads, pins them and counts
calls for SECONDS (2), three times each alone and beside the other, in turns. gilkit is asked in a process of
its own.

Columns: for how long B holds the GIL, planted and said; the share of its call; and of A and of B the share of
its throughput that it keeps beside the other, by plain threads and as gilkit says, with its 95 % interval.
Exits with 1 if a share that is kept lies more than 0.05 outside of what plain threads did in their turns, or
a hold is off by more than 5 % and 1 ms. What lets go of the GIL only when it is asked to holds it for a
switch interval at the least; where it offers it just as often, who gets it is chance: there, it is the
interval that must not lie outside.

It takes some four minutes: run it on a quiet machine.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from gilkit._ext._synthetic import synthetic_nogil

OFF, OFF_HOLD, OFF_SECONDS = 0.05, 0.05, 1e-3  # what is asked of gilkit
HOLDS, SHARES = (1e-3, 5e-3, 20e-3, 50e-3), (0.25, 1.0)  # seconds of a hold, and of a call
WARM, TIMES = 0.2, 3
PLAIN = "sum(i * i for i in range(2000))"
SETUP = "from gilkit._ext._synthetic import synthetic_nogil"
ASK = """
import gilkit, json, sys
found = gilkit.beside(*json.loads(sys.argv[1]), setup=sys.argv[2])
ends = [[k, k.low, k.high] for k in (found.kept(letter) for letter in "AB")]
print(json.dumps([*ends, found.sides["B"].hold]))
"""
Call = Callable[[], object]


def iteration() -> float:
    """Seconds of one iteration of the call."""

    def once() -> float:
        begin = time.perf_counter()
        synthetic_nogil(0, 2_000_000)
        return (time.perf_counter() - begin) / 2e6

    return min(once() for _ in range(9))


def rates(seconds: float, *calls: Call) -> list[float]:
    """Calls a second of each, on a thread and a CPU of its own."""
    cpus = sorted(os.sched_getaffinity(0))
    first = time.perf_counter() + WARM
    last = first + seconds
    counts = [0.0] * len(calls)

    def run(place: int, call: Call) -> None:
        os.sched_setaffinity(0, {cpus[place % len(cpus)]})  # of this thread, which ends with it
        clock = time.perf_counter
        while (begin := clock()) < last:
            call()
            end = clock()
            inside = min(end, last) - max(begin, first)  # of a call across one instant, the part
            counts[place] += max(0.0, inside) / (end - begin)

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [count / seconds for count in counts]


def plain(seconds: float, a: Call, b: Call) -> list[tuple[float, ...]]:
    """What each keeps beside the other, in every turn."""
    kept: list[list[float]] = []
    for _ in range(TIMES):
        alone = rates(seconds, a) + rates(seconds, b)
        kept.append([x / y for x, y in zip(rates(seconds, a, b), alone, strict=True)])
    return list(zip(*kept, strict=True))


def main() -> int:
    """Compare them all."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    one, wrong = iteration(), 0
    code = compile(PLAIN, "A", "eval")
    print(f"{'hold':>6} {'said':>7} {'share':>5}  {'A':>5} {'said':>5} {'':13}  {'B':>5} {'said':>5}")
    for hold in HOLDS:
        for share in SHARES:
            held, released = round(hold / one), round(hold / one * (1 / share - 1))
            truth = plain(seconds, lambda: eval(code), lambda h=held, r=released: synthetic_nogil(h, r))
            asked = json.dumps([PLAIN, f"synthetic_nogil({held}, {released})"])
            done = subprocess.run(
                [sys.executable, "-c", ASK, asked, SETUP], capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{hold * 1e3:4.0f} ms {'':7} {share:5.2f}  failed: {done.stderr.strip()}")
                wrong += 1
                continue
            *said, said_hold = json.loads(done.stdout.splitlines()[-1])
            planted = hold if share < 1 or hold > sys.getswitchinterval() else None
            ends = [(kept, kept) if planted is not None else (low, high) for kept, low, high in said]
            off = [
                not (low - OFF <= max(true) and min(true) <= high + OFF)
                for true, (low, high) in zip(truth, ends, strict=True)
            ]
            if planted is not None:
                off.append(abs(said_hold - planted) > max(OFF_HOLD * planted, OFF_SECONDS))
            wrong += any(off)
            sides = "  ".join(
                f"{statistics.median(true):5.2f} {kept:5.2f} [{low:.2f}, {high:.2f}]"
                for true, (kept, low, high) in zip(truth, said, strict=True)
            )
            print(f"{hold * 1e3:4.0f} ms {said_hold * 1e3:4.1f} ms {share:5.2f}  {sides}{'  off' * any(off)}")
    return min(1, wrong)


if __name__ == "__main__":
    sys.exit(main())
