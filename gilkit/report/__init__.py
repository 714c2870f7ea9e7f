"""Results -> tables: pure functions that return rich renderables."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import RenderableType

from gilkit.report._catalogue import catalogue, constants
from gilkit.report._claims import claims, sayings
from gilkit.report._common import WIDTH, failures, plain
from gilkit.report._comparison import comparison
from gilkit.report._costs import costs
from gilkit.report._scaling import scaling
from gilkit.report._threshold import threshold
from gilkit.report._timeline import timeline
from gilkit.results import Results, ResultsError

__all__ = ["WIDTH", "catalogue", "constants", "failures", "plain", "report", "sayings", "text", "timeline"]

REPORTS: dict[str, Callable[[Results], RenderableType]] = {
    "claims": claims,
    "comparison": comparison,
    "costs": costs,
    "scaling": scaling,
    "threshold": threshold,
}


def report(results: Results) -> RenderableType:
    """Return everything that there is to say of ``results``, in the way of their kind.

    Raises
    ------
    ResultsError
        If no report of this version knows their kind.
    """
    if results.kind not in REPORTS:
        raise ResultsError(f"results of kind {results.kind!r} are later than this gilkit: use a newer gilkit")
    return REPORTS[results.kind](results)


def text(results: Results, width: int = WIDTH) -> str:
    """Return the report as plain text."""
    return plain(report(results), width)
