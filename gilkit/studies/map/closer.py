"""A closer look at what is compared: who holds the GIL, what sending costs, where time goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from gilkit.engine.runner import Runner
from gilkit.errors import CaseFailedError
from gilkit.results import facts
from gilkit.results.facts import Metadata
from gilkit.studies.compare.preparation import held_facts
from gilkit.studies.map.engine import MapEngine
from gilkit.studies.map.names import Way
from gilkit.studies.map.plan import ItemTimes
from gilkit.studies.map.search import Searched

WATCHED_ITEMS = 0.2  # seconds to watch the GIL
LONGEST_WATCHED = 1.0  # seconds of an item, up to which it is


@dataclass(frozen=True, slots=True)
class Closer:
    """Looks at a map, and notes what it sees in the records of the runner.

    Parameters
    ----------
    engine : MapEngine
    runner : Runner
    say : callable
        Tells what is looked at.
    """

    engine: MapEngine
    runner: Runner
    say: Callable[[str], None]

    def look(self, found: Iterable[Searched], places: Sequence[int], times: ItemTimes) -> None:
        """Look at the best way of every executor, on a sample."""
        runner = self.runner
        function = next(case.kernel for case in runner.records)
        known = runner.records[Way().case(function)].facts
        runner.facts |= runner.attempt([], self.engine.gil) or {}
        if times.longest < LONGEST_WATCHED:
            self.say("watching the GIL")
            known |= self._watched(places)
        if (weights := runner.attempt([], partial(self.engine.weights, places))) is not None:
            known |= facts.PICKLES.entry([asdict(each) for each in weights])
        for one in found:
            each, case = one.best, one.best.case(function)
            self.say(f"{each.executor}: where the time goes")
            look = partial(self.engine.traced, each.executor, each.workers, each.chunk, one.places)
            if (seen := runner.attempt([case], look)) is not None:
                pool = facts.ON_POOL.needed(runner.records[case].facts)
                runner.records[case].facts |= facts.ON_POOL.entry({**pool, "phases": asdict(seen)})

    def _watched(self, places: Sequence[int]) -> Metadata:
        """Return for what share of its time the function holds the GIL, or why nobody knows."""
        try:
            seen = self.engine.watched(places, WATCHED_ITEMS)
        except CaseFailedError as error:
            return facts.HELD_NOTE.entry(str(error))
        return held_facts(seen)
