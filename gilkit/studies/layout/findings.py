"""What follows for splits, for machines: the figures of each, and which to use."""

from __future__ import annotations

from typing import Any

from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.speedups import speedup as of_workers
from gilkit.studies.layout.figures import (
    call_figures,
    calls_worth_a_task,
    standings,
)
from gilkit.studies.layout.figures import speedup as of_splits
from gilkit.studies.layout.hosts import host_rows, hosts_of
from gilkit.studies.layout.splits import is_split
from gilkit.studies.layout.table import conclusion
from gilkit.studies.layout.verdict import decision


def speedup(results: Results, case: Case) -> Estimate | None:
    """Return the share of the most that a split does; of a host, how many times the work of one worker."""
    if not hosts_of(results):
        return of_splits(results, case)
    return None if is_split(case) else of_workers(results, case)


def findings(results: Results) -> dict[str, Any]:
    """Return the figures of every split, and what to do."""
    use, figures = conclusion(results)
    if hosts_of(results):
        return {"hosts": host_rows(results), "to_do": {"use": use, "figures": figures}}
    return {
        "splits": standings(results),
        "call": call_figures(results),
        "calls_in_a_task": calls_worth_a_task(results),
        "decision": decision(results),
        "to_do": {"use": use, "figures": figures},
    }
