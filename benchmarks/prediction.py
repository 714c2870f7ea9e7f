"""Whether the law of the GIL says what many threads do: predicted from two, measured with up to sixteen.

    python benchmarks/prediction.py [SECONDS] [--workers N,N] [--joined]

The call holds the GIL for a time and then sleeps without it, so that few CPUs are enough for many workers.
What the law needs comes from one run of `gilkit timeit` with two workers: how long the call is, which share
of it holds the GIL, how often it takes it, and what a hand-over costs. No figure with more workers is used.
(A sleep is longer than was asked for, by the timer's slack; the length is the measured one.)

Beside it stands the truth: plain threads, as in `plain_threads.py`, pinned in turn, SECONDS (5) of
undisturbed slices of each number of workers, in turns with one thread alone.

Columns: workers; the truth, with the middle half of its slices; min(W, law), with the interval that the held
share gives; by how many per cent the truth differs. Exits with 1 if it does by more than 10 % anywhere.

A hand-over is measured between two threads, where the CPU of the one that waits has to wake up. Where many
queue, CPUs do not sleep: of the measured figure half counts, for all numbers of workers alike.

The law bounds throughput, whatever the order in which threads are served. Where a hold is longer than the
switch interval (10 ms here, against 5), others ask for the GIL meanwhile, and the interpreter gives it away
between the two statements of the call: the thread queues once more before it can sleep, and threads that met
once go on in step. Two and four threads then stay below the law. With --joined the call is one of C, and the
interpreter cannot come between: what remains is the law.

It takes about six minutes: run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from plain_threads import DISTURBED, iteration, numbers, speedups

import gilkit
from gilkit.gil.law import QUEUED, contended, law
from gilkit.gil.observations import CERTAIN
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.figures import Evidence

WITHIN = 0.10  # of the law, where the truth is to be
CALLS = (
    (500e-6, 2e-3),
    (2e-3, 2e-3),
    (100e-6, 1e-3),
    (20e-6, 200e-6),
    (10e-3, 30e-3),
)  # seconds held, asleep
WORKERS = (2.0, 4.0, 8.0, 16.0)
TRIES = 3  # to see how long the GIL is held, where others are in the way
SETUP = """
from functools import partial
from operator import call
from time import sleep
from gilkit._ext._synthetic import synthetic_gil
parts = partial(synthetic_gil, {held}, 0), partial(sleep, {asleep})
"""
APART, JOINED = "synthetic_gil({held}, 0); sleep({asleep})", "tuple(map(call, parts))"


def known(setup: str, statement: str) -> Evidence:
    """What gilkit knows of the call from at most two workers."""
    ask = [sys.executable, "-m", "gilkit", "timeit", "-s", setup, statement]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "known.json")
        for _ in range(TRIES):
            subprocess.run(
                [*ask, "--workers", "1,2", "--timeout", "60", "-o", str(file)],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            results = gilkit.load(file).results
            found = evidence(results, next(iter(results)).kernel, 2)
            if found.held is not None:
                return found
    raise SystemExit(f"gilkit does not know the held share: {found.held_note}")


def row(held: float, asleep: float, one: float, asked: argparse.Namespace) -> bool:
    """Print the lines of a call; return whether the truth is near the law in all."""
    texts = (SETUP, JOINED if asked.joined else APART)
    setup, statement = (text.format(held=round(held / one), asleep=asleep) for text in texts)
    f = known(setup, statement)
    assert f.call is not None
    assert f.held is not None
    times = contended(f.call, f.held, f.times)
    print(
        f"{held * 1e6:.0f} µs held, {asleep * 1e6:.0f} µs asleep: a call of {f.call * 1e6:.0f} µs holds the "
        f"GIL for {f.held:.3f}, hands it over {times:.2g} times, {f.handover * 1e6:.1f} µs each"
    )
    names: dict[str, Any] = {}
    exec(f"{setup}\ndef once(): {statement}", names)
    workers = [int(count) for count in asked.workers]
    beside = {count: f.call * max(1.0, count * f.held) for count in workers}
    near = True
    for count, ratios in speedups(names["once"], f.call, beside, asked.seconds, asked.allowed).items():
        truth, (low, _, high) = statistics.median(ratios), statistics.quantiles(ratios)
        says = law(count, 1.0, f.call, f.held, times, QUEUED * f.handover, CERTAIN * f.held_error)
        off = truth / says - 1
        near = near and abs(off) <= WITHIN
        print(
            f"{count:7}  {truth:5.2f} [{low:5.2f}, {high:5.2f}]  "
            f"{says:5.2f} [{says.low:5.2f}, {says.high:5.2f}]  "
            f"{off:+6.1%}  {'yes' if abs(off) <= WITHIN else 'no'}",
            flush=True,
        )
    return near


def main() -> None:
    """Print the lines of every call."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("seconds", nargs="?", type=float, default=5.0)
    parser.add_argument("--workers", type=numbers, default=list(WORKERS))
    parser.add_argument("--joined", action="store_true", help="hold and sleep in one call of C")
    parser.add_argument("--allowed", type=float, default=DISTURBED, help="of a CPU that others may use")
    asked = parser.parse_args()
    one = iteration()
    print("workers  plain threads         min(W, law)              off  within 10 %", flush=True)
    near = [row(held, asleep, one, asked) for held, asleep in CALLS]
    sys.exit(not all(near))


if __name__ == "__main__":
    main()
