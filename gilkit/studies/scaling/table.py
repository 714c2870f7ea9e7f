"""The report of the classic experiment: its table, the curves, and which of them stay flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.curve import FEWEST_COLUMNS, Curve
from gilkit.display.layout import Fitted, Sized, TableColumn
from gilkit.display.tables import RANGES, cell, closing, failures, headline, note, round_counts
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.scaling.columns import COLUMNS, FLAT, Growth, counts, measured, told

# What the columns show that stay flat: who can do such work side by side.
WAITING = {"IoThread": "threads", "IoProcess": "processes"}
COMPUTING = {"CpuThread": "threads", "CpuProcess": "processes", "nogil": "threads that release the GIL"}
WIDE, HIGH, MARGIN = 69, 14, 6  # columns and rows of the picture, and columns to the left of it


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of the classic experiment."""
    found = {name: measured(results, column) for name, column in COLUMNS.items()}
    every = counts(results)
    body = Fitted(
        [
            TableColumn("nthreads", [Text(str(count)) for count in every], name=True),
            *(TableColumn(name, [Text(_cell(by.get(n))) for n in every]) for name, by in found.items()),
        ]
    )
    rounds = round_counts(results)
    method = facts.METHOD.needed(results.facts)
    parts: list[RenderableType] = [
        headline(results),
        "",
        question(results),
        body,
        note(
            "wall seconds from the first start to the last join, median over "
            f"{rounds} round{'s' * (rounds != '1')}; processes start by {method}; gil, nogil, native: "
            "compiled lcg"
        ),
        *(Text(f"no {name}: {reason}", style="dim") for name, reason in results.missing.items()),
    ]
    if picture(found, every):
        parts += ["", "seconds, by workers", Sized(partial(_drawn, found, every)), _legend(found)]
    if said := list(told(results)):
        parts += ["", *(_words(growth, results.cpus) for growth in said), _key(said, every[0])]
    if results.failures:
        parts += ["", *failures(results.failures, _column)]
    return Group(*parts, *_closing(said, results.cpus, every[0]))


def _closing(said: list[Growth], cpus: int, fewest: int) -> list[RenderableType]:
    """Say who can share each kind of work without taking longer, with as many workers as CPUs."""
    growth = next((one for one in said if one.workers <= cpus), None)
    if growth is None:
        return []
    parts = []
    for work, names in {"waiting": WAITING, "computing": COMPUTING}.items():
        shared = [who for name, who in names.items() if name in growth.flat]
        open_ = [who for name, who in names.items() if name in growth.undecided]
        known = shared or (["nobody"] if not open_ and any(name in growth.growing for name in names) else [])
        rest = f" ({', '.join(open_)}: not decided)" if open_ else ""
        if known or open_:
            parts.append(f"{work}: {' or '.join(known)}{rest}" if known else f"{work}: not decided")
    why = f"who takes no longer with {growth.workers} workers than with {fewest}, each with as much to do"
    told = any(not part.endswith(": not decided") for part in parts)
    return ["", closing("; ".join(parts), why) if told else closing("not decided", "use more --rounds")]


def question(results: Results) -> str:
    """Return what the experiment answers."""
    work = facts.WORK.needed(results.facts)
    return f"Every worker does the same work, {work:g} s of it. How long do n of them take?"


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return which columns stay flat, in words, and what that means."""
    said = list(told(results))
    for growth in said:
        workers, _, text = _words(growth, results.cpus).plain.partition(": ")
        yield workers, text
    if said:
        yield "", _key(said, counts(results)[0]).plain


def _column(case: Case) -> str:
    """Return the name of the column that a case belongs to."""
    return next(name for name, column in COLUMNS.items() if column.case(case.workers) == case)


def _cell(seconds: Estimate | None) -> str:
    return "–" if seconds is None else f"{seconds:.4f}"


def _words(growth: Growth, cpus: int) -> Text:
    """Which columns stay flat with so many workers, and which do not."""
    text = Text(f"{growth.workers} workers", style="bold")
    text.append(f" on {cpus} CPU{'s' * (cpus != 1)}: ", style="not bold")
    groups = (
        ("flat", growth.flat),
        ("growing", growth.growing),
        ("undecided", growth.undecided),
    )
    said = [
        f"{what} {', '.join(f'{name} {cell(times)}' for name, times in found.items())}"
        for what, found in groups
        if found
    ]
    return text.append("; ".join(said) or "nothing was measured", style="not bold")


def _key(said: list[Growth], first: int) -> Text:
    """What the figures and the words mean."""
    every = [
        times
        for growth in said
        for group in (growth.flat, growth.growing, growth.undecided)
        for times in group.values()
    ]
    text = f"times the seconds of {first} worker{'s' * (first != 1)}"
    text += ", ± 95 % interval" * any(times.decided for times in every)
    text += f"; flat: all of it up to {FLAT:g}, growing: all of it above"
    if any(not times.decided and times.least < times.most for times in every):
        text += f"; {RANGES}"
    if any(growth.undecided for growth in said):
        text += "; undecided: more --rounds decide it"
    return Text(text, style="dim")


def picture(
    found: Mapping[str, Mapping[int, Estimate]], every: list[int], wide: int = WIDE, high: int = HIGH
) -> list[Text]:
    """Draw the seconds of every column by workers, from 0 on, each with its own sign.

    The curves take turns in the columns of the picture, so that those that coincide are all to be seen.

    Parameters
    ----------
    found : mapping of str to mapping of int to float
        Seconds by workers, by the name of the column.
    every : list of int
        Worker counts.
    wide, high : int
        Size of the picture, without its axes.
    """
    import numpy as np

    curves = {name: values for name, values in found.items() if values}
    if not curves or len(every) < 2:
        return []
    drawn = Curve(
        wide, high, max(float(seconds) for values in curves.values() for seconds in values.values())
    )
    for x, at in enumerate(np.linspace(every[0], every[-1], wide)):
        name = list(curves)[x % len(curves)]
        counted, seconds = list(curves[name]), list(map(float, curves[name].values()))
        if counted[0] <= at <= counted[-1]:
            drawn.draw(x, drawn.row(float(np.interp(at, counted, seconds))), COLUMNS[name].sign)
    marks = {drawn.column((count - every[0]) / (every[-1] - every[0])): str(count) for count in every}
    ticks = ""
    for x, label in marks.items():
        if not ticks or x > len(ticks):
            ticks = ticks.ljust(x) + label
    return drawn.lines({0: f"{drawn.top:.3g}", high - 1: "0"}, MARGIN, ticks, marks)


def _drawn(found: Mapping[str, Mapping[int, Estimate]], every: list[int], width: int) -> Group:
    """Draw the curves in so many characters."""
    return Group(*picture(found, every, max(FEWEST_COLUMNS, min(WIDE, width - MARGIN - 2))))


def _legend(found: Mapping[str, Mapping[int, Estimate]]) -> Text:
    """Say which sign is whose, in one line."""
    return Text("  ".join(f"{COLUMNS[name].sign} {name}" for name, values in found.items() if values))
