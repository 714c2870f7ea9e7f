"""The picture of the classic experiment: the seconds of every column by workers."""

from __future__ import annotations

import altair as alt

from gilkit.display.charts import (
    BANDED,
    Row,
    bands,
    bar,
    colours,
    curves,
    dashes,
    drawn_names,
    framed,
    of_results,
    reach,
    signs,
    values,
)
from gilkit.results.file import Results
from gilkit.studies.scaling.columns import COLUMNS, counts, measured
from gilkit.studies.scaling.table import question

CURVES_HEIGHT = 320  # pixels


def rows(results: Results) -> list[Row]:
    """Return the figures of the table, one by one."""
    return [
        {"column": name, "workers": workers, **bar(seconds)}
        for name, column in COLUMNS.items()
        for workers, seconds in measured(results, column).items()
    ]


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of the classic experiment."""
    found, cpus = rows(results), results.cpus
    names = drawn_names(found, "column")
    scale = alt.Scale(domain=[0, reach(found)[1]], nice=True)
    workers = alt.X(
        "workers:Q", title="workers", scale=alt.Scale(padding=25, nice=False, zero=False),
        axis=alt.Axis(values=counts(results), grid=False, format="d"),
    )  # fmt: skip
    seconds = alt.Y("figure:Q", title="seconds, from the first start to the last join", scale=scale)
    colour = colours("column", names)
    base = alt.Chart(values(found)).encode(x=workers, color=colour)
    here = alt.Chart(values([{"workers": cpus, "said": f"{cpus} CPU{'s' * (cpus != 1)}"}])).encode(x=workers)
    layers = [
        here.mark_rule(style="reference"),
        here.mark_text(align="left", baseline="top", dx=4).encode(y=alt.value(0), text="said:N"),
        bands(base, scale),
        curves(base.encode(y=seconds), "column", names),
        base.mark_rule(clip=True, strokeWidth=2).encode(y="low:Q", y2="high:Q", strokeDash=dashes()),
        base.mark_point(filled=True, size=60, opacity=1).encode(y=seconds, shape=signs("column", names)),
    ]
    return framed(layers, of_results(results, question(results), bars=BANDED), CURVES_HEIGHT)
