"""The report of a comparison: a row and a verdict for every kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import (
    absent,
    caveats,
    closing,
    failures,
    figure,
    headline,
    leaders,
    note,
    scale_of_speedups,
    share,
    share_heading,
    share_note,
    stars_and_margins,
)
from gilkit.display.units import seconds
from gilkit.engine.executors import EXECUTORS
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.contrast import conclusion, contrast, of_own, several_own
from gilkit.studies.compare.contrast_table import UNIT_OF_WORK, beside
from gilkit.studies.compare.evidence import evidence, held_notes, worker_counts
from gilkit.studies.compare.figures import Evidence
from gilkit.studies.compare.merged import several_pythons
from gilkit.studies.compare.prediction import predicted
from gilkit.studies.compare.pythons_table import by_interpreter, last_sentence, rankings_of, scale
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
POSSIBLE = {NATIVE, CEILING}  # what says what was possible; the other columns compete
CALL_OF, ONE_CALL = "\ncall of", "\none call"
SPARED = {CALL_OF: 3, NATIVE: 2, ONE_CALL: 1}  # columns that go where it is narrow: the larger number first


def speedups(f: Evidence) -> dict[str, Estimate | None]:
    """Return the speedups of a row, by the column's heading."""
    threads = {head: f.threads.get(variant) for variant, head in THREADS.items()}
    further = {_further(name, one.variant): one.speedup for name, one in f.further.items()}
    return {**threads, PROCESSES: f.processes, **further, NATIVE: f.native, CEILING: f.ceiling}


def _further(executor: str, variant: str) -> str:
    """Return the heading of a further executor's column."""
    return f"{'python' if EXECUTORS[executor].plain and variant == 'python' else ''}\n{executor}"


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
        elif (kind := EXECUTORS.get(case.executor)) is not None and kind.further:
            found.add(_further(case.executor, case.variant))
    return found


def question(results: Results) -> str:
    """Return what a comparison answers."""
    if several_pythons(results):
        return scale(rankings_of(results))
    if several_own(results):
        return UNIT_OF_WORK
    counts = {count for kernel in results.kernels for count in worker_counts(results, kernel)}
    return scale_of_speedups(sorted(counts))


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return what to do, and the verdict on every kernel, in words."""
    if several_pythons(results):
        yield "in short", last_sentence(results).plain
        return
    found = list(verdicts(results))
    yield "in short", _closing(results, found).plain
    for kernel, verdict in found:
        yield kernel, "\n".join([_line(verdict).plain, *verdict.notes])


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
        TableColumn(CALL_OF, sizes, SPARED[CALL_OF]),
        TableColumn(ONE_CALL, lengths, SPARED[ONE_CALL]),
        TableColumn(
            share_heading(results.gil), [Text(share(f.held if f.gil else f.attached)) for f in shown]
        ),
    ]
    rows = [speedups(f) for f in shown]
    best = [leaders({head: s for head, s in row.items() if head not in POSSIBLE}) for row in rows]
    failed = [_failed(results, f.kernel) for f in shown]
    for head in _heads(rows, failed):
        cells = [
            figure(row.get(head), head in lead, row.get(head) is None and head in broken, head == CEILING)
            for row, lead, broken in zip(rows, best, failed, strict=True)
        ]
        columns.append(TableColumn(head, cells, SPARED.get(head, 0), points=True))
    return Group(question(results), Fitted(columns))


def _heads(rows: Sequence[Mapping[str, object]], failed: Iterable[set[str]]) -> list[str]:
    """Return the headings of the columns: those of further executors take the place of what is empty."""
    further = dict.fromkeys([*(head for row in rows for head in row), *(head for f in failed for head in f)])
    usual = [*THREADS.values(), PROCESSES]
    if beside := [head for head in further if head not in {*usual, *POSSIBLE}]:
        measured = {head for row in rows for head, does in row.items() if does is not None}.union(*failed)
        usual = [head for head in usual if head in measured]
    return [*usual, *beside, NATIVE, CEILING]


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
    if several_pythons(results):
        return by_interpreter(results)
    found = list(verdicts(results))
    if of_own(results):
        if len(found) > 1:
            return beside(results, [(name, _line(verdict)) for name, verdict in found])
        return own(results, found[0][0], Group(*_own_lines(results, *found[0])))
    small_print = stars_and_margins(results)
    if any(case.variant == "ceiling" for case in results):
        executor = next(case.executor for case in results if case.variant == "ceiling")
        workers = "native threads" if executor == "openmp" else "processes"
        small_print += f"; ceiling: {workers} on lcg, in the same rounds"
    parts: list[RenderableType] = [headline(results), "", _rows(results), note(small_print)]
    parts += [*caveats(results), "", _verdict_lines(found, max(len(kernel) for kernel, _ in found))]
    if len(found) == 1:  # a line for each of many would be more than the answer
        parts += _prediction(results, *found[0])
    for why, kernels in held_notes(results).items():
        of = "all kernels" if 1 < len(kernels) == len(found) else ", ".join(kernels)
        parts.append(Text(f"{share_note(results.gil)} of {of}: {why}", style="dim"))
    parts += absent(results.missing)
    if results.failures:
        parts += ["", *failures(results.failures)]
    return Group(*parts, "", _closing(results, found))


def _closing(results: Results, found: Sequence[tuple[str, Verdict]]) -> Text:
    """Say in one sentence what to do: of several kernels, with which of them; of statements, with which."""
    if several_own(results):
        return closing(*conclusion(contrast(results)))
    answers = [(kernel, what_to_do(evidence(results, kernel), verdict)) for kernel, verdict in found]
    if len(answers) == 1:
        said = answers[0][1]
        return closing(said.use, said.figures)
    text = Text()
    for use, kernels in by_use(answers):
        text.append("; " if text else "").append(f"{', '.join(kernels)}: ").append(use, style="bold")
    return text
