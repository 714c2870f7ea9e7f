"""What follows from a comparison, for machines: verdicts, what to do, and who holds the GIL."""

from __future__ import annotations

from typing import Any

from gilkit.results.file import Results
from gilkit.studies.compare.contrast import Contrast, conclusion, contrast
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.speedups import speedup
from gilkit.studies.compare.table import of_own
from gilkit.studies.compare.to_do import what_to_do
from gilkit.studies.compare.verdict import verdicts

__all__ = ["findings", "speedup"]


def findings(results: Results) -> dict[str, Any]:
    """Return the verdict on every kernel, and what to do; of several statements, how they compare."""
    found = dict(verdicts(results))
    known = {kernel: evidence(results, kernel) for kernel in found}
    told: dict[str, Any] = {
        "verdicts": found,
        "to_do": {kernel: what_to_do(known[kernel], verdict) for kernel, verdict in found.items()},
        "held": {kernel: f.held for kernel, f in known.items()},
    }
    if of_own(results) and len(found) > 1:
        told["against"] = _against(contrast(results))
    return told


def _against(c: Contrast) -> dict[str, Any]:
    """Return which statement to use, and the work that is done with each."""
    use, figures = conclusion(c)
    work = [
        {"statement": c.names[letter], "executor": executor, "workers": workers, "work": done}
        for (letter, executor, workers), done in c.work.items()
    ]
    ratios = {"alone": c.alone, "together": c.together}
    return {"use": use, "figures": figures, "letters": dict(c.names), "work": work, **ratios}
