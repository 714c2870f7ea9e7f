"""The rungs of a ladder: threads that share everything, nothing, all but one thing, or that only. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from gilkit.results.case import ONLY, PRIVATE
from gilkit.results.stats import Estimate
from gilkit.studies.compare.causes import ALIKE, SCALING
from gilkit.studies.compare.figures import Usage, surely_above, surely_below

NEARLY = 2 / 3  # of what can be reached, from which most of the scaling is back


class Found(Enum):
    """What climbing the ladder showed."""

    CAUSE = "the cause"
    NOTHING = "nothing that is shared stops it"
    NOT_ONE = "no suspect alone"
    NOT_DECIDED = "not decided"


@dataclass(frozen=True, slots=True)
class Rung:
    """Threads that share a part of SETUP.

    Parameters
    ----------
    names, kinds : tuple of str
        What each thread has for itself, and of which type that is; or what alone is shared.
    own : frozenset of str
        All that each thread has for itself: what leads to these names, too.
    only : bool
        Whether it is these names that are shared, and nothing else of what can be private.
    alike : bool
        Whether several names cannot be told apart: a thread that has one of them for itself has all.
    speedup : Estimate or None
    to_goal, gain : Estimate or None
        What they do, over what can be reached, and over what threads do that share all.
    used : Usage or None
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    only: bool = False
    alike: bool = False
    speedup: Estimate | None = None
    to_goal: Estimate | None = None
    gain: Estimate | None = None
    used: Usage | None = None

    @property
    def title(self) -> str:
        """Its names with their types."""
        return " and ".join(f"`{name}` ({kind})" for name, kind in zip(self.names, self.kinds, strict=True))

    @property
    def variant(self) -> str:
        """The variant of its case."""
        return f"{ONLY if self.only else PRIVATE}-{'+'.join(self.names)}"

    @property
    def single(self) -> bool:
        """Whether it is one suspect that each thread has for itself."""
        return not self.only and (self.alike or len(self.names) == 1)

    @property
    def back(self) -> bool:
        """Whether the scaling is back, as far as one can tell, and most of it surely."""
        return self.to_goal is not None and self.to_goal >= SCALING and self.nearly

    @property
    def nearly(self) -> bool:
        """Whether most of the scaling is surely back."""
        return surely_above(self.to_goal, NEARLY) and self.helps

    @property
    def helps(self) -> bool:
        """Whether these threads surely do a ninth more than those that share all, or still more."""
        return surely_above(self.gain, 1 / SCALING)

    @property
    def reaches(self) -> bool:
        """Whether these threads surely do about as much as can be reached."""
        return self.to_goal is not None and self.to_goal >= SCALING and surely_above(self.to_goal, ALIKE)

    @property
    def stops(self) -> bool:
        """Whether these threads surely stop."""
        return surely_below(self.to_goal, SCALING)


@dataclass(frozen=True, slots=True)
class Ladder:
    """What threads do by what they share.

    Parameters
    ----------
    workers : int
    found : Found
    private, shared : Rung
        Threads that share nothing of SETUP, and all of it.
    rungs : tuple of Rung
        Those between, in the order in which they were tried.
    culprits : tuple of Rung
        The one that brings the scaling back, and that stops it if it alone is shared; several where the
        figures cannot tell which.
    untried : dict of str to str
        What no thread can have for itself, each with the reason.
    stops : bool
        Whether threads surely stop that share nothing of SETUP.
    gil : bool
        Whether there is a GIL.
    beside : tuple of Rung
        What costs nothing to share, but may hide behind a suspect: threads have both for themselves.
    modules : tuple of str
        Those at whose attributes the statement looks.
    failed : str
        Why nobody knows what threads share; or empty.
    slower : float
        Times as long that a call takes once SETUP was run again.
    within : bool
        Whether threads that share all of SETUP may do as much as those that share nothing of it: what is
        looked for stops both.
    """

    workers: int
    found: Found
    private: Rung
    shared: Rung
    rungs: tuple[Rung, ...] = ()
    culprits: tuple[Rung, ...] = ()
    untried: Mapping[str, str] = field(default_factory=dict)
    stops: bool = False
    gil: bool = True
    beside: tuple[Rung, ...] = ()
    modules: tuple[str, ...] = ()
    failed: str = ""
    slower: float = 1.0
    within: bool = False

    @property
    def singles(self) -> list[Rung]:
        """The rungs of one suspect each."""
        return [rung for rung in self.rungs if rung.single]

    def parts(self, rung: Rung) -> list[Rung]:
        """Return the suspects that a rung is of."""
        return [one for one in self.singles if set(one.names) <= set(rung.names)]

    def trial(self, suspect: Rung) -> Rung | None:
        """Return the threads that share one suspect only; where that leads to all, those that share all."""
        found = next((rung for rung in self.rungs if rung.only and rung.names == suspect.names), None)
        return self.shared if found is None and not all_but(suspect, self.singles) else found

    def guilty(self, rung: Rung) -> bool:
        """Whether each suspect of a rung surely stops threads that share nothing else."""
        trials = [self.trial(one) for one in self.parts(rung)]
        return bool(trials) and all(trial is not None and trial.stops for trial in trials)

    def cleared(self, rung: Rung) -> bool:
        """Whether a suspect of a rung surely does not stop threads that share nothing else."""
        trials = (self.trial(one) for one in self.parts(rung))
        return any(trial is not None and trial is not self.shared and trial.reaches for trial in trials)

    @property
    def blind(self) -> bool:
        """Whether something that may stop the threads was not tried: of SETUP, or what a module keeps."""
        of_modules = any("." in name for rung in self.rungs for name in rung.names)
        return bool(self.untried or self.failed or (self.modules and not of_modules))


def all_but(suspect: Rung, singles: Sequence[Rung]) -> frozenset[str]:
    """Return what a thread has for itself that shares one suspect only, and what that leads to."""
    every = frozenset[str]().union(*(one.own for one in singles))
    leads_to = {name for one in singles if suspect.names[0] in one.own for name in one.names}
    return every - leads_to


def smallest(rungs: Iterable[Rung]) -> tuple[Rung, ...]:
    """Return those of the fewest suspects, and of these the ones in which no other is contained."""
    rungs = list(rungs)
    few = [rung for rung in rungs if rung.single] or rungs
    fewest = min((1 if rung.single else len(rung.names) for rung in few), default=0)
    few = [rung for rung in few if rung.single or len(rung.names) == fewest]
    return tuple(rung for rung in few if not any(other.own < rung.own for other in few))
