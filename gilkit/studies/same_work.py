"""Whether results are of the same work: only then do they stand side by side."""

from __future__ import annotations

from dataclasses import dataclass

from gilkit.errors import ResultsError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results


@dataclass(frozen=True, slots=True)
class Run:
    """One of the results.

    Parameters
    ----------
    letter : str
        What it is called in the table.
    name : str
    results : Results
    """

    letter: str
    name: str
    results: Results


def check_same(first: Run, other: Run) -> None:
    """Refuse what is not the same work."""
    common = [kernel for kernel in first.results.kernels if kernel in other.results.kernels]
    if not common:
        raise ResultsError(
            f"not the same work: {first.name} has {', '.join(first.results.kernels)}, and "
            f"{other.name} has {', '.join(other.results.kernels)}"
        )
    for case in first.results:
        if case.kernel not in common or case not in set(other.results):
            continue
        for fact, what in ((facts.SETUP, "another SETUP"), (facts.STATEMENT, "another statement")):
            if first.results.fact(case, fact) != other.results.fact(case, fact):
                raise ResultsError(f"not the same work: {other.name} has {what} than {first.name}")
        here, there = (run.results.fact(case, facts.SIZE) for run in (first, other))
        if here != there:
            raise ResultsError(
                f"not the same work: {case.kernel} is of size {here} in {first.name}, {there} in {other.name}"
            )
        _check_data(first, other, case)


def _check_data(first: Run, other: Run, case: Case) -> None:
    """Refuse what works on other data, and functions of which nobody knows on which."""
    for fact, what in ((facts.ARGUMENTS, "arguments"), (facts.INPUT, "input")):
        here, there = (run.results.fact(case, fact) for run in (first, other))
        if here != there and here is not None and there is not None:
            raise ResultsError(f"not the same work: {case.kernel} has other {what} in {other.name}")
        needed = here != there or (fact is facts.ARGUMENTS and _of_function(first.results, case))
        if needed and None in (here, there):
            name = (first if here is None else other).name
            raise ResultsError(f"nobody knows whether it is the same work: {name} does not tell its {what}")


def _of_function(results: Results, case: Case) -> bool:
    """Whether it is a call of a function, with arguments."""
    return case.variant == "function" and results.fact(case, facts.STATEMENT) is None
