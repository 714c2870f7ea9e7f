"""Results -> tables: pure functions that return rich renderables."""

from __future__ import annotations

import io
from collections.abc import Iterable
from math import isnan
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gilkit.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.machine import BUSY
from gilkit.results import Case, Results
from gilkit.stats import Estimate
from gilkit.verdict import Cause, Figures, Verdict, figures, seconds, verdicts

WIDTH = 80  # columns that every table fits into
STYLES = {
    Cause.SCALES: "green",
    Cause.GIL: "yellow",
    Cause.SHORT: "yellow",
    Cause.HARDWARE: "cyan",
    Cause.UNEXPLAINED: "magenta",
    Cause.FAILED: "red",
}


NAME = 18  # columns that the name of a function may take


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


def columns(f: Figures) -> dict[str, Estimate | None]:
    """Return the speedups of a row, by the column's heading."""
    python = f.threads.get("python") if f.subject != "function" else f.threads.get("function")
    return {
        "python\nthreads": python,
        "gil\nthreads": f.threads.get("gil"),
        "nogil\nthreads": f.threads.get("nogil"),
        "\nprocesses": f.processes,
        "native\nthreads": f.native,
        "\nceiling": f.ceiling,
    }


CONTESTANTS = 4  # the first columns compete; the others say what was possible


def headline(results: Results) -> Text:
    """Return the first line: interpreter, GIL, CPUs and what others used of them."""
    facts = results.facts
    loads = [float(results.fact(case, "load") or 0.0) for case in results]
    load = max(loads, default=0.0)
    cpus = results.cpus
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


def _failed(results: Results, kernel: str) -> set[str]:
    """The headings of the columns whose case failed."""
    heads = {
        ("python", "threads"): "python\nthreads",
        ("function", "threads"): "python\nthreads",
        ("gil", "threads"): "gil\nthreads",
        ("nogil", "threads"): "nogil\nthreads",
        ("native", "openmp"): "native\nthreads",
    }
    found = set()
    for case in results.failures:
        if case.kernel == kernel:
            head = "\nprocesses" if case.executor == "processes" else heads.get((case.variant, case.executor))
            found.add(head or "")
    return found


def table(results: Results) -> Table:
    """Return the table of speedups, one row a kernel."""
    shown = [figures(results, kernel) for kernel in results.kernels]
    counts = dict.fromkeys(f.workers for f in shown)
    workers = " / ".join(map(str, counts))
    body = Table(
        title=f"How many times the work of one worker is done by {workers} workers at once?",
        title_justify="left",
        title_style="",
        box=None,  # columns touch, to fit into 80
        padding=0,
        pad_edge=False,
    )

    def column(head: str, width: int, **options: Any) -> None:
        body.add_column(f"{head}\n{'─' * width}", no_wrap=True, width=width, **options)

    own = any(f.subject == "function" for f in shown)
    width = 11 if not own else min(NAME, max(8, *(len(f.kernel) for f in shown)))
    column("\nfunction" if own else "\nkernel", width, overflow="ellipsis")
    column("one\ncall", 8, justify="right")
    column("GIL\nheld", 6, justify="right")
    heads = list(columns(shown[0]))
    if own:  # a function of one's own has one variant
        heads = [heads[0], *heads[3:4], *heads[5:]]
    for head in heads:
        text = head.replace("python\n", "\n") if own else head
        column(text, 10 if "processes" in head else 9, justify="right")
    for f in shown:
        speedups = columns(f)
        failed = _failed(results, f.kernel)
        contestants = [s for s in list(speedups.values())[:CONTESTANTS] if s is not None]
        best = max(contestants, default=None)
        cells: list[Text] = []
        for head in heads:
            speedup = speedups[head]
            if speedup is None and head in failed:
                cells.append(Text("failed", style="red"))
            elif speedup is not None and speedup is best and len(contestants) > 1:
                cells.append(Text(f"*{cell(speedup)}", style="bold green"))
            else:
                cells.append(Text(cell(speedup), style="dim" if head in heads[-1:] else ""))
        length = seconds(f.call) if f.call is not None else "–"
        body.add_row(f.kernel, length, share(f.held), *cells)
    return body


def _verdict_lines(found: Iterable[tuple[str, Verdict]], width: int) -> Table:
    lines = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    lines.add_column(no_wrap=True, width=width, overflow="ellipsis")
    lines.add_column()
    for kernel, verdict in found:
        text = Text(verdict.cause.value, style=f"bold {STYLES[verdict.cause]}")
        if verdict.why:
            text.append(f": {verdict.why}", style="default not bold")
        if verdict.advice:
            text.append(f" → {verdict.advice}", style="default not bold")
        lines.add_row(kernel, text)
    return lines


def failures(failed: dict[Case, str]) -> Iterable[Text]:
    """Say every failed case once: those of one kernel, variant and executor share a line."""
    merged: dict[tuple[str, str], list[int]] = {}
    for case, reason in failed.items():
        merged.setdefault((case.name.rsplit("/", 1)[0], reason), []).append(case.workers)
    for (name, reason), workers in merged.items():
        text = Text("failed ", style="red")
        text.append(f"{name} at {', '.join(map(str, workers))}: {reason}", style="default")
        yield text


def comparison(results: Results) -> RenderableType:
    """Return everything that there is to say of a comparison."""
    found = list(verdicts(results))
    parts: list[RenderableType] = [headline(results), "", table(results)]
    rounds = {len(results.values(case)) for case in results}
    notes = f"* best of its row; ± 95 % interval over {_span(rounds)} rounds"
    if any(case.variant == "ceiling" for case in results):
        executor = next(case.executor for case in results if case.variant == "ceiling")
        workers = "native threads" if executor == "openmp" else "processes"
        notes += f"; ceiling: {workers} on lcg, in the same rounds"
    parts += [Padding(Text(notes, style="dim"), 0), ""]
    parts.append(_verdict_lines(found, min(NAME, max(len(kernel) for kernel, _ in found))))
    watched = {str(note) for case in results if (note := results.fact(case, "held_note"))}
    parts += [Text(f"GIL held: {note}", style="dim") for note in sorted(watched)]
    if results.failures:
        parts += ["", *failures(results.failures)]
    return Group(*parts)


def _span(counts: Iterable[int]) -> str:
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least} to {most}"


def catalogue() -> RenderableType:
    """Return the kernels, variants and executors, with why one is not available here."""
    kernels = _plain_table("kernel", *VARIANTS, "size of a call", "limited by")
    why: dict[str, list[str]] = {}
    for kernel in KERNELS.values():
        has = [Text("yes", style="green") if kernel.variant(v) else Text("no", style="red") for v in VARIANTS]
        kernels.add_row(kernel.name, *has, f"{kernel.size:,} {kernel.unit}", kernel.limit)
        for variant, reason in kernel.missing.items():
            why.setdefault(reason, []).append(f"{kernel.name} {variant}")
    executors = _plain_table("executor", "available", "what runs a worker")
    for kind in EXECUTORS.values():
        absent = kind.missing()
        word = Text("no", style="red") if absent else Text("yes", style="green")
        executors.add_row(kind.name, word, kind.about)
        if absent:
            why.setdefault(absent, []).append(kind.name)
    notes = [Text(f"no {', '.join(names)}: {reason}", style="dim") for reason, names in why.items()]
    return Group(kernels, "", executors, *([""] if notes else []), *notes)


def _plain_table(*headings: str) -> Table:
    found = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for heading in headings:
        found.add_column(heading)
    return found


def text(results: Results, width: int = WIDTH) -> str:
    """Return the comparison as plain text."""
    return plain(comparison(results), width)


def plain(renderable: RenderableType, width: int = WIDTH) -> str:
    """Return a renderable as plain text."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, color_system=None, force_terminal=False, highlight=False)
    console.print(renderable)
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().splitlines())
