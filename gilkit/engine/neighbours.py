"""Neighbours: different calls beside one another in one window; one of them may be a ticker.

A ticker is what an event loop is to its neighbours: a thread that sleeps until the next millisecond, and
notes how late it woke. Whoever has the GIL then makes it late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from math import ceil, floor
from typing import Any

from gilkit._ext._start import usage
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.meter import CALLS, FADING, LONG, LONG_CALLS, OVERHEAD, STAMPED, Meter, warm_up
from gilkit.engine.window import UNLIMITED, gathered, on_local_pool, whole
from gilkit.engine.worker import MANY_THREADS, Order, kept_on, wait_for, work
from gilkit.results.windows import Lateness, Stint, Window
from gilkit.workloads.workload import Workload

PERIOD = 0.001  # seconds from one tick to the next
TICKING = 0.15  # seconds of a window with a ticker, at the least
ROUNDS_OF_TURNS = 10.0  # in a window: times that the GIL goes round
MOST_LEARNED = 8.0  # times as much as was expected is expected next, at the most
USUAL_HOLD = 0.005  # seconds for which a neighbour keeps the GIL, where nothing is known of it
MOST_AROUND, MOST_LENGTH = 0.015, 0.018  # of the time for an answer: three tries fit into it, as leads double

Neighbour = Workload | None
"""A call, or None for a ticker."""


def tick(
    order: Order,
    start: float,
    place: int,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    used: Callable[[], Sequence[float]] = usage,
) -> tuple[Stint, Lateness | None] | None:
    """Tick from the common start of a window to its end; return what that took, and how late ticks were.

    A tick counts if any part of the time from when it was due to when it came lies in the window. Those that
    are past when it wakes are left out, as a timer does that repeats. Returns None if it was too late for the
    start.
    """
    if clock() > start:
        return None
    first = start + order.warm
    last = first + order.seconds
    late, away = [], []
    with kept_on(order.cpu(place + order.first)):
        wait_for(start, clock, sleep)
        before = used()
        now = start  # when it was to begin: who first has to wait for the GIL is late by then
        while now < last + order.beyond:
            before_it, due = now, start + PERIOD * (floor((now - start) / PERIOD) + 1)
            sleep(max(0.0, due - now))
            now = clock()
            if due < last and now > first:
                late.append(max(0.0, now - due))
                away.append(now - before_it)
        after = used()
    costs = [end - early for end, early in zip(after, before, strict=True)]
    return Stint(float(len(late)), now - start, *costs), Lateness.of(late, away) if late else None


def _as_neighbour(
    recipes: Sequence[Workload | bytes | None], orders: Sequence[Order], start: float, place: int
) -> tuple[Stint | None, Lateness | None] | None:
    """Do what the one at a place does."""
    recipe = recipes[place]
    if recipe is None:
        return tick(orders[place], start, place)
    found = work(recipe, orders[place], start, place)
    return None if found is None else (found[0], None)


def on_pool(
    pool: Executor, orders: Sequence[Order], timeout: float, *recipes: Workload | bytes | None
) -> tuple[Window, Lateness | None]:
    """Run one window with a neighbour on each worker of ``pool``; return it, and how late ticks were."""
    late: list[Lateness] = []

    def run(again: Order) -> list[Stint | None]:
        more = 2**again.leads  # `Order.longer`, for each
        each = [
            replace(order, warm=again.warm, seconds=again.seconds, beyond=again.beyond,
                    call=order.call / more, leads=again.leads)
            for order in orders
        ]  # fmt: skip
        found = gathered(pool, len(recipes), timeout, _as_neighbour, recipes, each)
        late[:] = [ticks for _, ticks in found if ticks is not None]
        return [stint for stint, _ in found]

    window = whole(orders[0], len(recipes), run)
    return window, late[0] if late else None


def on_threads(
    orders: Sequence[Order], most: int, timeout: float = UNLIMITED, *recipes: Workload | bytes | None
) -> tuple[Window, Lateness | None]:
    """Run one window with a neighbour on each of so many threads of this process."""
    return on_local_pool("threads", most, lambda pool: on_pool(pool, orders, timeout, *recipes))


def _learned(known: float, seen: float) -> float:
    """Return what is expected next: not much more than before, as a machine may stand still once."""
    return min(max(seen, FADING * known), MOST_LEARNED * known)


class Neighbours:
    """Measures windows in which each worker does something else.

    Parameters
    ----------
    meter : Meter
        For where they run, and how long calls are.
    switch : float
        Seconds of the switch interval there.
    """

    def __init__(self, meter: Meter, switch: float) -> None:
        self.meter = meter
        self.switch = switch
        self.holds: dict[Workload, float] = {}  # seconds of one hold
        self._lengths: dict[tuple[str, tuple[Neighbour, ...], int], float] = {}

    def window(
        self, executor: str, neighbours: tuple[Neighbour, ...], turn: int = 0
    ) -> tuple[Window, Lateness | None]:
        """Measure one window; return it, a stint for each in order, and how late the ticks were.

        Raises
        ------
        CaseFailedError
            If it cannot be measured.
        """
        lab, orders = self.meter.lab, self.orders(executor, neighbours, turn)
        if EXECUTORS[executor].apart:
            window, late = lab.through(executor, on_pool, orders, lab.timeout, *neighbours)
        else:
            window, late = lab.call(on_threads, orders, lab.most, lab.timeout, *neighbours)
        for place, (stint, call) in enumerate(zip(window.stints, neighbours, strict=True)):
            key = (executor, neighbours, place)
            length = window.seconds / max(stint.calls, 1e-9)
            self._lengths[key] = _learned(self._lengths.get(key, self._call(executor, call)), length)
        return window, late

    def learn_hold(self, call: Workload, seconds: float) -> None:
        """Note for how long a call holds the GIL at a time, for the windows to come."""
        self.holds[call] = _learned(self.holds.get(call, USUAL_HOLD), seconds)

    def orders(self, executor: str, neighbours: tuple[Neighbour, ...], turn: int = 0) -> list[Order]:
        """Return the orders of the next window, of each in order: on the clock they are the same.

        A thread that gives the GIL up and takes it back at once lets its neighbour wait for seconds. What is
        learned of that makes a window no longer than there is time for: then the neighbour has next to none
        of it, which is the truth.
        """
        limit = self.meter.lab.timeout
        alone = [self._call(executor, one) for one in neighbours]
        turns = executor == "threads" and len(neighbours) > 1
        around = min(self._around(neighbours), MOST_AROUND * limit) if turns else 0.0
        lengths = [
            max(
                call,
                min(self._lengths.get((executor, neighbours, place), call + around), MOST_LENGTH * limit),
            )
            for place, call in enumerate(alone)
        ]
        longest = max(lengths)
        long = longest > LONG
        seconds = max(
            self.meter.least, TICKING if None in neighbours else 0.0,
            (LONG_CALLS if around > LONG else ROUNDS_OF_TURNS) * around,
            (LONG_CALLS if long else CALLS) * longest,
        )  # fmt: skip
        warm = max(warm_up(longest), 2 * around)
        seed = self.meter.random.randrange(2**32)
        return [
            Order(
                warm=warm,
                seconds=seconds,
                beyond=longest,
                batch=max(1, ceil(STAMPED / call)),
                call=call,
                phase=0.4 * call if long else call,
                cpus=self._cpus(executor, neighbours),
                first=turn % len(neighbours) if len(neighbours) > 1 else turn % self.meter.lab.most,
                seed=seed,
                apart=EXECUTORS[executor].apart,
            )
            for call in alone
        ]

    def seconds(self, executor: str, neighbours: tuple[Neighbour, ...]) -> float:
        """Return about how long a window takes in all."""
        order = self.orders(executor, neighbours)[0]
        return OVERHEAD + order.warm + order.seconds + order.beyond

    def _call(self, executor: str, neighbour: Neighbour) -> float:
        return PERIOD if neighbour is None else self.meter.pace(executor, neighbour).call

    def _around(self, neighbours: tuple[Neighbour, ...]) -> float:
        """Return the seconds until the GIL is each one's turn again, at the most."""
        calls = [one for one in neighbours if one is not None]
        return sum(max(self.switch, self.holds.get(one, USUAL_HOLD)) for one in calls)

    def _cpus(self, executor: str, neighbours: tuple[Neighbour, ...]) -> tuple[int, ...]:
        """Return the CPUs that they are kept on: none where a call has threads of its own."""
        inside: list[Any] = [self.meter.pace(executor, one).inside for one in neighbours if one is not None]
        return self.meter.places if max(inside, default=0.0) <= MANY_THREADS else ()
