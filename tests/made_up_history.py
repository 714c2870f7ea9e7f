"""A history of two threads that is made up by hand, for several test modules."""

from __future__ import annotations

from dataclasses import replace

from gilkit.studies.timeline.history import History, Span, Worker, WorkerHold

PID, OTHER_PID = 70, 80
WORKERS = (Worker("thread 1", PID, 71), Worker("thread 2", PID, 72))


def holds(*pieces: tuple[int | None, float, float], pid: int = PID) -> tuple[WorkerHold, ...]:
    """Holds of workers, in milliseconds."""
    return tuple(
        WorkerHold(pid, index, "MainThread" if index is None else f"pool_{index}", start / 1e3, end / 1e3)
        for index, start, end in pieces
    )


def history(**changed: object) -> History:
    """Two threads that take turns of 5 ms for 20 ms, and one of them goes on alone."""
    found = History(
        subject="lcg.gil",
        executor="threads",
        loops=1,
        workers=WORKERS,
        spans=(
            Span(0, 0.000, 0.010, 0.005),
            Span(0, 0.010, 0.030, 0.015),
            Span(1, 0.000, 0.020, 0.010),
        ),
        holds=holds((0, 0, 5), (1, 5, 10), (0, 10, 15), (1, 15, 20), (0, 20, 30)),
        interval=20e-6,
        facts={"gilkit_interpreter": "CPython 3.99", "gilkit_gil": "on", "gilkit_cpus": 2},
    )
    return replace(found, **changed)  # type: ignore[arg-type]
