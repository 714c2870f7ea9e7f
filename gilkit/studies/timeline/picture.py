"""The picture of who ran when and who held the GIL: a lane for every worker."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, log10

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gilkit.display.gil_words import gil_remedy
from gilkit.display.tables import closing, heading, share
from gilkit.display.units import seconds
from gilkit.machine import BUSY
from gilkit.results import facts
from gilkit.studies.timeline.history import History, joined, running

HAS, RUNS, WAITS, UNSEEN, NOTHING = "█", "▒", "·", "?", " "  # the GIL; without it; for it or else; not known
SIGN_STYLES = {HAS: "red", RUNS: "green", WAITS: "dim"}
WIDEST = 88  # columns
SHARES = 12  # columns of the shares behind a lane
FEWEST_CELLS = 16
MARK = 8  # cells, at the least, from one mark of the axis to the next
HOLDERS = "123456789abcdefghijklmnopqrstuvwxyz"  # workers in the lane of the GIL
OTHER = "+"  # a thread that is no worker
WAITED = 0.1  # of the CPUs that they could use, below which they waited
AT_ONCE, TAKEN = 0.7, 0.7  # of what they could use, from which they ran at once; of the time the GIL was held
TOGETHER = 20  # samples: of calls that last less, as many as last so long are taken together


def picture(history: History) -> RenderableType:
    """Return the picture of a history, with what there is to say of it."""
    return Group(
        heading(history.facts, history.load),
        "",
        title(history),
        Drawing(history),
        *(Padding(Text(line, style="dim"), 0) for line in notes(history)),
        "",
        closing(*_answer(history)),
        *gil_remedy(history.facts),
    )


def _answer(history: History) -> tuple[str, str]:
    """Say whether the workers ran at once, in CPUs that they used together."""
    count = len(history.workers)
    used = sum(span.cpu for span in history.spans) / (history.end - history.start)
    figures = f"{count} worker{'s' * (count != 1)} kept {used:.2f} CPUs busy"
    if count < 2:
        return "one worker", figures
    if used > 1 + AT_ONCE * (min(count, facts.CPUS.of(history.facts, count)) - 1):
        return "they ran at once", figures
    if used < WAITED * min(count, facts.CPUS.of(history.facts, count)):
        return "they waited, and needed no CPU for most of the time", figures
    held = 0.0 if history.missing or history.separate else sum(_held_share(history, i) for i in range(count))
    if held >= TAKEN:
        return "they took turns with the GIL", figures
    if history.load >= BUSY:  # others may have kept them from it
        return "not decided: the machine is busy", figures
    return "they did not run at once", figures


def title(history: History) -> Text:
    """Return what was called, how often and by whom."""
    workers = len(history.workers)
    calls = len(history.spans) // workers * history.loops
    who = f" on each of {workers} {history.executor}" if workers > 1 else f", {history.workers[0].name}"
    text = Text(history.subject, style="bold")
    length = seconds(history.end - history.start)
    return text.append(f": {calls:,} call{'s' * (calls != 1)}{who}, {length}", style="not bold")


def notes(history: History) -> list[str]:
    """Return what a reader has to know of the picture, in lines."""
    waits = f"{WAITS} waits, for the GIL, a CPU or other things"
    if history.missing:
        return [f"{RUNS} runs  {waits}", f"who has the GIL is not shown: {history.missing}"]
    found = [
        f"{HAS} has the GIL  {RUNS} runs without it  {waits}",
        f"GIL sampled every {history.interval * 1e6:g} µs, {UNSEEN} not seen; "
        f"{RUNS} or {WAITS} by the CPU time of whole calls",
    ]
    if history.separate:
        found.append("every process has a GIL of its own")
    if (lost := history.unseen_share) >= 0.001:
        found.append(f"the monitor had to wait for a CPU, and saw nothing, for {share(lost)} of the time")
    if history.dropped:
        found.append(f"no room was left for the first {history.dropped:,} holds of the GIL: not shown")
    return found


class Drawing:
    """The lanes, as wide as there is room for.

    Every cell of a lane is a stretch of time and shows what its worker did for most of it.

    Parameters
    ----------
    history : History
    """

    def __init__(self, history: History) -> None:
        self.history = history

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in lines(self.history, min(WIDEST, options.max_width)):
            text = Text(line, no_wrap=True)
            for sign, style in SIGN_STYLES.items():
                text.highlight_regex(f"{sign}+", style)
            yield text


def lines(history: History, width: int) -> list[str]:
    """Return the lanes under their axis, in ``width`` columns.

    A lane ends in the share of its time that its worker had the GIL, and that it used a CPU.
    """
    labels = [worker.name for worker in history.workers]
    margin = max(len(label) for label in labels) + 1
    columns = max(FEWEST_CELLS, width - margin - 2 - SHARES)
    figures = "  GIL   CPU" if not history.missing else "  CPU"
    found = [f"{'':{margin}} {axis(history.end - history.start, columns)} {figures}"]
    for index, label in enumerate(labels):
        cells = lane(history, index, columns)
        found.append(f"{label:{margin}}│{cells}│{_shares(history, index)}")
    if not history.missing and not history.separate and len(labels) > 1:
        found.append(f"{'GIL of':{margin}}│{owners(history, columns)}│")
    return found


def _shares(history: History, index: int) -> str:
    cpu = f"{share(_cpu_share(history, index)):>6}"
    return cpu if history.missing else f"{share(_held_share(history, index)):>6}{cpu}"


def _cpu_share(history: History, index: int) -> float:
    """Return the share of its time for which a worker used a CPU."""
    own = [span for span in history.spans if span.worker == index]
    return sum(span.cpu for span in own) / (own[-1].end - own[0].start)


def _held_share(history: History, index: int) -> float:
    """Return the share of its time for which a worker had the GIL."""
    own = [span for span in history.spans if span.worker == index]
    first, last = own[0].start, own[-1].end
    return history.held(index).between(first, last) / (last - first)


def axis(length: float, columns: int) -> str:
    """Return marks of round milliseconds over so many cells that stand for ``length`` seconds."""
    least = MARK / columns * length
    power = 10.0 ** floor(log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    marks = [" "] * columns
    for index in range(int(length / step) + 1):
        label = f"{index * step * 1e3:g}" + (" ms" if not index else "")
        place = round(index * step / length * columns)
        if place + len(label) <= columns:
            marks[place : place + len(label)] = label
    return "".join(marks)


def lane(history: History, index: int, columns: int) -> str:
    """Return what a worker did for most of the time of each of so many cells."""
    length = (history.end - history.start) / columns
    held, unseen = history.held(index), history.unseen(history.workers[index].pid)
    weights = [dict.fromkeys((HAS, RUNS, WAITS, UNSEEN), 0.0) for _ in range(columns)]
    own = (span for span in history.spans if span.worker == index)
    for span in joined(own, TOGETHER * history.interval):
        had, blind = (cover.between(span.start, span.end) for cover in (held, unseen))
        least, most = running(span, had, blind, history.interval)
        first, last = (
            min(columns - 1, int((moment - history.start) / length)) for moment in (span.start, span.end)
        )
        for cell in range(first, last + 1):
            start = max(span.start, history.start + cell * length)
            end = min(span.end, history.start + (cell + 1) * length)
            had, blind = held.between(start, end), unseen.between(start, end)
            rest = max(0.0, end - start - had - blind)
            weights[cell][HAS] += had
            weights[cell][RUNS] += rest * least
            weights[cell][WAITS] += rest * (1 - most)
            weights[cell][UNSEEN] += rest * (most - least) + blind
    return "".join(_most(found, length) for found in weights)


def owners(history: History, columns: int) -> str:
    """Return who had the GIL, which all workers share, for most of the time of each of so many cells."""
    length = (history.end - history.start) / columns
    covers = {HOLDERS[index]: history.held(index) for index in range(len(history.workers))}
    covers |= {OTHER: history.held(None), UNSEEN: history.unseen(history.workers[0].pid)}
    starts = [history.start + cell * length for cell in range(columns)]
    return "".join(
        _most({sign: cover.between(start, start + length) for sign, cover in covers.items()}, length)
        for start in starts
    )


def _most(weights: dict[str, float], length: float) -> str:
    """What lasted longest in a cell; nothing, if that is what most of it was."""
    weights = {**weights, NOTHING: length - sum(weights.values())}
    return max(weights, key=lambda sign: weights[sign])
