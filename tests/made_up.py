"""Evidence that is made up by hand: what is not said is as in a kernel, or a call, that scales."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gilkit.results.stats import Estimate
from gilkit.studies.compare.figures import Evidence, Usage


def near(value: float, margin: float = 0.02) -> Estimate:
    return Estimate(value, value - margin, value + margin)


def kernel(**changes: Any) -> Evidence:
    """A kernel of 1 ms that scales on two CPUs, so that only what is changed can stop it."""
    usual = Evidence(
        kernel="k",
        workers=2,
        cpus=2,
        call=near(1e-3, 1e-5),
        size=1000,
        unit="elements",
        threads={"python": near(1.0), "gil": near(1.0), "nogil": near(1.98)},
        processes=near(1.97),
        native=near(1.99),
        ceiling=near(1.99, 0.01),
        clean=18,
        tried=20,
    )
    return replace(usual, **changes)


def own(threads: float | Estimate, **changes: Any) -> Evidence:
    """The reader's own call of 10 ms that hardly holds the GIL; processes scale, and it can be sent."""
    speedup = threads if isinstance(threads, Estimate) else near(threads)
    usual = kernel(
        threads={"function": speedup},
        call=near(10e-3, 1e-4),
        native=None,
        size=0,
        unit="",
        held=0.02,
        sent=near(1.95),
        pickling=1e-5,
        pickled=1000,
    )
    return replace(usual, **changes)


def working(call: float = 10e-3, cost: float = 1.0, workers: int = 2) -> dict[str, Usage]:
    """What threads use that compute all the time, and take so many times the CPU time of one alone."""
    return {
        "alone": Usage(cpu=1.0, cpu_per_call=call),
        "beside": Usage(cpu=float(workers), cpu_per_call=cost * call),
        "apart": Usage(cpu=float(workers), cpu_per_call=call),
    }


def idling(
    threads: float, call: float = 10e-3, workers: int = 2, apart: float | None = None
) -> dict[str, Usage]:
    """What threads use that wait for each other: as much as they get done. Processes do not wait."""
    return {
        "alone": Usage(cpu=1.0, cpu_per_call=call),
        "beside": Usage(cpu=threads, cpu_per_call=call, voluntary=1.0),
        "apart": Usage(cpu=apart or float(workers), cpu_per_call=call),
    }
