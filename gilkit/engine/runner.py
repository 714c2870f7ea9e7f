"""The runner: the one place where things are measured by turns, in interleaved rounds.

A round measures every lane once, in an order of its own, so that drift and noise fall on all alike; what is
compared is compared within rounds. Studies say what their lanes are and when to stop, and nothing else
shuffles anything. (A program of a claim, in which gilkit is not loaded, takes its turns in a fixed order.)
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from gilkit import machine
from gilkit.arguments import LARGEST_SEED, checked_seed
from gilkit.display.progress import Listener, Progress
from gilkit.errors import CaseFailedError, ResultsError
from gilkit.results import facts, file
from gilkit.results.case import Case, Record
from gilkit.results.facts import Metadata
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.results.windows import Window

MOST_ROUNDS = 25  # unless a study has reasons of its own
UNSURE = 0.5  # seconds of rounds after which their pace says as much as their plan
LOOK = 0.15  # seconds to watch what others use, before and after something is measured
T = TypeVar("T")

Rule = Callable[[int, float], int]
"""When to stop: from the rounds that are done and their seconds, how many there are to be in all."""


def exactly(rounds: int) -> Rule:
    """Stop after so many rounds."""
    return lambda _, __: rounds


def within(budget: float, least: int = FEWEST_ROUNDS, most: int = MOST_ROUNDS) -> Rule:
    """Stop when no further round fits into so many seconds, but not before the least of rounds."""

    def planned(done: int, spent: float) -> int:
        return max(least, min(most, int(budget / max(1e-9, spent) * done))) if done else most

    return planned


@dataclass(frozen=True, slots=True)
class Measured:
    """What a lane measured: seconds of one call, and what else is to be kept of its case or window.

    It may tell of further cases, too: those that ran beside the first.
    """

    seconds: float
    facts: Metadata = field(default_factory=dict)
    window: Window | None = None
    beside: Mapping[Case, Measured] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lane:
    """Something that is measured once in every round.

    Parameters
    ----------
    case : Case
        Its name.
    measure : callable
        Measures it once; a `CaseFailedError` says why that cannot be done, and closes the lane.
    cost : float
        About how many seconds that takes, for the progress.
    beside : tuple of Case
        Further cases of which it tells, and which fail with it.
    """

    case: Case
    measure: Callable[[], Measured]
    cost: float = 1.0
    beside: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One round: its number, from 0 on, and what each lane measured in it."""

    id: int
    values: Mapping[Case, Measured]


def _usual_label(index: int, planned: int, _: Case) -> str:
    return f"round {index + 1} of {planned}"


class Runner:
    """Measures lanes in interleaved rounds, and keeps what came of them.

    Parameters
    ----------
    seed : int, optional
        For the order of the lanes in a round; recorded. By default one by chance.
    progress : callable, optional
        Called with a `Progress` before anything is measured. A bool calls nothing: see `with_bar`.
    output : path, optional
        Where `save` writes.
    clock : callable
        Returns seconds.

    Attributes
    ----------
    records : dict of Case to Record
        What was measured, in whole rounds: an interrupt in one leaves the values of all cases paired.
    failures : dict of Case to str
        Why cases failed.
    facts : Metadata
        Of the run.
    later : float
        For the progress: seconds that are planned after what is told to be measured, or after these rounds.
    pace : float
        Seconds of rounds by what their lanes were to cost.
    turn : callable
        Waits before every round until this program may measure: at once, but where several do so by turns.
    """

    turn: Callable[[], None] = staticmethod(lambda: None)

    def __init__(
        self,
        seed: int | None = None,
        progress: Listener | bool | None = None,
        output: str | os.PathLike[str] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.seed = random.SystemRandom().randrange(LARGEST_SEED + 1) if seed is None else checked_seed(seed)
        self.random = random.Random(self.seed)
        self.clock = clock
        self.records: dict[Case, Record] = {}
        self.failures: dict[Case, str] = {}
        self.facts: Metadata = {}
        self.later = 0.0
        self._begun = clock()
        self._planned = self._spent = UNSURE  # seconds of rounds
        self._progress = progress if callable(progress) else None
        self._output = output

    def say(self, label: str, seconds: float = 0.0) -> None:
        """Tell what is measured next, and about how many seconds that takes."""
        if self._progress is not None:
            done = self.clock() - self._begun
            self._progress(Progress(done, done + seconds + self.later, label))

    @property
    def listened(self) -> bool:
        """Whether anybody is told, so that what is planned need be known."""
        return self._progress is not None

    @property
    def pace(self) -> float:
        return self._spent / self._planned

    def begin(self, kind: str | None = None) -> None:
        """Note what the run is: its machine, interpreter and seed, and the kind of its results."""
        machine.warned_load(LOOK)
        self.facts = facts.run_facts(self.seed)
        if kind is not None:
            self.facts |= facts.KIND.entry(kind)

    def open(self, cases: Iterable[Case]) -> list[Case]:
        """Return the cases that have not failed."""
        return [case for case in cases if case not in self.failures]

    def attempt(self, cases: Iterable[Case], work: Callable[[], T]) -> T | None:
        """Return what ``work`` does; where it fails, all these cases have failed, and None is returned."""
        try:
            return work()
        except CaseFailedError as error:
            self.failures.update(dict.fromkeys(cases, str(error)))
            return None

    def record(self, case: Case, load: float, known: Metadata) -> None:
        """Begin the record of a case, with what is known of it already."""
        self.records[case] = Record(
            case, facts={**known, **facts.WORKERS.entry(case.workers), **facts.LOAD.entry(round(load, 3))}
        )

    def note_load(self, cases: Iterable[Case], load: float) -> None:
        """Note what others used after the rounds of some cases, if that is more than before."""
        for case in cases:
            if case in self.records:
                known = self.records[case].facts
                known |= facts.LOAD.entry(max(round(load, 3), facts.LOAD.of(known, 0.0)))

    def rounds(
        self,
        lanes: Iterable[Lane],
        rule: Rule,
        label: Callable[[int, int, Case], str] = _usual_label,
        first: int | None = None,
    ) -> list[Round]:
        """Measure lanes in rounds until ``rule`` says that there are enough; keep and return the whole ones.

        Parameters
        ----------
        lanes : iterable of Lane
        rule : callable
            See `Rule`; it is asked before every round.
        label : callable
            ``label(index, planned, case)`` says what is measured next.
        first : int, optional
            The number of the first round; by default one more than any that its lanes have.
        """
        lanes = list(lanes)
        if first is None:
            known = (self.records[lane.case].ids for lane in lanes if lane.case in self.records)
            first = 1 + max((max(ids, default=-1) for ids in known), default=-1)
        begun, spent = self.clock(), 0.0
        found: list[Round] = []
        while len(found) < (planned := rule(len(found), spent)):
            order = [lane for lane in lanes if lane.case not in self.failures]
            each = spent / len(found) if found else self.pace * sum(lane.cost for lane in order)
            if not found:  # as if one had been measured
                planned = max(1, min(planned, rule(1, each)))
            ahead = each * (planned - len(found))
            found.append(self._round(first + len(found), partial(label, len(found), planned), order, ahead))
            self._planned += sum(lane.cost for lane in order)
            self._spent += self.clock() - begun - spent
            spent = self.clock() - begun
        return found

    def _round(self, id_: int, label: Callable[[Case], str], order: list[Lane], ahead: float) -> Round:
        self.turn()
        self.random.shuffle(order)
        found: dict[Case, Measured] = {}
        begun = self.clock()
        for lane in order:
            self.say(label(lane.case), max(0.0, ahead - (self.clock() - begun)))
            if (measured := self.attempt([lane.case, *lane.beside], lane.measure)) is not None:
                found |= {lane.case: measured, **measured.beside}
        for case, measured in found.items():
            record = self.records.setdefault(case, Record(case))
            record.add(id_, measured.seconds, measured.window)
            record.facts |= measured.facts
        return Round(id_, found)

    def suite(self) -> Any:
        """Return what was measured so far, as a pyperf suite.

        Raises
        ------
        NothingMeasuredError
            If that is nothing.
        """
        return file.build(self.records.values(), self.facts, self.failures)

    def save(self) -> None:
        """Write what was measured so far, if there is an output; failures are told when all is saved."""
        if self._output is not None:
            with suppress(ResultsError):
                file.save(self.suite(), self._output)
