"""The stalls of a program for machines: what follows from them, each line, and each stall."""

from __future__ import annotations

from typing import Any

from gilkit.gil.places import CodePlace
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.studies.stalls.processes import ProcessGroup, processes, sections, source, to_mend

Row = dict[str, Any]


def findings(results: Results) -> Row:
    """Return what is told of each process, or of those that are alike, and which line to mend first."""
    found = sections(processes(results), facts.SUBJECT.of(results.facts, ""))
    first = to_mend(found)
    return {
        "processes": [_section(section) for section in found],
        "to_mend": None
        if first is None
        else {**_place("", first.place), "kind": first.kind, "seconds": first.seconds, "of": first.of},
    }


def _section(section: ProcessGroup) -> Row:
    return {
        "name": section.name,
        "pids": [one.pid for one in section.members],
        "seconds": section.seconds,
        "lines": _lines(section),
        "held": section.held,
        "threads": dict(section.threads),
        "waited": section.waited,
        "alone": section.alone,
        "dropped": section.dropped,
        "notes": section.notes,
        "missing": section.missing or None,
        "ended": all(one.ended for one in section.members),
    }


def _lines(section: ProcessGroup) -> list[Row]:
    return [
        {
            **_place("", line.own),
            **_place("inner_", line.place),
            "kind": line.kind,
            "certainty": line.certainty or None,
            "stalls": line.stalls,
            "seconds": line.seconds,
            "longest": line.longest,
        }
        for line in section.lines
    ]


def _place(prefix: str, place: CodePlace | None) -> Row:
    """Return what is known of a place."""
    if place is None:
        return {f"{prefix}{name}": None for name in ("place", "file", "line", "function", "source")}
    return {
        f"{prefix}place": str(place),
        f"{prefix}file": place.file,
        f"{prefix}line": place.line,
        f"{prefix}function": place.function,
        f"{prefix}source": source(place) or None,
    }


def each_line(results: Results) -> list[Row]:
    """Return a row for each line at which others waited, of each process or of those that are alike."""
    found = sections(processes(results), facts.SUBJECT.of(results.facts, ""))
    return [{"process": section.name, **row} for section in found for row in _lines(section)]


def each_stall(results: Results) -> list[Row]:
    """Return a row for each stall of each process; seconds count from where its watch began."""
    return [
        {
            "process": one.name,
            "pid": one.pid,
            "start": stall.start - one.start,
            "end": stall.end - one.start,
            "seconds": stall.seconds,
            "thread": stall.thread.name,
            **_place("", stall.own),
            **_place("inner_", stall.place),
            "kind": stall.kind,
            "certainty": stall.certainty or None,
            "waiting": [waiter.thread.name for waiter in stall.waiting],
        }
        for one in processes(results)
        for stall in one.stalls
    ]
