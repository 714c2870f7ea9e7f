"""The process that has a cluster of Dask, and can be killed with it: what runs in there."""

from __future__ import annotations

import logging
import os
import signal
import time
from contextlib import suppress
from multiprocessing.util import Finalize
from typing import Any

from distributed import LocalCluster, Nanny, Status

from gilkit.engine.families import kill_children
from gilkit.engine.member_pool import how_workers_ended

SAID_WITHIN = 2.0  # seconds in which a cluster tells how its workers ended
STATUS_WITHIN = 1.0  # seconds from when a worker is known to be gone to its status
SETTINGS = {  # a task whose worker dies fails at once, instead of being tried on other workers
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.daemon": False,  # calls may start processes of their own, as everywhere
}


class OnceNanny(Nanny):  # type: ignore[misc]
    """What watches over a worker and does not start another when that ends: the pool is broken then."""

    started = False

    async def instantiate(self) -> Status:
        """Start the worker."""
        if self.started:
            return Status.failed
        self.started = True
        found: Status = await super().instantiate()
        return found


_clusters: list[tuple[LocalCluster, list[Any]]] = []  # one, and its processes


def start(workers: int, threads: int, folder: str) -> str:
    """Start a cluster whose files are in a folder, and return its address."""
    import dask

    signal.signal(signal.SIGTERM, _leave)
    Finalize(None, _end, exitpriority=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where Dask says at length what is one line here
    dask.config.set({**SETTINGS, "temporary-directory": folder})
    cluster = LocalCluster(
        worker_class=OnceNanny,
        n_workers=workers,
        threads_per_worker=threads,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )
    processes = [nanny.process.process for nanny in cluster.workers.values()]
    _clusters.append((cluster, processes))
    return str(cluster.scheduler_address)


def _leave(*_: object) -> None:
    """End in the middle of whatever it does, and have no semaphore left."""
    raise SystemExit


def _end() -> None:
    """End workers that nobody has ended: this process would wait for them."""
    with suppress(TimeoutError):
        close()
    kill_children()


def close() -> None:
    """End the cluster."""
    while _clusters:
        _clusters.pop()[0].close(timeout=SAID_WITHIN)


def statuses() -> str:
    """Say how a worker ended, once the system has told that."""
    late = time.monotonic() + STATUS_WITHIN
    while True:
        codes = [process.exitcode for _, processes in _clusters for process in processes]
        if any(code is not None for code in codes) or time.monotonic() > late:
            return how_workers_ended(codes)
        time.sleep(0.01)
