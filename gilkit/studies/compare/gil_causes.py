"""Whether the GIL explains what threads lose, by its law: held, taken again, or calls too short. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from gilkit.display.units import seconds
from gilkit.gil.law import SLOW_HAND_OVER, behaviour, bound, contended, law, pessimistic, taken_again
from gilkit.gil.observations import CERTAIN
from gilkit.results.stats import Estimate
from gilkit.studies.compare.advice import batched, for_held, for_taken_again
from gilkit.studies.compare.causes import (
    SCALING,
    Cause,
    Clue,
    all_stop,
    busy_share,
    held_words,
    may_stop,
    said,
    shown,
    stop,
    stop_where,
)
from gilkit.studies.compare.figures import Evidence

FIT = 0.10  # how far below the law a speedup may lie: as far as it did where the law was measured
OVER = 1.2  # times the law, from which a speedup contradicts it
NEAR = 1.25  # times the law with every hand-over contended up to which they surely are what it costs
COSTLY = 0.20  # of a call, from which hand-overs that were counted explain any loss: there are more
OFTEN = 2.0  # times as often as the GIL is found taken, up to which waits may be for it
SELDOM = 0.1  # waits in a call that may be for the GIL anyhow
NO_WAIT = 0.95  # of the CPUs that threads keep busy, from which they hardly wait for anything


@dataclass(frozen=True, slots=True)
class Reach:
    """What the law of the GIL allows to the threads.

    Parameters
    ----------
    low : float
        Where holds come at random, hand-overs are contended each time, and they are slow.
    law : Estimate
        Where all of them are contended.
    high : Estimate
        Where none is: by the held share alone.
    by_share : float
        As `low`, without hand-overs.
    most : float
        As `high` at the least share that it may be, on any machine.
    holding, handing : float
        Seconds of a call for which it holds the GIL, and which its hand-overs cost.
    """

    low: float
    law: Estimate
    high: Estimate
    by_share: float
    most: float
    holding: float
    handing: float

    def forbids(self, speedup: float) -> bool:
        """Whether so much is surely beyond the law."""
        return speedup > OVER * self.most


def held_share_of(f: Evidence) -> float | None:
    """Return the held share, if it is known: nobody has to look at variants that hold the GIL throughout."""
    if not f.gil:
        return None
    return 1.0 if f.held is None and f.judged in ("gil", "python") else f.held


def reach(f: Evidence) -> Reach | None:
    """Return what the law allows; None where the held share is not known."""
    held = held_share_of(f)
    if held is None or f.limit is None:
        return None
    call = float(f.call) if f.call else 1.0
    times = contended(call, held, f.times) if f.call else 0.0
    margin, p = CERTAIN * f.held_error, f.limit / f.workers
    most, least = min(1.0, held + margin), max(0.0, held - margin)
    return Reach(
        low=pessimistic(f.workers, p, call, most, times, SLOW_HAND_OVER * f.handover),
        law=law(f.workers, p, call, held, times, f.handover, margin),
        high=law(f.workers, p, call, held, 0.0, f.handover, margin),
        by_share=pessimistic(f.workers, p, call, most, 0.0),
        most=1 / least if least else inf,
        holding=held * call,
        handing=times * f.handover,
    )


def law_words(f: Evidence) -> str:
    """Say how long the GIL is held and what the law predicts from it, to be put beside what was measured."""
    found = reach(f)
    if found is None or f.subject is None:
        return held_words(f)
    held = held_words(f) or f"the {f.judged} variant holds the GIL"
    if taken_again(f.times) and behaviour(held_share_of(f) or 0.0) != "holds":
        held += f", released, but taken again at least {f.times:,.0f} times a call"
    predicted = found.law
    if f.subject.low > (1 + FIT) * predicted.high:  # not every hand-over was contended
        predicted = found.high
        if found.law.high < SCALING * found.high.low:
            return f"{held}: the law allows {found.law:.2f}–{found.high:.2f}×"
    return f"{held}: the law allows {shown(predicted)}"


def certain_words(f: Evidence) -> str:
    """Say of the GIL what is certain where speedups are not: what it holds, and what that allows anywhere."""
    if not f.gil or not f.held:
        return held_words(f)
    most = bound(f.held)
    return held_words(f) + (f": the law allows {most:.2f}×" if most < f.workers else "")


def gil(f: Evidence) -> Clue | None:
    """The GIL: the threads do what its law allows, and that is below what they could reach otherwise."""
    assert f.subject is not None
    if not f.gil or f.limit is None or not may_stop(f):
        return None
    found = reach(f)
    if found is None:
        if stop(f) and not all_stop(f):
            why = said(stop_where(f), f"how long the GIL is held is not known{_note(f)}")
            return _clue(f, Cause.GIL, False, why)
        return None
    certain_stop = stop(f) or found.forbids(SCALING * f.limit.low)
    counted = taken_again(f.times) and behaviour(held_share_of(f) or 0.0) != "holds"
    short_of_it = f.subject.high < (1 - FIT) * found.low
    if found.forbids(f.subject.low) or (short_of_it and not counted):
        return None
    if found.low >= SCALING * f.limit.high:
        return None  # what the GIL allows is no less than the limit
    cause, certain = _which(f, found, counted)
    sure = certain and certain_stop and not all_stop(f)
    return _clue(f, cause, sure, said(stop_where(f), law_words(f), _hand_overs(f, found, cause)))


def _which(f: Evidence, found: Reach, counted: bool) -> tuple[Cause, bool]:
    """Name what of the GIL it is, and say whether the law shows it."""
    assert f.subject is not None
    assert f.limit is not None
    binding = found.law.high < f.limit.low
    part = behaviour(held_share_of(f) or 0.0) != "holds"
    beyond = f.subject.high < (1 - FIT) * found.by_share  # below what holding alone would leave
    busy = busy_share(f)
    if counted and (found.handing > found.holding or beyond):
        seen = f.subject.high >= (1 - FIT) * found.low or found.handing >= COSTLY * (f.call or 1.0)
        return Cause.AGAIN, found.low < SCALING * f.limit.low and seen
    if part and found.handing > found.holding:
        # A lock of the call's own makes threads wait just so, unless they do what hand-overs predict.
        near = f.subject.low <= NEAR * found.law.high and not _waits_beyond(f)
        alone = not f.own or near or (busy is not None and busy >= SCALING)
        return Cause.SHORT, binding and alone
    return Cause.GIL, binding and (busy is None or busy < NO_WAIT)


def _waits_beyond(f: Evidence) -> bool:
    """Whether threads wait far more often than they can find the GIL taken: for something else, then."""
    if f.beside is None or f.subject is None:
        return False
    taken = min(0.9, ((held_share_of(f) or 0.0) + CERTAIN * f.held_error) * f.subject)
    return f.beside.voluntary > max(SELDOM, OFTEN * max(1.0, f.times) * taken / (1 - taken))


def _hand_overs(f: Evidence, found: Reach, cause: Cause) -> str:
    if cause is not Cause.SHORT or f.call is None:
        return ""
    return (
        f"a call of {seconds(f.call)} holds it for {seconds(found.holding)}, and handing it over costs up to "
        f"{seconds(found.handing)}"
    )


def _note(f: Evidence) -> str:
    return f" ({f.held_note})" if f.held_note else ""


def _clue(f: Evidence, cause: Cause, certain: bool, why: str) -> Clue:
    if cause is Cause.SHORT:
        return Clue(cause, certain, why, batched(f, length_that_pays(f)))
    if cause is Cause.AGAIN:
        return Clue(cause, certain, why, for_taken_again(f))
    named, more, advice = for_held(f)
    return Clue(named if certain else cause, certain, said(why, more), advice)


def length_that_pays(f: Evidence) -> float:
    """Return the length from which a call with one hand-over scales.

    It holds the GIL and hands it over for as long as now, and does more between: twice as much as the law
    asks for, since at its bound the GIL would always be taken.
    """
    found = reach(f)
    assert found is not None
    assert f.limit is not None
    return 2 * SCALING * f.limit * (found.holding + found.handing)
