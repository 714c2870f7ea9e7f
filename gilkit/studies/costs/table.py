"""The report of machine constants: one row each, in groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import zip_longest
from math import isnan

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.layout import Fitted, Sized, TableColumn
from gilkit.display.tables import absent, closing, failure, headline, note, plain_table, round_counts
from gilkit.display.units import seconds
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import estimate
from gilkit.studies.costs.constants import CONSTANTS, GROUPS, Constant

BANDWIDTH = "GB/s"
FIGURES = {  # the columns: which go where it is narrow, the larger number first, and what they are
    "median": (0, "median"),
    "interval": (0, "± 95 % interval"),
    "fastest – slowest": (2, "fastest and slowest round"),
    BANDWIDTH: (1, "both ways count"),
}
UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


def question(_: Results) -> str:
    """Return what the constants answer."""
    return "What does it cost here to start, to switch and to send?"


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return the medians of every group, in words."""
    for group, heading in GROUPS.items():
        rows = [row for c in CONSTANTS.values() if c.group == group for row in _rows(results, c)]
        told = [f"{row[0]} {row[1]}".strip() for row in rows if str(row[1]) != "–"]
        if told:
            yield heading, "; ".join(told)


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of machine constants."""
    parts: list[RenderableType] = [headline(results), "", Sized(partial(_body, results))]
    parts += absent(results.missing)
    if results.failures:
        parts += ["", *(_failed(case, reason) for case, reason in results.failures.items())]
    return Group(*parts, *_closing(results))


def _body(results: Results, width: int) -> Group:
    """Return the table in so many characters, and what its figures are."""
    rows: list[tuple[Text | str, ...]] = []
    for group, heading in GROUPS.items():
        found = [row for c in CONSTANTS.values() if c.group == group for row in _rows(results, c)]
        rows += [(Text(heading, style="bold"),), *found] if found else []
    names, *figures = zip_longest(*rows, fillvalue="")
    columns = [TableColumn("what it costs here", _texts(names), name=True)]
    columns += [
        TableColumn(head, _texts(cells), spare)
        for (head, (spare, _)), cells in zip(FIGURES.items(), figures, strict=False)
        if head != BANDWIDTH or any(map(str, cells))
    ]
    fitted = Fitted(columns)
    filled = [column for part in fitted.parts(width) for column in part if any(map(str, column.cells))]
    shown = [column.head for column in filled if not column.name]
    told = ", ".join(FIGURES[head][1] for head in shown if head != BANDWIDTH)
    small_print = (
        f"over {round_counts(results)} rounds: {told}; a round is the mean of many calls, or the median of "
        "several starts or hand-overs"
    )
    small_print += f"; {BANDWIDTH}: {FIGURES[BANDWIDTH][1]}" * (BANDWIDTH in shown)
    return Group(fitted, note(small_print))


def _texts(cells: Iterable[Text | str]) -> list[Text]:
    return [cell if isinstance(cell, Text) else Text(cell) for cell in cells]


def _closing(results: Results) -> list[RenderableType]:
    """Say below which length a call is not worth handing out, where that was measured."""
    costs = {
        executor: estimate(values)
        for executor in ("threads", "processes")
        for case in results
        if case.variant == f"submit-{executor}" and (values := results.values(case))
    }
    if not costs:
        return []
    told = " and ".join(f"{seconds(cost)} to a pool of {executor}" for executor, cost in costs.items())
    return ["", closing("do not hand out calls that are shorter than what it costs to hand one out", told)]


def catalogue() -> RenderableType:
    """Return the machine constants, and what exactly each is; those that differ in size only share a row."""
    body = plain_table("group", "name", "what is measured")
    for group, heading in GROUPS.items():
        body.add_row(Text(group, style="bold"), "", Text(heading, style="bold"))
        rows: dict[str, list[Constant]] = {}
        for constant in CONSTANTS.values():
            if constant.group == group:
                rows.setdefault(constant.about, []).append(constant)
        for about, alike in rows.items():
            text = Text(about.replace("`", ""))
            if reason := alike[0].missing():
                text.append(f" (not here: {reason})", style="red")
            body.add_row("", "\n".join(constant.name for constant in alike), text)
    return body


def _rows(results: Results, constant: Constant) -> list[tuple[Text | str, ...]]:
    """One row for each case of a constant, in the order of their threads."""
    if constant.name in results.missing:
        return [(f"  {constant.label.format(n='several')}", "–")]
    cases = sorted(
        (case for case in {*results, *results.failures} if case.variant == constant.name),
        key=lambda case: case.workers,
    )
    return [
        (f"  {constant.label.format(n=case.workers)}", *_cells(results, case, constant)) for case in cases
    ]


def _cells(results: Results, case: Case, constant: Constant) -> tuple[Text | str, ...]:
    """What it takes with its unit; then the margin and the extremes in that unit; and the bandwidth."""
    values = results.values(case)
    if not values:
        return (Text("failed", style="red"),)
    found = estimate(values)
    unit, scale = next(((u, s) for u, s in UNITS if found >= s), UNITS[-1])
    digits = max(0, 2 - len(f"{found / scale:.0f}") + 1)

    def number(value: float) -> str:
        return f"{value / scale:.{digits if value < 1000 * scale else 0}f}"

    margin = "" if isnan(found.margin) else f"± {number(max(found.margin, scale * 10**-digits))}"
    extremes = f"{number(min(values))} – {number(max(values))}" if len(values) > 1 else ""
    speed = f"{constant.nbytes / found / 1e9:#.2g}".rstrip(".") if constant.nbytes else ""
    return Text(f"{number(found)} {unit:<2}", style="bold"), margin, extremes, speed


def _failed(case: Case, reason: str) -> Text:
    at = f" at {case.workers} threads" if case.workers > 1 else ""
    return failure(f"{case.variant}{at}", reason)
