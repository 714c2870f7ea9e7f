"""What several reports have in common."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from math import isnan
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from gilkit.machine import BUSY
from gilkit.results import Case, Results
from gilkit.stats import Estimate

WIDTH = 80  # columns that every table fits into


def cell(speedup: Estimate | None) -> str:
    """Return a speedup in eight characters: ``1.98±.02``, the margin being that of its 95 % interval."""
    if speedup is None:
        return "–"
    digits = 2 if speedup < 9.995 else 1
    if isnan(margin := speedup.margin):
        return f"{speedup:.{digits}f}"
    if margin >= 0.995:
        return f"{speedup:.1f}±{margin:.1f}"
    return f"{speedup:.{digits}f}±{f'{max(margin, 10**-digits):.{digits}f}'.lstrip('0')}"


def share(held: float | None) -> str:
    """Return a share of a call in at most five characters, as ``57%`` or ``0.2%``."""
    if held is None:
        return "–"
    return f"{held:.0%}" if held >= 0.095 or held == 0 else f"{held:.1%}" if held >= 0.001 else "<0.1%"


def headline(results: Results) -> Text:
    """Return the first line: interpreter, GIL, CPUs and what others used of them."""
    return heading(
        results.facts, max((float(results.fact(case, "load") or 0.0) for case in results), default=0.0)
    )


def heading(facts: Mapping[str, Any], load: float) -> Text:
    """Return the first line, of the facts of a run and of what others used."""
    cpus = int(facts.get("gilkit_cpus", 1))
    line = Text(
        f"{facts.get('gilkit_interpreter', 'unknown Python')} · GIL {facts.get('gilkit_gil', 'unknown')} · "
        f"{cpus} CPU{'s' * (cpus != 1)} · ",
        style="bold",
    )
    if load >= BUSY:
        line.append(f"BUSY: others use {load:.1f}", style="bold red")
    else:
        line.append(f"load by others {load:.2f}")
    return line


def failures(failed: dict[Case, str]) -> Iterable[Text]:
    """Say every failed case once: those of one kernel, variant and executor share a line."""
    merged: dict[tuple[str, str], list[int]] = {}
    for case, reason in failed.items():
        merged.setdefault((_who(case), reason), []).append(case.workers)
    serial = next((case for case in failed if case.variant == "function" and case.executor == "serial"), None)
    if serial is not None:  # what fails alone has failed, whatever would have run it
        merged = {("", failed[serial]): []}
    for (name, reason), workers in merged.items():
        text = Text("failed" + (" " if name else ""), style="red")
        at = f" at {', '.join(map(str, workers))}" if workers else ""
        text.append(f"{name}{at}: {reason}", style="default")
        yield text


def _who(case: Case) -> str:
    if case.variant == "function":
        return case.executor
    return "sent" if case.variant == "sent" else case.name.rsplit("/", 1)[0]


def span(counts: Iterable[int]) -> str:
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least} to {most}"


def plain_table(*headings: str) -> Table:
    found = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for heading in headings:
        found.add_column(heading)
    return found


def plain(renderable: RenderableType, width: int = WIDTH) -> str:
    """Return a renderable as plain text."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, color_system=None, force_terminal=False, highlight=False)
    console.print(renderable)
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().splitlines())
