"""The rules of the Trace Event format that a file has to keep, for several test modules."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

Event = dict[str, Any]
NAMES = {
    "process_name": ("name", str),
    "thread_name": ("name", str),
    "process_sort_index": ("sort_index", int),
    "thread_sort_index": ("sort_index", int),
}


def checked(trace: Any) -> list[Event]:
    """The events of a trace, after every rule was checked."""
    assert set(trace) == {"traceEvents", "displayTimeUnit", "otherData"}
    assert trace["displayTimeUnit"] in ("ms", "ns")
    events: list[Event] = trace["traceEvents"]
    for event in events:
        assert type(event["pid"]) is int
        assert type(event["tid"]) is int
        assert event["name"]
        assert isinstance(event["args"], dict)
        if event["ph"] == "M":
            key, kind = NAMES[event["name"]]
            assert type(event["args"][key]) is kind
        else:
            assert event["ph"] == "X", event
            assert event["cat"]
            assert type(event["ts"]) is int
            assert type(event["dur"]) is int
            assert min(event["ts"], event["dur"]) >= 0
    named = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    assert {(e["pid"], e["tid"]) for e in events if e["ph"] == "X"} <= named
    assert {e["pid"] for e in events} == {e["pid"] for e in events if e["name"] == "process_name"}
    for track in tracks(events).values():
        stamps = [event["ts"] for event in track]
        assert stamps == sorted(stamps)
        for a, b in pairwise(track):  # of one another, or apart; here, all are apart
            assert a["ts"] + a["dur"] <= b["ts"], (a, b)
    return events


def tracks(events: list[Event]) -> dict[tuple[int, str], list[Event]]:
    """The slices of every track, by process and by what the track is called."""
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    found: dict[tuple[int, str], list[Event]] = {(pid, name): [] for (pid, _), name in names.items()}
    for event in events:
        if event["ph"] == "X":
            found[event["pid"], names[event["pid"], event["tid"]]].append(event)
    return found


def overlap(some: list[Event], others: list[Event]) -> bool:
    """Whether a slice of one track and one of another go on at one time."""
    return any(a["ts"] < b["ts"] + b["dur"] and b["ts"] < a["ts"] + a["dur"] for a in some for b in others)
