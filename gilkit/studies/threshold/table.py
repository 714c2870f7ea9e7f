"""The report of a threshold: the sizes from which releasing pays, and the curve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from math import isnan, log

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.arguments import shown_count
from gilkit.display.curve import FEWEST_COLUMNS, Curve
from gilkit.display.layout import Fitted, Sized, TableColumn
from gilkit.display.tables import caveats, cell, closing, failure, headline, margins, note
from gilkit.display.units import seconds
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import FEWEST_ROUNDS, Estimate
from gilkit.studies.threshold.crossing import OWN, WINS, Point, crossing, points, price, size_of

HEADINGS = ("pays from", "between", "a call there", "at the largest")  # beside that of workers
CURVE_WIDE, CURVE_HIGH = 64, 11  # columns and rows of the picture
CURVE_MARGIN = 7  # columns to the left of it


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of a threshold."""
    counts = facts.COUNTS.needed(results.facts)
    unit = facts.UNIT.needed(results.facts)
    own = facts.BEATEN.needed(results.facts) == OWN
    found = {count: points(results, count) for count in counts}
    cells = zip(*map(_row, found.values()), strict=True)
    body = Fitted(
        [
            TableColumn("workers", [Text(str(count)) for count in found], name=True),
            *(
                TableColumn(head, list(map(Text, column)))
                for head, column in zip(HEADINGS, cells, strict=True)
            ),
        ]
    )
    shown = shown_count(counts, results.cpus)
    drawn = found[shown]
    small_print = f"sizes in {unit}; to pay is to get ≥ {WINS - 1:.0%} more done"
    small_print += f"; {margins(results)}" if any(found.values()) else ""
    if unfinished := facts.UNFINISHED.of(results.facts):
        small_print += f"; {unfinished}"
    parts: list[RenderableType] = [
        headline(results),
        "",
        Text(facts.SUBJECT.needed(results.facts), style="bold"),
        question(results),
        body,
        note(small_print),
        *caveats(results),
    ]
    if not all(map(_decided, found.values())):
        few = f"not decided: it takes {FEWEST_ROUNDS} rounds that count at a size"
        parts.append(Text(few, style="yellow"))
    if (cost := price(results)) is not None and not own:
        parts.append(f"Where nobody waits, releasing costs {_cost(cost)} a call.")
    if drawn:
        parts += ["", f"{gained(results)}, on {shown} threads, by {unit}", Sized(partial(_drawn, drawn))]
    if results.failures:
        parts += ["", *_failed(results.failures, unit)]
    return Group(*parts, "", closing(*_answer(drawn, unit, own, shown)))


def _answer(found: list[Point], unit: str, own: bool, workers: int) -> tuple[str, str]:
    """Say from which size on to do it, and what it brings."""
    who = "use threads" if own else "release the GIL"
    if not _decided(found):
        return "not decided", "use more --rounds, on a quiet machine"
    found = [point for point in found if point.advantage.decided]
    bracket, last = crossing(found), found[-1]
    brings = f"{last.advantage:.2f}× at {last.size:,} {unit}, with {workers} worker{'s' * (workers != 1)}"
    if bracket.high is None and not last.loses:
        return "not decided", f"{brings}, which is not certain: use more --rounds, on a quiet machine"
    if bracket.high is None:
        what = "to use threads" if own else "to release the GIL"
        return f"{what} does not pay up to {last.size:,} {unit}", brings
    there = next(point for point in found if point.size == bracket.high)
    begin = "at any size from" if bracket.low is None else "from about"
    size = bracket.high if bracket.low is None else bracket.at
    return f"{who} {begin} {size:,} {unit} on", f"calls of {seconds(there.call)} there; {brings}"


def question(results: Results) -> str:
    """Return what a threshold answers."""
    if facts.BEATEN.needed(results.facts) == OWN:
        return "From which n on do threads beat one?"
    return "From which size on does its nogil version beat its gil version?"


def gained(results: Results) -> str:
    """Return what the advantage at a size counts."""
    own = facts.BEATEN.needed(results.facts) == OWN
    return f"times the work of {'one thread' if own else 'the gil version'}"


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return from where on it pays, in words, for every worker count."""
    unit = facts.UNIT.needed(results.facts)
    for count in facts.COUNTS.needed(results.facts):
        start, between, call, last = _row(points(results, count))
        if call != "–":
            text = f"it pays from {start} {unit} on, where a call takes {call}"
            text += f" (between {between})" if between != "–" else ""
        else:  # "not decided", or "not up to" the largest
            text = f"it pays {start} {unit}" if any(map(str.isdigit, start)) else start
        yield f"{count} workers", f"{text}; at the largest size {last} {gained(results)}"


def _failed(reasons: Mapping[Case, str], unit: str) -> Iterator[Text]:
    """Say why which sizes are not in the table and in the picture."""
    sizes: dict[str, set[int]] = {}
    for case, reason in reasons.items():
        sizes.setdefault(reason, set()).add(size_of(case))
    for reason, found in sizes.items():
        yield failure(f"at {', '.join(f'{size:,}' for size in sorted(found))} {unit}", reason)


def _cost(cost: Estimate) -> str:
    if isnan(cost.low):
        return seconds(max(0.0, cost))
    if cost.low <= 0:
        return f"less than {seconds(max(cost.high, 1e-9))}"
    return f"{seconds(cost)} ({seconds(cost.low)} to {seconds(cost.high)})"


def _decided(found: list[Point]) -> bool:
    return any(point.advantage.decided for point in found)


def _row(found: list[Point]) -> tuple[str, str, str, str]:
    """Where it begins to pay, the bracket, the call there, and what it brings at the largest size."""
    last = cell(found[-1].advantage) if found else "–"
    if not _decided(found):
        return ("not decided", "–", "–", last)
    bracket = crossing(found)
    if bracket.high is None:
        return (f"not up to {found[-1].size:,}", "–", "–", last)
    there = next(point for point in found if point.size == bracket.high)
    if bracket.low is None:
        return (f"≤ {bracket.high:,}", "–", seconds(there.call), last)
    return (f"{bracket.at:,}", f"{bracket.low:,} – {bracket.high:,}", seconds(there.call), last)


def picture(found: list[Point], columns: int = CURVE_WIDE, rows: int = CURVE_HIGH) -> list[Text]:
    """Draw the advantage by size, both ends of each interval included; sizes on a logarithmic axis."""
    ends = [(point, _low(point), _high(point)) for point in found]
    top = max(1.0, *(min(high, 1.5 * point.advantage) for point, _, high in ends))
    bottom = min(1.0, *(max(low, point.advantage / 1.5) for point, low, _ in ends))
    drawn = Curve(columns, rows, top, bottom, least=0.1)
    for x in range(columns):
        drawn.draw(x, drawn.row(1.0), "·")
    first, last = log(found[0].size), log(found[-1].size)
    for point, low, high in ends:
        x = drawn.column((log(point.size) - first) / max(1e-9, last - first))
        for y in range(drawn.row(high), drawn.row(low) + 1):
            if drawn.cells[y][x] != "●":
                drawn.draw(x, y, "│")
        drawn.draw(x, drawn.row(point.advantage), "●")
    labels = {drawn.row(value): f"{value:.2f}" for value in (bottom, top, 1.0)}
    left, right = f"{found[0].size:,}", f"{found[-1].size:,}"
    return drawn.lines(labels, CURVE_MARGIN, left + right.rjust(columns - len(left)))


def _drawn(found: list[Point], width: int) -> Group:
    """Draw the advantage in so many characters."""
    return Group(*picture(found, max(FEWEST_COLUMNS, min(CURVE_WIDE, width - CURVE_MARGIN - 2))))


def _low(point: Point) -> float:
    return float(point.advantage) if isnan(point.advantage.low) else point.advantage.low


def _high(point: Point) -> float:
    return float(point.advantage) if isnan(point.advantage.high) else point.advantage.high
