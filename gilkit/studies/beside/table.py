"""The report of neighbours: what each keeps, how late an event loop is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import (
    caveats,
    closing,
    failure,
    headline,
    note,
    round_counts,
    share,
    share_heading,
    share_note,
)
from gilkit.display.units import seconds
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import FEWEST_ROUNDS, Estimate
from gilkit.studies.beside.figures import Side, quiet, sides, undisturbed_rounds
from gilkit.studies.beside.sides import WHERE, alone, other_of, statements, where_of
from gilkit.studies.beside.verdict import (
    Answer,
    Effect,
    Ruled,
    event_loop,
    is_prompt,
    shorter_interval,
    together,
)

SHOWN_STATEMENT = 74  # characters of a statement that are shown


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of neighbours."""
    known = sides(results)
    parts: list[RenderableType] = [headline(results), ""]
    for letter, one in known.items():
        text = (
            one.statement
            if len(one.statement) <= SHOWN_STATEMENT
            else one.statement[: SHOWN_STATEMENT - 1] + "…"
        )
        parts.append(Text(f"{letter}  ", style="bold") + Text(text, style="not bold"))
    parts += [question(results), _keeping(results, list(known.values())), _small_print(results)]
    parts += [
        *caveats(results),
        "",
        "How late is a ticker that wakes each millisecond, as an event loop does?",
    ]
    parts += [_lateness(results, known), ""]
    for who, text in answers(results):
        head = Text(who if who in known else f"{who}:", style="bold")
        parts.append(head.append(f" {text}", style="not bold"))
    notes = {one.note for one in known.values() if one.note}
    parts += [Text(f"{share_note(results.gil)}: {text}", style="dim") for text in sorted(notes)]
    if results.failures:
        parts += ["", *_failed(results)]
    return Group(*parts, "", closing(*conclusion(results)))


def question(results: Results) -> str:
    """Return what is answered."""
    if len(statements(results)) > 1:
        return "What does each keep of its throughput, when the other runs beside it?"
    return "What does it keep of its throughput beside a ticker, and what does it cost that?"


def _keeping(results: Results, known: Sequence[Side]) -> Fitted:
    """One row for every statement."""
    heads = {"threads": "on\nthreads", "processes": "in\nprocesses", "shorter": _interval(results)}
    shown = [TableColumn("", [Text(one.letter) for one in known], name=True)]
    for head, cells in (
        ("a call\nalone", [Text("–" if one.call is None else seconds(one.call)) for one in known]),
        (share_heading(results.gil), [Text(_share(one)) for one in known]),
        ("one\nhold", [Text(_time(one.hold)) for one in known]),
    ):
        shown.append(TableColumn(head, cells))
    for where, head in heads.items():
        cells = [Text(_percent(one.kept.get(where), margin=True)) for one in known]
        if any(where in one.kept for one in known):
            shown.append(TableColumn(head, cells))
    return Fitted(shown)


def _small_print(results: Results) -> RenderableType:
    text = f"100 %: all that it does alone; {_interval(results, ' of ')}: threads with that switch interval"
    counts = [len(results.rounds(case)) for case in results]
    if max(counts) >= FEWEST_ROUNDS:
        text += f"; ± 95 % interval over {round_counts(results)} rounds"
    if min(counts) < FEWEST_ROUNDS:
        text += f"; a–b: the range of fewer than {FEWEST_ROUNDS} rounds, which decide nothing"
    return note(text)


def _lateness(results: Results, known: dict[str, Side]) -> Fitted:
    """One row for nothing beside the ticker, and one for everything else."""
    rows = {"nothing": quiet(results)}
    places = {"threads": "", "processes": ", in a process", "shorter": f", {_interval(results, ' ')}"}
    for letter, one in known.items():
        rows |= {f"{letter}{places[where]}": one.late[where] for where in WHERE if where in one.late}
    there = {who: late for who, late in rows.items() if late is not None}
    columns = {
        "usually": [Text(_time(late.usual)) for late in there.values()],
        "99 %": [Text(_time(late.nearly_all)) for late in there.values()],
        "most": [Text(_time(late.most)) for late in there.values()],
    }
    named = TableColumn("beside", [Text(who) for who in there], name=True)
    return Fitted([named, *(TableColumn(head, cells) for head, cells in columns.items())])


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return in words what each keeps, how late an event loop is, and what a shorter interval does."""
    known, switch = sides(results), facts.SWITCH_INTERVAL.needed(results.facts)
    for letter, one in known.items():
        other = known.get(one.other)
        if "threads" in one.kept:
            yield letter, _keeps(one, other)
    for letter, one in known.items():
        if "threads" in one.late:
            yield "event loop", _loop(letter, one, event_loop(one, switch))
    if any("shorter" in one.kept for one in known.values()):
        yield f"switch interval of {_interval(results, ' ').removeprefix('interval ')}", _shorter(known)


def _keeps(one: Side, other: Side | None) -> str:
    """Say what one keeps, and what the other does with the GIL."""
    beside = f"of its throughput beside {'the ticker' if other is None else one.other}"
    where = {"threads": f"{beside} on threads", "processes": "in processes"}
    told = [f"{_percent(one.kept[name])} {text}" for name, text in where.items() if name in one.kept]
    holder = other or one
    text = f"keeps {', '.join(told)}"
    return f"{text}; {_holds(holder)}" if holder.watched is not None else text


def _share(one: Side) -> str:
    return share(one.watched).replace("%", " %")


def _holds(one: Side) -> str:
    """Say for what share one holds the GIL, and how long at a time; or stays attached."""
    if one.attached is not None:
        return f"{one.letter} stays attached for {_share(one)}"
    text = f"{one.letter} holds the GIL for {_share(one)}"
    return f"{text}, {_time(one.hold)} at a time" if one.hold is not None and one.held else text


def _loop(letter: str, one: Side, ruled: Ruled) -> str:
    late = one.late["threads"]
    text = f"beside {letter} it is {_time(late.nearly_all)} late (99 %), at most {_time(late.most)}"
    return f"{text}: {advice(ruled)}"


def advice(ruled: Ruled) -> str:
    """Say what to do with a statement beside an event loop."""
    elsewhere = f"put {ruled.whom} into a process"
    match ruled.answer:
        case Answer.TOGETHER:
            return "no harm"
        case Answer.CUT:
            cut = f"cut {ruled.whom} into pieces of at most {1e3 * ruled.pieces:g} ms"
            return cut if ruled.processes is False else f"{cut}, or {elsewhere}"
        case Answer.PROCESS:
            return elsewhere
        case _:
            return "whether that is harm is not decided"


def _shorter(known: dict[str, Side]) -> str:
    """Say what a shorter switch interval does."""
    effect = shorter_interval(*known.values())
    if len(known) > 1:
        told = [f"{one.letter} keeps {_percent(one.kept.get('shorter'))}" for one in known.values()]
    else:
        (one,) = known.values()
        told = (
            [f"an event loop is {_time(one.late['shorter'].nearly_all)} late"]
            if "shorter" in one.late
            else []
        )
    word = "what it changes is not decided" if effect is Effect.OPEN else effect.value
    return f"{word}: {', '.join(told)}"


def conclusion(results: Results) -> tuple[str, str]:
    """Return what to do, and the figures that say so."""
    known, switch = sides(results), facts.SWITCH_INTERVAL.needed(results.facts)
    failed = [letter for letter in known if alone(letter) in results.failures]
    if failed:
        return "not decided", f"{' and '.join(failed)} failed"
    if len(known) == 1:
        (one,) = known.values()
        helps = shorter_interval(one) is Effect.HELPS and is_prompt(one.late.get("shorter")) is True
        ruled = event_loop(one, switch)
        what, why = _for_loop(one, ruled, _interval(results, " of ") if helps else "")
        return (what, f"{why}: {_why_open(results)}") if ruled.answer is Answer.OPEN else (what, why)
    a, b = known.values()
    ruled = together(a, b, switch)
    figures = "; ".join(
        f"{one.letter} keeps {_percent(one.kept.get('threads'))} on threads"
        + (f", {_percent(one.kept['processes'])} in processes" if "processes" in one.kept else "")
        for one in (a, b)
    )
    whom = " or ".join(ruled.whom)
    match ruled.answer:
        case Answer.TOGETHER:
            return "keep them together", figures
        case Answer.PROCESS:
            return f"put {whom} into a process", figures
        case Answer.RELEASE:
            hold = next(one.hold for one in (a, b) if one.letter == ruled.whom)
            rest = f", or put it into a process (one hold takes {_time(hold)})" if ruled.processes else ""
            return f"release the GIL in {whom}{rest}", figures
        case _:
            return "not decided", f"{figures}: {_why_open(results)}"


def _why_open(results: Results) -> str:
    """Say why nothing is decided, or what may decide it."""
    counting, tried = undisturbed_rounds(results)
    if counting < FEWEST_ROUNDS <= tried:
        return f"the machine is too busy: {counting} of {tried} rounds were undisturbed"
    return "use more --rounds, on a quiet machine"


def _for_loop(one: Side, ruled: Ruled, interval: str) -> tuple[str, str]:
    late, harmful = one.late.get("threads"), ruled.answer in (Answer.CUT, Answer.PROCESS)
    beside = f"beside {one.letter} (99 %)"
    figures = "" if late is None else f"an event loop is {_time(late.nearly_all)} late {beside}"
    if "processes" in one.late and harmful:
        figures += f", {_time(one.late['processes'].nearly_all)} where that is in a process"
    if interval and harmful:
        figures += f", {_time(one.late['shorter'].nearly_all)} with that interval"
    if ruled.answer is Answer.OPEN:
        return "not decided", figures
    if ruled.answer is Answer.TOGETHER:
        return f"{one.letter} may run on a thread beside an event loop", figures
    return advice(ruled) + (f", or set a switch {interval}" if interval else ""), figures


def _failed(results: Results) -> Iterator[Text]:
    """Say once why whom could not be measured: what fails alone has failed, whoever is beside it."""
    broken = [case.kernel for case in results.failures if case == alone(case.kernel)]
    for letter in dict.fromkeys(broken):
        yield failure(letter, results.failures[alone(letter)])
    told: dict[tuple[frozenset[str], str, str], None] = {}
    for case, reason in results.failures.items():
        both = frozenset(filter(None, (case.kernel, other_of(case))))
        if not both & set(broken):
            told[both, where_of(case), reason] = None
    for both, where, reason in told:
        yield failure(f"{' beside '.join(sorted(both))}, {_place(results, where)}", reason)


def _place(results: Results, where: str) -> str:
    places = {"threads": "on threads", "processes": "in processes"}
    return places.get(where) or f"on threads, {_interval(results, ' ')}"


def named(results: Results, case: Case) -> str:
    """Return what a case is called: who, beside whom, where."""
    beside = f" beside {other_of(case)}" if other_of(case) else " alone"
    return f"{case.kernel}{beside}, {_place(results, where_of(case))}"


def _interval(results: Results, between: str = "\n") -> str:
    """Return what the shorter switch interval is called."""
    return f"interval{between}{facts.SHORTER.of(results.facts, 0.0) * 1e3:g} ms"


def _percent(part: Estimate | None, margin: bool = False) -> str:
    """Return a share, as ``37 %``; with its margin, or else its range, as ``37±2 %``."""
    if part is None:
        return "–"
    text = f"{100 * part:.0f}"
    if margin and part.decided:
        text += f"±{max(1.0, 100 * part.margin):.0f}"
    elif margin and part.least < part.most:
        text = f"{100 * part.least:.0f}–{100 * part.most:.0f}"
    return f"{text} %"


def _time(value: float | None) -> str:
    """Return a time, to two digits."""
    if value is None:
        return "–"
    scale, unit = (1e3, "ms") if value < 1 else (1.0, "s")
    figure = value * scale
    digits = 0 if figure >= 9.95 else 1 if figure >= 0.95 else 2
    return f"{figure:.{digits}f} {unit}"
