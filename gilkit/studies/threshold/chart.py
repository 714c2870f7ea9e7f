"""The picture of a threshold: what releasing brings by size, and from where on it pays."""

from __future__ import annotations

import altair as alt

from gilkit.display.charts import (
    BANDED,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    Row,
    bands,
    bar,
    dashes,
    framed,
    of_results,
    reach,
    values,
)
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.studies.threshold.crossing import crossing, points
from gilkit.studies.threshold.table import gained, question

SWEEP_HEIGHT, LINE = 300, 16  # pixels: of the picture, and of a line of words in it
OF_COUNTS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)  # colours of worker counts, in their order


def rows(results: Results) -> list[Row]:
    """Return what was measured at every size for every worker count."""
    return [
        {"workers": f"{count} workers", "size": point.size, "call": point.call, **bar(point.advantage)}
        for count in facts.COUNTS.needed(results.facts)
        for point in points(results, count)
    ]


def crossings(results: Results) -> list[Row]:
    """Return from where on it pays, for every worker count for which it does."""
    found: list[Row] = []
    for place, count in enumerate(facts.COUNTS.needed(results.facts)):
        bracket = crossing(points(results, count))
        if bracket.high is not None:
            low = bracket.low or bracket.high
            said = f"{'pays from' if bracket.low else 'pays everywhere from'} {bracket.at:,} on"
            ends = {"low": low, "high": bracket.high, "at": bracket.at}
            line = LINE / 2 + LINE * place
            found.append({"workers": f"{count} workers", **ends, "said": said, "line": line})
    return found


def marks(found: list[Row]) -> list[int]:
    """Return round sizes for the axis: powers of ten, or 1, 2 and 5 times these where there are few."""
    sizes = [row["size"] for row in found] or [1]
    powers = [10**power for power in range(len(str(max(sizes))))]
    every = [factor * power for power in powers for factor in (1, 2, 5)]
    inside = [mark for mark in every if min(sizes) <= mark <= max(sizes)]
    tens = [mark for mark in inside if mark in powers]
    return tens if len(tens) > 3 else inside


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of a threshold."""
    found, pays = rows(results), crossings(results)
    names = [f"{count} workers" for count in facts.COUNTS.needed(results.facts)]
    colour = alt.Color("workers:N", title=None, scale=alt.Scale(domain=names, range=list(OF_COUNTS)))
    size, times = (
        alt.Scale(type="log", nice=False, padding=15),
        alt.Scale(domain=reach(found, 1.0), nice=True),
    )
    unit = facts.UNIT.needed(results.facts)
    sizes = alt.X(
        "size:Q",
        title=f"size, in {unit}" if unit != "n" else unit,
        scale=size,
        axis=alt.Axis(values=marks(found), format=",d", grid=False),
    )
    gain = alt.Y("figure:Q", title=gained(results), scale=times)
    base = alt.Chart(values(found)).encode(x=sizes, color=colour)
    there = alt.Chart(values(pays)).encode(color=colour)
    layers = [
        there.mark_rect(opacity=0.25).encode(x=alt.X("low:Q", scale=size), x2="high:Q"),
        there.mark_rule(strokeDash=[4, 3], strokeWidth=1.5).encode(x=alt.X("at:Q", scale=size)),
        alt.Chart(values([{"figure": 1.0}])).mark_rule(style="reference").encode(y=gain),
        bands(base, times),
        base.mark_line(strokeWidth=1.5, opacity=0.7).encode(y=gain),
        base.mark_rule(clip=True, strokeWidth=2).encode(
            y=alt.Y("low:Q", scale=times), y2="high:Q", strokeDash=dashes()
        ),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            y=gain, tooltip=["size:Q", "figure:Q", "low:Q", "high:Q", "call:Q"]
        ),
        there.mark_text(align="left", dx=5).encode(
            x=alt.X("at:Q", scale=size), y=alt.Y("line:Q", scale=None, axis=None), text="said:N"
        ),
    ]
    about = of_results(results, question(results), facts.SUBJECT.needed(results.facts), bars=BANDED)
    return framed(layers, about, SWEEP_HEIGHT)
