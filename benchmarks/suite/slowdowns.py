"""What is lost, as ratios and lengths of which more is worse: so asv's alarms point the right way.

Both sides of a ratio are measured in turns, in one process, and the median of their pairs is what asv keeps.
"""

from __future__ import annotations

import random
import subprocess
import sys
import timeit
from math import nan

import gilkit
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.meter import Meter
from gilkit.engine.pools import Lab
from gilkit.kernels import KERNELS
from gilkit.results.case import Case
from gilkit.workloads.statement import StatementCall

from .shared import CPUS, WINDOW, slowdown, tracked, value
from .truth import cell, iteration

RATIO = "ratio"
BOTH = [name for name, kernel in KERNELS.items() if kernel.variant("gil") and kernel.variant("nogil")]
PROMISED = 0.01  # the largest error of the monitor
SOME_LENGTHS, SOME_SHARES = (1e-5, 1e-4, 1e-3), (0.01, 0.5, 0.99)  # of the grid in monitor_grid.py
EMPTY_LOOPS = 200_000


def nogil_over_native(kernel: str) -> float:
    """Wall time of nogil threads over that of native threads, or of processes without OpenMP, on all CPUs."""
    if KERNELS[kernel].variant("native") is not None and not EXECUTORS["openmp"].missing():
        ceiling = Case(kernel, "native", "openmp", CPUS)
    else:
        ceiling = Case(kernel, "nogil", "processes", CPUS)
    return slowdown(lambda: value(Case(kernel, "nogil", "threads", CPUS)), lambda: value(ceiling))


def nogil_over_gil(kernel: str) -> float:
    """Wall time of the nogil version over that of the gil version, on one thread: the price of releasing."""
    return slowdown(
        lambda: value(Case(kernel, "nogil", "threads", 1)), lambda: value(Case(kernel, "gil", "threads", 1))
    )


def threshold(kernel: str) -> float:
    """Microseconds of the call from which on releasing pays, with as many threads as CPUs.

    On a machine where next to no round is undisturbed there is none: nan, a hole in the curve.
    """
    workers = max(2, CPUS)
    found = gilkit.threshold(kernel, workers=[workers])
    bracket, points = found.crossing(workers), found.points(workers)
    if not any(point.advantage.decided for point in points):
        return nan
    return 1e6 * next((point.call for point in points if point.size == bracket.high), points[-1].call)


def monitor_error() -> float:
    """The monitor's largest error against the known truth, in percentage points; 1 where it is less.

    That much is promised. What is below is chance, and would only make alarms.
    """
    one = iteration()
    errors = (cell(length, asked, one, 0.5).error for length in SOME_LENGTHS for asked in SOME_SHARES)
    return max(PROMISED, *map(abs, errors)) / PROMISED


def imported(module: str) -> float:
    """Seconds that an interpreter of its own takes to import ``module``."""
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)


def import_over_numpy() -> float:
    """Time to import gilkit over that to import numpy."""
    return slowdown(lambda: imported("gilkit"), lambda: imported("numpy"))


def empty_call_over_timeit() -> float:
    """The measured length of an empty call over what timeit says of it."""
    empty, timer = StatementCall("pass", "pass"), timeit.Timer("pass")
    with Lab(1, hosted=False) as here:
        windows = Meter(here, WINDOW, CPUS, random.Random())

        def ours() -> float:
            return windows.window("threads", empty, 1).value

        return slowdown(ours, lambda: timer.timeit(EMPTY_LOOPS) / EMPTY_LOOPS)


for _kernel in BOTH:
    tracked(globals(), nogil_over_native, RATIO, _kernel)
    tracked(globals(), nogil_over_gil, RATIO, _kernel)
for _kernel in ("lcg", "crc32"):
    tracked(globals(), threshold, "µs", _kernel)
tracked(globals(), monitor_error, "percentage points")
tracked(globals(), import_over_numpy, RATIO)
tracked(globals(), empty_call_over_timeit, RATIO)
