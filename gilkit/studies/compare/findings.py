"""What follows from a comparison, for machines: verdicts, what to do, and who holds the GIL."""

from __future__ import annotations

from typing import Any

from gilkit.display.data import strict
from gilkit.results.file import Results
from gilkit.studies.compare.contrast import Contrast, conclusion, contrast, differs, several_own
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.ladder import climbed
from gilkit.studies.compare.ladder_words import sentence
from gilkit.studies.compare.merged import plain_kernels, several_pythons
from gilkit.studies.compare.ranking import Place, Ranking, ranking
from gilkit.studies.compare.ranking import conclusion as best_python
from gilkit.studies.compare.speedups import speedup
from gilkit.studies.compare.to_do import ToDo, what_to_do
from gilkit.studies.compare.verdict import verdicts

__all__ = ["findings", "speedup"]


def findings(results: Results) -> dict[str, Any]:
    """Return the verdict on every kernel, and what to do; of several statements, how they compare.

    Of several interpreters it is how these compare, for each kernel or statement.
    """
    if several_pythons(results):
        kernels = plain_kernels(results)
        compared = {kernel: _pythons(ranking(results, kernel)) for kernel in kernels}
        return {"verdicts": dict(verdicts(results)), "pythons": compared}
    found = dict(verdicts(results))
    known = {kernel: evidence(results, kernel) for kernel in found}
    told: dict[str, Any] = {
        "verdicts": found,
        "to_do": {kernel: what_to_do(known[kernel], verdict) for kernel, verdict in found.items()},
        "held": {kernel: f.held for kernel, f in known.items()},
        "attached": {kernel: f.attached for kernel, f in known.items()},
    }
    for f in known.values():
        if (ladder := climbed(results, f)) is not None:
            told |= {"ladder": {**strict(ladder), "says": ": ".join(sentence(ladder))}}
    if several_own(results):
        c = contrast(results)
        told |= {"to_do": dict.fromkeys(found, ToDo(*conclusion(c))), "against": _against(c)}
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


def _pythons(r: Ranking) -> dict[str, Any]:
    """Return which interpreter to use, what is done on each, and how they compare to the first."""
    use, figures = best_python(r)

    def named(place: Place) -> dict[str, Any]:
        return {"python": place.python, "executor": place.executor, "workers": place.workers}

    return {
        "use": use,
        "figures": figures,
        "gil": r.gil,
        "work": [{**named(place), "work": done} for place, done in r.work.items()],
        "ratios": [
            {**named(top), "to": r.first, "ratio": ratio, "differs": differs(ratio)}
            for top, _, ratio in r.compared
        ],
    }
