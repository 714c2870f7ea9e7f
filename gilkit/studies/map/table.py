"""The report of a map: the line to copy, the best of every pool, chunk sizes, and why the others lose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import (
    absent,
    caveats,
    failure,
    failures,
    figure,
    headline,
    leaders,
    note,
    share_note,
    stars_and_margins,
)
from gilkit.display.units import rough_count, seconds
from gilkit.engine.written import enclosed
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.map.figures import (
    MapAnswer,
    Measure,
    advised,
    answer,
    best_of_each,
    cases_shown,
    chunk_curve,
    code,
    failing_lines,
    imports_of,
    pool_code,
    subject,
)
from gilkit.studies.map.names import Way, way
from gilkit.studies.map.plan import UNSTEADY
from gilkit.studies.map.reasons import chunk_advice, costs, of_gil, tail, why
from gilkit.studies.map.verdict import Paying

BAR_LENGTH = 30  # characters of the longest bar
SLOW = 0.095  # times the loop, below which it is shown as a part of it
SHOWN_NAME = 40  # characters of a function, or of items, that are shown


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of a map."""
    about = subject(results)
    what, figures = conclusion(results)
    parts: list[RenderableType] = [headline(results), ""]
    parts += (
        [Text(what, style="bold"), Text(figures, style="not bold")] if figures else [Text(what, style="bold")]
    )
    parts += [note(f"with {'; '.join(imports)}")] if (imports := needed(results)) else []
    parts += ["", Text(items_words(results))]
    each = best_of_each(results)
    if each:
        parts += ["", Text(question(results), style="bold"), _pools(each), _small_print(results)]
    parts += list(caveats(results))
    curve = chunk_curve(results)
    if curve:
        parts += ["", Text(f"Chunk sizes on {pool_code(curve[0].way)}:"), *_curve(curve)]
    said = [(who, text) for who, text in answers(results)]
    if said:
        parts.append("")
    for who, text in said:
        parts.append(Text(f"{who}:", style="bold").append(f" {text}", style="not bold"))
    wrong = [failure(who, reason) for who, reason in failing_lines(about)]
    wrong += list(failures(results.failures, lambda case: _named(case)))
    lacking = list(absent(results.missing))
    parts += ["", *wrong] if wrong else []
    parts += ["", *lacking] if lacking else []
    return Group(*parts)


def question(results: Results) -> str:
    """Return what is answered."""
    about = subject(results)
    items = enclosed(about.items, "f({})")
    return f"Which pool, and which chunk size, for map({_short(about.function)}, {_short(items)})?"


def needed(results: Results) -> tuple[str, ...]:
    """Return what the line to copy imports of libraries."""
    found = answer(results)
    return () if found.best is None else imports_of(advised(found))


def items_words(results: Results) -> str:
    """Say how many items there are, how long they take and which of them were measured."""
    about = subject(results)
    times = about.times
    some = "" if times.timed == about.count else f"; {times.timed:,} were timed"
    if about.count == 1:
        return f"one item, which takes {seconds(times.median)}"
    longest = f"longest {seconds(times.longest)}"
    text = f"{about.count:,} items, {seconds(times.median)} each (median; {longest}){some}"
    sizes = [about.measured, *(one.items for one in best_of_each(results))]
    if min(sizes) < about.count:
        some = f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"
        text += f"; a round has {some} of them, whose times are spread as all are"
    return text


def _pools(each: Sequence[Measure]) -> Fitted:
    """One row for the best of every executor."""
    best = leaders({one.way.executor: one.speedup for one in each})
    phases = [one.phases for one in each]
    columns = [
        TableColumn("pool", [Text(one.way.executor) for one in each], name=True),
        TableColumn("workers", [Text(str(one.way.workers)) for one in each]),
        TableColumn("chunk\nsize", [Text(str(one.way.chunk)) for one in each]),
        TableColumn(
            "times the\nloop", [_cell(one.speedup, one.way.executor in best) for one in each], points=True
        ),
        TableColumn("start", [Text(seconds(one.start) if one.start else "–") for one in each]),
    ]
    for head in ("send", "compute", "back", "idle"):
        cells = [Text("–" if one is None else f"{getattr(one, head):.0%}") for one in phases]
        columns.append(TableColumn(head, cells, spare=1))
    return Fitted(columns)


def _small_print(results: Results) -> RenderableType:
    text = (
        "times the loop: on a pool that is there; start: until it is. Then the time of its workers: send, "
        "until an item is there; compute; back, until the last result is; idle at the end"
    )
    return note(f"{text}. {stars_and_margins(results, 'of all', cases_shown(results))}")


def _cell(speedup: Estimate, best: bool) -> Text:
    """Return a speedup as a cell; what is much slower than the loop as a part of it."""
    return figure(speedup, best) if speedup >= SLOW else Text(f" 1/{rough_count(1 / speedup)}")


def _curve(curve: Sequence[Measure]) -> Iterator[Text]:
    """One line for every chunk size, with a bar."""
    best = leaders({str(one.way.chunk): one.speedup for one in curve})
    most = max(one.speedup for one in curve)
    for one in curve:
        cell = _cell(one.speedup, str(one.way.chunk) in best)
        bar = "█" * max(1, round(BAR_LENGTH * one.speedup / most))
        yield Text(f"{one.way.chunk:>10,} ") + cell + Text(f"{'':{max(1, 10 - len(cell))}}{bar}")


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return in words why pools do what they do, what a task costs, and what was seen of the items."""
    about, found = subject(results), answer(results)
    for one in best_of_each(results):
        text = why(results, one)
        if text:
            yield one.way.executor, text
        if one.different and UNSTEADY not in about.notes:
            yield one.way.executor, f"results differ from those of the loop: {one.different}"
    curve = {one.way.executor for one in chunk_curve(results)}
    for executor, text in costs(results):  # where no pool pays they are in the answer
        if found.paying is Paying.OPEN or (found.paying is Paying.POOL and executor in curve):
            yield f"a task on {executor}", text
    if uneven := tail(about):
        advice = f"; {chunk_advice(about, found.best)}" if found.best is not None else ""
        yield "uneven items", uneven + advice
    for text in about.notes:
        yield "note", text
    held_note = results.fact(Way().case(about.function), facts.HELD_NOTE)
    if held_note:
        yield share_note(results.gil), held_note


def conclusion(results: Results) -> tuple[str, str]:
    """Return the answer, the line to copy where there is one, and the figures that say so."""
    about, found = subject(results), answer(results)
    if found.best is None:
        return "not decided", "no pool could be measured"
    if about.count == 1:
        return "no pool pays", "one item is one task, and nobody can share it"
    line = code(advised(found), about)
    if found.paying is Paying.POOL:
        return line, _figures(found, results)
    if found.paying is Paying.LOOP:
        return f"no pool pays: {line}", _losing(found, results)
    figures = _of_each(results) if advised(found).is_loop else _figures(found, results)
    return "not decided", f"best so far: {line}: {figures}; {_open(results)}"


def _figures(found: MapAnswer, results: Results) -> str:
    """Say what the best is, from how many items on it pays, and what the others are."""
    assert found.best is not None
    about, told = subject(results), []
    if found.whole is not None:
        once = "" if found.whole.speedup.decided else ", once"
        told.append(f"{_times(found.whole)} with its start and all {found.whole.way.count:,} items{once}")
    items = found.best.items
    over = f" on {items:,} of the items" if items < about.count else ""
    told.append(f"{_times(found.best)}{over} when it is there")
    if found.pays_from is not None:
        told.append(f"pays from {found.pays_from.way.count:,} items on ({_times(found.pays_from)})")
    others = [one for one in best_of_each(results) if one.way.executor != found.best.way.executor]
    for one in others:
        held = of_gil(results, one)
        told.append(f"{one.way.executor} {_times(one)}" + (f": {held}" if held else ""))
    return "; ".join(told)


def _of_each(results: Results) -> str:
    return "; ".join(f"{one.way.executor} {_times(one)}" for one in best_of_each(results))


def _losing(found: MapAnswer, results: Results) -> str:
    told = [_of_each(results)]
    if found.whole is not None and found.whole.speedup.decided and found.best is not None:
        start = found.best.start
        items = f"{found.whole.way.count:,} items do not make up for"
        told.insert(0, f"{_times(found.whole)} with a start of {seconds(start)}, which {items}")
    return "; ".join([*told, *(f"a task on {who} costs {text}" for who, text in costs(results))])


def _open(results: Results) -> str:
    if not all(one.speedup.decided for one in best_of_each(results)):
        return "too few rounds: use a longer --budget, or fewer --executor"
    return "intervals do not tell: use a longer --budget, on a quiet machine"


def _times(one: Measure) -> str:
    found = one.speedup
    if found < SLOW:
        return f"1/{rough_count(1 / found)}×"
    if not found.decided:
        return f"{found:.2f}×"
    return f"{found:.2f}× ({found.low:.2f}–{found.high:.2f})"


def _named(case: Case) -> str:
    what = way(case)
    return "the loop" if what.is_loop else replace(what, chunk=1).executor


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_NAME else text[: SHOWN_NAME - 1] + "…"
