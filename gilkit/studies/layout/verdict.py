"""Which split to use, and why: pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gilkit.display.tables import share
from gilkit.display.units import nbytes
from gilkit.results.file import Results
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.studies.layout.figures import CallFigures, Standing, call_figures, standings, undisturbed_rounds
from gilkit.studies.layout.splits import Split

NEARLY_ALL = 0.9  # of the best throughput that a split surely keeps which does as much
HOLDS_FROM = 0.9  # of a call that holds the GIL: threads take turns


class Why(Enum):
    """Why a split is the best."""

    FASTEST = "it does most"
    HOLDS = "calls hold the GIL"
    MEMORY = "as much with less memory"
    ROOM = "more processes do not fit into memory"
    ALONE = "there is no other"
    OPEN = "not decided"


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """What to use.

    Parameters
    ----------
    split : Split or None
        None where it is not decided.
    why : Why
    among : tuple of Split
        Where it is not decided: between which.
    """

    split: Split | None
    why: Why
    among: tuple[Split, ...] = ()


def decision(results: Results) -> SplitChoice:
    """Return what to use, of what was measured."""
    return decided(standings(results), call_figures(results))


def decided(found: list[Standing], call: CallFigures) -> SplitChoice:
    """Return what to use.

    Of splits that surely do nearly as much as the best that of the fewest processes is used: it takes the
    least memory.
    """
    measured = [one for one in found if one.rate is not None]
    best = next((one for one in measured if one.to_best is None), None)
    if best is None or best.rate is None:
        return SplitChoice(None, Why.OPEN)
    too_large = any(one.failed and one.split > best.split for one in found)
    if len(measured) == 1:
        return SplitChoice(best.split, Why.ROOM if too_large else Why.ALONE)
    others = [(one.split, one.to_best) for one in measured if one is not best and one.to_best is not None]
    open_ = [
        split
        for split, ratio in others
        if not ratio.decided
        or (split < best.split and ratio.low < NEARLY_ALL <= ratio.high)
        or (split > best.split and ratio.high * NEARLY_ALL > 1)
    ]
    if open_:
        return SplitChoice(None, Why.OPEN, tuple(sorted([best.split, *open_])))
    same = [split for split, ratio in others if split < best.split and ratio.low >= NEARLY_ALL]
    if same:
        return SplitChoice(min(same), Why.MEMORY)
    if any(split > best.split and ratio.high >= NEARLY_ALL for split, ratio in others):
        return SplitChoice(best.split, Why.MEMORY)
    if too_large:
        return SplitChoice(best.split, Why.ROOM)
    holds = (
        call.held is not None and call.held >= HOLDS_FROM and best.split == max(one.split for one in measured)
    )
    return SplitChoice(best.split, Why.HOLDS if holds else Why.FASTEST)


def reason(results: Results) -> str:
    """Return in words, and figures, why that is to be used."""
    text = because(standings(results), call_figures(results))
    counting, tried = undisturbed_rounds(results)
    if decision(results).why is Why.OPEN and counting < FEWEST_ROUNDS <= tried:
        return f"the machine is too busy: {counting} of {tried} rounds were undisturbed"
    return text


def because(found: list[Standing], call: CallFigures) -> str:
    """Return the same, of what is known."""
    choice = decided(found, call)
    by_split = {one.split: one for one in found}
    match choice.why:
        case Why.OPEN:
            among = " and ".join(map(str, choice.among))
            between = f"between {among}: " if among else ""
            return f"{between}use more --rounds, on a quiet machine"
        case Why.HOLDS:
            return f"a call holds the GIL for {share(call.held)}, so threads of one process take turns"
        case Why.MEMORY:
            return _less_memory(by_split, choice.split, call)
        case Why.ROOM:
            return next(one.failed for one in reversed(found) if one.failed) + _of_gil(call)
        case Why.ALONE:
            return "there is no other split of so many CPUs" if len(found) == 1 else "all others failed"
        case _:
            return f"it does most{_of_gil(call)}"


def _less_memory(found: dict[Split, Standing], split: Split | None, call: CallFigures) -> str:
    assert split is not None
    most = max(one.split for one in found.values() if one.rate is not None)
    mine, theirs = found[split].whole_memory, found[most].whole_memory
    text = f"it does as much as {most}"
    if mine is not None and theirs is not None:
        text += f", with {nbytes(mine)} of memory instead of {nbytes(theirs)}"
    return text + _of_gil(call)


def _of_gil(call: CallFigures) -> str:
    """Say what the GIL has to do with it."""
    if call.held is None:
        return ""
    return f"; a call holds the GIL for {share(call.held)}"
