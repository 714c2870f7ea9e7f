"""The report of machine constants: one row each, in groups."""

from __future__ import annotations

import json
from math import isnan

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gilkit.constants import CONSTANTS, GROUPS, Constant
from gilkit.report._common import headline, plain_table, span
from gilkit.results import Case, Results
from gilkit.stats import estimate

UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


def costs(results: Results) -> RenderableType:
    """Return everything that there is to say of machine constants."""
    missing: dict[str, str] = json.loads(results.facts.get("gilkit_missing", "{}"))
    moved = any(CONSTANTS[case.variant].nbytes for case in results if case.variant in CONSTANTS)
    columns = ("median", "interval", "fastest – slowest", *(["GB/s"] if moved else []))
    table = plain_table("what it costs here", *columns)
    for column in table.columns[1:]:
        column.justify = "right"
    for group, heading in GROUPS.items():
        rows = [row for c in CONSTANTS.values() if c.group == group for row in _rows(results, c, missing)]
        if rows:
            table.add_row(Text(heading, style="bold"))
        for row in rows:
            table.add_row(*row[: len(table.columns)])
    rounds = {len(results.values(case)) for case in results}
    notes = (
        f"over {span(rounds)} rounds: median, ± 95 % interval, fastest and slowest round; a round is the "
        "mean of many calls, or the median of several starts or hand-overs"
    )
    if moved:
        notes += "; GB/s: both ways count"
    parts: list[RenderableType] = [headline(results), "", table, Padding(Text(notes, style="dim"), 0)]
    reasons: dict[str, list[str]] = {}
    for name, reason in missing.items():
        reasons.setdefault(reason, []).append(name)
    parts += [Text(f"no {', '.join(names)}: {reason}", style="dim") for reason, names in reasons.items()]
    if results.failures:
        parts += ["", *(_failed(case, reason) for case, reason in results.failures.items())]
    return Group(*parts)


def _rows(results: Results, constant: Constant, missing: dict[str, str]) -> list[tuple[Text | str, ...]]:
    """One row for each case of a constant, in the order of their threads."""
    if constant.name in missing:
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
    text = Text("failed ", style="red")
    at = f" at {case.workers} threads" if case.workers > 1 else ""
    return text.append(f"{case.variant}{at}: {reason}", style="default")
