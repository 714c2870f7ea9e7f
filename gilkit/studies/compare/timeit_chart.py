"""The picture of the reader's own code: its speedups by workers, below the ceiling."""

from __future__ import annotations

import altair as alt

from gilkit.display.charts import (
    DRAWN_AS,
    Row,
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
from gilkit.display.tables import scale_of_speedups
from gilkit.results.file import Results
from gilkit.studies.compare.evidence import worker_counts
from gilkit.studies.compare.timeit_table import by_workers, speedup_shown

OWN_HEIGHT = 300  # pixels


def own_rows(results: Results) -> list[Row]:
    """Return the figures of the table, one by one."""
    return [
        {"what": head, "workers": workers, **bar(speedup)}
        for head, cases in by_workers(results, results.kernels[0]).items()
        for workers, case in cases.items()
        if (speedup := speedup_shown(results, case)) is not None
    ]


def own_chart(results: Results) -> alt.LayerChart:
    """Return the picture of the reader's own code."""
    found, ceiling = own_rows(results), "ceiling"
    names = drawn_names(found, "what")
    beside = [name for name in names if name != ceiling]
    workers = alt.X(
        "workers:O", title="workers", scale=alt.Scale(paddingInner=0.2, paddingOuter=0.1),
        axis=alt.Axis(labelAngle=0, ticks=False),
    )  # fmt: skip
    place = alt.XOffset("what:N", sort=beside, scale=alt.Scale(domain=beside, padding=0.5))
    colour, scale = colours("what", names), alt.Scale(domain=[0, reach(found, 1.0)[1]], nice=True)
    figure = alt.Y("figure:Q", title="times the work of one worker", scale=scale)
    low, high = alt.Y("low:Q", scale=scale), alt.Y2("high:Q")
    possible = alt.Chart(values(row for row in found if row["what"] == ceiling)).encode(x=workers)
    reached = alt.Chart(values(row for row in found if row["what"] != ceiling)).encode(
        x=workers, xOffset=place, color=colour
    )
    layers = [
        possible.mark_bar(clip=True, opacity=0.25, color=DRAWN_AS[ceiling].colour).encode(y=low, y2=high),
        possible.mark_tick(thickness=2).encode(y=figure, color=colour),
        alt.Chart(values([{"figure": 1.0}])).mark_rule(style="reference").encode(y=figure),
        curves(reached.encode(y=figure), "what", names),
        reached.mark_rule(clip=True, strokeWidth=2).encode(y=low, y2=high, strokeDash=dashes()),
        reached.mark_point(filled=True, size=80, opacity=1).encode(y=figure, shape=signs("what", names)),
    ]
    asked = scale_of_speedups(worker_counts(results, results.kernels[0]))
    about = of_results(results, asked, results.kernels[0], f"grey: the {ceiling}, what the CPUs give")
    return framed(layers, about, OWN_HEIGHT)
