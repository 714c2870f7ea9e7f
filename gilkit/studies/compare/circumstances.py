"""What a results file says of a run itself: what it lost, and how long its workers took to start."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan

from gilkit import machine
from gilkit.engine.pools import Lab
from gilkit.results import facts
from gilkit.results.facts import Metadata


def circumstances(lab: Lab, lost: Iterable[float | None]) -> Metadata:
    """Return these facts; ``lost`` is what `gilkit.machine.lost_seconds` returned when the run began."""
    found: Metadata = {}
    for fact, now, then in zip((facts.STEAL, facts.THROTTLED), machine.lost_seconds(), lost, strict=True):
        if now is not None and not isnan(now):
            found |= fact.entry(round(now - (then or 0.0), 3))
    for name, seconds in lab.starts.items():
        found |= facts.START.named(name).entry(round(seconds, 4))
    return found
