"""What follows from claims, for machines: the ruling on each."""

from __future__ import annotations

from typing import Any

from gilkit.results.file import Results
from gilkit.studies.claims.claim import WHOLE, figures
from gilkit.studies.claims.registry import CLAIMS


def findings(results: Results) -> dict[str, Any]:
    """Return what people say, and what was found of it."""
    tried = [case.kernel for case in results if case.variant == WHOLE and case.kernel in CLAIMS]
    return {"rulings": {name: _ruling(results, name) for name in tried}}


def _ruling(results: Results, name: str) -> dict[str, Any]:
    found = CLAIMS[name].finding(figures(results, name))
    return {
        "claim": CLAIMS[name].sentence,
        "ruling": found.ruling,
        "why": found.why,
        "measured": found.measured,
    }
