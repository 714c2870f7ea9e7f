"""What the sampler tells of a stall, as a `Stall`."""

from __future__ import annotations

from typing import TypeAlias

from gilkit.gil.places import (
    C_CALL,
    CERTAIN_PLACE,
    COLLECTION,
    LIKELY_PLACE,
    PUT_ASIDE,
    PYTHON_CODE,
    UNKNOWN,
    CodePlace,
    Stall,
    Waiter,
)
from gilkit.gil.threads import Namer, is_ours

SampledStall: TypeAlias = tuple[
    float,
    float,
    float,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    float,
    list[tuple[str, str, int]],
    list[tuple[int, float]],
]  # as `Sampler.stalls` has it
LEAST_ASIDE = 1e-3  # seconds without a CPU that may have kept it from letting go


def stall_of(one: SampledStall, after: tuple[int, tuple[CodePlace, ...]], who: Namer) -> Stall:
    """Return the stall.

    Parameters
    ----------
    one : tuple
    after : (int, tuple of CodePlace)
        The state that had the GIL just after it, and its place; 0 and nothing where that is not known.
    who : Namer
    """
    start, end, asked, address, made, looks, steady, moving, samples, collecting, aside, frames, waiters = one
    stack = tuple(CodePlace.copied(frame) for frame in frames)
    certainty = CERTAIN_PLACE if stack else ""
    if not stack and after[0] == address:
        stack, certainty = after[1], LIKELY_PLACE
    if aside > max(LEAST_ASIDE, (end - asked) / 2):  # with a CPU, Python code lets go when it is asked
        kind = PUT_ASIDE
    elif 2 * collecting > samples:
        kind = COLLECTION
    elif 4 * steady < 3 * (looks + moving):
        kind = PYTHON_CODE
    else:
        kind = C_CALL if looks else UNKNOWN
    waiting = (Waiter(who.with_id(native), since) for native, since in waiters)
    others = tuple(waiter for waiter in waiting if not is_ours(waiter.thread))
    return Stall(start, end, who(address, made), kind, certainty, stack, others)
