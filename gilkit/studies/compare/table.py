"""The report of a comparison: a row and a verdict for every kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import (
    caveats,
    closing,
    failures,
    figure,
    headline,
    leaders,
    note,
    scale_of_speedups,
    share,
    stars_and_intervals,
)
from gilkit.display.units import seconds
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.contrast import conclusion, contrast
from gilkit.studies.compare.contrast_table import UNIT_OF_WORK, beside
from gilkit.studies.compare.evidence import evidence, worker_counts
from gilkit.studies.compare.figures import Evidence
from gilkit.studies.compare.prediction import predicted
from gilkit.studies.compare.timeit_table import own
from gilkit.studies.compare.to_do import by_use, what_to_do
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
CONTESTANTS = 4  # the first columns compete; the others say what was possible
SPARED = {"call of": 2, NATIVE: 1}  # columns that go where it is narrow: the larger number first


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
    if of_own(results) and len(results.kernels) > 1:
        return UNIT_OF_WORK
    counts = {count for kernel in results.kernels for count in worker_counts(results, kernel)}
    return scale_of_speedups(sorted(counts))


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return what to do, and the verdict on every kernel, in words."""
    found = list(verdicts(results))
    yield "in short", _closing(results, found).plain
    for kernel, verdict in found:
        yield kernel, "\n".join([_line(verdict).plain, *verdict.notes])


def of_own(results: Results) -> bool:
    """Whether it is the reader's own code that was measured."""
    return any(case.variant == "function" for case in (*results, *results.failures))


def _rows(results: Results) -> RenderableType:
    """Return the table of speedups, one row for every kernel and worker count."""
    shown = [
        evidence(results, kernel, count)
        for kernel in results.kernels
        for count in worker_counts(results, kernel)
    ]
    several = len({f.workers for f in shown}) > 1
    columns = [TableColumn("\nkernel", [Text(f.kernel) for f in shown], name=True)]
    if several:
        columns.append(TableColumn("\nworkers", [Text(str(f.workers)) for f in shown], name=True))
    lengths = [Text("–" if f.call is None else seconds(f.call)) for f in shown]
    sizes = [Text(f"{f.size:,} {f.unit}" if f.size else "–") for f in shown]
    columns += [
        TableColumn("\ncall of", sizes, SPARED["call of"]),
        TableColumn("\none call", lengths),
        TableColumn("GIL\nheld", [Text(share(f.held)) for f in shown]),
    ]
    rows = [speedups(f) for f in shown]
    best = [leaders(dict(list(row.items())[:CONTESTANTS])) for row in rows]
    failed = [_failed(results, f.kernel) for f in shown]
    for head in rows[0]:
        cells = [
            figure(row[head], head in lead, row[head] is None and head in broken, head == CEILING)
            for row, lead, broken in zip(rows, best, failed, strict=True)
        ]
        columns.append(TableColumn(head, cells, SPARED.get(head, 0), points=True))
    return Group(question(results), Fitted(columns))


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
    more = _prediction(results, kernel, verdict)
    return [_line(verdict), *map(Text, verdict.notes), *more, Text(), _closing(results, [(kernel, verdict)])]


def _prediction(results: Results, kernel: str, verdict: Verdict) -> list[Text]:
    more = predicted(evidence(results, kernel), verdict)
    return [Text(more, style="dim")] if more else []


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of a comparison."""
    found = list(verdicts(results))
    if of_own(results):
        if len(found) > 1:
            return beside(results, [(name, _line(verdict)) for name, verdict in found])
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
    return Group(*parts, "", _closing(results, found))


def _closing(results: Results, found: Sequence[tuple[str, Verdict]]) -> Text:
    """Say in one sentence what to do: of several kernels, with which of them; of statements, with which."""
    if of_own(results) and len(found) > 1:
        return closing(*conclusion(contrast(results)))
    answers = [(kernel, what_to_do(evidence(results, kernel), verdict)) for kernel, verdict in found]
    if len(answers) == 1:
        said = answers[0][1]
        return closing(said.use, said.figures)
    text = Text()
    for use, kernels in by_use(answers):
        text.append("; " if text else "").append(f"{', '.join(kernels)}: ").append(use, style="bold")
    return text
