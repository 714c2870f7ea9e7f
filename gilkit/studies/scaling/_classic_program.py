"""The classic script, as a program of its own: ``python _classic_program.py METHOD KIND WORK COUNT``.

It imports nothing of gilkit: its processes start as those of a script with two functions in it. It ends when
its standard input does, and its processes with it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from runpy import run_path

# The loop of the kernel lcg in plain Python, from its file: gilkit itself is not imported here.
lcg: Callable[[int], int] = run_path(str(Path(__file__).parents[2] / "kernels" / "_plain.py"))["lcg"]


def wait_for(microseconds: int) -> None:
    """Wait, as for a disk or a network."""
    time.sleep(microseconds / 1e6)


WORKS = {"lcg": lcg, "wait_for": wait_for}


def elapsed(workers: Sequence[threading.Thread | BaseProcess]) -> float:
    """Start fresh threads or processes and join them: seconds from the first start to the last join."""
    started: list[threading.Thread | BaseProcess] = []
    begin = time.perf_counter()
    try:
        for worker in workers:
            worker.start()
            started.append(worker)
    finally:  # where one could not start, those that did are waited for
        for worker in started:
            worker.join()
    return time.perf_counter() - begin


def work(kind: str, amount: int) -> None:
    """In a process: do the work, and end when the parent does, however that ends."""
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    WORKS[kind](amount)


def follow_input() -> None:
    """End with whoever holds the other end of standard input."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main(method: str, kind: str, amount: int, count: int) -> str:
    """Start ``count`` processes and return the seconds that they took, or how one of them ended."""
    context = multiprocessing.get_context(method)

    def processes(workers: int, each: int) -> list[BaseProcess]:
        return [context.Process(target=work, args=(kind, each)) for _ in range(workers)]  # type: ignore[attr-defined]

    elapsed(processes(1, 0))  # a forkserver starts with its first process
    crew = processes(count, amount)
    seconds = elapsed(crew)
    broken = next((process.exitcode for process in crew if process.exitcode), None)
    if broken is not None:
        raise SystemExit(f"one of {count} processes ended with status {broken}")
    return repr(seconds)


if __name__ == "__main__":
    threading.Thread(target=follow_input, daemon=True).start()
    found = main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.write(f"\n{found}\n")  # in one piece: what it started may print, too
