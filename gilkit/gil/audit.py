"""For how long others would have waited for the GIL, and whether that is the program's own doing: `Audit`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from itertools import takewhile
from os import getpid  # a test may put another in its place
from pathlib import Path
from typing import NamedTuple

from gilkit._ext._canary import clock, lap
from gilkit.gil.audited import brief
from gilkit.gil.canary import Canary
from gilkit.gil.places import Stall
from gilkit.gil.share import unseen
from gilkit.gil.stalls import Stalls
from gilkit.machine import BUSY, stolen_seconds, usable_cpus, watched_load

# Twice Python's switch interval: it takes less that Python code lets go when it is asked.
SHORTEST_LIMIT, LONGEST_LIMIT = 10e-3, 3600.0  # seconds of a limit
# On a busy machine: who shares a core, caches and memory with others runs at a half to a third of its pace.
SLOWED = 3.0
LOOKED = 0.3  # seconds for which the load is watched at least
CANARY_IN = 1000  # milliseconds in which the canary has its turn


class AuditedHold(NamedTuple):
    """A hold that would have kept others waiting.

    ``least`` is what it lasted less the time in which others may have kept its thread from running or nobody
    looked, in seconds; ``told``: whether the system tells the first of these.
    """

    stall: Stall
    least: float
    told: bool

    @property
    def seconds(self) -> float:
        """How long it was, whoever was the cause."""
        return self.stall.seconds

    @property
    def own(self) -> Stall:
        """The hold as it is told and recorded: as long as it was at least by the program's own doing."""
        return replace(self.stall, end=self.stall.start + self.least)


class WatchedTime(NamedTuple):
    """What was seen of a time.

    Attributes
    ----------
    holds : sequence of AuditedHold
        The longest first.
    hidden : float
        For how many seconds at most the GIL may have been held there, and nobody saw it.
    note : str
        Why that is.
    """

    holds: Sequence[AuditedHold] = ()
    hidden: float = 0.0
    note: str = ""


class Audit:
    """Watch for how long this program, however few its threads, would keep others from the GIL.

    Use it as a context manager, in the thread that does the work.
    """

    def __init__(self) -> None:
        self.thread, self._process = threading.get_native_id(), getpid()
        self._canary = Canary(self.thread)
        self._stalls = Stalls(SHORTEST_LIMIT, self._soon_after, canary=self._canary)
        self._stalls.listed = False
        self._delays: dict[Stall, float] = {}
        self._since = clock()
        self._load: Callable[[], float] = watched_load(clock)
        self._stolen = stolen_seconds()

    def __enter__(self) -> Audit:
        self._stalls.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stalls.stop()

    @property
    def kind(self) -> str:
        """What is watched: time with the GIL, or attached; see `gilkit.gil.share.Share`."""
        return self._stalls._monitor.kind

    def begin(self) -> float:
        """Return the time, on the clock of the holds, from which on something is looked at."""
        self._delays.clear()
        if clock() - self._since > 2 * LOOKED:
            self._load, self._stolen, self._since = watched_load(clock), stolen_seconds(), clock()
        return clock()

    def silent(self) -> AbstractContextManager[None]:
        """Let nobody ask for the GIL meanwhile, as where it is measured."""
        return self._canary.silent()

    def since(self, start: float) -> WatchedTime:
        """Return what was seen since such a time, and holds that ended since, whenever they began."""
        seconds = clock() - start
        if seconds < SHORTEST_LIMIT:
            return WatchedTime()
        if getpid() != self._process:
            return WatchedTime((), seconds, "it ran in a child that was forked: nobody watches there")
        settled = self._stalls.settle()
        found = list(takewhile(lambda hold: hold.end > start, reversed(self._stalls.stalls)))
        for _ in range(CANARY_IN if found else 0):
            if self._canary.last >= found[0].end:
                break
            lap(1e-3, -1, False)
        holds = sorted(map(self._audited, found), key=lambda hold: -hold.seconds)
        if why := self._stalls.note or ("" if settled else "the monitor did not tell in time what it saw"):
            return WatchedTime(holds, seconds, why)
        return WatchedTime(holds, *hidden(self._stalls._monitor.gaps, start, seconds))

    def _audited(self, stall: Stall) -> AuditedHold:
        delay = self._delay(stall)
        blind = sum(  # at its ends: over one between them the same hold was found at both sides
            min(end, stall.end) - max(start, stall.start)
            for start, end in self._stalls._monitor.gaps
            if start <= stall.start < end or start < stall.end <= end
        )
        return AuditedHold(stall, max(0.0, stall.seconds - (delay or 0.0) - blind), delay is not None)

    def _delay(self, stall: Stall) -> float | None:
        """Return for how many seconds at most others kept the thread of a hold from running meanwhile."""
        if stall.thread.native_id == self.thread:
            return self._canary.delay(stall.start, stall.end)
        return self._delays.get(stall)

    def _soon_after(self, stall: Stall) -> None:
        """Note for how long others kept the thread of a hold from running, as long as it is there.

        Of another than that which does the work that is since it began: most are young.
        """
        with suppress(Exception):  # a test may have put another in the place of what is called
            if stall.thread.native_id != self.thread:
                text = Path(f"/proc/self/task/{stall.thread.native_id}/schedstat").read_text()
                self._delays[stall] = 1e-9 * int(text.split()[1])

    def doubt(self, hold: AuditedHold, limit: float) -> str:
        """Return why a hold may be beyond a limit for the load of the machine only; empty if it is not."""
        lap(max(0.0, LOOKED - (clock() - self._since)), -1, False)
        load, stolen = self._load(), stolen_seconds() - self._stolen
        return doubt(hold._replace(least=max(0.0, hold.least - stolen)), limit, load)

    @property
    def note(self) -> str:
        """What could not be seen, and why; empty if all could."""
        blind = unseen(self._stalls.held_share.coverage)
        return self._stalls.note or (blind and f"{blind}: long holds may have gone unseen")


def hidden(gaps: Iterable[tuple[float, float]], start: float, seconds: float) -> tuple[float, str]:
    """Return how long a hold after such a time may be that nobody saw, and why.

    It fits into the longest gap; or into all of them, if there are so many that little was seen between them.
    """
    lengths = [end - max(begin, start) for begin, end in gaps if end > start]
    missed = sum(lengths)
    note = f"for {brief(missed)} of {brief(seconds)} the system kept the monitor from running"
    longest = missed if unseen(1 - missed / seconds) else max(lengths, default=0.0)
    return longest, f"{note}: long holds may have gone unseen"


def doubt(hold: AuditedHold, limit: float, load: float) -> str:
    """Return why a hold beyond a limit may be so for what others do only; empty if it is not.

    Parameters
    ----------
    hold : AuditedHold
    limit : float
        The seconds that are allowed.
    load : float
        CPUs that others keep busy.
    """
    busy, cpus = load >= BUSY, usable_cpus()
    others = f"others keep {load:.1f} of {cpus} CPU{'s' * (cpus != 1)} busy"
    if hold.least <= limit:
        taken = hold.seconds - hold.least
        return f"for {brief(taken)} of that the system kept the thread or the monitor from running"
    if busy and not hold.told:
        return f"{others}, and the system does not tell what they took of that"
    if busy and hold.least <= SLOWED * limit:
        return f"{others}, and it is not {SLOWED:.0f} times the limit"
    return ""
