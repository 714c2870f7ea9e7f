"""What a held share means, and how far threads get that share one GIL: pure."""

from __future__ import annotations

from gilkit.results.stats import Estimate

AGAIN = 5.0  # times that a call takes the GIL from which it is said
RELEASES = 0.1  # the held share up to which a call releases the GIL; from 1 less this on, it holds it
HAND_OVER = 20e-6  # seconds that a contended hand-over of the GIL costs, where it was not measured
QUEUED = 0.5  # of it, what one costs where more than two queue: no CPU has slept (benchmarks/prediction.py)
SLOW_HAND_OVER = 1.5  # what a slow hand-over costs, to a usual one
ASKED_AFTER = 5e-3  # seconds after which a thread that waits asks for the GIL, as the interpreter is set


def bound(held: float) -> float:
    """Return how many times the work of one thread any number of threads do at most: the GIL is one."""
    return 1 / held


def taken_again(times: float) -> bool:
    """Whether a call takes the GIL so often that it is worth a word."""
    return times >= AGAIN


def behaviour(held: float) -> str:
    """Say what a call does that holds the GIL for such a share: ``holds``, ``releases`` or ``… in part``."""
    return "releases" if held <= RELEASES else "holds" if held >= 1 - RELEASES else "releases in part"


def contended(call: float, held: float, times: float) -> float:
    """Return how often in a call the GIL can change hands.

    Each time that it is taken; but who holds it throughout goes on from call to call until it is asked for:
    once a turn.
    """
    return min(times, call / ASKED_AFTER) if behaviour(held) == "holds" else times


def law(
    workers: int,
    p: float,
    call: float,
    held: float,
    times: float = 1.0,
    handover: float = HAND_OVER,
    margin: float = 0.0,
) -> Estimate:
    """Return how many times the work of one worker threads do: ``min(W p, c / (h c + n δ))``.

    The GIL is a server that serves one at a time. The law takes every hand-over for a contended one; calls
    that seldom meet do better, up to what the held share alone allows: the law with ``times=0``.

    Parameters
    ----------
    workers : int
        W.
    p : float
        What the machine gives to each of them: a share of one CPU.
    call : float
        c, seconds of one call alone.
    held : float
        h, the share of a call that holds the GIL.
    times : float
        n, how often the GIL changes hands in a call.
    handover : float
        δ, seconds of one such hand-over.
    margin : float
        How far h may be off: the interval's ends come from it.

    Returns
    -------
    Estimate
    """

    def at(share: float) -> float:
        taken = min(1.0, max(0.0, share)) + times * handover / call
        return min(workers * p, 1 / taken) if taken > 0 else workers * p

    return Estimate(at(held), at(held + margin), at(held - margin))


def pessimistic(
    workers: int, p: float, call: float, held: float, times: float = 1.0, handover: float = HAND_OVER
) -> float:
    """Return what threads do whose holds are of random length: the law's neighbour below.

    Exact mean value analysis (Reiser & Lavenberg, 1980) of one queue, the GIL, and of work that needs none.
    For two workers and no hand-overs it is ``2 / (1 + h²)``. Work without the GIL runs at the machine's pace.

    Parameters
    ----------
    workers, p, call, held, times, handover
        As of `law`.

    Returns
    -------
    float
    """
    taken = held + times * handover / call
    free = (1 - held) / p
    done = queue = 0.0
    for count in range(1, workers + 1):
        stay = taken * (1 + queue)
        done = count / (free + stay)
        queue = done * stay
    return min(workers * p, done)
