"""A history for machines: its slices, and who had the GIL when. Seconds count from the first call on."""

from __future__ import annotations

from typing import Any

from gilkit.display.data import DOCUMENT_FORMAT, strict
from gilkit.results import facts
from gilkit.studies.timeline import STUDY
from gilkit.studies.timeline.history import History


def document(history: History) -> dict[str, Any]:
    """Return everything that there is to say of a history, of what JSON can say."""
    known = {
        fact.key: value for fact in facts.FACTS.values() if (value := fact.of(history.facts)) is not None
    }
    found: dict[str, Any] = strict(
        {
            "format": DOCUMENT_FORMAT,
            "kind": STUDY.name,
            "facts": known | facts.LOAD.entry(history.load),
            "subject": history.subject,
            "executor": history.executor,
            "calls_in_a_slice": history.loops,
            "slices": slices(history),
            "holds": [
                {
                    "worker": hold.thread if hold.worker is None else history.workers[hold.worker].name,
                    "start": hold.start - history.start,
                    "end": hold.end - history.start,
                }
                for hold in history.holds
            ],
            "unseen_share": history.unseen_share,
            "gil_missing": history.missing or None,
        }
    )
    return found


def slices(history: History) -> list[dict[str, Any]]:
    """Return a row for every slice: when it was, its CPU time, and for how long it was seen with the GIL."""
    covers = [history.held(index) for index in range(len(history.workers))]
    return [
        {
            "worker": history.workers[span.worker].name,
            "start": span.start - history.start,
            "end": span.end - history.start,
            "cpu": span.cpu,
            "held": None if history.missing else covers[span.worker].between(span.start, span.end),
        }
        for span in history.spans
    ]
