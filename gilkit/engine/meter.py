"""The meter: measures windows, each as long as its calls need, and remembers how long they are."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from gilkit import machine
from gilkit.engine.calibration import Pace
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.worker import MANY_THREADS, Order
from gilkit.results.windows import Window
from gilkit.workloads.workload import Workload

STAMPED = 20e-6  # seconds of calls from one stamp to the next, at the least
LONG = 0.100  # seconds from which a call is long: fewer of them then
WARM = 0.005  # seconds before a window, at the least
WARM_CALLS, LONG_WARM_CALLS = 2.5, 2.0  # before it: calls as long as they are beside the others
CALLS, LONG_CALLS = 8.0, 4.0  # of each worker in a window
FULL = 0.05  # seconds of a window, at the least, from which it has all of these; a quick one has four
CROWDED = 0.060  # seconds of a window with more workers than CPUs
TURNS, TURNS_BEFORE = 4.0, 2.0  # of each worker that takes turns at the GIL: in a window, and before it
MANY, TURNS_OF_MANY = 8, 2.0  # workers, with more of which whole calls count; and their turns
HANDS = 20.0  # times that the GIL is handed over in a window where it is released in between
GROWING = 2.0  # times as long as was expected a call may be expected next, by one window alone
IN_TURNS = 1.0  # seconds: so long, too, if the workers took turns at a lock
FADING = 0.7  # of what was expected from windows before still is, after one of shorter calls
MOSTLY = 0.5  # the held share from which workers take turns
OVERHEAD, EACH = 0.007, 0.0002  # seconds to hand a window out and to gather it, and more for each worker


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of how a call treats the GIL: the share that holds it, and how often it takes it."""

    share: float = 0.0
    times: float = 1.0


NOTHING_HELD = Held()


def warm_up(call: float) -> float:
    """Return the seconds before a window of calls that are so long beside the others.

    A worker begins up to a call late (the phase), and its first call may take half as long again, on a CPU
    that others slow down: there is room for both. If one ends no call in it, all do everything again.
    """
    return LONG_WARM_CALLS * call if call > LONG else max(WARM, WARM_CALLS * call)


def order_for(
    call: float, contended: float, workers: int, cpus: int, held: Held, least: float, switch: float
) -> Order:
    """Return the order of a window.

    Parameters
    ----------
    call, contended : float
        Seconds of a call alone, and beside the other workers.
    workers, cpus : int
        Workers, and the CPUs there are for them.
    held : Held
    least : float
        Seconds of the window, at the least.
    switch : float
        The switch interval, in seconds.
    """
    contended = max(call, contended)
    long = contended > LONG
    turns = workers > 1 and held.share > MOSTLY
    many = turns and workers > MANY
    around = workers * switch if turns else 0.0  # until it is each worker's turn again
    length = max(least, (LONG_CALLS if long or many or least < FULL else CALLS) * contended)
    if workers > 1:
        if turns:
            length = max(length, (TURNS_OF_MANY if many else TURNS) * around)
        elif held.share * workers > 1 and not long:
            length = max(length, HANDS * held.share * call / max(1.0, held.times))
        if workers > cpus:
            length = max(length, CROWDED)
    return Order(
        warm=max(around, WARM + call) if many else max(warm_up(contended), TURNS_BEFORE * around),
        seconds=length,
        beyond=call if many else contended,
        batch=max(1, ceil(STAMPED / call)),
        call=call,
        phase=0.4 * call if long else call,
        whole=many,
    )


class Meter:
    """Measures windows in a lab.

    Parameters
    ----------
    lab : Lab
    least : float
        Seconds of a window, at the least.
    cpus : int
        CPUs that may be used: a quota may allow fewer than there are.
    random : random.Random
        For when the workers of a window begin.
    """

    def __init__(self, lab: Lab, least: float, cpus: int, random: random.Random) -> None:
        self.lab = lab
        self.least = least
        self.cpus = cpus
        self.random = random
        allowed = machine.allowed_cpus() if machine.can_pin() else []
        self.places = tuple(machine.cpus_in_order(allowed))
        self.held: dict[Workload, Held] = {}
        self._paces: dict[tuple[str, Workload], Pace] = {}
        self._lengths: dict[tuple[str, Workload, int], float] = {}  # what is expected of the next
        self._latest: dict[tuple[str, Workload, int], float] = {}  # what the last window told

    def holds(self, workload: Workload) -> None:
        """Note that calls hold the GIL throughout."""
        self.held[workload] = Held(1.0)

    def pace(self, executor: str, workload: Workload) -> Pace:
        """Return how long a call is on one worker of an executor; measured where that is not known yet."""
        key = (executor, workload)
        if key not in self._paces:
            self._paces[key] = self.lab.pace(executor, workload)
        return self._paces[key]

    def window(
        self, executor: str, workload: Workload, workers: int, turn: int = 0, pinned: bool = True
    ) -> Window:
        """Measure one window.

        Parameters
        ----------
        executor : str
        workload : Workload
        workers : int
        turn : int
            The place of the first worker: where data lie may double a call, so one worker takes all in turn.
        pinned : bool
            Whether workers have a CPU each, unless their calls have threads of their own, or share one with
            others where there are more of them.

        Raises
        ------
        CaseFailedError
            If it cannot be measured.
        """
        order = self.order(executor, workload, workers)
        if pinned and self.pace(executor, workload).inside <= MANY_THREADS:
            order = replace(order, cpus=self.places)
        order = replace(
            order,
            first=turn % self.lab.most if workers == 1 else 0,
            seed=self.random.randrange(2**32),
            apart=EXECUTORS[executor].apart,
        )
        return self._kept(executor, workload, workers, self.lab.window(executor, workload, workers, order))

    def sent(self, workload: Workload, inputs: dict[str, Any], workers: int) -> Window:
        """Measure one window of calls that are sent their data: see `Lab.sent`."""
        order = replace(self.order("sent", workload, workers), phase=0.0)
        return self._kept("sent", workload, workers, self.lab.sent(workload, inputs, workers, order))

    def order(self, executor: str, workload: Workload, workers: int) -> Order:
        """Return the order of the next window of so many workers, who may begin on any CPU."""
        alone, held = self._alone(executor, workload), self._held(executor, workload)
        known = self._known(executor, workload, workers)
        return order_for(alone, known, workers, self.cpus, held, self.least, sys.getswitchinterval())

    def seconds(self, executor: str, workload: Workload, workers: int) -> float:
        """Return about how long a window takes in all."""
        order = self.order(executor, workload, workers)
        last = workers * sys.getswitchinterval() if order.whole else 0.0  # until each had its last turn
        return OVERHEAD + EACH * workers + order.warm + order.seconds + order.beyond + last

    def _known(self, executor: str, workload: Workload, workers: int) -> float:
        """Return how long a call is beside those of the other workers, as far as that is known."""
        if (known := self._lengths.get((executor, workload, workers))) is not None:
            return known
        share = self._held(executor, workload).share
        return self._alone(executor, workload) * max(1.0, workers / self.cpus, workers * share)

    def _alone(self, executor: str, workload: Workload) -> float:
        return self.pace("processes" if executor == "sent" else executor, workload).call

    def _held(self, executor: str, workload: Workload) -> Held:
        kind = EXECUTORS.get(executor)  # none of that name where calls are sent
        return self.held.get(workload, NOTHING_HELD) if kind and kind.shares_gil else NOTHING_HELD

    def _kept(self, executor: str, workload: Workload, workers: int, window: Window) -> Window:
        key = (executor, workload, workers)
        seen, least = window.value, FADING * self._lengths.get(key, 0.0)
        # A program may be stopped once, or its machine stand still: two windows have to say that it is more.
        agreed = min(seen, self._latest.get(key, 0.0))
        in_turns = min(workers * self._alone(executor, workload), IN_TURNS)
        self._lengths[key] = max(least, min(seen, max(agreed, in_turns, GROWING * self._known(*key))))
        self._latest[key] = seen
        return window
