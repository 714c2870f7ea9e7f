"""What workers take of memory, processes and their children counted."""

from __future__ import annotations

import threading
import time

import psutil

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.worker import Order
from gilkit.machine import private_bytes

from .shared import CPUS, subject, tracked

FEW = Order(warm=0.005, seconds=0.01, beyond=0.005, batch=1, call=1e-4)  # a few calls: no time counts

WORKERS = 2 * CPUS
KERNEL = "triad"  # each worker has arrays of its own
PYTHON = [
    name for name, kind in EXECUTORS.items() if kind.usual and not (kind.native or kind.single or kind.plain)
]


def family() -> list[int]:
    """The ids of this process and of all that it started."""
    me = psutil.Process()
    return [me.pid, *(child.pid for child in me.children(recursive=True))]


def taken() -> int:
    """Bytes that belong to this process and its children alone."""
    return sum(private_bytes(family()))


def work(made: Lab, executor: str, workers: int) -> None:
    """Let every worker make its data and one call."""
    made.window(executor, subject(KERNEL).workloads["nogil"], workers, FEW)


def per_worker(executor: str) -> float:
    """Bytes of a further worker with the data of a kernel."""
    before = 0
    with Lab(1, hosted=False) as made:
        work(made, executor, 1)
        before = taken()
    with Lab(WORKERS, hosted=False) as made:
        work(made, executor, WORKERS)
        return (taken() - before) / (WORKERS - 1)


def peak(executor: str) -> float:
    """The most bytes that this process and its children had while workers worked."""
    most, done = 0, threading.Event()

    def look() -> None:
        nonlocal most
        while not done.is_set():
            most = max(most, taken())
            time.sleep(0.01)

    looking = threading.Thread(target=look)
    with Lab(WORKERS, hosted=False) as made:
        looking.start()
        try:
            for _ in range(5):
                work(made, executor, WORKERS)
        finally:
            most = max(most, taken())
            done.set()
            looking.join()
    return float(most)


for _executor in PYTHON:
    tracked(globals(), per_worker, "bytes", _executor)
    tracked(globals(), peak, "bytes", _executor)
