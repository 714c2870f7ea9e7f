"""Programs of their own, for what would harm their caller: ``python FILE.py NAME ARGUMENTS``, in JSON.

They have one thread, so fork is safe, and import next to nothing of gilkit, so their workers start as from a
script with nothing in it. They print JSON, a line each time that there is something to say;
where they wait for a line, they end if there is none.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORKER_PATIENCE = 30.0  # seconds for a worker


def usual() -> str:
    """Return the way that processes start, as in `gilkit.engine.executors.start_context`."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def tell(value: Any) -> None:
    """Print a line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def heed() -> None:
    """Wait for a line; end if there is none to come."""
    if not sys.stdin.readline():
        os._exit(0)


def process(method: str, target: Callable[..., object], *args: Any) -> Any:
    """Start a process."""
    started = multiprocessing.get_context(method).Process(target=target, args=args, daemon=True)  # type: ignore[attr-defined]
    started.start()
    return started


def plain_lcg() -> Callable[[int], int]:
    """Return the loop of the kernel lcg in plain Python, from its file: gilkit is not imported here."""
    from runpy import run_path

    found: Callable[[int], int] = run_path(str(Path(__file__).parents[3] / "kernels" / "_plain.py"))["lcg"]
    return found


def run(*programs: Callable[..., None]) -> None:
    """Run the one of ``programs`` that the command line names."""
    program = next(function for function in programs if function.__name__ == sys.argv[1])
    program(*json.loads(sys.argv[2]))
