"""The report of the reader's own code: one call seen from every side, and what to do."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import (
    absent,
    caveats,
    failures,
    figure,
    headline,
    leaders,
    note,
    plain_table,
    scale_of_speedups,
    share,
    share_note,
    stars_and_margins,
)
from gilkit.display.units import nbytes, seconds
from gilkit.engine.executors import EXECUTORS
from gilkit.gil.law import behaviour
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.evidence import evidence, pickles, worker_counts
from gilkit.studies.compare.figures import Evidence
from gilkit.studies.compare.ladder import climbed
from gilkit.studies.compare.ladder_table import picture
from gilkit.studies.compare.speedups import speedup
from gilkit.workloads.pickling import Pickled

STAYS_ATTACHED = {
    "holds": "stays attached",
    "releases in part": "stays attached in part",
    "releases": "detaches",
}
SHOWN_PICKLES = 8  # pickles that are shown


def own(results: Results, kernel: str, verdict: RenderableType) -> RenderableType:
    """Return everything that there is to say of the reader's own code.

    Parameters
    ----------
    results : Results
    kernel : str
        What it is called.
    verdict : renderable
        The verdict on it.
    """
    f = evidence(results, kernel)
    parts: list[RenderableType] = [headline(results), "", Text(kernel, style="bold"), _call(results, f), ""]
    if (ladder := climbed(results, f)) is not None:
        parts += [*picture(ladder), ""]
    if ladder is None or worker_counts(results, kernel) != [ladder.workers]:
        parts.append(scale_of_speedups(worker_counts(results, kernel)))
    parts += [_speedups(results, kernel), note(_notes(results)), *caveats(results), ""]
    parts += _sent(results, f)
    parts.append(verdict)
    watched = results.fact(results.baseline(Case(kernel, "function", "threads", 1)), facts.HELD_NOTE)
    parts += [Text(f"{share_note(results.gil)}: {watched}", style="dim")] if watched else []
    parts += absent(results.missing)
    if results.failures:
        parts += ["", *failures(results.failures)]
    return Group(*parts)


def _call(results: Results, f: Evidence) -> Text:
    """How long a call is, and for what share of it the GIL is held, or the thread attached."""
    line = Text("one call ")
    line.append("–" if f.call is None else seconds(f.call), style="bold")
    if f.held is not None:
        line.append(" · ")
        line.append(behaviour(f.held), style="bold")
        line.append(f": the GIL is held for {share(f.held)} of it")
    if f.attached is not None:
        line.append(" · ")
        line.append(STAYS_ATTACHED[behaviour(f.attached)], style="bold")
        line.append(f": for {share(f.attached)} of it")
    if f.held is not None or f.attached is not None:
        longest = results.fact(results.baseline(Case(f.kernel, "function", "threads", 1)), facts.HELD_LONGEST)
        if longest and f.call is not None:  # a hold may last over several calls
            line.append(f", for up to {seconds(min(longest, f.call))} at a time")
    return line


def by_workers(results: Results, kernel: str) -> dict[str, dict[int, Case]]:
    """Return the cases of every column, by its heading and by workers; some were not measured."""
    cases = [case for case in (*results, *results.failures) if case.kernel == kernel]
    counts = sorted({case.workers for case in cases if case.variant != "unpinned"} | {1})
    columns = {
        **{name: ("function", name) for name, kind in EXECUTORS.items() if not kind.single},
        "shared": ("shared", "threads"),
        "one inside": ("single", "threads"),
        "sent": ("sent", "processes"),
        "ceiling": ("ceiling", next((c.executor for c in cases if c.variant == "ceiling"), "")),
    }
    used = {head: key for head, key in columns.items() if any((c.variant, c.executor) == key for c in cases)}
    return {head: {count: Case(kernel, *key, count) for count in counts} for head, key in used.items()}


def _speedups(results: Results, kernel: str) -> Fitted:
    """One row for every worker count."""
    used = by_workers(results, kernel)
    counts = list(next(iter(used.values())))
    rows = {
        count: {head: speedup_shown(results, cases[count]) for head, cases in used.items()}
        for count in counts
    }
    best = {
        count: leaders({head: s for head, s in row.items() if head != "ceiling" and count > 1})
        for count, row in rows.items()
    }
    shown = [TableColumn("workers", [Text(str(count)) for count in counts], name=True)]
    for head, cases in used.items():
        cells = [
            figure(rows[count][head], head in best[count], case in results.failures, head == "ceiling")
            for count, case in cases.items()
        ]
        shown.append(TableColumn(head, cells, points=True))
    return Fitted(shown)


def speedup_shown(results: Results, case: Case) -> Estimate | None:
    """Return a speedup; without an interval what others are relative to."""
    found = speedup(results, case)
    if case != results.baseline(case):
        return found
    return Estimate(found) if found is not None and case.variant != "ceiling" else None


def _notes(results: Results) -> str:
    text = stars_and_margins(results)
    if any(case.variant == "shared" for case in results):
        text += "; shared: threads that share what SETUP makes"
    if any(case.variant == "single" for case in results):
        text += "; one inside: threads whose calls have one thread inside"
    if any(case.variant == "sent" for case in results):
        text += "; sent: processes that are sent the data of each call and send its result back"
    return text


def _sent(results: Results, f: Evidence) -> list[RenderableType]:
    """What a worker takes, and what it costs to send it data."""
    case = results.baseline(Case(f.kernel, "function", "threads", 1))
    parts: list[RenderableType] = []
    found = pickles(results, case)
    if found:
        body = plain_table("to send", "size", "pickle and back", figures=1)
        largest = sorted(found, key=lambda item: (not item.problem, -item.nbytes))[:SHOWN_PICKLES]
        for item in [item for item in found if item in largest]:
            body.add_row(*_pickle(item))
        parts.append(body)
        if len(found) > SHOWN_PICKLES:
            parts.append(Text(f"and {len(found) - SHOWN_PICKLES} smaller ones", style="dim"))
        parts += [
            Text(f"{item.name} cannot be pickled, so not sent: {item.problem}", style="yellow")
            for item in found
            if item.problem
        ]
    memory = [
        f"a further {kind.worker} takes {nbytes(float(used))}"
        for name, kind in EXECUTORS.items()
        if (used := results.fact(case, facts.MEMORY.named(name))) is not None
    ]
    if memory:
        parts.append(Text("memory: " + ", ".join(memory)))
    return [*parts, ""] if parts else parts


def _pickle(item: Pickled) -> tuple[str, str, str]:
    if item.problem:
        return item.name, "–", "–"
    return item.name, nbytes(item.nbytes), seconds(item.seconds)
