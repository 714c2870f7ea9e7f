"""`show A B`: results of several runs side by side, as far as they can be compared.

Absolute times of different runs are not: nothing tells how fast the machine was in each. Speedups are, since
each is a ratio within rounds of its own run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.data import DOCUMENT_FORMAT, strict
from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import cell, closing, heading, note
from gilkit.errors import ResultsError
from gilkit.results.case import Case
from gilkit.results.file import STRETCHES, UNNAMED_KIND, Results
from gilkit.results.stats import Estimate, certainly_apart
from gilkit.studies.compare.contrast import MATTERS, differs
from gilkit.studies.compare.figures import quotient
from gilkit.studies.compare.merged import several_pythons
from gilkit.studies.compare.speedups import of_sets, speedup
from gilkit.studies.load import load
from gilkit.studies.outcome import Outcome, Report
from gilkit.studies.same_work import Run, check_same

UNEQUAL = "≠"
TOLD_CASES = 3  # that the last sentence names
MOST_FILES = len(ascii_uppercase)
FALSE_ALARMS = 0.01  # of tables of the same twice, about, in which something is said to differ


class SideBySide(Report):
    """Results of several runs of the same work: the speedup of each case in each of them.

    Its ``repr`` is the table.

    Parameters
    ----------
    runs : list of Run
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = list(runs)
        self._figures = {
            case: {run.letter: found for run in runs if (found := speedup(run.results, case)) is not None}
            for case in _cases(runs)
        }
        self._sets = {
            (case, run.letter): of_sets(run.results, case)
            for case, figures in self._figures.items()
            for run in runs
            if run.letter in figures
        }

    @property
    def differences(self) -> dict[str, list[str]]:
        """The cases that surely differ from those of the first run, each with the letters of these runs.

        Two speedups differ where the whole interval of their quotient is off by more than anybody cares for,
        and by more than sets of fresh processes do: the more are compared, the more that takes.
        """
        first = self._runs[0].letter
        pairs = [
            (case, other) for case, figures in self._figures.items() for other in figures if other != first
        ]
        found: dict[str, list[str]] = {}
        for case, other in pairs:
            certain = 1 - FALSE_ALARMS / len(pairs)
            ratio = quotient(self._figures[case][other], self._figures[case].get(first))
            if differs(ratio) and self._apart(case, first, other) >= certain:
                found.setdefault(case.name, []).append(other)
        return found

    def _apart(self, case: Case, *letters: str) -> float:
        """Return how certain it is that a case differs in two runs, by sets of fresh processes."""
        here, there = (self._sets.get((case, letter), []) for letter in letters)
        return certainly_apart(here, there, MATTERS)

    def __rich__(self) -> RenderableType:
        legend = [Text(f"{run.letter}  {run.name}: ").append(_about(run)) for run in self._runs]
        cases = list(self._figures)
        several = len({case.kernel for case in cases}) > 1
        columns = [TableColumn("", [Text(_called(case, several)) for case in cases], name=True)]
        apart = self.differences
        for run in self._runs:
            cells = [
                _marked(self._figures[case].get(run.letter), run.letter in apart.get(case.name, ()))
                for case in cases
            ]
            columns.append(TableColumn(run.letter, cells, points=True))
        print_ = (
            f"{UNEQUAL} surely another than in A, by more than {MATTERS:.0%}, and by more than sets of fresh "
            "processes differ"
        )
        head = [] if several else [Text(cases[0].kernel, style="bold")]
        about = "Speedups. Times of different runs are not compared: the machine may have been another"
        return Group(
            *legend, "", *head, about, Fitted(columns), note(print_), "", closing(*self._conclusion())
        )

    def _conclusion(self) -> tuple[str, str]:
        """Say in one sentence whether the runs differ."""
        apart, first = self.differences, self._runs[0].letter
        if apart:
            several = len({case.kernel for case in self._figures}) > 1
            told = [
                f"{_called(case, several)} {figures[first]:.2f}× in {first}, {figures[other]:.2f}× in {other}"
                for case, figures in self._figures.items()
                for other in apart.get(case.name, ())
            ]
            more = f"; and {len(told) - TOLD_CASES} more" if len(told) > TOLD_CASES else ""
            return f"{len(apart)} of {len(self._figures)} differ", "; ".join(told[:TOLD_CASES]) + more
        every = [(case, letter) for case, figures in self._figures.items() for letter in figures]
        few = sum(
            not self._figures[case][letter].decided or len(self._sets[case, letter]) < 2
            for case, letter in every
        )
        if few:
            return "not decided", f"of {few} speedups too few rounds or sets of processes count"
        count = len(self._figures)
        return "no difference found", f"none of {count} is surely off by more than {MATTERS:.0%}"

    def to_dict(self) -> dict[str, Any]:
        use, figures = self._conclusion()
        found: dict[str, Any] = strict(
            {
                "format": DOCUMENT_FORMAT,
                "kind": "side-by-side",
                "runs": [
                    {"run": run.letter, "name": run.name, "about": _about(run).plain} for run in self._runs
                ],
                "cases": self.rows(),
                "conclusion": use,
                "figures": figures,
            }
        )
        return found

    def rows(self) -> list[dict[str, Any]]:
        apart = self.differences
        return [
            {
                "kernel": case.kernel,
                "variant": case.variant,
                "executor": case.executor,
                "workers": case.workers,
                "run": letter,
                "speedup": strict(float(found)),
                "speedup_low": strict(found.low),
                "speedup_high": strict(found.high),
                "differs": letter in apart.get(case.name, ()),
            }
            for case, figures in self._figures.items()
            for letter, found in figures.items()
        ]

    def _finest(self) -> Iterable[dict[str, Any]]:
        return self.rows()


def side_by_side(found: Iterable[str | os.PathLike[str] | Outcome]) -> SideBySide:
    """Put results of the same work side by side: of two interpreters, machines or versions.

    Only speedups are compared. To compare absolute times, measure in one run: see ``pythons`` of `timeit`.

    Parameters
    ----------
    found : list of path or Comparison
        Results of `gilkit.timeit` or `gilkit.compare`, two at least.

    Returns
    -------
    SideBySide

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two, or too many.
    ResultsError
        If one cannot be read, or if they are not of the same work; a ValueError.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.side_by_side(["before.json", "after.json"])  # doctest: +SKIP
    """
    if isinstance(found, str | os.PathLike | Outcome) or not isinstance(found, Iterable):
        raise TypeError("results to put side by side must be a list of files or outcomes")
    every = list(found)
    if not 2 <= len(every) <= MOST_FILES:
        raise ValueError(f"side by side stand from two to {MOST_FILES} results, not {len(every)}")
    runs = [_run(letter, one) for letter, one in zip(ascii_uppercase, every, strict=False)]
    for pair in combinations(runs, 2):
        check_same(*pair)
    if not _cases(runs):
        raise ResultsError(f"{runs[0].name} and {runs[1].name} have no case with several workers in common")
    return SideBySide(runs)


def _run(letter: str, one: str | os.PathLike[str] | Outcome) -> Run:
    outcome = one if isinstance(one, Outcome) else load(one)
    name = f"results {letter}" if isinstance(one, Outcome) else Path(one).name
    results: Results = outcome.results
    if results.kind != UNNAMED_KIND:
        raise ResultsError(
            f"{name} is of gilkit {outcome.study.name}: results of timeit and compare stand side by side"
        )
    if several_pythons(results):
        raise ResultsError(f"{name} compares interpreters itself: show it alone")
    if results.version <= STRETCHES:
        raise ResultsError(f"{name} was measured by an earlier gilkit, in another way: measure it again")
    return Run(letter, name, results)


def _cases(runs: Sequence[Run]) -> list[Case]:
    """Return the cases of several workers that two runs at least have measured."""
    every: dict[Case, int] = {}
    for run in runs:
        for case in run.results:
            if case.workers > 1 and case.variant != "unpinned":
                every[case] = every.get(case, 0) + 1
    return [case for case, times in every.items() if times > 1]


def _called(case: Case, several: bool) -> str:
    what = case.executor if case.variant == "function" else f"{case.variant} {case.executor}"
    return " ".join([*([case.kernel] if several else []), what, f"at {case.workers}"])


def _marked(found: Estimate | None, differs: bool) -> Text:
    return Text((UNEQUAL if differs else " ") + cell(found), style="bold yellow" if differs else "")


def _about(run: Run) -> Text:
    return Text(heading(run.results.facts, run.results.load).plain.splitlines()[0])
