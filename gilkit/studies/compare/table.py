"""The report of a comparison: a row and a verdict for every kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gilkit.display.tables import caveats, cell, failures, headline, leaders, note, share, stars_and_intervals
from gilkit.display.units import seconds
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.evidence import evidence, shown_workers
from gilkit.studies.compare.figures import Evidence
from gilkit.studies.compare.prediction import predicted
from gilkit.studies.compare.timeit_table import AT_ONCE, own
from gilkit.studies.compare.verdict import Cause, Verdict, verdicts

COLOURS_OF_CAUSES = {
    Cause.SCALES: "green",
    Cause.GIL: "yellow",
    Cause.WAITING: "green",
    Cause.PARALLEL: "cyan",
    Cause.AGAIN: "yellow",
    Cause.SHORT: "yellow",
    Cause.SCHEDULER: "yellow",
    Cause.LOCK: "yellow",
    Cause.SHARED: "yellow",
    Cause.HARDWARE: "cyan",
    Cause.TRANSFER: "yellow",
    Cause.BUSY: "magenta",
    Cause.NOT_DECIDED: "magenta",
    Cause.FAILED: "red",
}


# The headings of the columns: of threads by variant, and of what stands beside them.
THREADS = {variant: f"{variant}\nthreads" for variant in ("python", "gil", "nogil")}
PROCESSES, NATIVE, CEILING = "\nprocesses", "native\nthreads", "\nceiling"
NAME_WIDTH = 11  # columns of a kernel's name
CONTESTANTS = 4  # the first columns compete; the others say what was possible


def speedups(f: Evidence) -> dict[str, Estimate | None]:
    """Return the speedups of a row, by the column's heading."""
    threads = {head: f.threads.get(variant) for variant, head in THREADS.items()}
    return {**threads, PROCESSES: f.processes, NATIVE: f.native, CEILING: f.ceiling}


def _failed(results: Results, kernel: str) -> set[str]:
    """The headings of the columns whose case failed."""
    found = set()
    for case in results.failures:
        if case.kernel != kernel:
            continue
        if case.executor == "processes":
            found.add(PROCESSES)
        elif (case.variant, case.executor) == ("native", "openmp"):
            found.add(NATIVE)
        elif case.executor == "threads" and case.variant in THREADS:
            found.add(THREADS[case.variant])
    return found


def question(results: Results) -> str:
    """Return what a comparison answers."""
    if of_own(results):
        return AT_ONCE
    counts = dict.fromkeys(shown_workers(results, kernel) for kernel in results.kernels)
    return f"How many times the work of one worker is done by {' / '.join(map(str, counts))} workers at once?"


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return the verdict on every kernel, in words."""
    for kernel, verdict in verdicts(results):
        yield kernel, "\n".join([_line(verdict).plain, *verdict.notes])


def of_own(results: Results) -> bool:
    """Whether it is the reader's own code that was measured."""
    return any(case.variant == "function" for case in (*results, *results.failures))


def _rows(results: Results) -> Table:
    """Return the table of speedups, one row a kernel."""
    shown = [evidence(results, kernel) for kernel in results.kernels]
    body = Table(
        title=question(results),
        title_justify="left",
        title_style="",
        box=None,  # columns touch, to fit into 80
        padding=0,
        pad_edge=False,
    )

    def column(head: str, width: int, **options: Any) -> None:
        body.add_column(f"{head}\n{'─' * width}", no_wrap=True, width=width, **options)

    column("\nkernel", NAME_WIDTH)
    column("one\ncall", 8, justify="right")
    column("GIL\nheld", 6, justify="right")
    heads = list(speedups(shown[0]))
    for head in heads:
        column(head, 10 if "processes" in head else 9, justify="right")
    for f in shown:
        row = speedups(f)
        failed = _failed(results, f.kernel)
        best = leaders(dict(list(row.items())[:CONTESTANTS]))
        cells: list[Text] = []
        for head in heads:
            speedup = row[head]
            if speedup is None and head in failed:
                cells.append(Text("failed", style="red"))
            elif head in best:
                cells.append(Text(f"*{cell(speedup)}", style="bold green"))
            else:
                cells.append(Text(cell(speedup), style="dim" if head in heads[-1:] else ""))
        length = seconds(f.call) if f.call is not None else "–"
        body.add_row(f.kernel, length, share(f.held), *cells)
    return body


def _verdict_lines(found: Iterable[tuple[str, Verdict]], width: int) -> Table:
    lines = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    lines.add_column(no_wrap=True, width=width)
    lines.add_column()
    for kernel, verdict in found:
        lines.add_row(kernel, Text("\n").join([_line(verdict), *map(Text, verdict.notes)]))
    return lines


def _line(verdict: Verdict) -> Text:
    text = Text(verdict.head, style=f"bold {COLOURS_OF_CAUSES[verdict.cause]}")
    if verdict.why:
        text.append(f": {verdict.why}", style="default not bold")
    if verdict.advice:
        text.append(f" → {verdict.advice}", style="default not bold")
    return text


def _own_lines(results: Results, kernel: str, verdict: Verdict) -> Iterable[Text]:
    """Return the verdict on the reader's own code, what else is certain, and what more CPUs would give."""
    return [_line(verdict), *map(Text, verdict.notes), *_prediction(results, kernel, verdict)]


def _prediction(results: Results, kernel: str, verdict: Verdict) -> list[Text]:
    more = predicted(evidence(results, kernel), verdict)
    return [Text(more, style="dim")] if more else []


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of a comparison."""
    found = list(verdicts(results))
    if of_own(results):
        return own(results, found[0][0], Group(*_own_lines(results, *found[0])))
    small_print = stars_and_intervals(results)
    if any(case.variant == "ceiling" for case in results):
        executor = next(case.executor for case in results if case.variant == "ceiling")
        workers = "native threads" if executor == "openmp" else "processes"
        small_print += f"; ceiling: {workers} on lcg, in the same rounds"
    parts: list[RenderableType] = [headline(results), "", _rows(results), note(small_print)]
    parts += [*caveats(results), "", _verdict_lines(found, max(len(kernel) for kernel, _ in found))]
    if len(found) == 1:  # a line for each of many would be more than the answer
        parts += _prediction(results, *found[0])
    watched = {said for case in results if (said := results.fact(case, facts.HELD_NOTE))}
    parts += [Text(f"GIL held: {said}", style="dim") for said in sorted(watched)]
    if results.failures:
        parts += ["", *failures(results.failures)]
    return Group(*parts)
