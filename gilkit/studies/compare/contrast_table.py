"""The report of statements beside one another: a row each, their verdicts, and which one to use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gilkit.report.tables import (
    caveats,
    cell,
    failures,
    headline,
    leaders,
    note,
    plain_table,
    share,
    stars_and_intervals,
)
from gilkit.report.units import seconds
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import estimate
from gilkit.studies.compare.contrast import CONTESTED, Contrast, conclusion, contrast


def beside(results: Results, verdicts: Iterable[tuple[str, Text]]) -> RenderableType:
    """Return everything that there is to say of statements beside one another.

    Parameters
    ----------
    results : Results
    verdicts : iterable of (str, Text)
        Every statement, and what the verdict on it says.
    """
    found = contrast(results)
    first = next(iter(found.names))
    lines = plain_table("", "")
    lines.show_header = False
    letters = {name: letter for letter, name in found.names.items()}
    for name, verdict in verdicts:
        lines.add_row(letters[name], verdict)
    small_print = f"work: 1.00 is that of one worker with {first}, in the same rounds; "
    parts: list[RenderableType] = [headline(results), "", _statements(found), ""]
    parts += ["How much work do they do at once?", _rows(results, found)]
    parts += [note(small_print + stars_and_intervals(results)), *caveats(results), "", lines]
    if results.failures:
        parts += ["", *_failures(results, found)]
    return Group(*parts, "", Text(conclusion(found), style="bold"))


def _statements(c: Contrast) -> Text:
    return Text("\n").join(Text(f"{letter}  ").append(name, style="bold") for letter, name in c.names.items())


def _failures(results: Results, c: Contrast) -> Iterator[Text]:
    """Say what failed, of every statement."""
    for letter, name in c.names.items():
        failed = {case: reason for case, reason in results.failures.items() if case.kernel == name}
        yield from (Text(f"{letter}  ").append(line) for line in failures(failed))


def _rows(results: Results, c: Contrast) -> Table:
    """One row for every statement and worker count."""
    counts = sorted({workers for _, _, workers in c.work if workers > 1}) or [1]
    executors = [e for e in CONTESTED if any(executor == e for _, executor, _ in c.work)]
    body = plain_table("", "one call", "GIL held", "alone", "workers", *executors, figures=1)
    for count in counts:
        best = leaders(
            {f"{letter} {e}": c.work.get((letter, e, count)) for letter in c.names for e in executors}
        )
        for letter, name in c.names.items():
            call = results.values(Case(name, "function", "threads", 1))
            length = seconds(estimate(call)) if call else "–"
            cells = []
            for executor in executors:
                figure = c.work.get((letter, executor, count))
                if Case(name, "function", executor, count) in results.failures:
                    cells.append(Text("failed", style="red"))
                elif f"{letter} {executor}" in best:
                    cells.append(Text(f"*{cell(figure)}", style="bold green"))
                else:
                    cells.append(Text(cell(figure)))
            alone = cell(c.work.get((letter, "threads", 1)))
            body.add_row(letter, length, share(c.held.get(letter)), alone, str(count), *cells)
    return body
