"""What an audit found, test by test, in lines to read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

from gilkit.gil.places import C_CALL, CERTAIN_PLACE, CodePlace, Stall, by_line
from gilkit.gil.wording import WORDINGS

SHOWN = 20e-3  # default seconds from which on a hold is shown, and recorded
SHOWN_MOST = 10  # tests, and calls
BESIDE_TIMES = 9  # columns


class CalledLine(NamedTuple):
    """What the holds by calls of C functions at one line come to; in seconds."""

    where: str
    times: int
    seconds: float
    longest: float


class Phase(NamedTuple):
    """What was found in a part of a test: of which kind, its longest hold, and its calls of C functions."""

    kind: str
    longest: float
    where: str
    calls: list[CalledLine]


def brief(seconds: float) -> str:
    """Return a time in three digits, without zeros behind them, as ``50 ms``."""
    return f"{seconds:.3g} s" if seconds >= 0.9995 else f"{1e3 * seconds:.3g} ms"


class Folders(NamedTuple):
    """From where on paths are told, as texts: the folder of the tests, and those from which is imported."""

    root: str
    imported: tuple[str, ...]


def folders_now(root: Path) -> Folders:
    """Return from where on paths are told: what a test does to folders and functions later does not count."""
    texts = [path for path in sys.path if isinstance(path, str)]
    real = []
    for path in texts:
        with suppress(OSError, ValueError):  # as where the working folder is gone
            real.append(os.path.realpath(path or os.curdir))
    return Folders(str(root), (*real, *filter(None, texts)))


def phase(holds: list[Stall], kind: str, thread: int, folders: Folders) -> Phase:
    """Return what is told of holds of a kind of share; see `where`."""
    longest = max(holds, key=lambda hold: hold.seconds)
    lines = by_line([hold for hold in holds if hold.kind == C_CALL])
    calls = [
        CalledLine(route(line.own, line.place, folders), line.stalls, line.seconds, line.longest)
        for line in lines
    ]
    return Phase(kind, longest.seconds, where(longest, thread, folders), calls)


def where(hold: Stall, thread: int, folders: Folders) -> str:
    """Return at which line a hold was, how sure that is, and whose it was.

    Parameters
    ----------
    hold : Stall
    thread : int
        The native id of the thread that is not named.
    folders : Folders
        From where on paths are told.
    """
    facts = [hold.kind]
    if hold.place is not None and hold.certainty != CERTAIN_PLACE:
        facts.append(hold.certainty)
    if hold.thread.native_id != thread:
        facts.append(f"in {hold.thread.name or hold.thread}")
    return f"{route(hold.own, hold.place, folders)} ({', '.join(facts)})"


def route(own: CodePlace | None, place: CodePlace | None, folders: Folders) -> str:
    """Return a line, and before it that of the program's own which led there, if it is another."""
    if own is None or place is None:
        return "an unknown line"
    return " → ".join(f"{_near(part, folders)} {part.function}" for part in dict.fromkeys((own, place)))


def _near(place: CodePlace, folders: Folders) -> str:
    """Return a line, its path from the root on, or from that folder on from which it is imported."""
    own = (folders.root,) if not place.foreign else ()
    for some in own, folders.imported:
        if there := [folder for folder in some if place.file.startswith(f"{folder}{os.sep}")]:
            return str(place)[len(max(there, key=len)) + 1 :]
    return str(place)


def told(found: Mapping[tuple[str, str], Phase], note: str, width: int, all_of_them: bool) -> Iterable[str]:
    """Return the lines of a report: tests by their longest hold, and the calls that hold it longest.

    Parameters
    ----------
    found : mapping
        By tests and the names of their parts.
    note : str
        What could not be seen, or empty.
    width : int
        Columns that a line may have.
    all_of_them : bool
        Or the first `SHOWN_MOST` of each.
    """
    most = sys.maxsize if all_of_them else SHOWN_MOST
    if note:
        yield fill(note, width)
    tests = sorted(found.items(), key=lambda row: -row[1].longest)
    for (test, part), one in tests[:most]:
        yield f"{brief(one.longest):>{BESIDE_TIMES - 1}} {part:<8} {test}"
        yield _indented(one.where, width)
    yield from _more(len(tests) - most, "tests")
    calls = sorted(_by_call(found.values()), key=lambda call: -call.longest)
    if calls:
        yield ""
        kinds = sorted({one.kind for one in found.values()}, reverse=True)
        do = " or ".join(WORDINGS[kind].longest for kind in kinds)
        yield f"calls of C functions that {do} longest:"
    for call in calls[:most]:
        times = f"{call.times} times, {brief(call.seconds)} in all" if call.times > 1 else "once"
        yield f"{brief(call.longest):>{BESIDE_TIMES - 1}} {times}"
        yield _indented(call.where, width)
    yield from _more(len(calls) - most, "calls")


def _by_call(phases: Iterable[Phase]) -> Iterable[CalledLine]:
    sums: dict[str, CalledLine] = {}
    for call in (call for one in phases for call in one.calls):
        known = sums.get(call.where, CalledLine(call.where, 0, 0.0, 0.0))
        sums[call.where] = CalledLine(
            call.where,
            known.times + call.times,
            known.seconds + call.seconds,
            max(known.longest, call.longest),
        )
    return sums.values()


def _more(count: int, what: str) -> Iterable[str]:
    if count > 0:
        yield f"{'':{BESIDE_TIMES}}and {count} more: -vv shows all {what}"


def _indented(text: str, width: int) -> str:
    return fill(text, width, initial_indent=" " * BESIDE_TIMES, subsequent_indent=" " * BESIDE_TIMES)
