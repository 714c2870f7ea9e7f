"""The report of splits: what each does, what a task costs, the memory, and what to tell Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import (
    caveats,
    cell,
    closing,
    failure,
    headline,
    margins,
    note,
    share,
    share_note,
)
from gilkit.display.units import nbytes, rate, seconds
from gilkit.results.file import Results
from gilkit.studies.layout.figures import (
    Standing,
    call_figures,
    calls_worth_a_task,
    standings,
    statement,
)
from gilkit.studies.layout.hosts import hosts_of
from gilkit.studies.layout.hosts_table import by_host, hosts_answers, hosts_conclusion, hosts_question
from gilkit.studies.layout.splits import EMPTY
from gilkit.studies.layout.verdict import SplitChoice, decision, reason


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of splits, or of hosts."""
    if hosts_of(results):
        return by_host(results)
    found = standings(results)
    parts: list[RenderableType] = [headline(results), "", Text(statement(results), style="bold")]
    parts += [
        question(results),
        _rows(found, decision(results)),
        _small_print(results),
        *caveats(results),
        "",
    ]
    for who, text in answers(results):
        parts.append(Text(f"{who}: ", style="bold").append(text, style="not bold"))
    for one in found:
        if one.failed:
            parts.append(_unmeasured(results, one))
    return Group(*parts, "", closing(*conclusion(results)))


def question(results: Results) -> str:
    """Return what is answered."""
    if hosts_of(results):
        return hosts_question(results)
    cpus = results.cpus
    return f"How many processes, with how many threads each, on {cpus} CPU{'s' * (cpus != 1)}?"


def conclusion(results: Results) -> tuple[str, str]:
    """Return what to use, and why."""
    if hosts_of(results):
        return hosts_conclusion(results)
    choice = decision(results)
    return (choice.split.options if choice.split is not None else "not decided"), reason(results)


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return in words what a call is, and what a task costs; of hosts, what each says."""
    if hosts_of(results):
        yield from hosts_answers(results)
        return
    call = call_figures(results)
    if call.seconds is not None:
        text = f"takes {seconds(call.seconds)} alone"
        seen = call.attached if call.held is None else call.held
        if seen is not None:
            text += f"; {share_note(results.gil)} {share(seen)}"
        elif call.note:
            text += f"; {share_note(results.gil)}: {call.note}"
        yield "a call", text
    costs = [float(one.task) for one in standings(results) if one.task is not None]
    if costs:
        ends = dict.fromkeys(seconds(cost) for cost in (min(costs), max(costs)))
        text = f"costs {' to '.join(ends)} beside its work"
        count = calls_worth_a_task(results)
        if count is not None and count > 1:
            text += f": put {count:,} calls or more into one"
        elif count == 1:
            text += ": one call is work enough"
        yield "a task", text


def _rows(found: Sequence[Standing], choice: SplitChoice) -> Fitted:
    """One row for every split."""
    shown = list(found)
    names = [Text(("*" if one.split == choice.split else " ") + str(one.split)) for one in shown]
    return Fitted(
        [
            TableColumn("processes\n × threads", names, name=True),
            TableColumn("calls\na second", [_or_none(one.rate, rate) for one in shown]),
            TableColumn("of the\nmost", [_part(one) for one in shown], points=True),
            TableColumn("a task\ncosts", [_or_none(one.task, seconds) for one in shown]),
            TableColumn("memory of\na process", [_or_none(one.memory, nbytes) for one in shown], spare=1),
            TableColumn("\nof all", [_or_none(one.whole_memory, nbytes) for one in shown]),
        ]
    )


def _part(one: Standing) -> Text:
    if one.failed or one.rate is None:
        return Text("–")
    return Text("1" if one.to_best is None else cell(one.to_best))


def _or_none(value: float | None, words: Callable[[float], str]) -> Text:
    return Text("–" if value is None else words(value))


def _small_print(results: Results) -> RenderableType:
    loops = call_figures(results).loops
    tasks = "a task is one call" if loops == 1 else f"a task is {loops:,} calls"
    star = "* to be used; " if decision(results).split is not None else ""
    shown = [case for case in results if case.kernel != EMPTY]  # of empty tasks no interval is
    return note(f"{star}{tasks}, through Dask's scheduler; {margins(results, shown)}")


def _unmeasured(results: Results, one: Standing) -> Text:
    if str(one.split) in results.missing:
        return Text(f"no {one.split}: {one.failed}", style="dim")
    return failure(str(one.split), one.failed)
