"""The picture of splits: the throughput of each, as a share of the most; of hosts, what each does."""

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
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.layout.figures import standings, statement
from gilkit.studies.layout.hosts import host_rows, host_statement, hosts_of
from gilkit.studies.layout.splits import EMPTY
from gilkit.studies.layout.table import question

SPLIT_STEP = 40  # pixels
SPLITS_DRAWN_AS = "processes"  # as what a split is drawn


def rows(results: Results) -> list[Row]:
    """Return the share of the most that each split does; of hosts, their figures."""
    if hosts_of(results):
        return [
            {"row": one.name, "what": name, **bar(figure)}
            for one in host_rows(results)
            for name, figure in one.figures.items()
        ]
    return [
        {"row": str(one.split), "what": SPLITS_DRAWN_AS, **bar(one.to_best or Estimate(1.0))}
        for one in standings(results)
        if one.rate is not None
    ]


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of splits, or of hosts."""
    found, hosts = rows(results), bool(hosts_of(results))
    places, names = list(dict.fromkeys(row["row"] for row in found)), drawn_names(found, "what")
    scale = alt.Scale(domain=[0, 1.05 * reach(found, 1.0)[1]], nice=True)
    x = alt.X("figure:Q", title=_title(results), scale=scale, axis=alt.Axis(format="~g" if hosts else "%"))
    y = alt.Y(
        "row:N",
        sort=None,
        title=None if hosts else "processes × threads",
        scale=alt.Scale(domain=places),
        axis=alt.Axis(grid=False, ticks=False),
    )
    colour = colours("what", names) if len(names) > 1 else colours("what", names, legend=None)
    base = alt.Chart(values(found)).encode(y=y, color=colour)
    if len(names) > 1:
        base = base.encode(
            yOffset=alt.YOffset("what:N", sort=names, scale=alt.Scale(domain=names, padding=0.5))
        )
    point = base.mark_point(filled=True, size=80, opacity=1).encode(x=x)
    layers = [
        base.mark_rule(clip=True, strokeWidth=2).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", strokeDash=dashes()
        ),
        point.encode(shape=signs("what", names)) if len(names) > 1 else point,
    ]
    what = host_statement(results) if hosts else statement(results)
    shown = [case for case in results if case.kernel != EMPTY]
    about = of_results(results, question(results), what, cases=shown)
    return framed(layers, about, SPLIT_STEP * max(1, len(places)))


def _title(results: Results) -> str:
    if not hosts_of(results):
        return "throughput, as a share of the most"
    splits = facts.ASKED.of(results.facts) == "layout"
    return "calls a second, of the best split" if splits else "times the work of one worker"
