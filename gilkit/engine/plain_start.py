"""The start of a worker in plain Python: as `gilkit._ext._start`, where what is compiled cannot be loaded."""

from __future__ import annotations

import time
from contextlib import suppress
from math import nan

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

OF_THREAD = getattr(resource, "RUSAGE_THREAD", None)
SCHEDSTAT = "/proc/thread-self/schedstat"  # nanoseconds on a CPU, and those for which it was ready and waited


def spin(seconds: float) -> None:
    """Keep a CPU busy for so many ``seconds``."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def usage() -> tuple[float, float, float, float, float, float]:
    """Return what this thread used so far: as `gilkit._ext._start.usage` does."""
    if OF_THREAD is None:
        return nan, nan, nan, nan, nan, nan
    used, delay = resource.getrusage(OF_THREAD), nan
    with suppress(OSError, ValueError, IndexError), open(SCHEDSTAT, "rb", buffering=0) as file:  # noqa: PTH123 (it may be counted)
        delay = 1e-9 * int(file.read(96).split()[1])
    switches = float(used.ru_nvcsw), float(used.ru_nivcsw)
    return time.thread_time(), *switches, delay, used.ru_stime, float(used.ru_minflt)
