"""What a held share means: pure."""

from __future__ import annotations

AGAIN = 5.0  # times that a call takes the GIL from which it is said
RELEASES = 0.1  # the held share up to which a call releases the GIL; from 1 less this on, it holds it
HAND_OVER = 20e-6  # seconds that a call may lose and the loss still be that of handing the GIL over


def bound(held: float) -> float:
    """Return how many times the work of one thread any number of threads do at most: the GIL is one."""
    return 1 / held


def taken_again(times: float) -> bool:
    """Whether a call takes the GIL so often that it is worth a word."""
    return times >= AGAIN


def behaviour(held: float) -> str:
    """Say what a call does that holds the GIL for such a share: ``holds``, ``releases`` or ``… in part``."""
    return "releases" if held <= RELEASES else "holds" if held >= 1 - RELEASES else "releases in part"
