"""The report of stalls: the lines of a program that made others wait, the widest first."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gilkit.arguments import STALL
from gilkit.display.tables import closing, heading, note, share
from gilkit.display.units import seconds
from gilkit.gil.places import (
    C_CALL,
    CERTAIN_PLACE,
    COLLECTION,
    PUT_ASIDE,
    PYTHON_CODE,
    UNKNOWN,
    StalledLine,
)
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.studies.stalls.processes import ProcessGroup, ToMend, processes, sections, source, to_mend

MOST_LINES = 10  # of a process that are shown
TOLD_THREADS = 4
LEAST_SHARE = 0.01  # of the time that a thread must have had the GIL to be named
KINDS = {
    C_CALL: "one C call",
    COLLECTION: "garbage collection, which comes up anywhere",
    PUT_ASIDE: "its CPU was given to others",
    UNKNOWN: "of an unknown kind",
}
WHAT_TO_DO = {
    C_CALL: "let it release the GIL, cut it into shorter calls, or do it in a process",
    PYTHON_CODE: "cut it into shorter steps, or do it in a process",
    COLLECTION: "keep fewer objects that refer to others, or gc.freeze() those that stay",
    PUT_ASIDE: "use fewer threads and processes than there are CPUs, or a machine with less else to do",
}
DETACH = "let it detach, as who releases the GIL does, cut it into shorter calls, or do it in a process"
WHEN_BUSY = "others may have waited longer than they would on a quiet machine"


def question(results: Results) -> str:
    """Return what the watch answers."""
    return f"Which lines of {_subject(results)} made other threads wait?"


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return what is said of each process, and what follows."""
    found = sections(processes(results), _subject(results))
    for section in found:
        yield section.name, " ".join(line.plain for line in _said(section, results))
    yield "what follows", conclusion(results)


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of stalls."""
    found = sections(processes(results), _subject(results))
    parts: list[RenderableType] = [heading(results.facts, results.load, WHEN_BUSY), ""]
    for section in found:
        parts += [_title(section), *_lines(section, results.gil), *_said(section, results), ""]
    return Group(*parts, _closing(results, found))


def conclusion(results: Results) -> str:
    """Return the last sentence of the report."""
    return _closing(results, sections(processes(results), _subject(results))).plain


def _subject(results: Results) -> str:
    return facts.SUBJECT.of(results.facts, "a program")


def _longer(results: Results) -> str:
    return f"{facts.COUNTS_FROM.of(results.facts, STALL) * 1e3:g} ms"


def _title(section: ProcessGroup) -> Text:
    """Return what a part of the report is of, and for how long that was watched."""
    each = (" in all" if len(section.members) > 1 else "") + (" so far" if section.so_far else "")
    return Text(section.name, style="bold").append(
        f", watched for {seconds(section.seconds)}{each}", style="not bold"
    )


def _lines(section: ProcessGroup, gil: bool) -> Iterator[RenderableType]:
    """Return the table of lines; none if nobody waited."""
    if not section.lines:
        return
    body = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for head in ("others\nwaited", "\nstalls", "\nlongest"):
        body.add_column(head, justify="right", no_wrap=True)
    body.add_column(f"\nthe line that {'had the GIL' if gil else 'they waited for'}", overflow="fold")
    for line in section.lines[:MOST_LINES]:
        body.add_row(
            seconds(line.seconds), f"{line.stalls:,}", seconds(line.longest), _place(line, section.notes)
        )
    yield from ("", body)
    if rest := section.lines[MOST_LINES:]:
        waited = seconds(sum(line.seconds for line in rest))
        yield note(f"and {len(rest)} more lines: {waited}")
    yield ""


def _place(line: StalledLine, notes: list[str]) -> Text:
    """Return where it was, the text of that line, of which kind it was, and how sure that is; or why not."""
    if line.own is None or line.place is None:
        return Text(": ".join(["not known", *notes]), style="dim")
    text = Text(str(line.own))
    if line.place != line.own:
        text.append(f" → {line.place}")
    if code := source(line.own):
        text.append(f"\n{code}", style="bold")
    sure = "certain" if line.certainty == CERTAIN_PLACE else "likely"
    return text.append(f"\n{KINDS.get(line.kind, line.kind)} · {sure}", style="dim")


def _said(section: ProcessGroup, results: Results) -> Iterator[Text]:
    """Return what there is to say of a process beside its lines."""
    longer, gil = _longer(results), results.gil
    awaited = "for the GIL" if gil else "for another thread to stop or to go on"
    if section.missing:
        yield Text(f"nothing can be seen: {section.missing}", style="yellow")
        return
    if section.lines:
        part = share(section.waited / section.seconds if section.seconds else 0.0)
        yield Text(f"somebody waited {awaited} for at least {seconds(section.waited)}: {part} of the time")
    else:
        yield Text(f"nobody waited {awaited} for {longer} or longer")
    if section.held is not None:
        what = "the GIL was held" if gil else "a thread was attached"
        yield Text(f"{what} for {share(section.held)} of the time{_by_thread(section)}")
    if section.alone:
        times = "once" if section.alone == 1 else f"{section.alone:,} times"
        what = "held" if gil else "threads stopped, or were to stop,"
        yield Text(f"{what} for {longer} or longer while nobody waited: {times}, which harms nobody")
    for text in section.notes:
        yield Text(f"not all was seen: {text}", style="yellow")
    if section.dropped:
        yield Text(f"{section.dropped:,} more stalls were not kept", style="yellow")
    forced = sum(not one.ended for one in section.members)
    if forced and not section.so_far:
        of = f"{forced} of {len(section.members)} " if len(section.members) > 1 else ""
        yield Text(f"{of}ended by force: what came after the last stall is not known", style="yellow")


def _by_thread(section: ProcessGroup) -> str:
    """Return the shares of those threads that had the GIL for a part that is worth a word."""
    named = [item for item in section.threads if item[1] >= LEAST_SHARE]
    if not named:
        return ""
    told = [f"{name} {share(part)}" for name, part in named[:TOLD_THREADS]]
    rest = sum(part for _, part in named[TOLD_THREADS:])
    return ": " + ", ".join(told + ([f"{len(named) - TOLD_THREADS} others {share(rest)}"] if rest else []))


def _closing(results: Results, found: list[ProcessGroup]) -> Text:
    """Return what follows: which line to mend, and what that would save."""
    if found[0].missing:
        return closing("which lines make others wait cannot be known here")
    first = to_mend(found)
    if first is None:
        seen = "was seen to make" if any(section.notes for section in found) else "made"
        return closing(f"no line {seen} anybody wait for {_longer(results)} or longer")
    if first.place is not None:
        return closing(f"mend {first.place}", _saved(first, results.gil))
    what = {COLLECTION: "garbage collection", PUT_ASIDE: "that the system gave the CPU to others"}[first.kind]
    waited = f"made others wait for {seconds(first.seconds)}, of {seconds(first.of)} in stalls"
    return closing(f"{what} {waited}", WHAT_TO_DO[first.kind])


def _saved(first: ToMend, gil: bool) -> str:
    text = f"it saves others {seconds(first.seconds)} of waiting, of {seconds(first.of)} in stalls"
    what = WHAT_TO_DO.get(first.kind, "") if gil or first.kind != C_CALL else DETACH
    return f"{text}; {what}" if what else text
