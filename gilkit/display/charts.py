"""What all charts have in common: colours, the frame, bars of intervals, and the word on a busy machine.

To draw a thing that none has drawn yet is to add one entry to DRAWN_AS: it looks the same in every chart.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from gilkit.display.tables import heading, round_counts
from gilkit.machine import BUSY, busy_words
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import FEWEST_ROUNDS, Estimate

Row = dict[str, Any]

PLOT_WIDTH = 560  # pixels between the axes
LINE_LENGTH, QUESTION_LENGTH = 112, 80  # characters of a line: of small print, and of the title
FONT = "Arial, Helvetica, Liberation Sans, sans-serif"

# The colours of Okabe and Ito (Color Universal Design, 2008), which all eyes tell apart, and a brown.
ORANGE, SKY, GREEN, BLUE, RED, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"
BANDED = "bars and bands"  # what shows intervals where figures are on a line
BROWN, GREY = "#A6761D", "#808080"


@dataclass(frozen=True, slots=True)
class Look:
    """How a thing is drawn: its colour, the sign of a figure, the dashes of its line; none is a whole one."""

    colour: str
    sign: str = "circle"
    dash: tuple[int, ...] = (1, 0)


DRAWN_AS: dict[str, Look] = {
    # Workers, by what they run.
    "python threads": Look(ORANGE),
    "gil threads": Look(RED, "square"),
    "nogil threads": Look(BLUE, "diamond"),
    "threads": Look(SKY),
    "shared": Look(SKY, "square", (5, 2)),
    "one inside": Look(SKY, "triangle-up", (2, 2)),
    "processes": Look(PURPLE, "triangle-down"),
    "sent": Look(PURPLE, "cross", (5, 2)),
    "native threads": Look(GREEN, "triangle-up"),
    "interpreters": Look(BROWN, "diamond"),
    "python interpreters": Look(BROWN, "diamond"),
    "loky": Look(RED, "triangle-down", (6, 2)),
    "joblib": Look(ORANGE, "triangle-down", (6, 2)),
    "joblib-threading": Look(ORANGE, "diamond", (2, 2)),
    "dask": Look(BLUE, "triangle-down", (6, 2)),
    "ceiling": Look(GREY, "stroke", (2, 2)),
    "serial": Look(GREY),
    "shorter interval": Look(SKY, "square"),
    "nothing": Look(GREY),
    # Columns of the classic experiment.
    "CpuThread": Look(ORANGE),
    "CpuProcess": Look(PURPLE, "triangle-down"),
    "IoThread": Look(ORANGE, "square", (2, 3)),
    "IoProcess": Look(PURPLE, "cross", (2, 3)),
    "gil": Look(RED, "square", (6, 2)),
    "nogil": Look(BLUE, "diamond", (6, 2)),
    "native": Look(GREEN, "triangle-up", (6, 2)),
    # Lanes.
    "has the GIL": Look(RED),
    "runs without it": Look(BLUE),
    "runs": Look(BLUE),
    "waits": Look("rgba(128,128,128,0.4)"),
    "not seen": Look("rgba(128,128,128,0.15)"),
    # Rulings.
    "holds": Look(GREEN),
    "depends": Look(ORANGE),
    "refuted": Look(RED),
    "undecided": Look(GREY),
    "failed": Look(PURPLE),
    "not here": Look("rgba(128,128,128,0.5)"),
    # Stalls.
    "C call": Look(RED),
    "Python code": Look(ORANGE),
    "garbage collection": Look(BROWN),
    "unknown": Look(GREY),
    # Rounds.
    "counts": Look(SKY),
    "disturbed by others": Look(ORANGE),
}


UNDRAWN = Look(BROWN, "cross", (5, 2, 2, 2))  # what has no entry, such as an executor that somebody adds


def look(name: str) -> Look:
    """Return how a thing is drawn."""
    return DRAWN_AS.get(name, UNDRAWN)


def themed(dark: bool = False) -> dict[str, Any]:
    """Return the configuration of a chart, for paper or for a dark screen."""
    dim = ("#121417", "#e6e6e6", "#b4b4b4", "#444")
    paper, ink, soft, faint = dim if dark else ("white", "#1a1a1a", "#555", "#ddd")
    return {
        "background": paper,
        "font": FONT,
        "padding": 8,
        "view": {"stroke": None},
        "title": {
            "color": ink, "subtitleColor": soft, "fontSize": 16, "subtitleFontSize": 12, "anchor": "start",
            "frame": "bounds", "offset": 14, "subtitlePadding": 5, "subtitleLineHeight": 16,
        },
        "axis": {
            "labelColor": ink, "titleColor": soft, "gridColor": faint, "domainColor": soft, "tickColor": soft,
            "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 0,
            "labelPadding": 5, "titlePadding": 8,
        },
        "legend": {
            "labelColor": ink, "titleColor": soft, "labelFontSize": 12, "labelLimit": 0, "orient": "bottom",
            "symbolSize": 90, "columnPadding": 14, "symbolStrokeWidth": 2, "symbolOpacity": 1,
        },
        "text": {"color": ink, "fontSize": 12},
        "rule": {"color": soft},
        "style": {"reference": {"strokeDash": [2, 3]}},
        "params": [{"name": "paper", "value": paper}],
    }  # fmt: skip


def values(rows: Iterable[Mapping[str, Any]]) -> alt.InlineData:
    """Return data that are a part of the chart, however many."""
    return alt.InlineData(values=[dict(row) for row in rows])


def bar(figure: Estimate) -> Row:
    """Return a figure and the ends of its bar: its interval, or the range of rounds that decide nothing."""
    decided = figure.decided
    low, high = (figure.low, figure.high) if decided else (figure.least, figure.most)
    known = low == low and high == high
    ends = {"low": low, "high": high} if known else {"low": float(figure), "high": float(figure)}
    return {"figure": float(figure), **ends, "decided": decided or not known}


def reach(rows: Iterable[Row], *others: float) -> list[float]:
    """Return the ends of an axis for all figures, and for their bars up to twice and half of these."""
    every = list(rows)
    tops = [min(row["high"], 2 * row["figure"]) for row in every]
    bottoms = [max(row["low"], row["figure"] / 2) for row in every]
    return [min([*bottoms, *others], default=0.0), max([*tops, *others], default=1.0)]


def dashes() -> Any:
    """Return the encoding that makes bars whole, or dashed where they are ranges that decide nothing."""
    return alt.when("datum.decided").then(alt.value([1, 0])).otherwise(alt.value([2, 2]))


def colours(field: str, names: Sequence[str], **options: Any) -> alt.Color:
    """Return the encoding of a field by the colours of DRAWN_AS."""
    scale = alt.Scale(domain=list(names), range=[look(name).colour for name in names])
    return alt.Color(f"{field}:N", scale=scale, title=None, **options)


def drawn_names(rows: Iterable[Row], field: str) -> list[str]:
    """Return what a field holds, in the order of DRAWN_AS."""
    there = {row[field] for row in rows}
    return [*(name for name in DRAWN_AS if name in there), *sorted(there - DRAWN_AS.keys())]


def signs(field: str, names: Sequence[str]) -> alt.Shape:
    """Return the encoding of a field by the signs of DRAWN_AS."""
    scale = alt.Scale(domain=list(names), range=[look(name).sign for name in names])
    return alt.Shape(f"{field}:N", scale=scale, title=None)


def curves(base: alt.Chart, field: str, names: Sequence[str]) -> alt.Chart:
    """Return lines through the figures of each name, with the dashes of DRAWN_AS; signs are their legend."""
    # One name more: a scale of the same names would share the legend of the signs, and so have none.
    domain, dashed = [*names, ""], [*(list(look(name).dash) for name in names), [1, 0]]
    dash = alt.StrokeDash("line:N", scale=alt.Scale(domain=domain, range=dashed), legend=None)
    lines = base.transform_calculate(line=f"datum.{field}")
    found: alt.Chart = lines.mark_line(strokeWidth=1.5, opacity=0.8, clip=True).encode(strokeDash=dash)
    return found


def bands(base: alt.Chart, scale: alt.Scale) -> alt.Chart:
    """Return the areas between the ends of intervals; none where there is a range that decides nothing."""
    certain = base.transform_filter("datum.decided")
    low, high = alt.Y("low:Q", scale=scale), alt.Y2("high:Q")
    found: alt.Chart = certain.mark_area(clip=True, opacity=0.15, line=False).encode(y=low, y2=high)
    return found


def bars_mean(results: Results, bars: str = "bars", cases: Iterable[Case] | None = None) -> str:
    """Return what the bars of a chart are, in words: of some cases, or of all."""
    shown = list(results if cases is None else cases)
    counting = [len(results.rounds(case)) for case in shown]
    if max(counting) < FEWEST_ROUNDS:
        return f"dashed bars: the range of all rounds; fewer than {FEWEST_ROUNDS} count, and decide nothing"
    text = f"{bars}: 95 % intervals over {round_counts(results, shown)} rounds"
    return text + f"; dashed: the range where fewer than {FEWEST_ROUNDS} count" * (
        min(counting) < FEWEST_ROUNDS
    )


def of_results(
    results: Results, question: str, *about: str, bars: str = "bars", cases: Iterable[Case] | None = None
) -> tuple[str, list[str], Mapping[str, Any], float]:
    """Return what `framed` needs to know of results, of which a chart shows some cases, or all."""
    return question, [*about, bars_mean(results, bars, cases)], results.facts, results.load


def framed(
    layers: Iterable[alt.Chart],
    about: tuple[str, list[str], Mapping[str, Any], float],
    height: float,
    width: float = PLOT_WIDTH,
) -> alt.LayerChart:
    """Return the layers as one chart, with what is asked above them.

    Parameters
    ----------
    layers : iterable of Chart
    about : tuple
        The question; lines below it; the facts of the run; and the CPUs that others used.
    height, width : float
        Pixels between the axes.
    """
    question, lines, metadata, load = about
    every = list(layers)
    first = heading(metadata, load).plain.split("\n")[0]
    if load >= BUSY:
        every += _across(busy_words(load, facts.CPUS.of(metadata, 1)), width, height)
    below = [part for line in (first, *lines) for part in textwrap.wrap(line, LINE_LENGTH)]
    title = alt.Title(textwrap.wrap(question, QUESTION_LENGTH), subtitle=below)
    chart = alt.LayerChart(layer=every, title=title, description=question, width=width, height=height)
    found: alt.LayerChart = chart.configure(**themed())
    return found


def _across(words: str, width: float, height: float) -> list[alt.Chart]:
    """Return what is written across the picture of a busy machine, and the paper around its letters."""
    base = alt.Chart(values([{"words": [words, "believe no figure here"]}]))
    base = base.encode(text="words:N", x=alt.value(width / 2), y=alt.value(height / 2))
    size = 24 if height > 120 else 15  # lanes stay to be seen
    letters: dict[str, Any] = {
        "fontSize": size, "fontWeight": "bold", "lineHeight": 1.25 * size, "dy": -0.6 * size, "color": RED,
    }  # fmt: skip
    paper = base.mark_text(stroke=alt.expr("paper"), strokeWidth=7, strokeJoin="round", aria=False, **letters)
    return [paper, base.mark_text(**letters)]
