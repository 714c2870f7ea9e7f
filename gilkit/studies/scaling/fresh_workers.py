"""Fresh workers, started and joined: ``run(kernel, variant, size, workers)`` returns the seconds of it.

What is here is called where threads are measured.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from math import inf

from gilkit.engine import scratch
from gilkit.engine.calibration import calibrated
from gilkit.engine.probe import answer_in
from gilkit.engine.processes import start_context
from gilkit.errors import CaseFailedError
from gilkit.kernels import KERNELS
from gilkit.studies.scaling import _classic_program as program
from gilkit.workloads.workload import KernelCall

BY_NAME = {"lcg": program.lcg, "sleep": program.wait_for}  # the kernels that the program has


def start_method() -> str:
    """Return how processes start."""
    return str(start_context().get_start_method())


def on_threads(kernel: str, variant: str, size: int, workers: int) -> float:
    """Start so many threads, each of which makes one call."""
    if variant == "python":  # what a process runs, too
        call: Callable[[int], object] = BY_NAME[kernel]
    else:
        call = KERNELS[kernel].variant(variant)
    return program.elapsed([threading.Thread(target=call, args=(size,)) for _ in range(workers)])


def on_processes(kernel: str, _: str, size: int, workers: int) -> float:
    """Start so many processes, from the small program: this one has threads, and much loaded."""
    words = [
        sys.executable,
        "-P",
        program.__file__,
        start_method(),
        BY_NAME[kernel].__name__,
        str(size),
        str(workers),
    ]
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        # Its input is never written to: it ends when this process does.
        with subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=scratch.environment(),
        ) as process:
            assert process.stdout is not None
            said = process.stdout.read()
        if process.returncode == 0:
            if (found := answer_in(said.splitlines(), float)) is None:
                raise CaseFailedError("no time was measured: its program printed none")
            return found
        errors.seek(0)
        reasons = errors.read().split("\n")
    reason = next((line for line in reversed(reasons) if line.strip()), f"status {process.returncode}")
    raise CaseFailedError(f"no time was measured: {reason.strip()}")


def on_openmp(kernel: str, variant: str, size: int, workers: int) -> float:
    """Let so many OpenMP threads make one call each; it keeps threads that it has."""
    team = KernelCall(kernel, variant, size).team(range(workers))
    begin = time.perf_counter()
    team(1, inf, 1, None)
    return time.perf_counter() - begin


CREWS = {"threads": on_threads, "processes": on_processes, "openmp": on_openmp}


def fitting(kernel: str, variant: str, seconds: float) -> int:
    """Return the size of a call that takes about so long on one thread."""
    call = BY_NAME[kernel] if variant == "python" else KERNELS[kernel].variant(variant)

    def run(size: int) -> float:
        begin = time.perf_counter()
        call(size)
        return time.perf_counter() - begin

    return calibrated(run, seconds)[0]
