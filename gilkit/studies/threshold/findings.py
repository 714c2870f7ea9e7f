"""What follows from a threshold, for machines: where it begins to pay, and the advantage at every size."""

from __future__ import annotations

from typing import Any

from gilkit.display.data import strict
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.studies.threshold.crossing import crossing, points, price


def findings(results: Results) -> dict[str, Any]:
    """Return the crossing for every worker count."""
    return {
        "unit": facts.UNIT.needed(results.facts),
        "crossings": [_crossing(results, workers) for workers in facts.COUNTS.needed(results.facts)],
        "price": price(results),
    }


def _crossing(results: Results, workers: int) -> dict[str, Any]:
    found = points(results, workers)
    bracket = crossing(found)
    return {"workers": workers, "at": bracket.at, **strict(bracket), "points": found}
