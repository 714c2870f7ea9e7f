"""The ladder: threads that share everything, nothing, or a part of it; and which it is that stops them.

Pure. What a rung of it measured is a case: `private-NAME` with threads that have NAME for themselves, and
`only-NAME` with such that share nothing else. Who is guilty brings the scaling back in the first, and stops
it in the second: what becomes private along with it may do the first, but not the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gilkit.results import facts
from gilkit.results.case import ONLY, PRIVATE, Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.causes import SCALING, stop
from gilkit.studies.compare.culprits import Culprit
from gilkit.studies.compare.figures import Evidence, decided, surely_above, surely_below
from gilkit.studies.compare.rungs import NEARLY, Found, Ladder, Rung, all_but, smallest
from gilkit.studies.compare.speedups import compared, speedup
from gilkit.studies.compare.usage import usage
from gilkit.workloads.suspects import CHANGES

ENDS = ("function", "shared")  # variants of threads that share nothing of SETUP, and all
GUARDS = {"lock", "Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore"}  # types that keep others out


def climbed(results: Results, f: Evidence) -> Ladder | None:
    """Return the ladder of the reader's own code; None where nobody climbed it."""
    private, shared = (Case(f.kernel, v, "threads", f.workers) for v in ENDS)
    known = results.fact(shared, facts.OWN_NAMES)
    if known is None or f.subject is None:
        return None
    loss = decided(compared(results, shared, private), f.shared, f.subject)
    within = not surely_below(loss, SCALING)  # what SETUP makes is not at fault: perhaps what it imports

    ceiling = next((c for c in results if c.variant == "ceiling" and c.workers == f.workers), None)

    def rung(case: Case) -> Rung:
        does = speedup(results, case)
        if within:
            to_goal = f.of_limit(does, compared(results, case, ceiling) if ceiling else None)
        else:
            to_goal = decided(compared(results, case, private), does, f.subject)
        told = results.fact(case, facts.OWN_NAMES) or {}
        return replace(
            _told(told),
            only=_kind(case) == ONLY,
            speedup=does,
            to_goal=to_goal,
            gain=decided(compared(results, case, shared), does, f.shared),
            used=usage(results, case),
        )

    failed = {_tried(case): why for case, why in results.failures.items() if is_rung(case)}
    cases = [c for c in results if c.kernel == f.kernel and is_rung(c) and c not in results.failures]
    found = Ladder(
        workers=f.workers,
        found=Found.NOT_DECIDED,
        private=rung(private),
        shared=rung(shared),
        rungs=tuple(map(rung, cases)),
        untried={**known.get("untried", {}), **failed},
        stops=stop(f),
        gil=f.gil,
        beside=tuple(map(_told, known.get("beside", ()))),
        modules=tuple(known.get("modules", ())),
        failed=known.get("failed", ""),
        slower=known.get("slower", 1.0),
        within=within,
    )
    what, culprits = judged(found, loss, within and not stop(f))
    return replace(found, found=what, culprits=culprits)


def _kind(case: Case) -> str:
    return case.variant.partition("-")[0]


def is_rung(case: Case) -> bool:
    """Whether it is of threads that share a part of SETUP."""
    return _kind(case) in (PRIVATE, ONLY)


def _tried(case: Case) -> str:
    """Return what was tried in a case."""
    kind, _, names = case.variant.partition("-")
    return tried_in(names.split("+"), kind == ONLY)


def tried_in(names: Iterable[str], only: bool) -> str:
    """Return what is tried where threads have names for themselves; or share these only."""
    return ("all but " if only else "") + " and ".join(names)


def told_of(rung: Rung) -> facts.Metadata:
    """Return what a results file says of what a rung is."""
    return facts.OWN_NAMES.entry(entry_of(rung))


def entry_of(rung: Rung) -> dict[str, Any]:
    """Return what a rung is, in what JSON has."""
    return {
        "names": list(rung.names),
        "kinds": list(rung.kinds),
        "own": sorted(rung.own),
        "alike": rung.alike,
    }


def _told(entry: Mapping[str, Any]) -> Rung:
    names, kinds, own = (tuple(entry.get(key, ())) for key in ("names", "kinds", "own"))
    return Rung(names, kinds, frozenset(own), alike=bool(entry.get("alike")))


def judged(ladder: Ladder, loss: Estimate | None, nothing_stops: bool) -> tuple[Found, tuple[Rung, ...]]:
    """Return what was found, and who it was: all figures of the ladder are known, and that is not.

    Parameters
    ----------
    ladder : Ladder
    loss : Estimate or None
        What threads do that share all, over what they do that share nothing.
    nothing_stops : bool
        Whether neither of both stops, as far as one can tell.
    """
    if loss is None or not loss.decided or ladder.slower >= CHANGES:
        return Found.NOT_DECIDED, ()
    helps = any(rung.helps and not ladder.cleared(rung) for rung in ladder.rungs if not rung.only)
    if nothing_stops and not helps:
        return (Found.NOTHING if surely_above(loss, SCALING) else Found.NOT_DECIDED), ()
    private = [rung for rung in ladder.rungs if not rung.only and not ladder.cleared(rung)]
    back = smallest(rung for rung in private if rung.back)
    if len(back) == 1:
        within = [rung for rung in private if rung.own < back[0].own]
        back = smallest(rung for rung in within if rung.nearly) or back  # an object, not its class
        doubtful = tuple(
            rung for rung in within if not rung.nearly and not surely_below(rung.to_goal, NEARLY)
        )
        certain = all(map(ladder.guilty, back)) and not doubtful
        return (Found.CAUSE if certain and len(back) == 1 else Found.NOT_DECIDED), back + doubtful
    if back or any(rung.back for rung in ladder.rungs if not rung.only):
        return Found.NOT_DECIDED, back
    if maybe := smallest(rung for rung in private if not rung.stops):
        return Found.NOT_DECIDED, maybe
    if surely_below(loss, SCALING):
        return Found.NOT_ONE, ()
    return (Found.NOT_DECIDED if ladder.blind else Found.NOTHING), ()


def to_try(ladder: Ladder) -> Iterator[Rung]:
    """Yield the rungs that are to be tried next; none where there is nothing more to find out.

    Who brings the scaling back is tried as the only thing that is shared; nobody does, every suspect is. If
    several stop the threads so, they are tried together. If who brings it back does not, something stands
    behind it.
    """
    singles, tried = ladder.singles, {(rung.names, rung.only) for rung in ladder.rungs}
    wanted: Iterable[Rung] = ()
    if ladder.found is Found.NOT_ONE:
        wanted = singles
    elif ladder.found is Found.NOT_DECIDED:
        wanted = [one for rung in ladder.culprits if rung.nearly for one in ladder.parts(rung)]
        behind = {name for rung in singles if rung.back and ladder.cleared(rung) for name in rung.own}
        hidden = (one for one in ladder.beside if behind & set(one.names))
        yield from (one for one in hidden if (one.names, False) not in tried)
    trials = [
        Rung(one.names, one.kinds, all_but(one, singles), True, one.alike)
        for one in wanted
        if ladder.trial(one) is None and (one.names, True) not in tried
    ]
    yield from trials
    if ladder.found is Found.NOT_ONE and not trials:
        guilty = [one for one in singles if ladder.guilty(one)]
        first = [one for one in guilty if not any(one.own < other.own for other in guilty)]
        together = Rung(
            tuple(name for one in first for name in one.names),
            tuple(kind for one in first for kind in one.kinds),
            frozenset[str]().union(*(one.own for one in first)),
        )
        if len(first) > 1 and (together.names, False) not in tried:
            yield together


def culprit(results: Results, f: Evidence) -> Culprit | None:
    """Return what stops threads that share it, where that was found."""
    ladder = climbed(results, f)
    if ladder is None or ladder.found is not Found.CAUSE:
        return None
    [rung] = ladder.culprits
    assert ladder.shared.speedup is not None
    assert rung.speedup is not None
    guards = any(kind.rpartition(".")[2].rpartition(" ")[2] in GUARDS for kind in rung.kinds)
    return Culprit(rung.title, ladder.shared.speedup, rung.speedup, guards, ladder.within)
