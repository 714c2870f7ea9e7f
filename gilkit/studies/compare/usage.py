"""What workers used of the CPUs, from the windows that count: pure."""

from __future__ import annotations

from math import isnan
from statistics import fmean, median

from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.windows import Window, known
from gilkit.studies.compare.figures import Usage


def usage(results: Results, case: Case) -> Usage | None:
    """Return what the workers of a case used: the median of each figure; None where nobody tells."""
    rows = []
    for window in _counting(results, case):
        if isnan(window.cpu):
            continue
        calls = [stint.calls * stint.seconds / window.seconds for stint in window.stints]
        done = max(sum(calls), 1e-9)
        rows.append(
            (
                window.cpu,
                sum(stint.cpu for stint in window.stints) / done,
                sum(known(stint.voluntary) for stint in window.stints) / done,
                fmean(known(stint.delay) / stint.seconds for stint in window.stints),
                sum(known(stint.system) for stint in window.stints) / done,
                sum(known(stint.faults) for stint in window.stints) / done,
            )
        )
    return Usage(*(median(column) for column in zip(*rows, strict=True))) if rows else None


def _counting(results: Results, case: Case) -> list[Window]:
    """Return the windows of the rounds that count; all, where none does."""
    windows, rounds = results.windows(case), results.rounds(case)
    return [window for id_, window in windows.items() if id_ in rounds] or list(windows.values())
