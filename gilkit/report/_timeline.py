"""The picture of who ran when and who held the GIL: a lane for every worker."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, log10

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gilkit.report._common import heading, share
from gilkit.trace import Recording, joined, running
from gilkit.verdict import seconds

HELD, FREE, WAITS, UNSEEN, NOTHING = "█", "▒", "·", "?", " "
STYLES = {HELD: "red", FREE: "green", WAITS: "dim"}
WIDEST = 88  # columns
FIGURES = 12  # columns of the shares behind a lane
LEAST = 16  # cells
MARK = 8  # cells, at the least, from one mark of the axis to the next
HOLDERS = "123456789abcdefghijklmnopqrstuvwxyz"  # workers in the lane of the GIL
OTHER = "+"  # a thread that is no worker
SHORT = 20  # samples: of calls that last less, as many as last so long are taken together


def timeline(recording: Recording) -> RenderableType:
    """Return the picture of a recording, with what there is to say of it."""
    return Group(
        heading(recording.facts, recording.load),
        "",
        _title(recording),
        Picture(recording),
        *(Padding(Text(line, style="dim"), 0) for line in notes(recording)),
    )


def _title(recording: Recording) -> Text:
    workers = len(recording.workers)
    calls = len(recording.spans) // workers * recording.loops
    who = f" on each of {workers} {recording.executor}" if workers > 1 else f", {recording.workers[0].name}"
    text = Text(recording.subject, style="bold")
    length = seconds(recording.end - recording.start)
    return text.append(f": {calls:,} call{'s' * (calls != 1)}{who}, {length}", style="not bold")


def notes(recording: Recording) -> list[str]:
    """Return what a reader has to know of the picture, in lines."""
    waits = f"{WAITS} waits, for the GIL, a CPU or other things"
    if recording.missing:
        return [f"{FREE} runs  {waits}", f"who has the GIL is not shown: {recording.missing}"]
    found = [
        f"{HELD} has the GIL  {FREE} runs without it  {waits}",
        f"GIL sampled every {recording.interval * 1e6:g} µs, {UNSEEN} not seen; "
        f"{FREE} or {WAITS} by the CPU time of whole calls",
    ]
    if recording.apart:
        found.append("every process has a GIL of its own")
    if (lost := recording.unseen_share) >= 0.001:
        found.append(f"the monitor had to wait for a CPU, and saw nothing, for {share(lost)} of the time")
    if recording.dropped:
        found.append(f"no room was left for the first {recording.dropped:,} holds of the GIL: not shown")
    return found


class Picture:
    """The lanes, as wide as there is room for.

    Every cell of a lane is a stretch of time and shows what its worker did for most of it.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in lines(self.recording, min(WIDEST, options.max_width)):
            text = Text(line, no_wrap=True)
            for sign, style in STYLES.items():
                text.highlight_regex(f"{sign}+", style)
            yield text


def lines(recording: Recording, width: int) -> list[str]:
    """Return the lanes under their axis, in ``width`` columns.

    A lane ends in the share of its time that its worker had the GIL, and that it used a CPU.
    """
    labels = [worker.name for worker in recording.workers]
    margin = max(len(label) for label in labels) + 1
    columns = max(LEAST, width - margin - 2 - FIGURES)
    figures = "  GIL   CPU" if not recording.missing else "  CPU"
    found = [f"{'':{margin}} {axis(recording.end - recording.start, columns)} {figures}"]
    for index, label in enumerate(labels):
        cells = lane(recording, index, columns)
        found.append(f"{label:{margin}}│{cells}│{_shares(recording, index)}")
    if not recording.missing and not recording.apart and len(labels) > 1:
        found.append(f"{'GIL of':{margin}}│{owners(recording, columns)}│")
    return found


def _shares(recording: Recording, index: int) -> str:
    own = [span for span in recording.spans if span.worker == index]
    first, last = own[0].start, own[-1].end
    cpu = f"{share(sum(span.cpu for span in own) / (last - first)):>6}"
    if recording.missing:
        return cpu
    return f"{share(recording.held(index).between(first, last) / (last - first)):>6}{cpu}"


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


def lane(recording: Recording, index: int, columns: int) -> str:
    """Return what a worker did for most of the time of each of so many cells."""
    length = (recording.end - recording.start) / columns
    held, unseen = recording.held(index), recording.unseen(recording.workers[index].pid)
    weights = [dict.fromkeys((HELD, FREE, WAITS, UNSEEN), 0.0) for _ in range(columns)]
    own = (span for span in recording.spans if span.worker == index)
    for span in joined(own, SHORT * recording.interval):
        had, blind = (cover.between(span.start, span.end) for cover in (held, unseen))
        least, most = running(span, had, blind, recording.interval)
        first, last = (
            min(columns - 1, int((moment - recording.start) / length)) for moment in (span.start, span.end)
        )
        for cell in range(first, last + 1):
            start = max(span.start, recording.start + cell * length)
            end = min(span.end, recording.start + (cell + 1) * length)
            had, blind = held.between(start, end), unseen.between(start, end)
            rest = max(0.0, end - start - had - blind)
            weights[cell][HELD] += had
            weights[cell][FREE] += rest * least
            weights[cell][WAITS] += rest * (1 - most)
            weights[cell][UNSEEN] += rest * (most - least) + blind
    return "".join(_most(found, length) for found in weights)


def owners(recording: Recording, columns: int) -> str:
    """Return who had the GIL, which all workers share, for most of the time of each of so many cells."""
    length = (recording.end - recording.start) / columns
    covers = {HOLDERS[index]: recording.held(index) for index in range(len(recording.workers))}
    covers |= {OTHER: recording.held(None), UNSEEN: recording.unseen(recording.workers[0].pid)}
    starts = [recording.start + cell * length for cell in range(columns)]
    return "".join(
        _most({sign: cover.between(start, start + length) for sign, cover in covers.items()}, length)
        for start in starts
    )


def _most(weights: dict[str, float], length: float) -> str:
    """What lasted longest in a cell; nothing, if that is what most of it was."""
    weights = {**weights, NOTHING: length - sum(weights.values())}
    return max(weights, key=lambda sign: weights[sign])
