"""What is said of a call that keeps the GIL; or that stays attached, where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gilkit.gil.law import bound
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE

WAITED_FOR = (
    "whoever stops all threads, as to collect garbage, waits for it until it detaches, and so do all others; "
    "only Python code stops when it is asked"
)

HOW = "(Cython: with nogil, C: Py_BEGIN_ALLOW_THREADS)"
SHORT = "short calls are mostly entering and leaving"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a failure.

    Attributes
    ----------
    runs, holds, keeps : str
        What a call does for the better share of its time, for the rest, and at a stretch.
    means_share : callable
        What follows from a share; and `means_hold`: from a long stretch.
    kept, longest : str
        What a test did at a stretch; and what calls do, of which it is told which do so longest.
    idle : str
        What other threads do that disturb.
    again : str
        What a call does that is interrupted too often.
    entering, callbacks, freeing, between : str
        What to do: in calls that are short; that do it again and again; throughout; and at a stretch.
    """

    runs: str
    holds: str
    keeps: str
    means_share: Callable[[float], str]
    means_hold: str
    kept: str
    longest: str
    idle: str
    again: str
    entering: str
    callbacks: str
    freeing: str
    between: str


WORDINGS = {
    HELD_SHARE: Wording(
        runs="runs without the GIL",
        holds="holds the GIL for",
        keeps="holds it, in half of the calls, for",
        means_share=lambda held: (
            "threads that call it wait for each other: however many, they do at most "
            f"{bound(held):.1f} times the work of one"
        ),
        means_hold="whatever else waits for the GIL, in any thread, stands still for so long",
        kept="held the GIL for",
        longest="hold it",
        idle="hold the GIL",
        again="it takes the GIL",
        entering=f"do more in one call, and release the GIL there: {SHORT}",
        callbacks="look for callbacks and checks where it should run without, such as a missing noexcept",
        freeing=f"release the GIL around the work {HOW}; or use processes",
        between="release the GIL around the long part, or now and then between its steps",
    ),
    ATTACHED_SHARE: Wording(
        runs="is detached",
        holds="stays attached for",
        keeps="stays attached, in half of the calls, for",
        means_share=lambda _: WAITED_FOR,
        means_hold=WAITED_FOR,
        kept="stayed attached for",
        longest="stay attached",
        idle="are attached",
        again="it attaches",
        entering=f"do more in one call, and detach there: {SHORT}",
        callbacks="look for callbacks and checks where it should be detached, such as a missing noexcept",
        freeing=f"detach around the work {HOW}",
        between=f"detach around the long part {HOW}",
    ),
}
