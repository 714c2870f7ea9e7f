"""The same loops by gilkit's Cython, by numba and by NumPy, and the same calls run by joblib.

    pip install -e ".[peers]" && python benchmarks/peers.py [SECONDS]

All take turns in one run, in an order of chance. Figures are times over those of gilkit's own `nogil` version
on plain threads, above 1 where gilkit is faster: the median of paired rounds with the larger half of its 95 %
interval. The first table is one call after another on one thread. In the second, each of W workers makes as
many calls as that one did; the parallel loops of numba, which use W threads for each, make all of them one
after another: a call of `primes` is one number, and leaves nothing to share out. joblib runs gilkit's loops,
whose outputs are made anew by every call there; for one worker it starts none, and calls them itself. The
results of all are compared before anything is timed. What is not installed is left out with a word; kernels
that nobody else has a loop for are left out.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from suite.shared import CPUS, WINDOW

from gilkit.display.tables import cell
from gilkit.display.units import seconds
from gilkit.engine.meter import Meter
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Lane, Measured, Runner
from gilkit.errors import CaseFailedError
from gilkit.kernels import KERNELS
from gilkit.results.case import Case
from gilkit.results.stats import FEWEST_ROUNDS, paired_ratio
from gilkit.workloads.workload import Call

MISSING = []  # what is not installed
try:
    import numba_loops
except ImportError:
    MISSING.append("numba")
    numba_loops = None  # type: ignore[assignment]
try:
    from joblib import Parallel, delayed
except ImportError:
    MISSING.append("joblib")
    Parallel = None

OURS = "cython"

JOBLIB = {"joblib threading": "threading", "joblib loky": "loky"}  # by name, its backends
Way = Callable[[str, int], float]  # (loop, workers) -> wall seconds of a call of each worker


def numpy_histogram(octets: bytes) -> Any:
    """Count byte values, as `histogram` does."""
    return np.bincount(np.frombuffer(octets, dtype=np.uint8), minlength=256)


def numpy_triad(b: Any, c: Any, s: float, out: Any) -> Any:
    """Compute b + s · c."""
    np.multiply(c, s, out=out)
    return np.add(b, out, out=out)


def numpy_transform(points: Any, matrix: Any, out: Any) -> Any:
    """Multiply every point by the matrix."""
    return np.matmul(points, matrix.T, out=out)


def numpy_pairwise(x: Any, out: Any) -> Any:
    """Compute the squared distances between rows."""
    difference = x[:, None, :] - x[None, :, :]
    return np.einsum("ijk,ijk->ij", difference, difference, out=out)


NUMPY = {
    "triad": numpy_triad,
    "transform": numpy_transform,
    "pairwise": numpy_pairwise,
    "histogram": numpy_histogram,
}
COMPILERS: dict[str, dict[str, Callable[..., Any]]] = {
    OURS: {name: kernel.nogil for name, kernel in KERNELS.items() if kernel.nogil},
    "numba": numba_loops.NOGIL if numba_loops else {},
    "numba parallel": numba_loops.PARALLEL if numba_loops else {},
    "numpy": NUMPY,
}
LOOPS = [name for name in KERNELS if any(name in made for by, made in COMPILERS.items() if by != OURS)]


def arguments(loop: str) -> tuple[Any, ...]:
    """Return what a loop works on; numba takes bytes as an array only."""
    made = KERNELS[loop].make(KERNELS[loop].size, None)
    return tuple(np.frombuffer(arg, dtype=np.uint8) if isinstance(arg, bytes) else arg for arg in made)


@cache
def own(loop: str, _thread: int) -> tuple[Any, ...]:
    """Return the data of a thread: the same for all compilers, as where it lies in memory matters."""
    return arguments(loop)


@dataclass(frozen=True)
class Loop:
    """A loop as one of the compilers made it, as work for a gilkit worker."""

    compiler: str
    name: str
    threads: int = 0  # of a parallel loop

    def prepare(self) -> Call:
        """Return the call on this thread's data."""
        function, args = COMPILERS[self.compiler][self.name], own(self.name, threading.get_ident())
        if not self.threads:
            return lambda: function(*args)

        def call() -> Any:
            numba_loops.set_threads(self.threads)  # for the calling thread
            return function(*args)

        return call


@cache
def meter() -> Meter:
    """Return what measures windows of threads of this process."""
    return Meter(Lab(CPUS, hosted=False), WINDOW, CPUS, random.Random())


def on_threads(compiler: str) -> Way:
    """Return windows of plain threads."""
    return lambda loop, workers: meter().window("threads", Loop(compiler, loop), workers).value


def in_parallel(loop: str, workers: int) -> float:
    """Measure a window in which every call has all the threads, and all calls follow one another."""
    return workers * meter().window("threads", Loop("numba parallel", loop, workers), 1).value


@cache
def shared(loop: str) -> tuple[Any, ...]:
    """Return the data that joblib's workers are sent: large arrays by a file that all of them map."""
    return tuple(arg.copy() if isinstance(arg, np.ndarray) else arg for arg in arguments(loop))


def by_joblib(backend: str) -> Way:
    """Return rounds that joblib runs, of gilkit's own loops: it has no windows, so from start to end."""

    def run(loop: str, workers: int) -> float:
        function, args = COMPILERS[OURS][loop], shared(loop)
        if len(args) > 1 and isinstance(args[-1], np.ndarray):
            args = args[:-1]  # the output: workers could not write to what they share
        calls = max(1, round(WINDOW / meter().pace("threads", Loop(OURS, loop)).call))
        start = time.perf_counter()
        Parallel(n_jobs=workers, backend=backend)(delayed(function)(*args) for _ in range(workers * calls))
        return (time.perf_counter() - start) / calls

    return run


def contestants(loop: str) -> dict[str, Way]:
    """Return everything that runs a loop, by name."""
    found: dict[str, Way] = {
        by: in_parallel if by == "numba parallel" else on_threads(by)
        for by, made in COMPILERS.items()
        if loop in made
    }
    if Parallel is not None:
        found |= {name: by_joblib(backend) for name, backend in JOBLIB.items()}
    return found


def check(loop: str) -> None:
    """Compare the results of all compilers: NumPy may round otherwise."""
    ours = np.copy(COMPILERS[OURS][loop](*arguments(loop)))
    for by, made in COMPILERS.items():
        if loop in made:
            np.testing.assert_allclose(
                np.copy(made[loop](*arguments(loop))), ours, rtol=1e-9, err_msg=f"{by}"
            )


def measured(loop: str, limit: float) -> dict[tuple[str, int], dict[int, float]]:
    """Return the seconds of a call in every round, by contestant and workers."""
    check(loop)
    own.cache_clear()
    run_by = contestants(loop)

    def timed(case: Case) -> Measured:
        return Measured(run_by[case.variant](loop, case.workers))

    cases = [Case(loop, by, "threads", workers) for by in run_by for workers in dict.fromkeys((1, CPUS))]
    for case in cases:
        timed(case)  # pools start, numba compiles
    runner = Runner()
    runner.rounds(
        [Lane(case, partial(timed, case)) for case in cases],
        lambda done, spent: done + (spent < limit or done < FEWEST_ROUNDS),
    )
    for reason in runner.failures.values():
        raise CaseFailedError(reason)
    return {(case.variant, case.workers): runner.records[case].rounds() for case in cases}


def main() -> None:
    """Print both tables."""
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    for name in MISSING:
        print(f"{name} is not installed: pip install 'gilkit[peers]' adds it")
    times = {loop: measured(loop, limit) for loop in LOOPS}
    measured_by = {by for found in times.values() for by, _ in found}
    columns = [by for by in (*COMPILERS, *JOBLIB) if by in measured_by - {OURS}]
    for workers in dict.fromkeys((1, CPUS)):
        title = "1 worker" if workers == 1 else f"{workers} workers"
        table = Table("loop", f"{OURS}, a call", *columns, title=title)
        for column in table.columns[1:]:
            column.justify = "right"
        for loop, found in times.items():
            ours = found[OURS, workers]
            ratios = [
                paired_ratio(found[by, workers], ours) if (by, workers) in found else None for by in columns
            ]
            table.add_row(loop, seconds(statistics.median(ours.values())), *map(cell, ratios))
        Console(width=110).print(table)


if __name__ == "__main__":
    main()
