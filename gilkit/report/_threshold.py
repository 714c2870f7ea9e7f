"""The report of a threshold: the sizes from which releasing pays, and the curve."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isnan, log

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gilkit.crossing import OWN, WINS, Point, crossing, points, price
from gilkit.report._common import cell, headline, plain_table, span
from gilkit.results import Case, Results
from gilkit.stats import Estimate
from gilkit.verdict import seconds

COLUMNS, ROWS = 64, 11  # of the picture


def threshold(results: Results) -> RenderableType:
    """Return everything that there is to say of a threshold."""
    facts = results.facts
    counts: list[int] = json.loads(facts["gilkit_counts"])
    name, unit = str(facts["gilkit_subject"]), str(facts["gilkit_unit"])
    own = facts["gilkit_beaten"] == OWN
    question = (
        "From which n on do threads beat one?"
        if own
        else "From which size on does its nogil version beat its gil version?"
    )
    table = plain_table("workers", "pays from", "between", "a call there", "at the largest")
    for column in table.columns:
        column.justify = "right"
    for count in counts:
        table.add_row(str(count), *_row(points(results, count)))
    shown = results.cpus if results.cpus in counts else counts[-1]
    rounds = {len(results.values(case)) for case in results}
    note = (
        f"sizes in {unit}; to pay is to get ≥ {WINS - 1:.0%} more done; "
        f"± 95 % interval over {span(rounds)} rounds"
    )
    if "gilkit_unfinished" in facts:
        note += f"; {facts['gilkit_unfinished']}"
    parts: list[RenderableType] = [
        headline(results),
        "",
        Text(name, style="bold"),
        question,
        table,
        Padding(Text(note, style="dim"), 0),
    ]
    if (cost := price(results)) is not None and not own:
        parts.append(f"Where nobody waits, releasing costs {_cost(cost)} a call.")
    what = "times the work of one thread" if own else "times the work of the gil version"
    parts += ["", f"{what}, on {shown} threads, by {unit}", *picture(points(results, shown))]
    if results.failures:
        parts += ["", *_failed(results.failures, unit)]
    return Group(*parts)


def _failed(reasons: Mapping[Case, str], unit: str) -> Iterator[Text]:
    """Say why which sizes are not in the table and in the picture."""
    sizes: dict[str, set[int]] = {}
    for case, reason in reasons.items():
        sizes.setdefault(reason, set()).add(int(case.kernel.rpartition("@")[2]))
    for reason, found in sizes.items():
        text = Text("failed", style="red")
        text.append(
            f" at {', '.join(f'{size:,}' for size in sorted(found))} {unit}: {reason}", style="default"
        )
        yield text


def _cost(cost: Estimate) -> str:
    if isnan(cost.low):
        return seconds(max(0.0, cost))
    if cost.low <= 0:
        return f"less than {seconds(max(cost.high, 1e-9))}"
    return f"{seconds(cost)} ({seconds(cost.low)} to {seconds(cost.high)})"


def _row(found: list[Point]) -> tuple[str, str, str, str]:
    """Where it begins to pay, the bracket, the call there, and what it brings at the largest size."""
    if not found:
        return ("–", "–", "–", "–")
    last = cell(found[-1].advantage)
    bracket = crossing(found)
    if bracket.high is None:
        return (f"not up to {found[-1].size:,}", "–", "–", last)
    there = next(point for point in found if point.size == bracket.high)
    if bracket.low is None:
        return (f"≤ {bracket.high:,}", "–", seconds(there.call), last)
    return (f"{bracket.at:,}", f"{bracket.low:,} – {bracket.high:,}", seconds(there.call), last)


def picture(found: list[Point], columns: int = COLUMNS, rows: int = ROWS) -> list[Text]:
    """Draw the advantage by size, both ends of each interval included; sizes on a logarithmic axis."""
    if not found:
        return []
    ends = [(point, _low(point), _high(point)) for point in found]
    top = max(1.0, *(min(high, 1.5 * point.advantage) for point, _, high in ends))
    bottom = min(1.0, *(max(low, point.advantage / 1.5) for point, low, _ in ends))
    height = max(top - bottom, 0.1)

    def row(value: float) -> int:
        return round((top - min(top, max(bottom, value))) / height * (rows - 1))

    first, last = log(found[0].size), log(found[-1].size)
    grid = [[" "] * columns for _ in range(rows)]
    grid[row(1.0)] = ["·"] * columns
    for point, low, high in ends:
        x = round((log(point.size) - first) / max(1e-9, last - first) * (columns - 1))
        for y in range(row(high), row(low) + 1):
            if grid[y][x] != "●":
                grid[y][x] = "│"
        grid[row(point.advantage)][x] = "●"
    labels = {row(value): f"{value:.2f}" for value in (bottom, top, 1.0)}
    lines = [Text(f"{labels.get(y, ''):>7} ┤{''.join(cells)}".rstrip()) for y, cells in enumerate(grid)]
    left, right = f"{found[0].size:,}", f"{found[-1].size:,}"
    axis = left + right.rjust(columns - len(left))
    return [*lines, Text(f"{'':>7} └{'─' * columns}"), Text(f"{'':>9}{axis}")]


def _low(point: Point) -> float:
    return float(point.advantage) if isnan(point.advantage.low) else point.advantage.low


def _high(point: Point) -> float:
    return float(point.advantage) if isnan(point.advantage.high) else point.advantage.high
