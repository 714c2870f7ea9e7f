"""The picture of stalls: for how long others waited at each line."""

from __future__ import annotations

import altair as alt

from gilkit.display.charts import Row, colours, drawn_names, framed, values
from gilkit.display.units import seconds
from gilkit.results.file import Results
from gilkit.studies.stalls.findings import each_line
from gilkit.studies.stalls.table import MOST_LINES, conclusion, question

LINE_STEP = 40  # pixels of a row
TEXT_SHOWN = 45  # of the text of a line


def rows(results: Results) -> list[Row]:
    """Return a row for each of the lines at which others waited longest."""
    found = sorted(each_line(results), key=lambda row: -row["seconds"])
    processes = {row["process"] for row in found}
    return [
        {
            "line": (row["place"] or "not known") + (f", {row['process']}" if len(processes) > 1 else ""),
            "text": (row["source"] or "")[:TEXT_SHOWN],
            "kind": row["kind"],
            "figure": row["seconds"],
            "said": f"{seconds(row['seconds'])}, {row['stalls']:,} × up to {seconds(row['longest'])}",
            "number": number,
        }
        for number, row in enumerate(found[:MOST_LINES])
    ]


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of stalls."""
    found = rows(results)
    names = drawn_names(found, "kind")
    labels = {row["number"]: row["line"] for row in found}
    axis = alt.Axis(grid=False, ticks=False, domain=False, labels=False, minExtent=0)
    row = alt.Y("number:O", sort=None, title=None, axis=axis, scale=alt.Scale(domain=list(labels)))
    time = alt.X("figure:Q", title="seconds for which others waited", scale=alt.Scale(zero=True))
    base = alt.Chart(values(found)).encode(y=row)
    told_on = ["line:N", "text:N", "kind:N", "said:N"]
    layers = [
        base.mark_bar(height=10, yOffset=10).encode(x=time, color=colours("kind", names), tooltip=told_on),
        base.mark_text(align="left", dy=-6)
        .encode(x=alt.value(0), text="label:N")
        .transform_calculate(label="datum.line + ' · ' + datum.said + ' · ' + datum.text"),
    ]
    about = (question(results), [conclusion(results)], results.facts, results.load)
    return framed(layers, about, LINE_STEP * max(1, len(found)))
