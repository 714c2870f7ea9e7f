"""A program of its own: how long processes take to start. ``python _start_program.py METHOD COUNT``.

It imports nothing of gilkit and has one thread: processes start from it as from a script with nothing in it,
and fork is safe.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection

FIRST_LINE = 10.0  # seconds for a process to start


def first(sender: Connection) -> None:
    """In the new process: tell what time it is, on the clock that all processes share."""
    sender.send(time.perf_counter())


def start(method: str) -> float:
    """Start a process and return the seconds until its first line ran."""
    context = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=first, args=(sender,))  # type: ignore[attr-defined]
    begin = time.perf_counter()
    process.start()
    sender.close()
    try:
        if not receiver.poll(FIRST_LINE):
            raise TimeoutError(f"no first line within {FIRST_LINE:g} s")
        return float(receiver.recv() - begin)
    except BaseException:
        process.kill()
        raise
    finally:
        process.join()
        receiver.close()


if __name__ == "__main__":
    start(sys.argv[1])  # a forkserver starts with its first process
    found = json.dumps([start(sys.argv[1]) for _ in range(int(sys.argv[2]))])
    sys.stdout.write(f"\n{found}\n")  # in one piece: what it started may print, too
