"""The report of the classic experiment: its table, the curves, and which of them stay flat."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gilkit.columns import COLUMNS, FLAT, Growth, counts, measured, told
from gilkit.report._common import cell, headline, plain_table, span
from gilkit.results import Case, Results
from gilkit.stats import Estimate

WIDE, HIGH = 69, 14  # columns and rows of the picture


def scaling(results: Results) -> RenderableType:
    """Return everything that there is to say of the classic experiment."""
    facts = results.facts
    missing: dict[str, str] = json.loads(facts.get("gilkit_missing", "{}"))
    found = {name: measured(results, column) for name, column in COLUMNS.items()}
    table = plain_table("nthreads", *COLUMNS)
    for column in table.columns:
        column.justify = "right"
    for count in counts(results):
        table.add_row(str(count), *(_cell(values.get(count)) for values in found.values()))
    rounds = {len(results.values(case)) for case in results}
    note = (
        "wall seconds from the first start to the last join, median over "
        f"{span(rounds)} round{'s' * (rounds != {1})}; processes start by {facts['gilkit_method']}; "
        "gil, nogil, native: compiled lcg"
    )
    parts: list[RenderableType] = [
        headline(results),
        "",
        f"Every worker does the same work, {facts['gilkit_work']:g} s of it. How long do n of them take?",
        table,
        Padding(Text(note, style="dim"), 0),
        *(Text(f"no {name}: {reason}", style="dim") for name, reason in missing.items()),
    ]
    if lines := picture(found, counts(results)):
        parts += ["", "seconds, by workers", *lines, _legend(found)]
    if said := list(told(results)):
        parts += ["", *(_words(growth, results.cpus) for growth in said), _key(said, counts(results)[0])]
    if results.failures:
        parts += ["", *_failed(results.failures)]
    return Group(*parts)


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
    text = (
        f"times the seconds of {first} worker{'s' * (first != 1)}, ± 95 % interval; flat: all of it up to "
        f"{FLAT:g}, growing: all of it above"
    )
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
    curves = {name: values for name, values in found.items() if values}
    if not curves or len(every) < 2:
        return []
    top = max(float(seconds) for values in curves.values() for seconds in values.values())
    grid = [[" "] * wide for _ in range(high)]
    for x, at in enumerate(np.linspace(every[0], every[-1], wide)):
        name = list(curves)[x % len(curves)]
        counted, seconds = list(curves[name]), list(map(float, curves[name].values()))
        if counted[0] <= at <= counted[-1]:
            y = round((1 - float(np.interp(at, counted, seconds)) / top) * (high - 1))
            grid[y][x] = COLUMNS[name].sign
    labels = {0: f"{top:.3g}", high - 1: "0"}
    lines = [Text(f"{labels.get(y, ''):>6} ┤{''.join(cells)}".rstrip()) for y, cells in enumerate(grid)]
    axis, ticks = ["─"] * wide, [" "] * (wide + 4)
    taken = -1
    for count in every:
        x = round((count - every[0]) / (every[-1] - every[0]) * (wide - 1))
        axis[x] = "┬"
        if x > taken:
            taken = x + len(str(count))
            ticks[x:taken] = str(count)
    return [
        *lines,
        Text(f"{'':>6} └{''.join(axis)}"),
        Text(f"{'':>8}{''.join(ticks)}".rstrip()),
    ]


def _legend(found: Mapping[str, Mapping[int, Estimate]]) -> Text:
    """Say which sign is whose, in one line."""
    return Text("  ".join(f"{COLUMNS[name].sign} {name}" for name, values in found.items() if values))


def _failed(failed: Mapping[Case, str]) -> list[Text]:
    """Say every failed case: those of one column with one reason share a line."""
    merged: dict[tuple[str, str], list[int]] = {}
    for name, column in COLUMNS.items():
        for case, reason in failed.items():
            if case == column.case(case.workers):
                merged.setdefault((name, reason), []).append(case.workers)
    return [
        Text("failed ", style="red").append(
            f"{name} at {', '.join(map(str, workers))}: {reason}", style="default"
        )
        for (name, reason), workers in merged.items()
    ]
