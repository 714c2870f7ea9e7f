"""Carry it out: time the items, search, then measure what was found beside the loop, in rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from gilkit import machine
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.runner import LOOK, Lane, Measured, Rule, Runner, exactly, within
from gilkit.errors import CaseFailedError, ResultsError, StatementError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.studies.map import STUDY
from gilkit.studies.map.closer import Closer
from gilkit.studies.map.driver import Timed
from gilkit.studies.map.engine import MapEngine
from gilkit.studies.map.figures import Measure, answer
from gilkit.studies.map.names import Way, way
from gilkit.studies.map.plan import (
    ItemTimes,
    Spending,
    Wanted,
    chunk_for,
    item_times,
    pays_with,
    sample_size,
    spending,
    spread,
    stratified,
)
from gilkit.studies.map.search import Searched, WaySearch
from gilkit.studies.map.verdict import Paying

MOST_TIMED = 20_000  # items
CALLED_AT_ONCE = 16  # items that wait
MOST_CHECKS = 12  # rounds in which it is checked from how many items on it pays
MOST_FOR_ROUNDS = 0.6  # of the budget, for the fewest rounds that decide
MOST_TASKS = 200_000  # of a map over all items
MOST_TOLD = 5  # items that fail, which are told one by one


class Course:
    """The course of one measurement.

    Parameters
    ----------
    engine : callable
        ``engine(lab)`` returns what maps.
    names : tuple of str
        What the function and the items are called.
    wanted : Wanted
    cpus : int
    runner : Runner
    """

    def __init__(
        self,
        engine: Callable[[Lab], MapEngine],
        names: tuple[str, str],
        wanted: Wanted,
        cpus: int,
        runner: Runner,
    ) -> None:
        self.make_engine = engine
        self.names = names
        self.wanted = wanted
        self.cpus = cpus
        self.runner = runner
        self.spent: Spending = spending(wanted.budget)
        self.found: dict[str, Searched] = {}
        self.loop = Way().case(names[0])
        self.good: list[int] = []  # the items that did not fail when they were timed
        self.failed: dict[int, str] = {}
        self.count = 0
        self.places: list[int] = []

    def measure(self, lab: Lab) -> None:
        """Measure everything."""
        runner = self.runner
        setup = dict(runner.facts)
        runner.begin(STUDY.kind)
        runner.facts |= setup
        self.begun = runner.clock()
        self.engine = self.make_engine(lab)
        load = machine.load_by_others(LOOK)
        times = runner.attempt([self.loop], self._items)
        if times is None:
            return
        self._search(times)
        ways = self._ways()
        for each in [Way(), *ways]:
            runner.record(each.case(self.names[0]), load, self._known(each))
        Closer(self.engine, runner, self._say).look(self.found.values(), self.places, times)
        self._rounds(ways)
        runner.save()
        if (best := self._best()) is not None:
            self._whole(best, times)
        runner.note_load(list(runner.records), machine.load_by_others(LOOK))
        self.engine.close()

    def _items(self) -> ItemTimes:
        """Load the items, and time them one by one."""
        runner = self.runner
        runner.say("loading the items", self.wanted.budget)
        try:
            told = self.engine.told()
        except CaseFailedError as error:  # what was asked for cannot be had
            raise StatementError(str(error)) from None
        self.count = told.count
        if not told.count:
            raise ValueError("there are no items: there is nothing to map")
        runner.say(f"timing {told.count:,} items", self.wanted.budget)
        timed = self.engine.timed(self.spent.timing, min(told.count, self.cpus), MOST_TIMED)
        self.failed |= timed.failed
        if not timed.seconds:
            place, reason = next(iter(timed.failed.items()))
            tried = len(timed.failed)
            every = f"all {tried:,} items that were tried fail: " if tried > 1 else ""
            raise CaseFailedError(f"{every}item {place}: {reason}")
        times = item_times(timed.seconds, timed.cpu)
        self.spent = spending(self.wanted.budget, times.uneven, times.waits)
        self.seconds = {**timed.seconds, **self._more_of(timed, times)}
        rounds = self.wanted.rounds or FEWEST_ROUNDS + 1
        size = sample_size(times, self.spent, len(self.wanted.executors), rounds, self.cpus)
        self.places = stratified(timed.seconds, size)
        self._note(times, (*told.notes, *timed.notes))
        return times

    def _more_of(self, timed: Timed, times: ItemTimes) -> dict[int, float]:
        """Return more items, where calls wait: only as many workers can be tried as there are items for them.

        One by one few of them could be called. These are called many at a time, and count as the mean does.
        """
        if not times.waits or all(EXECUTORS[name].elsewhere for name in self.wanted.executors):
            return {}
        known = timed.seconds.keys() | timed.failed.keys()
        more = [place for place in spread(self.count, MOST_TIMED) if place not in known]
        self._say("calling more items, many at a time")
        done, failed = self.engine.called(more, CALLED_AT_ONCE, self.spent.timing)
        self.failed |= failed
        return dict.fromkeys(done, times.mean)

    def _note(self, times: ItemTimes, notes: Sequence[str]) -> None:
        function, items = self.names
        self.about: dict[str, Any] = {
            "function": function,
            "items": items,
            "count": self.count,
            "measured": len(self.places),
            "work": self._work(self.places),
            "times": asdict(times),
            "notes": list(notes),
        }
        self._note_failed()

    def _note_failed(self) -> None:
        told = {str(place): reason for place, reason in sorted(self.failed.items())[:MOST_TOLD]}
        self.about |= {"failed": told, "failing": len(self.failed)}
        self.runner.facts |= facts.MAPPED.entry(self.about)

    def _search(self, times: ItemTimes) -> None:
        """Find the best way of every executor; what cannot be had is told."""
        wanted, runner = self.wanted, self.runner
        missing = {name: why for name in wanted.executors if (why := EXECUTORS[name].missing())}
        if missing:
            runner.facts |= facts.MISSING.entry(missing)
        there = [name for name in wanted.executors if name not in missing]
        search = WaySearch(
            self.engine, self.seconds, self.places, self.count, times, self.cpus, runner.clock,
            wanted.workers, wanted.chunks,
        )  # fmt: skip
        for name in there:
            first = wanted.workers[0] if wanted.workers else min(self.cpus, len(self.places))
            fail = [Way(name, first).case(self.names[0])]
            found = runner.attempt(
                fail,
                partial(search.run, name, EXECUTORS[name].apart, self.spent.search / len(there), self._say),
            )
            if found is not None:
                self.found[name] = found

    def _say(self, what: str) -> None:
        gone = self.runner.clock() - self.begun
        self.runner.say(what, max(0.0, self.wanted.budget - gone))

    def _ways(self) -> list[Way]:
        """Return what is compared: the best of each executor, and all chunk sizes of one."""
        ways = [found.best for found in self.found.values()]
        with_chunks = [found for found in self.found.values() if len(found.sizes) > 1]
        if with_chunks:
            best = max(with_chunks, key=lambda found: found.rates[found.best])
            ways += [replace(best.best, chunk=size) for size in best.sizes]
        return list(dict.fromkeys(ways))

    def _known(self, each: Way) -> facts.Metadata:
        if each.is_loop:
            return {}
        found = self.found[each.executor]
        return facts.ON_POOL.entry(
            {
                "start": found.start,
                "different": found.different,
                "items": len(found.places),
                "work": self._work(found.places),
            }
        )

    def _work(self, places: Sequence[int]) -> float:
        """Return the seconds of some items, when they were timed."""
        return sum(self.seconds[place] for place in places)

    def _rounds(self, ways: Sequence[Way]) -> None:
        """Measure all on the sample, in rounds."""
        lanes = [Lane(self.loop, partial(self._lane, Way(), self.places), self._work(self.places))]
        for each in ways:
            found = self.found[each.executor]
            cost = self._work(found.places) / found.rates.get(each, found.rates[found.best])
            if each.case(self.names[0]) not in self.runner.failures:
                lanes.append(Lane(each.case(self.names[0]), partial(self._lane, each, found.places), cost))
        asked = self.wanted.rounds
        enough = FEWEST_ROUNDS * sum(lane.cost for lane in lanes) < MOST_FOR_ROUNDS * self.wanted.budget
        rule = within(self.spent.rounds, FEWEST_ROUNDS if enough else 1) if asked is None else exactly(asked)
        self.runner.rounds(lanes, rule, self._label)

    def _label(self, index: int, planned: int, case: Case) -> str:
        return f"round {index + 1} of {planned}: {way(case)}"

    def _lane(self, each: Way, places: Sequence[int]) -> Measured:
        if each.is_loop:
            run = self.engine.looped(places)
            self.failed |= run.failed
            return Measured(max(1e-9, run.seconds))
        fresh = bool(each.count)
        run = self.engine.mapped(each.executor, each.workers, each.chunk, places, fresh)
        more = facts.ON_POOL.entry({"start": run.start}) if fresh else {}
        return Measured(max(1e-9, run.seconds), more)

    def _best(self) -> Measure | None:
        """Return what is advised, by the rounds; None where it surely does not pay."""
        try:
            found = answer(Results(self.runner.suite()))
        except ResultsError:  # there are none
            return None
        return None if found.paying is Paying.LOOP else found.best

    def _whole(self, best: Measure, times: ItemTimes) -> None:
        """See what it does with all items on a pool that starts for them, and with how many it begins to pay.

        As far as there is time: once is enough for all items, if only then there is time for both.
        """
        speedup, start = best.speedup, self.found[best.way.executor].start
        every: Sequence[int] = range(self.count)
        if self.failed:
            every = [place for place in every if place not in self.failed]
        few: Sequence[int] = ()
        count = pays_with(start, times.mean, speedup)
        if count is not None and count < min(len(every), len(self.seconds)):
            few = stratified(self.seconds, count)

        def cost(places: Sequence[int]) -> float:
            return times.mean * len(places) * (1 + 1 / speedup) + start

        checking = FEWEST_ROUNDS * cost(few) if few else 0.0
        left = self.wanted.budget - (self.runner.clock() - self.begun)
        if len(every) > MOST_TASKS * best.way.chunk:  # each is kept by the pool until it is done
            pass
        elif cost(every) + checking <= left:
            self._beside(best.way, every, cost(every), within(left - checking, 1))
        elif cost(every) <= left:
            self._beside(best.way, every, cost(every), exactly(1))
        left = self.wanted.budget - (self.runner.clock() - self.begun)
        if few and checking <= left:
            self._beside(best.way, few, cost(few), within(left, FEWEST_ROUNDS, MOST_CHECKS))
        self._note_failed()

    def _beside(self, best: Way, places: Sequence[int], seconds: float, rule: Rule) -> None:
        """Measure a fresh pool beside the loop; again without items that turn out to fail, in time."""
        runner, count = self.runner, len(places)
        fresh = replace(best, chunk=chunk_for(best.chunk, count, best.workers), count=count)
        ways = {one.case(self.names[0]): one for one in (fresh.loop, fresh)}
        pool = fresh.case(self.names[0])
        load = facts.LOAD.of(runner.records[self.loop].facts, 0.0)
        for case in ways:
            runner.record(case, load, {})
        lanes = [Lane(case, partial(self._lane, one, places), seconds / 2) for case, one in ways.items()]
        runner.rounds(lanes, lambda *gone: 0 if pool in runner.failures else rule(*gone), self._label)
        if runner.failures.get(pool) in self.failed.values():
            del runner.failures[pool]
            for case in ways:
                del runner.records[case]
            good = [place for place in places if place not in self.failed]
            if 0 < len(good) < count and seconds <= self.wanted.budget - (runner.clock() - self.begun):
                self._beside(best, good, seconds, rule)
