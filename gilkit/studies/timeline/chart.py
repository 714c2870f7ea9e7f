"""The picture of a timeline: a lane for every worker, who ran and who held the GIL."""

from __future__ import annotations

from itertools import groupby

import altair as alt

from gilkit.display.charts import Row, colours, drawn_names, framed, values
from gilkit.studies.timeline.history import History
from gilkit.studies.timeline.picture import HAS, NOTHING, RUNS, UNSEEN, WAITS, lane, notes, title

MOMENTS = 560  # stretches that a lane is made of
LANE = 34  # pixels of one
DOES = {HAS: "has the GIL", RUNS: "runs without it", WAITS: "waits", UNSEEN: "not seen"}


def rows(history: History) -> list[Row]:
    """Return what every worker did from when to when, in milliseconds since the first call began."""
    length = (history.end - history.start) / MOMENTS * 1e3
    found: list[Row] = []
    for index, worker in enumerate(history.workers):
        at = 0
        for sign, cells in groupby(lane(history, index, MOMENTS)):
            start, at = at, at + len(list(cells))
            if sign != NOTHING:
                does = "runs" if sign == RUNS and history.missing else DOES[sign]
                found.append(
                    {"worker": worker.name, "does": does, "start": start * length, "end": at * length}
                )
    return found


def chart(history: History) -> alt.LayerChart:
    """Return the picture of a history."""
    found = rows(history)
    names = drawn_names(found, "does")
    worker = alt.Y(
        "worker:N", sort=[worker.name for worker in history.workers], title=None,
        axis=alt.Axis(grid=False, ticks=False, domain=False),
    )  # fmt: skip
    axis = alt.Axis(grid=False)
    start = alt.X(
        "start:Q", title="milliseconds from the first call on", scale=alt.Scale(nice=False), axis=axis
    )
    told_on = ["worker:N", "does:N", "start:Q", "end:Q"]
    base = alt.Chart(values(found)).mark_bar(height=LANE - 10)
    lanes = base.encode(y=worker, x=start, x2="end:Q", color=colours("does", names), tooltip=told_on)
    told = [line for line in notes(history) if HAS not in line and RUNS not in line]
    about = (question(history), [title(history).plain, *told], history.facts, history.load)
    return framed([lanes], about, LANE * len(history.workers))


def question(history: History) -> str:
    """Return what a timeline answers."""
    return "Who ran when?" if history.missing else "Who ran when, and who held the GIL when?"
