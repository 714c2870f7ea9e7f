"""How long a call is: found out before anything is measured, by runs that grow until they can be believed.

The shorter of two runs is: a program may be stopped, or its machine stand still, and what follows would last
for a multiple of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PACED = 0.02  # seconds of calls that tell how long one is
SHORTEST = 1e-9  # seconds that a call takes at the least


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a call is for one worker that nobody disturbs.

    Parameters
    ----------
    call : float
        Its seconds.
    inside : float
        CPU seconds that the process used for each of them: above 1 where a call has threads of its own.
    """

    call: float
    inside: float


def pace(run: Callable[[int], tuple[float, float]]) -> Pace:
    """Return how long a call is, of a run that is long enough to be believed.

    Parameters
    ----------
    run : callable
        ``run(loops)`` makes so many calls; it returns their wall seconds and their CPU seconds.
    """
    loops = 1
    while True:
        length, used = run(loops)
        if length >= PACED / 2:
            length, used = min((length, used), run(loops))
        if length >= PACED / 2 or loops >= 2**40:
            return Pace(max(length / loops, SHORTEST), used / max(length, SHORTEST))
        loops = max(2 * loops, min(100 * loops, int(loops * PACED / length) if length > 0 else 0))


def calibrated(run: Callable[[int], float], seconds: float) -> tuple[int, float]:
    """Return how many loops make ``run(loops)``, which returns its length, last about ``seconds``.

    Also returns the length of one. Loops grow until a run is long enough to be believed.
    """

    def shortest(loops: int) -> float:
        """The shortest of a few runs, which no single slow moment spoils: of two where they are long."""
        length = min(run(loops), run(loops))
        return length if length > 2 * seconds else min(length, run(loops))

    loops = 1
    while (length := shortest(loops)) < seconds / 4 and loops < 2**40:
        loops = max(2 * loops, min(100 * loops, int(loops * seconds / 2 / length) if length > 0 else 0))
    call = length / loops
    return max(1, round(seconds / call)), call
