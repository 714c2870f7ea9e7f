"""What follows for a map, for machines."""

from __future__ import annotations

from typing import Any

from gilkit.results.file import Results
from gilkit.studies.map.figures import answer, best_of_each, chunk_curve, line, speedup, subject, task_cost
from gilkit.studies.map.table import conclusion

__all__ = ["findings", "speedup"]


def findings(results: Results) -> dict[str, Any]:
    """Return the answer with its line, the best of every executor, the chunk sizes and what a task costs."""
    found = answer(results)
    use, figures = conclusion(results)
    return {
        "subject": subject(results),
        "answer": found,
        "line": line(results),
        "pools": best_of_each(results),
        "chunk_sizes": chunk_curve(results),
        "task_costs": {executor: cost for executor, (cost, _) in task_cost(results).items()},
        "to_do": {"use": use, "figures": figures},
    }
