"""What was measured of a map, from its rounds: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.written import Written, by_name, loop_of
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate, paired, paired_ratio
from gilkit.studies.map.names import Way, way
from gilkit.studies.map.phases import Phases
from gilkit.studies.map.plan import ItemTimes
from gilkit.studies.map.verdict import Paying, chosen, pays


@dataclass(frozen=True, slots=True)
class MapSubject:
    """What was mapped.

    Parameters
    ----------
    function, items : str
        What they are called.
    count, measured : int
        Items, and those of them that the loop has in rounds.
    work : float
        Seconds of these, when they were timed.
    times : ItemTimes
    notes : tuple of str
    failed : dict of str to str
        Some items that fail, each with what it raises.
    failing : int
        How many do.
    """

    function: str
    items: str
    count: int
    measured: int
    work: float
    times: ItemTimes
    notes: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    failing: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured of one way.

    Parameters
    ----------
    way : Way
    speedup : Estimate
        How many times as fast as the loop over the same items, in the same rounds.
    seconds : Estimate
        From the first item that is sent to the last result; with the start of the pool, where that is fresh.
    start : float
        Seconds in which the pool started.
    different : str
        How its results differ from those of the loop.
    phases : Phases or None
    stretch : float or None
        Seconds of all calls in the pool, as a multiple of those in the loop.
    items : int
        How many it has in a round.
    """

    way: Way
    speedup: Estimate
    seconds: Estimate
    start: float = 0.0
    different: str = ""
    phases: Phases | None = None
    stretch: float | None = None
    items: int = 0


@dataclass(frozen=True, slots=True)
class MapAnswer:
    """What follows.

    Parameters
    ----------
    paying : Paying
    best : Measure or None
        The way to advise; the best of all where none pays.
    whole : Measure or None
        The same with all items, on a pool that starts for them.
    pays_from : Measure or None
        The same with as many items as make up for the start.
    """

    paying: Paying
    best: Measure | None = None
    whole: Measure | None = None
    pays_from: Measure | None = None


def subject(results: Results) -> MapSubject:
    """Return what was mapped."""
    known = facts.MAPPED.needed(results.facts)
    times = ItemTimes(**known["times"])
    return MapSubject(**{**known, "times": times, "notes": tuple(known["notes"])})


def speedup(results: Results, case: Case) -> Estimate | None:
    """Return how many times as fast as the loop over the same items a case is; None of a loop."""
    each = way(case)
    loop, own = results.rounds(each.loop.case(case.kernel)), results.rounds(case)
    if each.is_loop or not paired(loop, own):
        return None
    return paired_ratio(loop, own, 1.0 if each.count else _work(results, case) / subject(results).work)


def _work(results: Results, case: Case) -> float:
    """Return the seconds of the items of a case, when they were timed."""
    return float((results.fact(case, facts.ON_POOL) or {})["work"])


def measures(results: Results) -> dict[Way, Measure]:
    """Return what was measured of every way, by it."""
    found = {}
    for case in results:
        if (known := speedup(results, case)) is not None:
            found[way(case)] = _measure(results, case, known)
    return found


def _measure(results: Results, case: Case, known: Estimate) -> Measure:
    pool = results.fact(case, facts.ON_POOL) or {}
    seen = Phases(**pool["phases"]) if "phases" in pool else None
    loop = estimate(results.values(way(case).loop.case(case.kernel))) / subject(results).work
    return Measure(
        way(case),
        known,
        estimate(results.values(case)),
        pool.get("start", 0.0),
        pool.get("different", ""),
        seen,
        seen.seconds / pool["work"] / loop if seen is not None else None,
        pool.get("items", 0),
    )


def cases_shown(results: Results) -> list[Case]:
    """Return the cases that tables and pictures show: others are told in words, with their rounds."""
    return [case for case in results if not way(case).count]


def on_sample(results: Results) -> dict[Way, Measure]:
    """Return what was measured on the sample."""
    return {each: one for each, one in measures(results).items() if not each.count}


def best_of_each(results: Results) -> list[Measure]:
    """Return the way to advise of every executor, the fastest first."""
    known, uneven = on_sample(results), subject(results).times.uneven
    found = []
    for executor in dict.fromkeys(each.executor for each in known):
        own = {each: one for each, one in known.items() if each.executor == executor}
        best = chosen({each: one.speedup for each, one in own.items()}, dict.fromkeys(own, 0.0), uneven)
        if best is not None:
            with_phases = [one for one in own.values() if one.phases is not None]
            shown = own[best]
            if shown.phases is None and with_phases:
                first = with_phases[0]
                shown = replace(shown, phases=first.phases, stretch=first.stretch)
            found.append(shown)
    return sorted(found, key=lambda one: -one.speedup)


def chunk_curve(results: Results) -> list[Measure]:
    """Return the chunk sizes of one executor, where several were measured."""
    curves: dict[tuple[str, int], list[Measure]] = {}
    for each, one in on_sample(results).items():
        curves.setdefault((each.executor, each.workers), []).append(one)
    longest = max(curves.values(), key=len, default=[])
    return sorted(longest, key=lambda one: one.way.chunk) if len(longest) > 1 else []


def answer(results: Results) -> MapAnswer:
    """Return what follows."""
    known, about = measures(results), subject(results)
    sample = {each: one for each, one in known.items() if not each.count}
    speedups = {each: one.speedup for each, one in sample.items()}
    best = chosen(speedups, {each: one.start for each, one in sample.items()}, about.times.uneven)
    if best is None:
        return MapAnswer(Paying.OPEN)
    paying = pays(speedups.values())
    fresh = [one for each, one in known.items() if each.count and _same_pool(each, best)]
    whole = next((one for one in fresh if one.way.count >= about.count - about.failing), None)
    enough = [one for one in fresh if one is not whole and one.speedup.decided and one.speedup.low > 1]
    shown = next(one for one in best_of_each(results) if one.way.executor == best.executor)
    shown = shown if shown.way == best else sample[best]
    if paying is True and whole is not None:
        paying = _with_start(whole.speedup)
    if about.count == 1:  # one task, which nobody can share
        paying = False
    verdict = {True: Paying.POOL, False: Paying.LOOP, None: Paying.OPEN}[paying]
    return MapAnswer(verdict, shown, whole, min(enough, key=lambda one: one.way.count, default=None))


def _same_pool(one: Way, other: Way) -> bool:
    return (one.executor, one.workers) == (other.executor, other.workers)


def _with_start(whole: Estimate) -> bool | None:
    """Whether it pays with its start, too: once is enough where it is faster, as the sample said so, too."""
    if not whole.decided:
        return True if whole > 1 else None
    return True if whole.low > 1 else False if whole.high < 1 else None


def task_cost(results: Results) -> dict[str, tuple[Estimate, int]]:
    """Return what a task costs beside its work, by executor, and the items of the chunks that tell it.

    That is the time for which so many more tasks make a map longer: of the smallest chunks and the largest.
    Where there are no chunks it is how much longer than the loop a map takes, if it does.
    """
    about, found = subject(results), {}
    every = on_sample(results)
    for executor in dict.fromkeys(each.executor for each in every):
        own = sorted((each for each in every if each.executor == executor), key=lambda each: each.chunk)
        few, many = own[-1], own[0]
        items = every[many].items
        tasks = -(-items // many.chunk) - (-(-items // few.chunk))
        part = 1.0
        if not tasks:  # no chunks
            tasks, few, part = items, few.loop, _work(results, many.case(about.function)) / about.work
        tops = results.rounds(many.case(about.function))
        bottoms = {id_: part * each for id_, each in results.rounds(few.case(about.function)).items()}
        both = paired(tops, bottoms)
        if both:
            cost = estimate([(tops[id_] - bottoms[id_]) / tasks for id_ in both])
            lone = few.is_loop and cost < about.times.median  # it may as well be the GIL that items wait for
            if cost.decided and cost.low > 0 and not lone:
                found[executor] = (cost, many.chunk)
    return found


def line(results: Results) -> str | None:
    """Return the line to copy: of the best pool, or of the loop where that is faster; None of none."""
    found = answer(results)
    return None if found.best is None else code(advised(found), subject(results))


def advised(found: MapAnswer) -> Way:
    """Return the way to go: the best pool, where it pays, or is the faster so far; and else the loop."""
    best = found.best
    return best.way if best is not None and best.speedup > 1 and found.paying is not Paying.LOOP else Way()


def code(each: Way, about: MapSubject) -> str:
    """Return how one writes a way: a line to copy."""
    if each.is_loop:
        return loop_of(about.function, about.items)
    return _written(each).line(each.workers, each.chunk, about.function, about.items)


def pool_code(each: Way) -> str:
    """Return how one writes a pool."""
    return _written(each).pool_of(each.workers)


def imports_of(each: Way) -> tuple[str, ...]:
    """Return what a way needs of libraries, by statements."""
    return _written(each).imports


def _written(each: Way) -> Written:
    kind = EXECUTORS.get(each.executor)  # a file may be of another version
    return by_name(each.executor) if kind is None else kind.written


def share_of_longest(about: MapSubject) -> float:
    """Return the share of all work that the longest item is, as far as items were timed."""
    return about.times.longest / max(1e-12, about.times.mean * about.count)


def failing_lines(about: MapSubject) -> Sequence[tuple[str, str]]:
    """Return the items that fail, each with what it raises; the rest are counted."""
    found = [(f"item {place}", reason) for place, reason in about.failed.items()]
    if more := about.failing - len(found):
        found.append((f"{more:,} more items", "as these, or otherwise"))
    return found
