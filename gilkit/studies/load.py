"""Results files of every kind, read back into what they were saved from."""

from __future__ import annotations

import os
from typing import Any

from gilkit.display.tables import plain
from gilkit.errors import ResultsError
from gilkit.results.loading import damaged
from gilkit.results.loading import load as read
from gilkit.studies.registry import study_of


def load(path: str | os.PathLike[str]) -> Any:
    """Read what was saved to ``path``.

    Returns
    -------
    Claims, Comparison, Costs, Scaling, StallReport or Threshold
        Of the kind that was saved.

    Raises
    ------
    ResultsError
        If it cannot be read, is cut off, is not gilkit's or is of a later version.
    """
    found = read(path)
    study = study_of(found.kind)
    if study is None:
        raise ResultsError(f"{path} is of a kind that this gilkit does not know: {found.kind!r}")
    outcome = study.load(found.suite)
    try:
        plain(outcome)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise damaged(path, error) from error  # it holds what no table can be made of
    return outcome
