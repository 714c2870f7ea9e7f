"""A share of time, with the GIL or attached: its error, and when it cannot be told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import nan
from typing import NamedTuple

from gilkit.machine import usable_cpus
from gilkit.results.stats import Estimate

HELD_SHARE, ATTACHED_SHARE = "held", "attached"  # what a share may be of
STANDARD_ERRORS = 2.0  # of a share, on each side of it: its interval
SEEN_PART = 0.9  # of a time that the monitor must have seen, for anything to be told of it
TOO_BUSY = "the machine is too busy"
# How much wider an interval of 95 % is where the error itself comes from few parts: Student's t, for 1, 2, …
# degrees of freedom, over the Gaussian's 1.96.
WIDER = (6.48, 2.20, 1.62, 1.42, 1.31, 1.25, 1.21, 1.18, 1.15, 1.14)


class Share(float):
    """A fraction of time with its standard error, and a word where there was nothing to measure.

    It is nan where it cannot be told; ``note`` says why.

    Attributes
    ----------
    error : float
        Standard error, wider where it comes from few calls; nan where there are too few to tell.
    samples : int
    note : str
        Why the share is not told, as where the monitor saw too little; or why it is 0; or empty.
    coverage : float
        The fraction of the time that the monitor saw.
    kind : str
        What it is a share of: ``"held"``, time with the GIL; or ``"attached"``, where there is none: time in
        which a thread is attached to the interpreter, and lets nobody stop the world.
    """

    __slots__ = ("coverage", "error", "kind", "note", "samples")

    error: float
    samples: int
    note: str
    coverage: float
    kind: str

    def __new__(
        cls,
        value: float,
        error: float = nan,
        samples: int = 0,
        note: str = "",
        coverage: float = 1.0,
        kind: str = HELD_SHARE,
    ) -> Share:
        self = super().__new__(cls, value)
        self.error = error
        self.samples = samples
        self.note = note
        self.coverage = coverage
        self.kind = kind
        return self

    def __reduce__(self) -> tuple[type[Share], tuple[float, float, int, str, float, str]]:
        return (Share, (float(self), self.error, self.samples, self.note, self.coverage, self.kind))

    def __repr__(self) -> str:
        more = f", note={self.note!r}" if self.note else ""
        more += f", kind={self.kind!r}" if self.kind != HELD_SHARE else ""
        return f"Share({float(self):.4f}, error={self.error:.4f}, samples={self.samples}{more})"


class Sums(NamedTuple):
    """What a sampler saw so far; all but the first two are seconds.

    Attributes
    ----------
    samples : int
    takes : int
        How many times the GIL was seen to be taken, or somebody to attach.
    elapsed, missed : float
        All of the time, and the part that was not seen.
    sampled, locked : float
        The time that the samples stand for, and what of it was locked: or somebody was attached, where there
        is no GIL.
    """

    samples: int = 0
    takes: int = 0
    elapsed: float = 0.0
    missed: float = 0.0
    sampled: float = 0.0
    locked: float = 0.0

    def since(self, before: Sums) -> Sums:
        """Return what came after ``before``."""
        return Sums(
            self.samples - before.samples,
            self.takes - before.takes,
            *(now - then for now, then in zip(self[2:], before[2:], strict=True)),
        )

    def share(self, error: float, kind: str = HELD_SHARE, note: str = "") -> Share:
        """Return the share of the time that was locked, if it can be told; ``note``: why it cannot."""
        coverage = min(1.0, max(0.0, 1 - self.missed / self.elapsed)) if self.elapsed > 0 else 0.0
        note = note or (unseen(coverage) if self.elapsed > 0 else "nothing was watched yet")
        if not note and not self.samples:
            note = "no samples: it was watched for less than the interval"
        if note:
            return Share(nan, nan, self.samples, note, coverage, kind)
        return Share(self.locked / self.sampled, error, self.samples, "", coverage, kind)


def with_interval(share: float, error: float | None) -> Estimate:
    """Return a share with its interval; without one where the error is not known, as of one call."""
    margin = nan if error is None else STANDARD_ERRORS * error
    return Estimate(share, share - margin, share + margin)


def unseen(coverage: float) -> str:
    """Return why nothing can be told of a time of which the monitor saw such a fraction; or ''."""
    if coverage >= SEEN_PART:
        return ""
    why = TOO_BUSY if usable_cpus() > 1 else "there is one CPU only"
    seen = math.floor(100 * coverage)
    return f"{why}: the monitor, which wants a CPU to spare, ran for {seen}% of the time only"


def ratio_error(parts: Sequence[tuple[float, float]]) -> float:
    """Return the standard error of a share, from stretches that do not depend on each other.

    Parameters
    ----------
    parts : sequence of (float, float)
        The seconds of each stretch, and what of them was locked: the share is the ratio of their sums.

    Returns
    -------
    float
        As wide as so few parts make it: two of it to either side hold the truth 95 times in 100. nan for
        fewer than two.
    """
    n, total = len(parts), math.fsum(seconds for seconds, _ in parts)
    if n < 2 or total <= 0:
        return nan
    share = math.fsum(locked for _, locked in parts) / total
    squares = math.fsum((locked - share * seconds) ** 2 for seconds, locked in parts)
    wider = WIDER[n - 2] if n - 2 < len(WIDER) else 1 + 1.25 / (n - 1)
    return wider * math.sqrt(squares * n / (n - 1)) / total
