"""The picture of all rounds: how much those of one case differ, and which of them others disturbed."""

from __future__ import annotations

from statistics import median

import altair as alt

from gilkit.display.charts import Row, colours, drawn_names, framed, values
from gilkit.results.file import Results

ROUNDS_QUESTION = "How much do the rounds of a case differ?"
CASE_STEP = 15  # pixels of a row
FARTHEST = 4.0  # times the median: what differs by more is drawn there


def differences(results: Results) -> list[Row]:
    """Return the seconds of every round as a multiple of the median of its case, where there are several."""
    found: list[Row] = []
    for case in results:
        every, counting = results.every(case), results.rounds(case)
        middle = median(results.values(case))
        if len(every) < 2 or not middle:
            continue
        for id_, seconds in every.items():
            what = "counts" if id_ in counting else "disturbed by others"
            found.append({"case": case.name, "what": what, "times": seconds / middle})
    return found


def rounds_chart(results: Results) -> alt.LayerChart | None:
    """Return the picture of all rounds; None where no case has two."""
    found = differences(results)
    if not found:
        return None
    names = list(dict.fromkeys(row["case"] for row in found))
    axis = alt.Axis(grid=False, ticks=False, domain=False, labelFontSize=11)
    case = alt.Y("case:N", sort=None, title=None, axis=axis, scale=alt.Scale(domain=names))
    least, most = (edge(row["times"] for row in found) for edge in (min, max))
    ends = [max(1 / FARTHEST, min(least, 0.9)), min(FARTHEST, max(most, 1.1))]
    times = alt.X(
        "times:Q", title="seconds, as a multiple of the median of the case; on a logarithmic axis",
        scale=alt.Scale(type="log", domain=ends, clamp=True, nice=False),
        axis=alt.Axis(tickCount=8, format=".2~f"),
    )  # fmt: skip
    base = alt.Chart(values(found)).encode(y=case, x=times, color=colours("what", drawn_names(found, "what")))
    layers = [
        alt.Chart(values([{"times": 1.0}])).mark_rule(style="reference").encode(x=times),
        base.mark_circle(size=22, opacity=0.6, aria=False),
    ]
    about = (ROUNDS_QUESTION, ["every dot is a round"], results.facts, results.load)
    return framed(layers, about, CASE_STEP * len(names))
