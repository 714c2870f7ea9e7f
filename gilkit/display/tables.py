"""What several reports have in common: their first line, cells, failures, and plain text."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isnan
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from gilkit.display.gil_words import gil_lines, gil_words
from gilkit.machine import BUSY, busy_words
from gilkit.results import facts
from gilkit.results.case import ONLY, PRIVATE, Case
from gilkit.results.file import STRETCHES, Results
from gilkit.results.stats import FEWEST_ROUNDS, Estimate

TELLING = 0.10  # the share of windows that were disturbed from which it is said
WIDTH = 80  # columns that every table fits into
VAGUE = 0.25  # of a figure that its margin is, above which it is the best of nothing
INK = (0, 0, 0)
ANSI = [INK, (207, 68, 68), (46, 139, 87), (176, 122, 0), (74, 122, 217), (178, 92, 178), (0, 139, 155)]
ON_ANY_PAGE = TerminalTheme(  # colours that can be read on a white and on a black page
    (255, 255, 255), INK, [*ANSI, (127, 127, 127)]
)
PRE = (
    "font-family: monospace; white-space: pre; line-height: normal; overflow-x: auto; "
    "background: none; border: 0; margin: 0; padding: 0; color: inherit"
)
RANGES = f"a–b: the range where fewer than {FEWEST_ROUNDS} rounds count, which decide nothing"
BY_ITSELF = ("function", "loop")  # what is called by itself: the reader's own code, and the loop of a map
CELL = 8  # and characters that a speedup fits into


def cell(speedup: Estimate | None) -> str:
    """Return a speedup in eight characters: ``1.98±.02``, the margin being that of its 95 % interval."""
    if speedup is None:
        return "–"
    digits = 2 if speedup < 9.995 else 1 if speedup < 99.95 else 0
    if isnan(margin := speedup.margin):  # too few rounds for an interval: their range
        if isnan(speedup.least) or speedup.least == speedup.most:
            return f"{speedup:.{digits}f}"
        ends = f"{speedup.least:.1f}–{speedup.most:.1f}"
        return ends if len(ends) <= CELL else f"{speedup.least:.0f}–{speedup.most:.0f}"
    if margin >= 0.995:
        digits = 1 if margin < 9.95 and speedup < 99.95 else 0
        return f"{speedup:.{digits}f}±{margin:.{digits}f}"
    return f"{speedup:.{digits}f}±{f'{max(margin, 10**-digits):.{digits}f}'.lstrip('0')}"


def leaders(found: Mapping[str, Estimate | None]) -> set[str]:
    """Return the names of the best figure and of those that cannot be told from it; none of a lone one.

    A figure without an interval, or with one so wide that it may be anything, leads nobody; and nobody leads
    where it is higher than what the others surely are.
    """
    known = {name: figure for name, figure in found.items() if figure is not None}
    sure = {name: figure for name, figure in known.items() if figure.margin <= VAGUE * figure}
    best = max(sure.values(), default=None)
    if len(known) < 2 or best is None or max(known.values()) > best.high:
        return set()
    return {name for name, figure in sure.items() if figure.high >= best.low}


def figure(speedup: Estimate | None, best: bool = False, failed: bool = False, beside: bool = False) -> Text:
    """Return a speedup as a cell with its star, or a blank in its place.

    Parameters
    ----------
    speedup : Estimate or None
    best : bool
        Whether it is among those that lead.
    failed : bool
        Whether it could not be measured.
    beside : bool
        Whether it stands beside those that compete.
    """
    if failed:
        return Text("failed", style="red")
    star, style = ("*", "bold green") if best else (" ", "dim" if beside else "")
    return Text(star + cell(speedup), style=style)


def scale_of_speedups(workers: Sequence[int]) -> str:
    """Return what stands above speedups: with how many workers, and what the figures mean."""
    counts = " / ".join(map(str, workers))
    means = "1.00 no gain" + (", 2.00 twice the work in the same time" if max(workers) > 1 else "")
    return f"Speedup with {counts} worker{'s' * (counts != '1')}: {means}"


def share(held: float | None) -> str:
    """Return a share of a call in at most five characters, as ``57%`` or ``0.2%``."""
    if held is None:
        return "–"
    return f"{held:.0%}" if held >= 0.095 or held == 0 else f"{held:.1%}" if held >= 0.001 else "<0.1%"


def share_heading(gil: bool) -> str:
    """Return the heading of a column, of two lines, for what is seen of a call: with a GIL, or without."""
    return "GIL\nheld" if gil else "\nattached"


def share_note(gil: bool) -> str:
    """Return what is said of that beneath a table."""
    return "GIL held" if gil else "attached"


def headline(results: Results) -> Text:
    """Return the first line: interpreter, GIL, CPUs and what others used of them."""
    counting = any(results.windows(case) for case in results)
    return heading(results.facts, results.load, *["only undisturbed rounds count"] * counting)


def heading(metadata: Mapping[str, Any], load: float, consequence: str = "believe no speedup below") -> Text:
    """Return the first line, of the facts of a run; on a busy machine a second one, with what follows."""
    cpus, busy = facts.CPUS.of(metadata, 1), load >= BUSY
    line = Text(
        f"{facts.INTERPRETER.of(metadata, 'unknown Python')} · {gil_words(metadata)} · "
        f"{cpus} CPU{'s' * (cpus != 1)}" + ("" if busy else f" · load by others {load:.2f}"),
        style="bold",
    )
    if busy:
        line.append(f"\n{busy_words(load, cpus)}; {consequence}", style="bold red")
    for more in gil_lines(metadata):
        line.append(f"\n{more}", style="yellow")
    return line


def failures(failed: Mapping[Case, str], name: Callable[[Case], str] | None = None) -> Iterator[Text]:
    """Say every failed case once: those of one name with one reason share a line.

    Parameters
    ----------
    failed : mapping of Case to str
        The reasons.
    name : callable, optional
        What a case is called, apart from its workers; by default its kernel, variant and executor.
    """
    merged: dict[tuple[str, str], list[int]] = {}
    for case, reason in failed.items():
        if case.variant == "unpinned":  # another look at threads that failed as well
            continue
        merged.setdefault(((name or _who)(case), reason), []).append(case.workers)
    alone = next((case for case in failed if _alone(case)), None)
    if alone is not None:  # what fails alone has failed, whatever would have run it
        merged = {("", failed[alone]): []}
    for (who, reason), workers in merged.items():
        at = f" at {', '.join(map(str, workers))}" if workers else ""
        yield failure(f"{who}{at}", reason)


def _alone(case: Case) -> bool:
    """Whether it is one worker in the process that measures: in a map, and of an earlier gilkit, serial."""
    return case.variant in BY_ITSELF and case.executor in ("threads", "serial") and case.workers == 1


def failure(what: str, reason: str) -> Text:
    """Say that something failed, and why."""
    text = Text("failed" + (" " if what else ""), style="red")
    return text.append(f"{what}: {reason}", style="default")


def _who(case: Case) -> str:
    if case.variant == "function":
        return case.executor
    kind, _, names = case.variant.partition("-")
    if kind == PRIVATE:
        return f"threads that have {names.replace('+', ', ')} for themselves"
    if kind == ONLY:
        return f"threads that share {names.replace('+', ', ')} only"
    return "sent" if case.variant == "sent" else case.name.rsplit("/", 1)[0]


def absent(missing: Mapping[str, str]) -> Iterator[Text]:
    """Say what cannot be measured here: what lacks one thing shares a line."""
    reasons: dict[str, list[str]] = {}
    for name, reason in missing.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        yield Text(f"no {', '.join(names)}: {reason}", style="dim")


def caveats(results: Results) -> Iterator[Text]:
    """Say what is to be known of how it was measured: what was dropped, or that it was done otherwise."""
    if results.version <= STRETCHES:
        yield Text(
            "measured by an earlier gilkit, from a common start to the last end, which is less exact; and "
            f"fewer than {FEWEST_ROUNDS} rounds decide nothing any more: measure it again",
            style="dim",
        )
    tried = sum(len(results.windows(case)) for case in results)
    counted = sum(len(results.rounds(case)) for case in results if results.windows(case))
    if tried and 1 - counted / tried >= TELLING:
        yield Text(
            f"{1 - counted / tried:.0%} of the windows were disturbed by others and do not count",
            style="yellow",
        )


def round_counts(results: Results, cases: Iterable[Case] | None = None) -> str:
    """Return how many rounds of some cases count, or of all, as ``5`` or ``5 to 20``."""
    return _from_to([len(results.rounds(case)) for case in (results if cases is None else cases)])


def _from_to(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least} to {most}"


def margins(results: Results, cases: Iterable[Case] | None = None) -> str:
    """Return what margins and ranges mean, as far as there are any: of some cases, or of all."""
    counts = {case: len(results.rounds(case)) for case in (results if cases is None else cases)}
    deciding = [count for count in counts.values() if count >= FEWEST_ROUNDS]
    few = [case for case, count in counts.items() if count < FEWEST_ROUNDS]
    parts = [f"± 95 % interval over {_from_to(deciding)} rounds"] if deciding else []
    if any(len(results.values(case)) > 1 for case in few):
        parts.append(RANGES)
    elif few:
        parts.append(f"fewer than {FEWEST_ROUNDS} rounds decide nothing")
    return "; ".join(parts)


def stars_and_margins(
    results: Results, among: str = "of its row", cases: Iterable[Case] | None = None
) -> str:
    """Return the small print of a table of speedups: what its stars, margins and ranges mean.

    Parameters
    ----------
    results : Results
    among : str
        What a star is the best of.
    cases : iterable of Case, optional
        Those that the table shows; by default all.
    """
    text = margins(results, cases)
    return f"* best {among}, or not to be told from it; {text}" if text.startswith("±") else text


def closing(what: str, figures: str = "") -> Text:
    """Return the last sentence of a report: what follows, and in what figures one sees it."""
    text = Text(what, style="bold")
    return text.append(f": {figures}", style="not bold") if figures else text


def note(text: str) -> Padding:
    """Return what stands under a table, in small print."""
    return Padding(Text(text, style="dim"), 0)


def plain_table(*headings: str, figures: int | None = None) -> Table:
    """Return an empty table.

    Parameters
    ----------
    *headings : str
    figures : int, optional
        The first column that holds figures, which stand at the right; by default there is none.
    """
    found = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for place, head in enumerate(headings):
        found.add_column(head, justify="left" if figures is None or place < figures else "right")
    return found


def plain(renderable: RenderableType, width: int = WIDTH) -> str:
    """Return a renderable as plain text."""
    buffer = io.StringIO()
    _console(buffer, width, color_system=None, force_terminal=False).print(renderable)
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().splitlines())


def _console(file: io.StringIO, width: int, **options: Any) -> Console:
    """Return what writes there, and nowhere else: rich would print into a notebook by itself."""
    return Console(file=file, width=width, force_jupyter=False, highlight=False, **options)


def html(renderable: RenderableType, width: int = WIDTH) -> str:
    """Return a renderable as HTML that needs no style sheet and takes the page's own colours."""
    console = _console(io.StringIO(), width, record=True, force_terminal=True)
    console.print(renderable)
    text = console.export_html(
        theme=ON_ANY_PAGE, code_format=f'<pre style="{PRE}">{{code}}</pre>', inline_styles=True
    )
    return text.replace("color: #000000; text-decoration-color: #000000", "color: inherit")
