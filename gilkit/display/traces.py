"""The Trace Event format, which chrome://tracing and Perfetto open: names of tracks, slices, and the file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gilkit.results.writing import replace


def named_track(
    what: str, pid: int, tid: int, name: str, place: int | None = None
) -> Iterator[dict[str, Any]]:
    """Name a ``"process"`` or a ``"thread"``, and say at which place it is shown, if that matters."""
    track = {"ph": "M", "pid": pid, "tid": tid}
    yield {**track, "name": f"{what}_name", "args": {"name": name}}
    if place is not None:
        yield {**track, "name": f"{what}_sort_index", "args": {"sort_index": place}}


def trace_slice(
    pid: int, tid: int, name: str, kind: str, start: float, end: float, args: dict[str, Any]
) -> dict[str, Any]:
    """Return a complete event (``X``) between two moments, in seconds since the trace began.

    Both ends are rounded to microseconds, not the length, so that neighbours stay neighbours.
    """
    first, last = round(start * 1e6), round(end * 1e6)
    track = {"ph": "X", "pid": pid, "tid": tid, "name": name, "cat": kind}
    return {**track, "ts": first, "dur": last - first, "args": args}


def save_trace(path: str | os.PathLike[str], trace: dict[str, Any]) -> None:
    """Write a trace to ``path``.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    # No escapes for letters beyond ASCII: Perfetto shows them as they are.
    text = json.dumps(trace, ensure_ascii=False, indent=0)
    replace(path, lambda name: Path(name).write_text(text, "utf-8", "replace"))
