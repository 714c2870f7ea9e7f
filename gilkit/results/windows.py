"""What was seen in a window, of every worker; and which windows others disturbed: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isnan, nan
from statistics import median
from typing import Any, NamedTuple

DISTURBED = 0.02  # the share of a window that others may take from a worker
WAKING = 100e-6  # seconds that it takes at most to wake a CPU that sleeps
TICKS = 0.03  # CPU seconds below which the system's own count of them says nothing


class Stint(NamedTuple):
    """What one worker did in a window: a tuple, for there are thousands in a file.

    Parameters
    ----------
    calls : float
        Calls that it finished between the two instants of the window; of those across one, the part.
    seconds : float
        How long it was at work: longer than the window, which it begins before and ends after.
    cpu : float
        Its CPU seconds meanwhile.
    voluntary, involuntary : float
        How often it gave its CPU up, to wait; and how often the system took it away. nan where unknown.
    delay : float
        Seconds that it was ready to run and waited for a CPU. nan where unknown.
    system, faults : float
        Those of its CPU seconds that the system worked for it, and page faults that needed no disk. nan where
        unknown.
    """

    calls: float
    seconds: float
    cpu: float
    voluntary: float = nan
    involuntary: float = nan
    delay: float = nan
    system: float = nan
    faults: float = nan


@dataclass(frozen=True, slots=True)
class Window:
    """What all workers of a case did between two instants.

    Parameters
    ----------
    seconds : float
        From one instant to the other.
    workers : int
    stints : tuple of Stint
        Of every worker; or of the one that hands calls out to them all.
    stolen : float
        CPU seconds that a hypervisor took from the machine meanwhile.
    others : float
        CPU seconds that programs other than these workers used; nan where the workers have a CPU each, and
        tell it themselves.
    pinned : bool
        Whether every worker had a CPU of its own.
    """

    seconds: float
    workers: int
    stints: tuple[Stint, ...]
    stolen: float = 0.0
    others: float = nan
    pinned: bool = True

    @property
    def calls(self) -> float:
        """Calls of all workers."""
        return sum(stint.calls for stint in self.stints)

    @property
    def value(self) -> float:
        """Wall seconds per call of each worker: workers / throughput."""
        return self.workers * self.seconds / self.calls

    @property
    def cpu(self) -> float:
        """CPU seconds used for each second of the wall clock, by all workers."""
        return sum(stint.cpu / stint.seconds for stint in self.stints)

    def packed(self) -> list[Any]:
        """Return it as a results file holds it."""
        rows = [list(map(_rounded, stint)) for stint in self.stints]
        known = [self.seconds, self.workers, self.stolen, self.others]
        return [*map(_rounded, known), self.pinned, rows]

    @classmethod
    def unpacked(cls, packed: Sequence[Any]) -> Window:
        """Return what `packed` made."""
        *known, pinned, rows = packed
        seconds, workers, stolen, others = map(_float, known)
        stints = tuple([Stint(*map(_float, row)) for row in rows])
        return cls(seconds, int(workers), stints, stolen, others, bool(pinned))


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late the ticks of a window were: see `gilkit.engine.neighbours`.

    Parameters
    ----------
    ticks : int
    usual, nearly_all, most : float
        Seconds that the median was late, that 99 % were at the most, and that the latest was.
    hold : float
        Seconds from when the ticker went to sleep, and so let go of the GIL, to when it had it again: half of
        the time went by in such as were so long or longer. It is for how long others hold it, where they hold
        it all the time.
    """

    ticks: int
    usual: float
    nearly_all: float
    most: float
    hold: float

    @classmethod
    def of(cls, late: Sequence[float], away: Sequence[float]) -> Lateness:
        """Return it for so many ticks, each so late, and for each the time without the GIL before it."""
        ordered = sorted(late)
        half, hold = sum(away) / 2, 0.0
        for hold in sorted(away, reverse=True):
            half -= hold
            if half <= 0:
                break
        return cls(len(late), median(ordered), ordered[ceil(0.99 * len(ordered)) - 1], ordered[-1], hold)

    def packed(self) -> list[Any]:
        """Return it as a results file holds it."""
        return [self.ticks, *map(_rounded, (self.usual, self.nearly_all, self.most, self.hold))]

    @classmethod
    def unpacked(cls, packed: Sequence[Any]) -> Lateness:
        """Return what `packed` made."""
        ticks, *known = packed
        return cls(int(ticks), *map(_float, known))


def _rounded(value: float) -> float | None:
    """Seven figures are more than was measured; JSON has no nan."""
    return None if isnan(value) else float(f"{value:.7g}")


def _float(packed: Any) -> float:
    return nan if packed is None else float(packed)


def known(figure: float) -> float:
    """Return a figure, or 0 for one that the system does not tell."""
    return 0.0 if isnan(figure) else figure


def own_delay(windows: Collection[Window]) -> float:
    """Return the seconds that a worker of a case waits for its CPU each time that it wakes up.

    A CPU that slept takes its time to wake: where threads pass a lock to and fro that is a part of every
    hand-over, and belongs to the truth. What others take comes on top, and not in every window: so it is the
    lower quartile over the windows of the case; and no more than it takes to wake a CPU, for on a busy
    machine others are in every window. Who never gives its CPU up has none.
    """
    each = sorted(
        stint.delay / stint.voluntary
        for window in windows
        if window.pinned
        for stint in window.stints
        if not isnan(stint.delay) and stint.voluntary >= 1
    )
    return min(each[(len(each) - 1) // 4], WAKING) if each else 0.0


def undisturbed(windows: Mapping[int, Window], share: float = DISTURBED) -> set[int]:
    """Return the rounds in which nobody else took part of what the workers of a case had.

    Parameters
    ----------
    windows : mapping of int to Window
        The windows of one case, by round.
    share : float
        Of a window, that others may take from a worker.

    Notes
    -----
    This is the only ground on which a round is left out: never what it measured.
    """
    own = own_delay(windows.values())
    return {id_ for id_, window in windows.items() if not _disturbed(window, own, share)}


def _disturbed(window: Window, own: float, share: float) -> bool:
    allowed = share * window.seconds
    if window.stolen > allowed:
        return True
    if not isnan(window.others):
        return window.others > max(TICKS, allowed * window.workers)
    if not window.pinned:
        return False
    return any(
        stint.delay - own * known(stint.voluntary) > share * stint.seconds
        for stint in window.stints
        if not isnan(stint.delay)
    )
