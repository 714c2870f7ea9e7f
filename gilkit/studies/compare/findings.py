"""What follows from a comparison, for machines: verdicts, and the shares of calls that hold the GIL."""

from __future__ import annotations

from typing import Any

from gilkit.results.file import Results
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.speedups import speedup
from gilkit.studies.compare.verdict import verdicts

__all__ = ["findings", "speedup"]


def findings(results: Results) -> dict[str, Any]:
    """Return the verdict on every kernel."""
    return {
        "verdicts": dict(verdicts(results)),
        "held": {kernel: evidence(results, kernel).held for kernel in results.kernels},
    }
