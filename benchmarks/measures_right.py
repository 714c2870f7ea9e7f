"""Whether gilkit measures what is so: known answers beside what it says of them.

    python benchmarks/measures_right.py

Run it on a quiet machine of two or more CPUs; every line says what it should be. Takes a few minutes.
"""

from __future__ import annotations

import subprocess
import sys

import gilkit
from gilkit.kernels import KERNELS
from gilkit.machine import load_by_others, usable_cpus
from gilkit.results.case import Case
from gilkit.results.stats import estimate, paired_ratio


def line(what: str, value: float, wanted: str) -> None:
    """Print one figure."""
    print(f"{what:58} {value:7.3f}   ({wanted})", flush=True)


def timeit(name: str) -> float:
    """Seconds of one nogil call by the standard library's timeit, in a process of its own."""
    size = KERNELS[name].size
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "timeit",
            "-u",
            "usec",
            "-s",
            f"from gilkit.kernels import {name} as kernel; args = kernel.make({size}, None)",
            "kernel.nogil(*args)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split(": ")[1].split()[0]) * 1e-6


def scaling(workers: int) -> None:
    """Speedups against the native ceiling, in the same rounds."""
    for name in ("lcg", "sleep", "triad", "objects"):
        found = gilkit.compare(name, workers=[workers], variants=["gil", "nogil", "native"], rounds=25)
        values = found.results.rounds
        at = {
            (variant, executor): values(Case(name, variant, executor, workers))
            for variant, executor in (
                ("nogil", "threads"),
                ("gil", "threads"),
                ("nogil", "processes"),
                ("native", "openmp"),
            )
        }
        if name == "lcg":
            native = at["native", "openmp"]
            line(
                f"{name}: nogil threads / native ceiling",
                paired_ratio(native, at["nogil", "threads"]),
                ">= 0.97",
            )
            line(
                f"{name}: processes / native ceiling",
                paired_ratio(native, at["nogil", "processes"]),
                ">= 0.95",
            )
        if name in ("lcg", "sleep", "objects"):
            line(f"{name}: gil threads, speedup", found.speedup("gil", "threads"), "0.90 to 1.10")
        if name == "sleep":
            line(f"{name}: nogil threads, speedup", found.speedup("nogil", "threads"), f"{workers}")
        print(f"{name}: {found.verdict}", flush=True)


def lengths() -> None:
    """The length of one call beside timeit's: the best of both, taken in turns."""
    for name in ("lcg", "primes", "mandelbrot", "crc32"):
        ratios = []
        for _ in range(5):
            found = gilkit.compare(name, workers=[1], variants=["nogil"], executors=["threads"], rounds=15)
            ratios.append(min(found.results.values(Case(name, "nogil", "threads", 1))) / timeit(name))
        line(f"{name}: one call, gilkit / timeit", estimate(ratios), "0.98 to 1.02")


def busy() -> None:
    """What one other busy process does to the first line and to the ceiling."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            found = gilkit.compare("lcg", workers=[usable_cpus()], variants=["nogil"], rounds=9)
        finally:
            other.kill()
    print("with one other busy process:", repr(found).splitlines()[0], flush=True)
    line("lcg: ceiling beside it", found.speedup("ceiling", "openmp"), f"well below {usable_cpus()}")


if __name__ == "__main__":
    print(f"load by others before: {load_by_others(1.0):.2f} of {usable_cpus()} CPUs")
    scaling(2)
    lengths()
    busy()
