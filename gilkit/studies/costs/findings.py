"""What follows from machine constants, for machines: what each is."""

from __future__ import annotations

from typing import Any

from gilkit.results.file import Results
from gilkit.results.stats import estimate
from gilkit.studies.costs.constants import CONSTANTS


def findings(results: Results) -> dict[str, Any]:
    """Return every constant that was measured, at each number of threads."""
    return {
        "constants": [
            {
                "name": case.variant,
                "group": CONSTANTS[case.variant].group,
                "workers": case.workers,
                "seconds": estimate(results.values(case)),
                "bytes": CONSTANTS[case.variant].nbytes,
            }
            for case in results
            if case.variant in CONSTANTS
        ]
    }
