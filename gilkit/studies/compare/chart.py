"""The picture of a comparison: a row for every kernel, its speedups beside the ceiling."""

from __future__ import annotations

import altair as alt

from gilkit.display.charts import (
    DRAWN_AS,
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
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.table import CEILING, of_own, question, speedups
from gilkit.studies.compare.timeit_chart import own_chart

BAND, EACH_BAND = 14, 12  # pixels of a row, and for each thing in it


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of a comparison."""
    return own_chart(results) if of_own(results) else _kernels(results)


def rows(results: Results) -> list[Row]:
    """Return the figures of the table, one by one."""
    return [
        {"kernel": kernel, "what": " ".join(head.split()), **bar(speedup)}
        for kernel in results.kernels
        for head, speedup in speedups(evidence(results, kernel)).items()
        if speedup is not None
    ]


def _kernels(results: Results) -> alt.LayerChart:
    found, ceiling = rows(results), CEILING.strip()
    names = drawn_names(found, "what")
    beside = [name for name in names if name != ceiling]
    kernel = alt.Y(
        "kernel:N", sort=results.kernels, title=None, scale=alt.Scale(paddingInner=0.25),
        axis=alt.Axis(grid=False, ticks=False, domain=False),
    )  # fmt: skip
    place = alt.YOffset("what:N", sort=beside, scale=alt.Scale(domain=beside, paddingOuter=0.5))
    times = alt.Scale(domain=[0, reach(found, 1.0)[1]], nice=True)
    colour = colours("what", names)
    figure = alt.X("figure:Q", title="times the work of one worker", scale=times)
    low, high = alt.X("low:Q", scale=times), alt.X2("high:Q")
    reached = alt.Chart(values(row for row in found if row["what"] != ceiling)).encode(
        y=kernel, yOffset=place
    )
    possible = alt.Chart(values(row for row in found if row["what"] == ceiling)).encode(y=kernel)
    layers = [
        possible.mark_bar(clip=True, opacity=0.25, color=DRAWN_AS[ceiling].colour).encode(x=low, x2=high),
        possible.mark_tick(thickness=2, bandSize=len(beside) * EACH_BAND).encode(x=figure, color=colour),
        alt.Chart(values([{"figure": 1.0}])).mark_rule(style="reference").encode(x=figure),
        reached.mark_rule(clip=True, strokeWidth=2).encode(x=low, x2=high, color=colour, strokeDash=dashes()),
        reached.mark_point(filled=True, size=60, opacity=1).encode(
            x=figure,
            color=colour,
            shape=signs("what", names),
            tooltip=["kernel:N", "what:N", "figure:Q", "low:Q", "high:Q"],
        ),
    ]
    height = len(results.kernels) * (BAND + EACH_BAND * len(beside))
    about = of_results(results, question(results), f"grey: the {ceiling}, what the CPUs give")
    return framed(layers, about, height)
