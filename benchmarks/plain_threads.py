"""The speedup of plain pinned threads, measured at length, beside what gilkit says of the same call.

    python benchmarks/plain_threads.py [SECONDS]         # a grid: is each figure within 0.05?
    python benchmarks/plain_threads.py --repeats 100     # coverage: how many of 100 intervals hold the truth?

The call holds the GIL for a share of its length. Nothing here but the call itself is gilkit's: this script
starts threads, pins them (in turn, where there are more than CPUs) and counts calls, in slices of half a
second, or of 20 calls where these are long. Threads begin at random within a call. Of each slice only calls
between two instants count, those across them by parts. One thread and several take turns. What was measured
while others used the CPUs does not count; it goes on until SECONDS (5) of each are undisturbed. gilkit is
asked in a process of its own, for all numbers of workers at once; with --repeats on threads alone.

Columns: the call, the share that holds the GIL, workers; the truth, with the middle half of its slices; what
gilkit says, with its 95 % interval (nan where it had too few rounds); by how much it is off, and whether the
interval covers the truth. With --repeats: the truth, of three slices before each, with the middle half of
these; how many intervals cover it; by how much gilkit is off, in the median and at most; half the median
interval. Exits with 1 if a figure is off by more than 0.05, or fewer than 93 of 100 intervals cover.

The grid takes about 25 minutes, 100 repeats take two or three hours: run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from gilkit._ext._synthetic import synthetic_nogil

SLICE, SLICE_CALLS = 0.5, 20  # what counts of a slice: seconds, and calls of each thread, at the least
WARM, WARM_CALLS = 0.1, 3  # the same, before it
FEWEST = 3  # slices
DISTURBED = 0.03  # of a CPU: what others may use of a slice, which is counted in hundredths of a second
PATIENCE = 20  # times as many slices as are wanted, at the most
OFF, COVERED = 0.05, 0.93  # what is asked of gilkit
CALLS, LONG = (50e-6, 3.5e-3), 100e-3  # seconds
SHARES, FEW_SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0), (0.1, 0.5, 1.0)
SETUP = "from gilkit._ext._synthetic import synthetic_nogil"
ASK = """
import gilkit, json, sys
outcome = gilkit.timeit(**json.loads(sys.argv[1]))
found = [outcome.speedup("function", "threads", count) for count in json.loads(sys.argv[2])]
print(json.dumps([[s, s.low, s.high] for s in found]))
"""
Said = tuple[float, float, float]  # the speedup, and the ends of its interval


def iteration() -> float:
    """Seconds of one iteration of the call."""

    def once() -> float:
        begin = time.perf_counter()
        synthetic_nogil(0, 2_000_000)
        return (time.perf_counter() - begin) / 2e6

    return min(once() for _ in range(9))


def others_seconds() -> float:
    """CPU seconds that all other programs have used, those that ended too, with what a hypervisor took.

    Of each by its own count: that of the whole machine is a sample, too coarse for a slice.
    """
    ticks = int(Path("/proc/stat").read_text().split()[8])
    for program in Path("/proc").iterdir():
        if program.name.isdigit() and int(program.name) != os.getpid():
            with suppress(OSError):  # it has ended: who started it has its seconds now
                ticks += sum(map(int, Path(program, "stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def finished(stamps: Sequence[float], moment: float) -> float:
    """Calls that were done at a moment; of the one that was under way, the part that was.

    None by a thread that could not begin: who gives the GIL up and takes it back at once lets others starve.
    """
    if not (done := bisect_right(stamps, moment)):
        return 0.0
    start, end = stamps[done - 1], stamps[done]
    return done - 1 + (moment - start) / (end - start)


def slice_of(call: Callable[[], object], length: float, beside: float, workers: int) -> tuple[float, float]:
    """Calls a second of so many threads in a slice, and the CPUs that others used meanwhile."""
    cpus = sorted(os.sched_getaffinity(0))
    seconds, warm = max(SLICE, SLICE_CALLS * beside), max(WARM, length + WARM_CALLS * beside)
    first = time.perf_counter() + 0.02 + warm
    last = first + seconds
    stamps: list[list[float]] = [[] for _ in range(workers)]

    def run(place: int) -> None:
        os.sched_setaffinity(0, {cpus[place % len(cpus)]})  # of this thread, which ends with the slice
        mine, clock, until = stamps[place].append, time.perf_counter, last + 2 * beside
        time.sleep(max(0.0, first - warm - clock()) + length * random.random())  # not in step
        while (now := clock()) < until:
            mine(now)
            call()
        mine(now)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(workers)]
    before, begin = others_seconds(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    others = (others_seconds() - before) / (time.perf_counter() - begin)
    rate = sum(finished(mine, last) - finished(mine, first) for mine in stamps) / seconds
    return rate, others


def speedups(
    call: Callable[[], object], length: float, beside: Mapping[int, float], seconds: float, allowed: float
) -> dict[int, list[float]]:
    """The speedups of numbers of threads, by how long a call is about beside them: of undisturbed slices."""
    wanted = max(FEWEST, round(seconds / max(SLICE, SLICE_CALLS * length)))
    found: dict[int, list[float]] = {workers: [] for workers in beside}
    for _ in range(PATIENCE * wanted):
        lacking = [workers for workers, ratios in found.items() if len(ratios) < wanted]
        if not lacking:
            return found
        one, before = slice_of(call, length, length, 1)
        for workers in random.sample(lacking, len(lacking)) if before < allowed else ():
            many, after = slice_of(call, length, beside[workers], workers)
            if after < allowed:
                found[workers].append(many / one)
    fewest = min(map(len, found.values()))
    raise SystemExit(f"others are too busy: {fewest} of {wanted} slices were undisturbed")


def said(
    held: int, released: int, workers: Sequence[int], rounds: int | None, executors: list[str] | None
) -> list[Said]:
    """What gilkit says of the call, for each number of workers."""
    asked = {
        "stmt": f"synthetic_nogil({held}, {released})",
        "setup": SETUP,
        "workers": [1, *workers],
        "rounds": rounds,
        "executors": executors,
        "timeout": 60.0,
    }
    ask = [sys.executable, "-c", ASK, json.dumps(asked), json.dumps(workers)]
    done = subprocess.run(ask, check=True, capture_output=True, text=True)
    return [(value, low, high) for value, low, high in json.loads(done.stdout)]


class Row:
    """A call of a length that holds the GIL for a share of it, and what is asked of it."""

    def __init__(self, length: float, share: float, one: float, asked: argparse.Namespace) -> None:
        self.name = f"{length * 1e6:6.0f} µs  {share:.2f}"
        self.length = length
        self.held = round(share * length / one)
        self.released = max(0, round(length / one) - self.held)
        self.asked = asked
        cpus = len(os.sched_getaffinity(0))
        self.beside = {count: length * max(1.0, count / cpus, count * share) for count in asked.workers}

    def truth(self) -> dict[int, list[float]]:
        """Measure the speedups of plain threads, by their number."""
        call = partial(synthetic_nogil, self.held, self.released)
        seconds = 0.0 if self.asked.repeats else self.asked.seconds
        return speedups(call, self.length, self.beside, seconds, self.asked.allowed)

    def said(self) -> dict[int, Said]:
        """Ask gilkit."""
        workers, only = self.asked.workers, ["threads"] if self.asked.repeats else None
        found = said(self.held, self.released, workers, self.asked.rounds or None, only)
        return dict(zip(workers, found, strict=True))

    def grid(self) -> bool:
        """Print one line for each number of workers; return whether all are near the truth."""
        truth, said, near = self.truth(), self.said(), True
        for count, (found, least, most) in said.items():
            value, (low, _, high) = statistics.median(truth[count]), statistics.quantiles(truth[count])
            near = near and abs(found - value) <= OFF
            print(
                f"{self.name}  {count:7}  {value:.2f} [{low:.2f}, {high:.2f}]  "
                f"{found:.2f} [{least:.2f}, {most:.2f}]  {found - value:+.2f}  "
                f"{'yes' if least <= value <= most else 'no'}",
                flush=True,
            )
        return near

    def coverage(self, repeats: int) -> bool:
        """Print one line for each number of workers; return whether enough intervals cover the truth."""
        truths: list[dict[int, list[float]]] = []
        all_said: list[dict[int, Said]] = []
        for _ in range(repeats):  # the machine drifts, and both with it
            truths.append(self.truth())
            all_said.append(self.said())
        enough = True
        for count in self.asked.workers:
            least, _, most = statistics.quantiles(statistics.median(truth[count]) for truth in truths)
            value = statistics.median(ratio for truth in truths for ratio in truth[count])
            found = [said[count] for said in all_said]
            off = sorted(abs(speedup - value) for speedup, _, _ in found)
            covered = sum(low <= value <= high for _, low, high in found)
            half = statistics.median((high - low) / 2 for _, low, high in found)
            enough = enough and covered >= COVERED * repeats
            print(
                f"{self.name}  {count:7}  {value:.3f} [{least:.3f}, {most:.3f}]  "
                f"{covered:3} of {repeats}  off {statistics.median(off):.3f}, {off[-1]:.3f}  ±{half:.3f}",
                flush=True,
            )
        return enough


def numbers(text: str) -> list[float]:
    """Numbers that commas separate."""
    return [float(part) for part in text.split(",")]


def main() -> None:
    """Print a line for every call, share and number of workers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("seconds", nargs="?", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=0, help="ask gilkit so often, and count intervals")
    parser.add_argument("--workers", type=numbers, help="by default 2,3,4; with --repeats 2")
    parser.add_argument("--held", type=numbers, help="shares of a call")
    parser.add_argument("--call", type=numbers, help="seconds")
    parser.add_argument("--rounds", type=int, default=0, help="of gilkit; by default it decides itself")
    parser.add_argument("--allowed", type=float, default=DISTURBED, help="of a CPU that others may use")
    asked = parser.parse_args()
    asked.workers = [int(count) for count in asked.workers or ([2] if asked.repeats else [2, 3, 4])]
    one, good = iteration(), True
    heading = "covered" if asked.repeats else "gilkit              off   covered"
    print(f"    call  held  workers  plain threads      {heading}", flush=True)
    for length in asked.call or (CALLS if asked.repeats else (*CALLS, LONG)):
        for share in asked.held or (FEW_SHARES if asked.repeats else SHARES):
            row = Row(length, share, one, asked)
            good &= row.coverage(asked.repeats) if asked.repeats else row.grid()
    sys.exit(not good)


if __name__ == "__main__":
    main()
