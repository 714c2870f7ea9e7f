"""What follows from the classic experiment, for machines: which columns stay flat."""

from __future__ import annotations

from typing import Any

from gilkit.results.file import Results
from gilkit.studies.scaling.columns import COLUMNS, counts, told


def findings(results: Results) -> dict[str, Any]:
    """Return the names of the cases of every column, and how the columns grow."""
    return {
        "columns": {
            name: [case.name for n in counts(results) if results.values(case := column.case(n))]
            for name, column in COLUMNS.items()
        },
        "growth": list(told(results)),
    }
