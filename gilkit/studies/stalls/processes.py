"""The processes of a program that was watched, and what several of them come to: pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from gilkit.gil.places import COLLECTION, PUT_ASIDE, CodePlace, StalledLine, by_line
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.studies.stalls.watched import KeptPlace, Watched

BY_CHANCE = {COLLECTION, PUT_ASIDE}  # kinds that come up on any line


def processes(results: Results) -> list[Watched]:
    """Return what was seen of each process, of the program itself first."""
    found = []
    for case in results:
        seen = results.fact(case, facts.STALLS_SEEN)
        if seen is None:
            raise ValueError(f"{facts.STALLS_SEEN.key} of {case.name} is missing")
        found.append(Watched.unpacked(seen))
    return found


@dataclass(frozen=True)
class ProcessGroup:
    """Processes that do the same work, and so are told as one: the program itself, or workers of a pool.

    Parameters
    ----------
    name : str
    members : sequence of Watched
    so_far : bool
        Whether the program goes on.
    """

    name: str
    members: Sequence[Watched]
    so_far: bool = False

    @cached_property
    def lines(self) -> list[StalledLine]:
        """The lines that others waited at, the widest first."""
        return by_line([stall for one in self.members for stall in one.stalls])

    @property
    def seconds(self) -> float:
        """For how long all of them were watched."""
        return math.fsum(one.seconds for one in self.members)

    @property
    def waited(self) -> float:
        """The seconds in which somebody waited, at least."""
        return math.fsum(one.waited for one in self.members)

    @property
    def alone(self) -> int:
        """How many times somebody had the GIL for as long, and nobody waited."""
        return sum(one.alone for one in self.members)

    @property
    def dropped(self) -> int:
        """How many stalls were not kept."""
        return sum(one.dropped for one in self.members)

    @property
    def held(self) -> float | None:
        """The share of the time for which the GIL was held: None where the monitor saw too little."""
        if any(one.held is None for one in self.members):
            return None
        return math.fsum((one.held or 0.0) * one.seconds for one in self.members) / (self.seconds or 1.0)

    @property
    def threads(self) -> list[tuple[str, float]]:
        """The share of the time for which threads of each name had it, the largest first."""
        found: dict[str, float] = {}
        for one in self.members:
            for name, share in one.threads:
                alike = unnumbered(name) if len(self.members) > 1 else name
                found[alike] = found.get(alike, 0.0) + share * one.seconds / (self.seconds or 1.0)
        return sorted(found.items(), key=lambda item: -item[1])

    @property
    def missing(self) -> str:
        """Why nothing could be seen of any; or empty."""
        return self.members[0].missing if all(one.missing for one in self.members) else ""

    @property
    def notes(self) -> list[str]:
        """What cannot be known, each once."""
        return list(dict.fromkeys(one.note for one in self.members if one.note))


def unnumbered(name: str) -> str:
    """Return the name of a process or thread without its number, by which those of a pool differ."""
    return re.sub(r"[-_:](\d+[-_:]?)+$", "", name) or name


def sections(found: Sequence[Watched], subject: str) -> list[ProcessGroup]:
    """Return the program itself, and its children by their names."""
    alike: dict[str, list[Watched]] = {}
    so_far = not found[0].ended
    for one in found[1:]:
        alike.setdefault(unnumbered(one.name), []).append(one)
    children = [
        ProcessGroup(f"{len(members)} × {name}" if len(members) > 1 else members[0].name, members, so_far)
        for name, members in alike.items()
    ]
    return [ProcessGroup(subject, found[:1], so_far), *children]


@dataclass(frozen=True, slots=True)
class ToMend:
    """What made others wait longest, in all processes.

    ``place`` is the line of the program's own; None where the line is a matter of chance: of garbage
    collection, and of a thread whose CPU the system gave to others.
    """

    place: CodePlace | None
    kind: str
    seconds: float
    of: float


def to_mend(found: Iterable[ProcessGroup]) -> ToMend | None:
    """Return what to mend first; None if nobody knows of anything."""
    lines = [line for section in found for line in section.lines]
    saved: dict[tuple[CodePlace | None, str], float] = {}
    for line in lines:  # the widest first: what else is on a line goes by the kind that it mostly is
        by_chance = line.kind in BY_CHANCE
        if by_chance or line.own is not None:
            key = next(
                (key for key in saved if not by_chance and key[0] == line.own),
                (None if by_chance else line.own, line.kind),
            )
            saved[key] = saved.get(key, 0.0) + line.seconds
    if not saved:
        return None
    place, kind = max(saved, key=saved.__getitem__)
    return ToMend(place, kind, saved[place, kind], math.fsum(line.seconds for line in lines))


def source(place: CodePlace | None) -> str:
    """Return the text of a line, where that is known."""
    return place.text if isinstance(place, KeptPlace) else ""
