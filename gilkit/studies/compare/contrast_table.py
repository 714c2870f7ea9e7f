"""The report of statements beside one another: a row each, their verdicts, and which one to use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import (
    absent,
    caveats,
    closing,
    failures,
    figure,
    headline,
    leaders,
    note,
    plain_table,
    share,
    share_heading,
    share_note,
    stars_and_margins,
)
from gilkit.display.units import seconds
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import estimate
from gilkit.studies.compare.contrast import CONTESTED, Contrast, conclusion, contrast
from gilkit.studies.compare.evidence import held_notes, worker_counts

UNIT_OF_WORK = "Work done at once: 1.00 that of one worker with A, 2.00 twice as much in the same time"


def beside(results: Results, verdicts: Iterable[tuple[str, Text]]) -> RenderableType:
    """Return everything that there is to say of statements beside one another.

    Parameters
    ----------
    results : Results
    verdicts : iterable of (str, Text)
        Every statement, and what the verdict on it says.
    """
    found = contrast(results)
    lines = plain_table("", "")
    lines.show_header = False
    letters = {name: letter for letter, name in found.names.items()}
    for name, verdict in verdicts:
        lines.add_row(letters[name], verdict)
    parts: list[RenderableType] = [headline(results), "", _statements(found), ""]
    small_print = stars_and_margins(results, "with so many workers")
    parts += [UNIT_OF_WORK, _rows(results, found), note(small_print), *caveats(results), "", lines]
    for why, statements in held_notes(results).items():
        of = ", ".join(letters[name] for name in statements)
        parts.append(Text(f"{share_note(results.gil)} of {of}: {why}", style="dim"))
    parts += absent(results.missing)
    if results.failures:
        parts += ["", *_failures(results, found)]
    return Group(*parts, "", closing(*conclusion(found)))


def _statements(c: Contrast) -> Text:
    return Text("\n").join(Text(f"{letter}  ").append(name, style="bold") for letter, name in c.names.items())


def _failures(results: Results, c: Contrast) -> Iterator[Text]:
    """Say what failed, of every statement."""
    for letter, name in c.names.items():
        failed = {case: reason for case, reason in results.failures.items() if case.kernel == name}
        yield from (Text(f"{letter}  ").append(line) for line in failures(failed))


def _rows(results: Results, c: Contrast) -> Fitted:
    """One row for every statement and worker count."""
    counts = worker_counts(results, results.kernels[0])
    rows = [(letter, count) for count in counts for letter in c.names]
    used = {case.executor for case in (*results, *results.failures) if case.variant == "function"}
    executors = [executor for executor in CONTESTED if executor in used]
    best = {
        count: leaders(
            {f"{letter} {e}": c.work.get((letter, e, count)) for letter in c.names for e in executors}
        )
        for count in counts
    }
    calls = {letter: results.values(Case(name, "function", "threads", 1)) for letter, name in c.names.items()}
    lengths = {letter: seconds(estimate(values)) if values else "–" for letter, values in calls.items()}
    shares = c.held if results.gil else c.attached
    columns = [
        TableColumn("\n", [Text(letter) for letter, _ in rows], name=True),
        TableColumn("\nworkers", [Text(str(count)) for _, count in rows], name=True),
        TableColumn("\none call", [Text(lengths[letter]) for letter, _ in rows]),
        TableColumn(share_heading(results.gil), [Text(share(shares.get(letter))) for letter, _ in rows]),
        TableColumn("one\nalone", [figure(c.work.get((letter, "threads", 1))) for letter, _ in rows]),
    ]
    for executor in executors:
        cells = [
            figure(
                c.work.get((letter, executor, count)),
                f"{letter} {executor}" in best[count],
                Case(c.names[letter], "function", executor, count) in results.failures,
            )
            for letter, count in rows
        ]
        columns.append(TableColumn(f"\n{executor}", cells, points=True))
    return Fitted(columns)
