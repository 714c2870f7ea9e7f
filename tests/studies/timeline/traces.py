"""Traces that `gilkit timeline` leaves."""

from __future__ import annotations

import json
from pathlib import Path

from command import answered
from traceformat import Event, checked, tracks


def traced(path: Path, *arguments: str) -> tuple[dict[str, float], dict[tuple[int, str], list[Event]]]:
    """Run it, and return the notes and the tracks of the trace."""
    done = answered("timeline", *arguments, "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    trace = json.loads(path.read_text("utf-8"))
    return trace["otherData"], tracks(checked(trace))


def named(found: dict[tuple[int, str], list[Event]], what: str) -> list[list[Event]]:
    return [track for (_, name), track in found.items() if name.startswith(what)]
