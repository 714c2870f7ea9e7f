"""Causes, clues to them, and the words in which both show their figures: pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import isnan

from gilkit.display.tables import share
from gilkit.results.stats import Estimate
from gilkit.studies.compare.figures import Evidence, Usage, surely_above, surely_below

SCALING = 0.90  # of the limit, from which threads scale
MOSTLY_SYSTEM = 0.5  # of the CPU time that calls take more, from which it is the system's work
ALIKE = 0.80  # of one speedup that another is, from which both stop at about the same point


class Cause(Enum):
    """Why threads scale as they do, in the order in which the causes are looked for."""

    SCALES = "scales"
    WAITING = "waiting"
    PARALLEL = "parallel inside"
    GIL = "the GIL is held"
    AGAIN = "the GIL is taken again"
    SHORT = "calls too short"
    SCHEDULER = "the scheduler"
    LOCK = "another lock"
    SHARED = "shared memory"
    HARDWARE = "the hardware"
    TRANSFER = "transfer"
    BUSY = "busy machine"
    NOT_DECIDED = "not decided"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Clue:
    """A cause that fits the figures.

    Parameters
    ----------
    cause : Cause
    certain : bool
        Whether the figures show it; or else they only allow it.
    why : str
        The figures that show it.
    advice : str
    """

    cause: Cause
    certain: bool
    why: str
    advice: str


def shown(figure: Estimate) -> str:
    """Return a speedup with its interval, as ``1.77× (1.75–1.78)``."""
    if isnan(figure.low) or isnan(figure.high) or figure.low == figure.high:
        return f"{figure:.2f}×"
    return f"{figure:.2f}× ({figure.low:.2f}–{figure.high:.2f})"


def stop(f: Evidence) -> bool:
    """Whether the threads surely stay behind what they could reach."""
    return surely_below(f.to_limit, SCALING)


def may_stop(f: Evidence) -> bool:
    """Whether the threads may stay behind what they could reach."""
    return not surely_above(f.to_limit, SCALING)


def better(f: Evidence) -> bool:
    """Whether something that shares no GIL surely does more than the threads."""
    return any(surely_below(rival.threads, SCALING) for rival in f.rivals)


def all_stop(f: Evidence) -> bool:
    """Whether all that was measured beside the threads surely stops, at about the same point."""
    return _known(f) and all(
        surely_below(rival.share, SCALING)
        and surely_above(rival.threads, ALIKE)
        and surely_below(rival.threads, 1 / ALIKE)
        for rival in f.rivals
    )


def all_may_stop(f: Evidence) -> bool:
    """Whether all that was measured beside the threads may stop, at about the same point."""
    return _known(f) and not any(
        surely_above(rival.share, SCALING)
        or surely_below(rival.threads, ALIKE)
        or surely_above(rival.threads, 1 / ALIKE)
        for rival in f.rivals
    )


def _known(f: Evidence) -> bool:
    """Whether what was measured beside the threads can show the hardware."""
    return f.native is not None or (f.own and f.processes is not None)


def busy_share(f: Evidence) -> float | None:
    """Return how much of the CPUs that they could use the threads kept busy; None if nobody looked.

    One worker alone sets the measure. Time for which the scheduler left ready threads waiting does not count.
    """
    if f.alone is None or f.beside is None or f.alone.cpu <= 0:
        return None
    ready = 1.0 if f.pinned or f.workers > f.cpus else max(1 - f.beside.delay, 0.01)
    return f.beside.cpu / (f.alone.cpu * f.busy_cpus * ready)


def cost_of_call(f: Evidence) -> float | None:
    """Return how many times the CPU time a call takes beside others: than in processes, or else than alone.

    Alone it had a core of its own; what siblings of a core take from each other is in the ceiling.
    """
    if f.alone is None or f.beside is None or not f.beside.cpu_per_call:
        return None
    if f.apart is not None and f.apart.cpu_per_call:
        return f.beside.cpu_per_call / f.apart.cpu_per_call
    if not f.alone.cpu_per_call:
        return None
    pace = 1.0 if f.ceiling is None else min(1.0, f.ceiling / f.busy_cpus)
    return f.beside.cpu_per_call * pace / f.alone.cpu_per_call


def by_the_system(dearer: Usage, usual: Usage) -> str:
    """Say if most of what calls take more is the system's, which maps pages for them; or nothing."""
    more = dearer.cpu_per_call - usual.cpu_per_call
    system = dearer.system_per_call - usual.system_per_call
    if more <= 0 or system < MOSTLY_SYSTEM * more or dearer.faults < 1:
        return ""
    instead = f" instead of {usual.faults:,.0f}" if usual.faults < ALIKE * dearer.faults else ""
    of_it = f"{share(min(1.0, system / more))} of what it takes more in the system"
    return f"{of_it}, with {dearer.faults:,.0f} page faults a call{instead}"


def beside_what(f: Evidence) -> str:
    """Say what the threads do, and what stands beside them."""
    others = [f"{rival.name} {shown(rival.speedup)}" for rival in f.rivals]
    if f.waits:
        others.append(f"as many as {f.workers} could wait at once")
    elif f.ceiling is not None:
        others.append(f"the ceiling {shown(f.ceiling)}")
    what = f"{f.name} reach {shown(f.subject)}" if f.subject is not None else "threads were not measured"
    return what + (f" ({', '.join(others)})" if others else "")


def stop_where(f: Evidence) -> str:
    """Say where the threads stop, and who gets further: who surely does, or else who may."""
    assert f.subject is not None
    stops = f"{f.name} stop at {shown(f.subject)}"
    rivals = list(f.rivals)
    ahead = [rival for rival in rivals if surely_below(rival.threads, SCALING)] or rivals
    if ahead:
        first, *rest = (rival for place, rival in enumerate(ahead) if not place or rival.name in f.alike)
        others = "".join(f", {rival.name} {shown(rival.speedup)}" for rival in rest)
        return f"{stops} where {first.name} reach {shown(first.speedup)}{others}"
    if f.waits:
        return f"{stops} where {f.workers} could wait at once"
    return f"{stops} where the ceiling is {shown(f.ceiling)}" if f.ceiling is not None else stops


def changing_words(slower: float, workers: int) -> str:
    """Say that SETUP adds to what is shared each time that it runs, so that figures cannot be compared."""
    takes = f"a call takes {slower:.1f} times as long once {workers} more ran it"
    return f"SETUP changes what is shared when it is run again: {takes}"


def held_words(f: Evidence) -> str:
    """Say for what share of a call the GIL is held, which is certain on a busy machine, too; or nothing."""
    if not f.gil or f.held is None:
        return ""
    return f"the GIL is held for {share(f.held)} of a call"


def said(*parts: str) -> str:
    """Return what there is to say, in one line."""
    return "; ".join(part for part in parts if part)
