"""Stalls, and the lines of a program that they are put on."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass

from gilkit._ext import _threads
from gilkit.gil.threads import ThreadId

C_CALL, PYTHON_CODE, COLLECTION = "C call", "Python code", "garbage collection"
PUT_ASIDE, UNKNOWN = "put aside", "unknown"
CERTAIN_PLACE, LIKELY_PLACE = "certain", "likely"


def _libraries() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return tuple(sorted({f"{path}{os.sep}" for path in found | {os.path.realpath(path) for path in found}}))


_LIBRARIES = _libraries()  # now: who asks later may have changed what these functions do


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A line of a program, and the function that it is in. The line is None where it is not known."""

    file: str
    line: int | None
    function: str

    @classmethod
    def copied(cls, frame: tuple[str, str, int]) -> CodePlace:
        """Return the place of a frame as it is copied: file, function, and a line that may not be known."""
        file, function, line = frame
        return cls(file, None if line < 1 else line, function)

    def __str__(self) -> str:
        return f"{self.file}:{'?' if self.line is None else self.line}"

    @property
    def foreign(self) -> bool:
        """Whether it lies in the standard library, in an installed package or nowhere on the disk."""
        return self.file.startswith(("<frozen ", *_LIBRARIES)) or any(
            f"{os.sep}{folder}{os.sep}" in self.file for folder in ("site-packages", "dist-packages")
        )


@dataclass(frozen=True, slots=True)
class Waiter:
    """A thread that waited for the GIL, and since when it was seen to."""

    thread: ThreadId
    since: float


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which one thread kept the GIL while another waited for it.

    Where there is no GIL: in which it stayed attached while another waited for all threads to stop, or kept
    them stopped.

    Attributes
    ----------
    start, end : float
        Since when somebody waited, and until when, on the clock of `time.perf_counter`.
    thread : ThreadId
        Who had the GIL, or was last to stop.
    kind : str
        ``"C call"``: one call into C, or one operation; ``"Python code"``; ``"garbage collection"``;
        ``"put aside"``: most of the time the system gave its CPU to others; ``"unknown"``.
    certainty : str
        Of the place: ``"certain"`` where the thread was found there twice while others waited; ``"likely"``
        where it was there just after; ``""`` where nobody knows.
    stack : tuple of CodePlace
        Where it was, the innermost function first.
    waiting : tuple of Waiter
        Who waited for it; who did at the first look did so from its start. Empty where the system does not
        tell (it does on Linux, where ``/proc`` is mounted), and where there is no GIL.
    """

    start: float
    end: float
    thread: ThreadId
    kind: str = UNKNOWN
    certainty: str = ""
    stack: tuple[CodePlace, ...] = ()
    waiting: tuple[Waiter, ...] = ()

    @property
    def seconds(self) -> float:
        """For how long others waited."""
        return self.end - self.start

    @property
    def place(self) -> CodePlace | None:
        """The innermost line."""
        return self.stack[0] if self.stack else None

    @property
    def own(self) -> CodePlace | None:
        """The innermost line of the program's own, which led there; the innermost of all if none is."""
        return next((place for place in self.stack if not place.foreign), self.place)


@dataclass(slots=True)
class StalledLine:
    """What the stalls of one line and kind come to; ``own`` is the program's own line that led there."""

    place: CodePlace | None
    own: CodePlace | None
    kind: str
    certainty: str
    stalls: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    def add(self, stall: Stall) -> None:
        """Count one more; it is as certain as the least certain."""
        self.stalls += 1
        self.seconds += stall.seconds
        self.longest = max(self.longest, stall.seconds)
        if stall.certainty != CERTAIN_PLACE:
            self.certainty = stall.certainty


def by_line(stalls: list[Stall]) -> list[StalledLine]:
    """Add up stalls by their lines, those first that others waited for longest."""
    lines: dict[tuple[CodePlace | None, CodePlace | None, str], StalledLine] = {}
    for stall in stalls:
        key = stall.place, stall.own, stall.kind
        lines.setdefault(key, StalledLine(*key, stall.certainty)).add(stall)
    return sorted(lines.values(), key=lambda line: -line.seconds)


def place_now(address: int) -> tuple[CodePlace, ...]:
    """Return where the thread with this state is now, the innermost function first: it waits for the GIL."""
    if _threads.frames_missing() is None:
        return tuple(CodePlace.copied(frame) for frame in _threads.frames(address) if frame is not None)
    # That looks into all interpreters, and those with a GIL of their own go on meanwhile: Python may crash.
    found: list[CodePlace] = []
    if _threads.one_interpreter():
        states, _ = _threads.thread_states()
        ident = next((ident for state, _, ident, _ in states if state == address), 0)
        frame = sys._current_frames().get(ident)
        while frame is not None:
            code = frame.f_code
            found.append(CodePlace(code.co_filename, frame.f_lineno, code.co_qualname))
            frame = frame.f_back
    return tuple(found)
