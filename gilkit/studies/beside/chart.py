"""The picture of neighbours: what each keeps; of one statement, how late a ticker is beside it."""

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
from gilkit.studies.beside.figures import Late, quiet, sides
from gilkit.studies.beside.sides import WHERE
from gilkit.studies.beside.table import question

ROW_STEP = 46  # pixels
DRAWN = {"threads": "threads", "processes": "processes", "shorter": "shorter interval"}


def rows(results: Results) -> list[Row]:
    """Return what each statement keeps; of one alone, how late a ticker is, in milliseconds."""
    known = sides(results)
    if len(known) > 1:
        return [
            {"row": f"{one.letter} beside {one.other}", "what": DRAWN[where], **bar(one.kept[where])}
            for one in known.values()
            for where in WHERE
            if where in one.kept
        ]
    (one,) = known.values()
    late: list[tuple[str, str, Late | None]] = [("nothing", "nothing", quiet(results))]
    late += [(f"A, {DRAWN[where]}", DRAWN[where], one.late.get(where)) for where in WHERE]
    return [
        {"row": row, "what": what, "most": 1e3 * there.most, **_in_ms(bar(there.nearly_all))}
        for row, what, there in late
        if there is not None
    ]


def _in_ms(row: Row) -> Row:
    return {name: value if name == "decided" else 1e3 * value for name, value in row.items()}


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of neighbours."""
    found, two = rows(results), len(sides(results)) > 1
    places, names = list(dict.fromkeys(row["row"] for row in found)), drawn_names(found, "what")
    scale = (
        alt.Scale(domain=[0, 1.05 * reach(found, 1.0)[1]], nice=True)
        if two
        else alt.Scale(type="log", padding=20)
    )
    title = (
        "share of its throughput alone"
        if two
        else "ms that 99 % of ticks are late at the most, and the latest"
    )
    axis = alt.Axis(format="%") if two else alt.Axis(format="~g", tickCount=6)
    x = alt.X("figure:Q", title=title, scale=scale, axis=axis)
    y = alt.Y(
        "row:N", sort=None, title=None, scale=alt.Scale(domain=places), axis=alt.Axis(grid=False, ticks=False)
    )
    base = alt.Chart(values(found)).encode(y=y, color=colours("what", names))
    if two:
        base = base.encode(
            yOffset=alt.YOffset("what:N", sort=names, scale=alt.Scale(domain=names, padding=0.5))
        )
    layers = [
        base.mark_rule(clip=True, strokeWidth=2).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", strokeDash=dashes()
        ),
        base.mark_point(filled=True, size=80, opacity=1).encode(x=x, shape=signs("what", names)),
    ]
    if not two:
        layers.append(base.mark_tick(thickness=2, aria=False).encode(x=alt.X("most:Q", scale=scale)))
    about = [f"{one.letter}: {one.statement}" for one in sides(results).values()]
    return framed(layers, of_results(results, question(results), *about), ROW_STEP * len(places))
