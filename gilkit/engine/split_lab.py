"""Where the splits of one machine's CPUs are measured: Dask's LocalCluster, of processes with threads."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import psutil

from gilkit.engine.pools import Lab
from gilkit.engine.window import answer, awaited
from gilkit.engine.worker_pool import WorkerPool
from gilkit.errors import told
from gilkit.machine import busy_seconds, cpu_seconds, stolen_seconds
from gilkit.results.windows import Stint, Window
from gilkit.workloads.workload import Workload, ready, repeated

if TYPE_CHECKING:
    from gilkit.engine.dask_pool import DaskPool

DASK = "dask"


class SplitLab(Lab):
    """A lab whose executor `dask` has so many processes, each with so many threads.

    Parameters
    ----------
    processes, threads : int
    timeout : float
        As of a `Lab`.
    """

    def __init__(self, processes: int, threads: int, timeout: float) -> None:
        super().__init__(processes, timeout)
        self.threads = threads

    def __enter__(self) -> Self:
        return self

    def _start(self, name: str, workers: int) -> WorkerPool:
        from gilkit.engine.dask_pool import DaskPool

        return DaskPool(workers, self.threads) if name == DASK else super()._start(name, workers)

    def begin(self, workload: Workload) -> list[int]:
        """Start it, run SETUP once in every process, and return the private bytes of each.

        Raises
        ------
        CaseFailedError
            If one fails.
        """
        self.through(DASK, _on_each, workload, self.most, self.timeout)
        return self.memory(DASK)

    def tasks(self, workload: Workload, loops: int, tasks: int, more: float = 0.0) -> Window:
        """Return the window of so many tasks of so many calls, from their submission to the last result.

        They may take so many seconds ``more`` than the timeout. What programs other than this one and its own
        use meanwhile is in it.

        Raises
        ------
        CaseFailedError
            If one fails.
        """
        stolen, busy, own = stolen_seconds(), busy_seconds(), _own_seconds()
        seconds = self.through(DASK, _timed_tasks, workload, loops, tasks, self.timeout + more)
        used = _own_seconds() - own
        others = max(0.0, busy_seconds() - busy - used)
        stint = Stint(float(loops * tasks), seconds, used)
        workers = self.most * self.threads
        return Window(seconds, workers, (stint,), stolen_seconds() - stolen, others, pinned=False)


def _own_seconds() -> float:
    """Return the CPU seconds of this program and all that it started."""
    children = psutil.Process().children(recursive=True)
    return time.process_time() + cpu_seconds(child.pid for child in children)


def work(recipe: Any, loops: int) -> None:
    """In a worker: make so many calls. Threads of one process share what SETUP made."""
    if loops:
        repeated(ready(recipe), loops)


def _on_each(pool: DaskPool, recipe: bytes, workers: int, timeout: float) -> None:
    futures = pool.burst([partial(told, work, recipe, 1)] * workers)
    awaited(futures, timeout)
    for future in futures:
        answer(future)


def _timed_tasks(pool: DaskPool, recipe: bytes, loops: int, tasks: int, timeout: float) -> float:
    return pool.timed(partial(told, work, recipe, loops), tasks, timeout)
