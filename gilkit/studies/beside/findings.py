"""What follows for neighbours, for machines: what each keeps, how late a ticker is, and what to do."""

from __future__ import annotations

from typing import Any

from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.beside.figures import kept, quiet, sides
from gilkit.studies.beside.table import conclusion
from gilkit.studies.beside.verdict import event_loop, shorter_interval, together


def findings(results: Results) -> dict[str, Any]:
    """Return the figures of every statement, what to do and what a shorter switch interval does."""
    known, switch = list(sides(results).values()), facts.SWITCH_INTERVAL.needed(results.facts)
    use, figures = conclusion(results)
    return {
        "sides": known,
        "quiet": quiet(results),
        "to_do": {"use": use, "figures": figures},
        "together": together(known[0], known[1], switch) if len(known) > 1 else None,
        "event_loop": {one.letter: event_loop(one, switch) for one in known},
        "shorter_interval": shorter_interval(*known),
    }


def speedup(results: Results, case: Case) -> Estimate | None:
    """Return the share of its throughput that is kept in a case."""
    return kept(results, case)
