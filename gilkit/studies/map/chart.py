"""The picture of a map: how many times as fast as the loop each pool is, and each chunk size."""

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
from gilkit.results.file import Results
from gilkit.studies.map.figures import best_of_each, cases_shown, chunk_curve
from gilkit.studies.map.table import conclusion, question

BAR_STEP = 30  # pixels


def rows(results: Results) -> list[Row]:
    """Return the figures of both tables."""
    shown = {one.way: one for one in (*best_of_each(results), *chunk_curve(results))}
    return [
        {
            "row": str(each),
            "what": each.executor,
            **bar(one.speedup),
        }
        for each, one in sorted(shown.items(), key=lambda item: (item[0].executor, item[0].chunk))
    ]


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of a map."""
    found = rows(results)
    places, names = list(dict.fromkeys(row["row"] for row in found)), drawn_names(found, "what")
    scale = alt.Scale(domain=[0, 1.05 * reach(found, 1.0)[1]], nice=True)
    x = alt.X("figure:Q", title="times the loop", scale=scale)
    y = alt.Y(
        "row:N", sort=None, title=None, scale=alt.Scale(domain=places), axis=alt.Axis(grid=False, ticks=False)
    )
    base = alt.Chart(values(found)).encode(y=y, color=colours("what", names))
    loop = (
        alt.Chart(values([{"loop": 1.0}])).mark_rule(style="reference").encode(x=alt.X("loop:Q", scale=scale))
    )
    layers = [
        loop,
        base.mark_rule(clip=True, strokeWidth=2).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", strokeDash=dashes()
        ),
        base.mark_point(filled=True, size=80, opacity=1).encode(x=x, shape=signs("what", names)),
    ]
    what, _ = conclusion(results)
    about = of_results(results, question(results), what, cases=cases_shown(results))
    return framed(layers, about, BAR_STEP * max(2, len(places)))
