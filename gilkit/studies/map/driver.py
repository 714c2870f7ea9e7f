"""The process that has the items: it calls the function in a loop, maps it over pools, and takes the time.

What is called here stays between calls: what was loaded, the pools, the results to compare others with.
"""

from __future__ import annotations

import gc
import operator
import pickle
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from gilkit._ext._start import usage
from gilkit.errors import is_interrupt, one_line
from gilkit.gil.held import HeldCall, watch
from gilkit.gil.same_results import difference, same
from gilkit.gil.turned_on import gil_state
from gilkit.machine import free_threaded
from gilkit.results.facts import Metadata
from gilkit.studies.map.job import Job, Loaded
from gilkit.studies.map.keeping import end, end_all, ended, explained, fresh_pool, keep, kept
from gilkit.studies.map.phases import Phases, phases
from gilkit.studies.map.plan import UNSTEADY, heaviest, spread
from gilkit.studies.map.task import Traced
from gilkit.workloads.pickling import Pickled, weighed

ASKED_TWICE = 3  # items with which it is found out whether a function is deterministic
ENOUGH_FAILED = 5  # items, after which no more are tried when time is over: they may fail slowly
LARGEST_LOOK = 1_000_000  # bytes of an item, up to which it is looked whether the function changes it
TIMED_AGAIN = 8  # items, at the least, that took longest: somebody else may have had the CPU
AGAIN_FOR = 0.5  # times the time for all, at the most
WEIGHED = 3  # items and results of which it is found what sending them costs


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of items before any of them is computed."""

    count: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timed:
    """What items do one by one, in a loop.

    Parameters
    ----------
    seconds : dict of int to float
        By item.
    cpu : float
        CPU seconds for each second.
    failed : dict of int to str
        What items raise.
    notes : tuple of str
        What was seen of the function: it changes its argument, or is not deterministic.
    """

    seconds: dict[int, float]
    cpu: float
    failed: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MapRun:
    """One run over some items: its seconds, those of the start of a pool, and what items raised."""

    seconds: float
    start: float = 0.0
    failed: dict[int, str] = field(default_factory=dict)


_loaded: dict[Job, Loaded] = {}
_expected: dict[int, Any] = {}


def load(job: Job) -> Loaded:
    """Return a function and its items; they are kept."""
    if job not in _loaded:
        close()
        _loaded[job] = job.load()
    return _loaded[job]


def told(job: Job) -> Told:
    """Return what is known of the items."""
    known = load(job)
    return Told(len(known.items), known.notes)


def close() -> None:
    """End all pools, and keep nothing."""
    end_all()
    _loaded.clear()
    _expected.clear()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the cyclic garbage collector, as worker processes are."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def timed(job: Job, seconds: float, least: int, most: int) -> Timed:
    """Call the function on items, far from one another, until the time is over or there are no more."""
    known = load(job)
    notes, failed = _manners(known), {}
    found: dict[int, float] = {}
    clock, function, items = time.perf_counter, known.function, known.items
    begin, cpu, waited = clock(), time.process_time(), usage()[3]
    with _uncollected():
        for place in spread(len(items), most):
            try:
                item = items[place]
                start = clock()
                function(item)
            except BaseException as error:  # also an exit: a pool hands that on, too
                if is_interrupt(error):
                    raise
                failed[place] = one_line(error)
            else:
                found[place] = clock() - start
            if clock() - begin > seconds and (len(found) >= least or len(failed) >= ENOUGH_FAILED):
                break
        # Time in which it could have run, and others did, is no waiting of its own.
        used = (time.process_time() - cpu) / max(1e-9, clock() - begin - (usage()[3] - waited))
        late = clock() + AGAIN_FOR * seconds
        for place in heaviest(found, max(TIMED_AGAIN, len(found) // 50)):
            if clock() > late:
                break
            with suppress(Exception):
                start, waited = clock(), usage()[3]
                function(items[place])
                found[place] = min(found[place], max(1e-9, clock() - start - (usage()[3] - waited)))
    return Timed(found, used, failed, notes)


def _manners(known: Loaded) -> tuple[str, ...]:
    """Say what a function does that makes results of several calls differ; it warms up meanwhile."""
    notes: dict[str, None] = {}
    for place in range(min(ASKED_TWICE, len(known.items))):
        try:
            item = known.items[place]
            before, small = _small(item)
            first = known.function(item)
            changed = small and pickle.dumps(item) != before
            again = known.function(item)
        except BaseException as error:
            if is_interrupt(error):
                raise
            continue  # it is told when it is timed
        if changed:
            notes["it changes its argument: a process changes a copy, which is lost"] = None
        if not _same(first, again):
            notes[UNSTEADY] = None
    return tuple(notes)


def _small(item: object) -> tuple[bytes, bool]:
    """Return an item as it is pickled, and whether that can be had and is no more than may be looked at."""
    try:
        before = pickle.dumps(item)
    except Exception:  # noqa: BLE001 (objects fail to be pickled in many ways)
        return b"", False
    return before, len(before) <= LARGEST_LOOK


def _same(one: object, other: object) -> bool:
    """Whether two results are the same; of what cannot be compared nobody knows better."""
    try:
        return same(one, other)
    except Exception:  # noqa: BLE001 (what compares them is the reader's own)
        return True


def looped(job: Job, places: Sequence[int]) -> MapRun:
    """Call the function on items in a loop; those that fail are told, and the rest is done."""
    known = load(job)
    chosen = [known.items[place] for place in places]
    function, rest, failed = known.function, iter(chosen), {}
    with _uncollected():
        begin = time.perf_counter()
        while True:
            try:
                for item in rest:
                    function(item)
                break
            except BaseException as error:  # also an exit: a pool hands that on, too
                if is_interrupt(error):
                    raise
                place = places[len(chosen) - operator.length_hint(rest) - 1]
                failed[place] = one_line(error)
        return MapRun(time.perf_counter() - begin, failed=failed)


def mapped(
    job: Job, executor: str, workers: int, chunk: int, places: Sequence[int], timeout: float, fresh: bool
) -> MapRun:
    """Map the function over items on a pool that is kept, or on a fresh one, whose start counts."""
    known = load(job)
    chosen = [known.items[place] for place in places]
    if fresh:
        end(executor)
    with _uncollected():
        begin = time.perf_counter()
        pool = fresh_pool(executor, workers) if fresh else kept(known, executor, workers, timeout)
        there = time.perf_counter()
        if not fresh:
            begin = there
        try:
            with explained(known, executor, pool, chosen, timeout):
                deque(pool.map(known.function, chosen, chunksize=chunk, timeout=timeout), maxlen=0)
            return MapRun(time.perf_counter() - begin, there - begin)
        finally:
            if fresh:
                ended(pool)


def started(job: Job, executor: str, workers: int, timeout: float) -> float:
    """Start a pool that is kept, and return in how many seconds."""
    end(executor)
    begin = time.perf_counter()
    pool = fresh_pool(executor, workers)
    seconds = time.perf_counter() - begin
    keep(load(job), executor, workers, pool, timeout)
    return seconds


def compared(job: Job, executor: str, workers: int, chunk: int, places: Sequence[int], timeout: float) -> str:
    """Map, and return how results differ from those of the loop; nothing if they do not."""
    known = load(job)
    chosen = [known.items[place] for place in places]
    pool = kept(known, executor, workers, timeout)
    said = ""
    with explained(known, executor, pool, chosen, timeout):
        for place, result in zip(
            places, pool.map(known.function, chosen, chunksize=chunk, timeout=timeout), strict=True
        ):
            if place not in _expected:
                _expected[place] = known.function(known.items[place])
            if not said and not _same(result, _expected[place]):
                said = f"item {place}: {_difference(_expected[place], result)}"
    return said


def _difference(expected: object, found: object) -> str:
    try:
        return difference(expected, found)
    except Exception:  # noqa: BLE001 (as above)
        return "another result"


def traced(
    job: Job, executor: str, workers: int, chunk: int, places: Sequence[int], timeout: float
) -> Phases:
    """Map once more, with workers that note when they begin and end each item."""
    known = load(job)
    chosen = [known.items[place] for place in places]
    pool = kept(known, executor, workers, timeout)
    with explained(known, executor, pool, chosen, timeout), _uncollected():
        begin = time.perf_counter()
        found = pool.map(Traced(known.function), chosen, chunksize=chunk, timeout=timeout)
        stamps = [(start, stop, who) for start, stop, who, _ in found]
        return phases(begin, time.perf_counter(), stamps, workers)


def gil() -> Metadata:
    """Return what a results file says of the GIL of a free-threaded build, which calls may have turned on."""
    return gil_state().facts if free_threaded() else {}


def watched(job: Job, places: Sequence[int], seconds: float) -> HeldCall:
    """Watch the GIL while the function is called on these items, in this thread."""
    known = load(job)
    items = cycle([known.items[place] for place in places])
    return watch(lambda: known.function(next(items)), seconds, fewest=min(len(places), 20))


def weights(job: Job, places: Sequence[int]) -> list[Pickled]:
    """Return what it costs to send the function, and an item and its result: the heaviest of a few."""
    known = load(job)
    items = [known.items[place] for place in places[:WEIGHED]]
    results: list[Any] = [known.function(item) for item in items]
    found = [weighed("function", known.function)]
    for name, values in (("item", items), ("result", results)):
        found.append(max((weighed(name, one) for one in values), key=lambda one: (one.problem, one.nbytes)))
    return found
