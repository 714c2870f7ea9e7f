"""What the watch over one process leaves, as JSON: it is made in the program, and read elsewhere.

A program that is watched loads this: so it takes nothing that Python has not loaded anyway.
"""

from __future__ import annotations

import linecache
import os
import sys
import tokenize  # noqa: F401 (linecache wants it when it reads: the program may have changed the path)
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from gilkit.gil.places import CodePlace, Stall, Waiter
from gilkit.gil.share import Share
from gilkit.gil.stalls import Stalls
from gilkit.gil.threads import ThreadId


@dataclass(frozen=True, slots=True)
class KeptPlace(CodePlace):
    """A place that can be shown elsewhere: ``short`` is how its file is called, ``text`` the line itself."""

    short: str = ""
    foreign: bool = False
    text: str = ""

    def __str__(self) -> str:
        return f"{self.short}:{'?' if self.line is None else self.line} {self.function}"


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of one process.

    Parameters
    ----------
    name : str
    pid : int
    start : float
        When the watch began, on the clock of `time.perf_counter`.
    seconds : float
        How long it was.
    stalls : tuple of Stall
        In order of time.
    threads : tuple of (str, float)
        The share of the time for which each thread had the GIL, the largest first.
    held : float or None
        The share of the time for which anybody had it; None where the monitor saw too little.
    waited : float
        Seconds in which somebody waited, at least.
    alone : int
        How many times it was held for as long, and nobody waited.
    dropped : int
        Stalls that were not kept.
    note : str
        What was not seen, and why; or empty.
    missing : str
        Why nothing could be seen at all; or empty.
    ended : bool
        Whether the watch came to its end; a process may be killed before.
    """

    name: str
    pid: int
    start: float
    seconds: float
    stalls: tuple[Stall, ...] = ()
    threads: tuple[tuple[str, float], ...] = ()
    held: float | None = None
    waited: float = 0.0
    alone: int = 0
    dropped: int = 0
    note: str = ""
    missing: str = ""
    ended: bool = False

    def packed(self) -> dict[str, Any]:
        """Return it as JSON has it: each place once, and stacks by their numbers."""
        numbers: dict[CodePlace, int] = {}
        stalls = [
            [
                round(stall.start - self.start, 6),
                round(stall.end - self.start, 6),
                stall.thread.name,
                stall.thread.native_id,
                stall.kind,
                stall.certainty,
                [numbers.setdefault(place, len(numbers)) for place in stall.stack],
                [
                    [waiter.thread.name, waiter.thread.native_id, round(waiter.since - self.start, 6)]
                    for waiter in stall.waiting
                ],
            ]
            for stall in self.stalls
        ]
        return {
            "name": self.name,
            "pid": self.pid,
            "start": self.start,
            "seconds": round(self.seconds, 6),
            "stalls": stalls,
            "places": [_packed_place(place) for place in numbers],
            "threads": [[name, round(share, 6)] for name, share in self.threads],
            "held": self.held,
            "waited": self.waited,
            "alone": self.alone,
            "dropped": self.dropped,
            "note": self.note,
            "missing": self.missing,
            "ended": self.ended,
        }

    @classmethod
    def unpacked(cls, found: dict[str, Any]) -> Watched:
        """Return what was packed.

        Raises
        ------
        LookupError, TypeError, ValueError
            If nobody can have packed it.
        """
        start = _number(found["start"])
        places = [
            KeptPlace(
                _text(file), None if line is None else _count(line), _text(function),
                _text(short), bool(foreign), _text(text),
            )
            for file, line, function, short, foreign, text in found["places"]
        ]  # fmt: skip
        stalls = tuple(
            Stall(
                start + _number(first),
                start + _number(last),
                _thread_id(name, native_id),
                _text(kind),
                _text(certainty),
                tuple(places[_count(number)] for number in stack),
                tuple(
                    Waiter(_thread_id(who, number), start + _number(since))
                    for who, number, since in (rest[0] if rest else ())  # not in files of before
                ),
            )
            for first, last, name, native_id, kind, certainty, stack, *rest in found["stalls"]
        )
        return cls(
            _text(found["name"]),
            _count(found["pid"]),
            start,
            _number(found["seconds"]),
            stalls,
            tuple((_text(name), _number(share)) for name, share in found["threads"]),
            None if found["held"] is None else _number(found["held"]),
            _number(found["waited"]),
            _count(found["alone"]),
            _count(found["dropped"]),
            _text(found["note"]),
            _text(found["missing"]),
            bool(found["ended"]),
        )


def _packed_place(place: CodePlace) -> list[Any]:
    kept = place if isinstance(place, KeptPlace) else KeptPlace(place.file, place.line, place.function)
    return [kept.file, kept.line, kept.function, kept.short, kept.foreign, kept.text]


def _thread_id(name: Any, native_id: Any) -> ThreadId:
    return ThreadId(None if name is None else _text(name), None if native_id is None else _count(native_id))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is no text")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e18:
        raise TypeError(f"{str(value)[:40]!r} is no number that can have been measured")
    return float(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{str(value)[:40]!r} is no count")
    return value


@dataclass(slots=True)
class Keeper:
    """Turns what a watch has seen into `Watched`.

    Parameters
    ----------
    name : str
        Of the process.
    watch : Stalls
    ours : collection of str
        The files of gilkit that run the program: their frames, and what is outside of them, are not its own.
    start : float
        When the watch began.
    """

    name: str
    watch: Stalls
    ours: Collection[str]
    start: float
    home: str = ""
    missing: str = ""
    places: dict[CodePlace, KeptPlace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _ = CodePlace("", None, "").foreign  # finds out where libraries are: a program may change its path

    def watched(self, now: float, ended: bool, stalls: Sequence[Stall] | None = None) -> Watched:
        """Return what was seen until ``now``: with all stalls that were kept, or with these."""
        held, kept = self.watch.held_share, self.watch.stalls
        return Watched(
            self.name,
            os.getpid(),
            self.start,
            now - self.start,
            tuple(
                replace(stall, stack=self._stack(stall.stack))
                for stall in (kept if stalls is None else stalls)
            ),
            tuple(
                (thread.name or str(thread), float(share))
                for thread, share in self.watch.by_thread.items()
                if share == share
            ),
            _known(held),
            self.watch.waited,
            self.watch.alone,
            self.watch.dropped,
            self.watch.note or held.note,
            self.missing,
            ended,
        )

    def _stack(self, stack: Sequence[CodePlace]) -> tuple[KeptPlace, ...]:
        """Return the places of a stack up to those of ours."""
        found: list[KeptPlace] = []
        for place in stack:
            if place.file in self.ours:
                break
            if place not in self.places:
                self.places[place] = self._kept(place)
            found.append(self.places[place])
        return tuple(found)

    def _kept(self, place: CodePlace) -> KeptPlace:
        text = ""
        with suppress(Exception):  # it asks what the program may have changed: its path, its loaders
            text = linecache.getline(place.file, place.line).strip() if place.line else ""
        foreign = place.foreign
        return KeptPlace(
            place.file, place.line, place.function, short(place.file, self.home, foreign), foreign, text
        )


def _known(share: Share) -> float | None:
    return float(share) if share == share else None


def short(file: str, home: str, foreign: bool) -> str:
    """Return how a file is called: from the working folder, or from the folder that it is imported from."""
    known = (
        sys.path if isinstance(sys.path, list) else []
    )  # anything may be there; Python looks in texts only
    folders = [f"{path.rstrip(os.sep)}{os.sep}" for path in known if isinstance(path, str) and path]
    within = [folder for folder in folders if file.startswith(folder)]
    if home and not foreign and file.startswith(f"{home.rstrip(os.sep)}{os.sep}"):
        within = [f"{home.rstrip(os.sep)}{os.sep}"]
    return os.path.normpath(file[max(map(len, within)) :]) if within else file


def joined(chunks: Iterable[Watched]) -> Watched:
    """Return what a process wrote bit by bit: all stalls, and else what it wrote last."""
    every = list(chunks)
    return replace(every[-1], stalls=tuple(stall for chunk in every for stall in chunk.stalls))
