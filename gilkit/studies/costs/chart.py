"""The picture of machine constants: what each takes, from its fastest to its slowest round."""

from __future__ import annotations

import altair as alt

from gilkit.display.charts import Row, bar, bars_mean, colours, drawn_names, framed, values
from gilkit.display.tables import round_counts
from gilkit.display.units import seconds
from gilkit.results.file import Results
from gilkit.results.stats import estimate
from gilkit.studies.costs.constants import CONSTANTS, GROUPS
from gilkit.studies.costs.table import question

STEP, LABELS = 19, 225  # pixels: of a row, and of the labels at its left
INDENT = "\u2003"  # before the label of a constant: below the heading of its group
UNITS_OF_TICKS = {"s": 0.9, "ms": 0.9e-3, "µs": 0.9e-6, "ns": 0.0}  # from which value on each is the unit


def rows(results: Results) -> list[Row]:
    """Return a row for every constant that was measured, and the heading of its group above it."""
    found: list[Row] = []
    for group, heading in GROUPS.items():
        cases = [
            (constant, case)
            for constant in CONSTANTS.values()
            if constant.group == group
            for case in sorted(results, key=lambda case: case.workers)
            if case.variant == constant.name
        ]
        found += [{"row": heading}] if cases else []
        for constant, case in cases:
            measured = estimate(results.values(case))
            label = INDENT + constant.label.format(n=case.workers)
            range_ = {"least": measured.least, "most": measured.most}
            what = {"row": label, "by": constant.executor, "said": seconds(measured)}
            found.append(what | range_ | bar(measured))
    return found


def in_units() -> str:
    """Return the expression that labels a tick of so many seconds with its unit."""
    found = "''"
    for place, (unit, least) in reversed(list(enumerate(UNITS_OF_TICKS.items()))):
        label = f"format(datum.value * 1e{3 * place}, '.4~g') + ' {unit}'"
        found = f"datum.value >= {least} ? {label} : {found}"
    return found


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of machine constants."""
    found = rows(results)
    measured = [row for row in found if "figure" in row]
    names = drawn_names(measured, "by")
    heading = f"substring(datum.value, 0, 1) != '{INDENT}'"
    row = alt.Y(
        "row:N", sort=None, title=None, scale=alt.Scale(domain=[row["row"] for row in found]),
        axis=alt.Axis(
            grid=False, ticks=False, domain=False, minExtent=LABELS, labelAlign="left", labelPadding=LABELS,
            labelFontWeight=alt.when(heading).then(alt.value("bold")).otherwise(alt.value("normal")),
        ),
    )  # fmt: skip
    scale = alt.Scale(type="log", padding=25)
    axis = alt.Axis(labelExpr=in_units(), tickCount=8)
    time = alt.X("figure:Q", title="time of one, on a logarithmic axis", scale=scale, axis=axis)
    low, least, most = (alt.X(f"{end}:Q", scale=scale) for end in ("low", "least", "most"))
    base = alt.Chart(values(measured)).encode(y=row)
    drawn = base.encode(color=colours("by", names))
    certain = drawn.transform_filter("datum.decided")
    layers = [
        drawn.mark_rule(strokeWidth=2).encode(x=least, x2="most:Q"),
        certain.mark_rule(strokeWidth=6, opacity=0.5).encode(x=low, x2="high:Q"),
        drawn.mark_point(filled=True, size=60, opacity=1, shape="circle").encode(x=time),
        base.mark_text(align="left", dx=9).encode(x=most, text="said:N"),
    ]
    about = f"points: medians; thin bars: from the fastest round to the slowest; thick {bars_mean(results)}"
    if not any(row["decided"] for row in measured):
        about = f"points: medians; bars: from the fastest to the slowest of {round_counts(results)} rounds"
    return framed(layers, (question(results), [about], results.facts, results.load), STEP * len(found))
