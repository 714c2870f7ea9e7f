"""The speedup of plain pinned threads, measured at length, beside what gilkit says of the same call.

    python benchmarks/plain_threads.py [SECONDS] [--workers N,N] [--held SHARE,SHARE] [--call SECONDS,SECONDS]

The call holds the GIL for a share of its length. Nothing here but the call itself is gilkit's: threads are
started, pinned and counted by this script, in slices of half a second; of each slice only calls between two
instants count, those across them by parts. One thread and several take turns. A slice during which other
programs used the CPUs counts for nothing, and neither does its partner; it goes on until SECONDS (5) of each
are undisturbed. gilkit is asked by its command line, and read from the file that it writes.

Columns: the call, the share that holds the GIL, workers; the truth, with the range of the middle half of its
slices; what gilkit says, with its 95 % interval; by how much it is off, and whether the interval covers the
truth. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gilkit._ext._synthetic import synthetic_nogil

SLICE, WARM = 0.5, 0.1  # seconds that count, and before them
DISTURBED = 0.02  # of a CPU: what others may use of a slice
PATIENCE = 20  # times as many slices as are wanted, at the most
CALLS = (50e-6, 3.5e-3)  # seconds
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
SETUP = "from gilkit._ext._synthetic import synthetic_nogil"


def iteration() -> float:
    """Seconds of one iteration of the call."""

    def once() -> float:
        begin = time.perf_counter()
        synthetic_nogil(0, 2_000_000)
        return (time.perf_counter() - begin) / 2e6

    return min(once() for _ in range(9))


def busy_seconds() -> float:
    """CPU seconds that anybody used since the machine started, with what a hypervisor took."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def finished(stamps: list[float], moment: float) -> float:
    """Calls that were done at a moment; of the one that was under way, the part that was."""
    done = bisect_right(stamps, moment)
    start, end = stamps[done - 1], stamps[done]
    return done - 1 + (moment - start) / (end - start)


def slice_of(call: Callable[[], object], length: float, workers: int) -> tuple[float, float]:
    """Calls a second of so many threads in a slice, and the CPUs that others used meanwhile."""
    cpus = sorted(os.sched_getaffinity(0))
    first = time.perf_counter() + 0.02 + WARM
    last = first + SLICE
    stamps: list[list[float]] = [[] for _ in range(workers)]

    def run(place: int) -> None:
        os.sched_setaffinity(0, {cpus[place % len(cpus)]})  # of this thread, which ends with the slice
        mine, clock, until = stamps[place].append, time.perf_counter, last + 2 * length
        time.sleep(max(0.0, first - WARM - clock()) + length * place / workers)  # not in step
        while (now := clock()) < until:
            mine(now)
            call()
        mine(now)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(workers)]
    busy, own = busy_seconds(), time.process_time()
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    others = busy_seconds() - busy - (time.process_time() - own)
    rate = sum(finished(mine, last) - finished(mine, first) for mine in stamps) / SLICE
    return rate, others / (time.perf_counter() - begin)


def truth(
    call: Callable[[], object], length: float, workers: int, seconds: float
) -> tuple[float, list[float]]:
    """The speedup of so many threads: the median of undisturbed pairs of slices, and its quartiles."""
    wanted = max(4, round(seconds / SLICE))
    ratios: list[float] = []
    for _ in range(PATIENCE * wanted):
        (one, before), (many, after) = slice_of(call, length, 1), slice_of(call, length, workers)
        if max(before, after) < DISTURBED + 0.02:  # the clock of /proc/stat ticks a hundred times a second
            ratios.append(many / one)
        if len(ratios) == wanted:
            return statistics.median(ratios), statistics.quantiles(ratios)
    raise SystemExit(f"plain_threads: others are too busy: {len(ratios)} of {wanted} slices were undisturbed")


def said(held: int, released: int, workers: int) -> tuple[float, float, float]:
    """What gilkit says of the call: the speedup of threads, and the ends of its interval."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "said.json")
        ask = [sys.executable, "-m", "gilkit", "timeit", "-s", SETUP, f"synthetic_nogil({held}, {released})"]
        subprocess.run(
            [*ask, "--workers", f"1,{workers}", "--timeout", "60", "-o", str(file)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        script = (
            "import gilkit, json, sys; found = gilkit.load(sys.argv[1]).speedup('function', 'threads', "
            "int(sys.argv[2])); print(json.dumps([found, found.low, found.high]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(file), str(workers)],
            check=True,
            capture_output=True,
            text=True,
        )
    value, low, high = json.loads(done.stdout)
    return value, low, high


def numbers(text: str) -> list[float]:
    """Numbers that commas separate."""
    return [float(part) for part in text.split(",")]


def main() -> None:
    """Print a row for every call, share and number of workers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("seconds", nargs="?", type=float, default=5.0)
    parser.add_argument("--workers", type=numbers, default=[2.0])
    parser.add_argument("--held", type=numbers, default=list(SHARES))
    parser.add_argument("--call", type=numbers, default=list(CALLS))
    asked = parser.parse_args()
    one = iteration()
    print("    call  held  workers  plain threads        gilkit                 off   covered")
    for length in asked.call:
        for share in asked.held:
            held = round(share * length / one)
            released = max(0, round(length / one) - held)
            for workers in map(int, asked.workers):
                call = partial(synthetic_nogil, held, released)
                value, (low, _, high) = truth(call, length, workers, asked.seconds)
                found, least, most = said(held, released, workers)
                print(
                    f"{length * 1e6:6.0f} µs  {share:.2f}  {workers:7}  {value:.2f} [{low:.2f}, {high:.2f}]  "
                    f"{found:.2f} [{least:.2f}, {most:.2f}]  {found - value:+.2f}  "
                    f"{'yes' if least <= value <= most else 'no'}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
