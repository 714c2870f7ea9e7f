"""What workers take, inherit, leak and share of memory.

A program of its own: see `talk`.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from typing import Any

from talk import WORKER_PATIENCE, heed, process, run, tell, usual

MADE_BY = os.getpid()  # the process that ran this script: a forked child has it from its parent
HERE = bytearray()  # what a child may inherit
LEAKED: list[bytearray] = []


def _idle(ready: Any) -> None:
    ready.set()
    time.sleep(3600)


def hold(method: str, count: int) -> None:
    """Start idle workers, tell when all are there, and end when told to."""
    if method == "thread":
        for _ in range(count):
            here = threading.Event()
            threading.Thread(target=_idle, args=(here,), daemon=True).start()
            here.wait(WORKER_PATIENCE)
    else:
        for _ in range(count):
            ready = multiprocessing.get_context(method).Event()
            process(method, _idle, ready)
            ready.wait(WORKER_PATIENCE)
    tell("ready")
    heed()


def _touched(link: Any) -> None:
    """In a child: wait for a word, write to every page of the inherited data, and say so."""
    link.send((os.getpid(), os.getpid() == MADE_BY, len(HERE)))
    link.recv()
    for place in range(0, len(HERE), 4096):
        HERE[place] = 2
    link.send("written")
    link.recv()


def copies(method: str, size: int) -> None:
    """Make data, start a child, and tell when it is there and when it has written to the data."""
    HERE.extend(b"\x01" * size)
    here, there = multiprocessing.get_context(method).Pipe()
    process(method, _touched, there)
    there.close()  # so that its end is noticed
    tell(here.recv())
    heed()
    here.send("write")
    tell(here.recv())
    heed()


def _leak(size: int) -> None:
    if size:
        LEAKED.append(bytearray(size))  # which writes to all of it, and makes nothing else on the way


def leak(kind: str, size: int) -> None:
    """Let one worker leak memory and end; tell before it starts and after it ended."""
    for amount in (0, size):  # the first one leaves what every first one leaves
        worker: Any = threading.Thread(target=_leak, args=(amount,)) if kind == "thread" else None
        if worker is None:
            worker = multiprocessing.get_context("spawn").Process(target=_leak, args=(amount,))
        if amount:
            tell("before")
            heed()
        worker.start()
        worker.join()
    tell("after")
    heed()


def _scribble(data: bytearray, block: Any, link: Any) -> None:
    """In a worker: write to the first places once the caller has written to the second; say what is there."""
    link.recv()
    data[0] = block.buf[0] = 7
    link.send((id(data), data[1] == 9, block.buf[1] == 9))


def share() -> None:
    """Write to data and a shared block from both sides, for a thread and for a process; tell who saw what."""
    import pickle
    from multiprocessing.shared_memory import SharedMemory

    found: dict[str, Any] = {}
    for kind in ("thread", "process"):
        data, block = bytearray(1_000_000), SharedMemory(create=True, size=16)
        here, there = multiprocessing.get_context(usual()).Pipe()
        try:
            worker: Any
            if kind == "thread":
                worker = threading.Thread(target=_scribble, args=(data, block, there))
                worker.start()
            else:
                worker = process(usual(), _scribble, data, block, there)
                there.close()  # so that its end is noticed
            buffer: Any = block.buf
            data[1] = buffer[1] = 9
            here.send("written")
            address, ours, ours_in_block = here.recv()
            worker.join()
            found[kind] = {
                "address": address == id(data),
                "ours": ours,
                "theirs": data[0] == 7,
                "block": ours_in_block and buffer[0] == 7,
                "copied": 0 if address == id(data) else len(pickle.dumps(data)),
            }
            del buffer
        finally:
            block.close()
            block.unlink()
    tell(found)


if __name__ == "__main__":
    run(copies, hold, leak, share)
