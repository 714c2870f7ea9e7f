"""Results files of every kind, read back into what they were saved from."""

from __future__ import annotations

import os
from typing import Any

from gilkit import results
from gilkit.classic import Scaling
from gilkit.comparison import Comparison
from gilkit.outcome import Outcome
from gilkit.survey import Costs
from gilkit.sweep import Threshold
from gilkit.trial import Claims

OUTCOMES: dict[str, type[Outcome]] = {
    outcome.kind: outcome for outcome in (Claims, Comparison, Costs, Scaling, Threshold)
}


def load(path: str | os.PathLike[str]) -> Any:
    """Read what was saved to ``path``.

    Returns
    -------
    Claims, Comparison, Costs, Scaling or Threshold
        Of the kind that was saved.

    Raises
    ------
    ResultsError
        If it cannot be read, is cut off, is not gilkit's or is of a later version.
    """
    found = results.load(path)
    if found.kind not in OUTCOMES:
        raise results.ResultsError(f"{path} is of a kind that this gilkit does not know: {found.kind!r}")
    return OUTCOMES[found.kind](found.suite)
