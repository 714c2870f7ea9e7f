"""The picture of a ladder: a bar for every rung, by what threads on it have for themselves."""

from __future__ import annotations

import altair as alt

from gilkit.display.charts import (
    Row,
    bar,
    colours,
    dashes,
    drawn_names,
    framed,
    of_results,
    reach,
    signs,
    values,
)
from gilkit.display.tables import scale_of_speedups
from gilkit.results.file import Results
from gilkit.studies.compare.ladder_table import titles
from gilkit.studies.compare.ladder_words import sentence
from gilkit.studies.compare.rungs import Ladder

RUNG = 30  # pixels


def ladder_rows(ladder: Ladder) -> list[Row]:
    """Return the figures of the picture, one by one."""
    return [
        {"rung": title, "what": "threads" if rung is ladder.private else "shared", **bar(rung.speedup)}
        for title, rung in titles(ladder)
        if rung.speedup is not None
    ]


def ladder_chart(results: Results, ladder: Ladder) -> alt.LayerChart:
    """Return the picture of a ladder."""
    found = ladder_rows(ladder)
    names = drawn_names(found, "what")
    rung = alt.Y(
        "rung:N", sort=[row["rung"] for row in found], title="each thread has its own",
        axis=alt.Axis(grid=False, ticks=False, domain=False),
    )  # fmt: skip
    times = alt.Scale(domain=[0, reach(found, float(ladder.workers))[1]], nice=True)
    figure = alt.X("figure:Q", title="times the work of one worker", scale=times)
    low, high = alt.X("low:Q", scale=times), alt.X2("high:Q")
    base, colour = alt.Chart(values(found)).encode(y=rung), colours("what", names)
    layers = [
        alt.Chart(values([{"figure": 1.0}])).mark_rule(style="reference").encode(x=figure),
        base.mark_bar(opacity=0.25, clip=True).encode(x=figure, color=colour),
        base.mark_rule(clip=True, strokeWidth=2).encode(x=low, x2=high, color=colour, strokeDash=dashes()),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x=figure, color=colour, shape=signs("what", names)
        ),
    ]
    asked = scale_of_speedups([ladder.workers])
    about = of_results(results, asked, results.kernels[0], ": ".join(sentence(ladder)))
    return framed(layers, about, RUNG * len(found))
