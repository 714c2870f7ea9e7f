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
from gilkit.studies.compare.contrast import Contrast, contrast, of_own
from gilkit.studies.compare.evidence import evidence, worker_counts
from gilkit.studies.compare.ladder import climbed
from gilkit.studies.compare.ladder_chart import ladder_chart
from gilkit.studies.compare.merged import plain_kernels, several_pythons, there
from gilkit.studies.compare.pythons_table import rankings_of
from gilkit.studies.compare.ranking import Ranking
from gilkit.studies.compare.table import CEILING, question, speedups
from gilkit.studies.compare.timeit_chart import own_chart

LONGEST_NAME = 44  # characters of a statement beside its bars
BAND, EACH_BAND = 14, 12  # pixels of a row, and for each thing in it


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of a comparison; of a ladder that."""
    if several_pythons(results):
        return _kernels(results)
    if of_own(results) and len(results.kernels) == 1:
        ladder = climbed(results, evidence(results, results.kernels[0]))
        if ladder is not None:
            return ladder_chart(results, ladder)
    return own_chart(results) if of_own(results) and len(results.kernels) == 1 else _kernels(results)


def rows(results: Results) -> list[Row]:
    """Return the figures of the table, one by one."""
    if several_pythons(results):
        return [
            row for r in rankings_of(results) for row in _interpreters(r, len(plain_kernels(results)) > 1)
        ]
    if of_own(results):
        return _statements(contrast(results))
    several = len({count for kernel in results.kernels for count in worker_counts(results, kernel)}) > 1
    return [
        {"kernel": _named(kernel, count if several else 0), "what": " ".join(head.split()), **bar(speedup)}
        for kernel in results.kernels
        for count in worker_counts(results, kernel)
        for head, speedup in speedups(evidence(results, kernel, count)).items()
        if speedup is not None
    ]


def _statements(c: Contrast) -> list[Row]:
    """Return the work of statements beside one another, on as many workers as there are in each row."""
    several = len({workers for _, _, workers in c.work if workers > 1}) > 1
    return [
        {
            "kernel": _named(f"{letter} {c.names[letter]}"[:LONGEST_NAME], workers if several else 0),
            "what": executor,
            **bar(work),
        }
        for (letter, executor, workers), work in c.work.items()
        if workers > 1 or c.workers == 1
    ]


def _interpreters(r: Ranking, several: bool) -> list[Row]:
    """Return the work that is done on each interpreter, in that of one thread of the first."""
    return [
        {
            "kernel": there(place.python, r.kernel) if several else place.python,
            "what": place.executor,
            **bar(work),
        }
        for place, work in r.work.items()
        if place.workers == r.workers
    ]


def _named(name: str, workers: int) -> str:
    return f"{name}, {workers} workers" if workers else name


def _kernels(results: Results) -> alt.LayerChart:
    found, ceiling = rows(results), CEILING.strip()
    names = drawn_names(found, "what")
    beside = [name for name in names if name != ceiling]
    places = list(dict.fromkeys(row["kernel"] for row in found))
    kernel = alt.Y(
        "kernel:N", sort=places, title=None, scale=alt.Scale(paddingInner=0.25),
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
    height = len(places) * (BAND + EACH_BAND * len(beside))
    small_print = f"grey: the {ceiling}, what the CPUs give"
    if several_pythons(results):
        small_print = f"1.0 is the work of one thread of {rankings_of(results)[0].first}"
    elif of_own(results):
        small_print = "1.0 is the work of one worker with A"
    about = of_results(results, question(results), small_print)
    return framed(layers, about, height)
