"""Carry it out: prepare the statements, then measure everybody beside everybody, in rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from gilkit import machine
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.gil_facts import gil_facts
from gilkit.engine.meter import Meter
from gilkit.engine.neighbours import Neighbour, Neighbours
from gilkit.engine.pools import Lab
from gilkit.engine.runner import LOOK, Lane, Measured, Runner, exactly
from gilkit.errors import CaseFailedError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.stats import FEWEST_ROUNDS, paired
from gilkit.results.windows import Lateness
from gilkit.studies.beside import STUDY
from gilkit.studies.beside.sides import TICKER, WHERE, alone, other_of, pairs, side, where_of
from gilkit.studies.compare.budget import half_width, targets
from gilkit.studies.compare.preparation import watched
from gilkit.studies.compare.speedups import over_sets
from gilkit.workloads.target import Own

LEAST_WINDOW = 0.05  # seconds of a window, at the least
SHORTENED = 10  # times as short as usual is the other switch interval
WATCHED_FOR = 0.2  # seconds to watch the GIL, of every statement
WHEN_TO_LOOK = (8, 12, 18, 27)  # rounds at which it is looked whether intervals are narrow
SOONEST = 1e-9  # seconds that a tick is late at the least, for a file that knows no 0
IN_TIME, PATIENT = 20.0, 60.0  # seconds of rounds: until they are narrow, and until they decide anything


class Course:
    """The course of one measurement.

    Parameters
    ----------
    owns : mapping of str to Own
        The statements, by letter.
    rounds : int or None
        None for as many as it takes, within limits.
    cpus : int
    switch : float
        Seconds of the usual switch interval.
    runner : Runner
    """

    def __init__(
        self, owns: Mapping[str, Own], rounds: int | None, cpus: int, switch: float, runner: Runner
    ) -> None:
        self.calls: dict[str, Neighbour] = {letter: own.workload() for letter, own in owns.items()}
        self.names = [own.name for own in owns.values()]
        self.letters = list(owns)
        self.asked = rounds
        self.cpus = cpus
        self.switch = switch
        self.runner = runner
        self.known: dict[Case, list[Lateness]] = {}
        self.sets: list[int] = []  # the first round of each further set of processes
        self.done = 0
        missing = EXECUTORS["processes"].missing()
        self.missing = {"processes": missing} if missing else {}
        self.pairs = [pair for pair in pairs(self.letters) if pair[2] not in self.missing]
        self.lonely = [
            *(alone(who, where) for who in owns for where in ("threads", "processes")),
            alone(TICKER),
        ]
        self.lonely = [case for case in self.lonely if case.executor not in self.missing]

    def measure(self, lab: Lab) -> None:
        """Measure everything; a second lab has the shorter switch interval."""
        runner, shorter = self.runner, self.switch / SHORTENED
        setup = dict(runner.facts)
        runner.begin(STUDY.kind)
        runner.facts |= {**setup, **facts.AGAINST.entry(self.names), **facts.SHORTER.entry(shorter)}
        if self.missing:
            runner.facts |= facts.MISSING.entry(self.missing)
        with self.another(lab, shorter) as quick:
            self.labs = [lab, quick]
            self.usual, self.shorter = (
                Neighbours(Meter(each, LEAST_WINDOW, self.cpus, runner.random), switch)
                for each, switch in ((lab, self.switch), (quick, shorter))
            )
            known = {letter: self._prepare(letter) for letter in self.letters}
            if not runner.open(alone(letter) for letter in self.letters):
                return
            load = machine.load_by_others(LOOK)
            for case in runner.open(self.cases):
                runner.record(case, load, known[case.kernel] if case in map(alone, known) else {})
            self._rounds()
            runner.note_load(list(runner.records), machine.load_by_others(LOOK))

    def another(self, lab: Lab, switch: float) -> Lab:
        """Return a lab whose threads have another switch interval."""
        return Lab(lab.most, lab.timeout, switch=switch)

    @property
    def cases(self) -> list[Case]:
        """All cases."""
        beside = [side(*each) for a, b, where in self.pairs for each in ((a, b, where), (b, a, where))]
        return [*self.lonely, *beside]

    def _prepare(self, letter: str) -> facts.Metadata:
        """Find out how long a call is, everywhere, and who holds the GIL; what fails alone has failed."""
        runner, call, lab = self.runner, self.calls[letter], self.usual.meter.lab
        assert call is not None
        runner.say(f"{letter}: calibrating")
        mine = [case for case in self.cases if letter in (case.kernel, other_of(case))]
        for where in WHERE:
            meter = (self.shorter if where == "shorter" else self.usual).meter
            fail = mine if where == "threads" else [case for case in mine if where_of(case) == where]
            if where not in self.missing:
                runner.attempt(fail, partial(meter.pace, _executor(where), call))
            if alone(letter) in runner.failures:
                return {}
        used = {_executor(where): call for where in WHERE if where not in self.missing}
        runner.facts |= gil_facts(lab, used, runner.facts)
        if self.cpus < 2:  # the monitor wants one of its own
            return {}
        runner.say(f"{letter}: watching the GIL")
        return watched(lab, call, WATCHED_FOR)[0]

    def _rounds(self) -> None:
        """Measure rounds, over sets of fresh processes, until intervals are narrow or time is up."""
        runner, first = self.runner, self.asked or WHEN_TO_LOOK[0]
        lanes = [lane for lane in self._lanes() if lane.case not in runner.failures]
        begun = runner.clock()
        while self._goes_on(first, runner.clock() - begun):
            if self.done in targets(first):
                runner.save()
                for lab in self.labs:
                    lab.renew()
                self.sets.append(self.done)
            planned = first if self.done < first else next(n for n in WHEN_TO_LOOK if n > self.done)
            lanes = [replace(lane, cost=self._seconds(lane.case)) for lane in lanes]
            each = runner.pace * sum(lane.cost for lane in lanes if lane.case not in runner.failures)
            runner.later = each * (planned - self.done - 1)
            label = f"round {self.done + 1} of {planned}: "
            runner.rounds(lanes, exactly(1), lambda *at, label=label: label + at[2].name, first=self.done)
            self.done += 1
            for case in runner.open(self.cases) if self.sets else ():
                runner.records[case].facts |= facts.GENERATIONS.entry(self.sets)
        runner.later = 0.0

    def _goes_on(self, first: int, spent: float) -> bool:
        """Whether there is to be another round, when so many seconds are spent."""
        if self.asked is not None:
            return self.done < first
        if self.done < first:
            return not self.done or spent < PATIENT
        if self.done >= WHEN_TO_LOOK[-1] or (self.done in WHEN_TO_LOOK and not self._wide()):
            return False
        return spent < (IN_TIME if self._decides() else PATIENT)

    def _kept(self) -> list[dict[int, float]]:
        """Return what each statement keeps beside the other so far, of rounds that nobody disturbed."""
        found = []
        for who, other, where in self.pairs:
            cases = [side(who, other, where), side(other, who, where), alone(who, _executor(where))]
            if where != "shorter" and not any(case in self.runner.failures for case in cases):
                beside, _, whole = known = [self.runner.records[case].rounds() for case in cases]
                found.append({id_: whole[id_] / beside[id_] for id_ in paired(*known)})
        return found

    def _decides(self) -> bool:
        return all(len(kept) >= FEWEST_ROUNDS for kept in self._kept())

    def _wide(self) -> bool:
        """Whether an interval is wide still."""
        every = [over_sets(kept, self.sets) for kept in self._kept()]
        return any(one is None or not one.decided or one.margin > half_width(one) for one in every)

    def _lanes(self) -> list[Lane]:
        """Return everything that is measured in a round."""
        lanes = [Lane(case, partial(self._alone, case)) for case in self.lonely]
        for who, other, where in self.pairs:
            case, second = side(who, other, where), side(other, who, where)
            lanes.append(Lane(case, partial(self._beside, case, second), beside=(second,)))
        return lanes

    def _seconds(self, case: Case) -> float:
        """Return about how long a window of a case takes."""
        if case.kernel != TICKER and not other_of(case):
            call = self.calls[case.kernel]
            assert call is not None
            return self.usual.meter.seconds(case.executor, call, 1)
        neighbours = self.shorter if where_of(case) == "shorter" else self.usual
        return neighbours.seconds(case.executor, self._neighbours(case))

    def _neighbours(self, case: Case) -> tuple[Neighbour, ...]:
        """Return the calls of a case, and of who is beside it."""
        names = [name for name in (case.kernel, other_of(case)) if name]
        return tuple(self.calls.get(name) for name in names)

    def _alone(self, case: Case) -> Measured:
        call = self.calls.get(case.kernel)
        if call is None:
            return self._beside(case)
        window = self.usual.meter.window(case.executor, call, 1, self.done)
        return Measured(window.value, window=window)

    def _beside(self, case: Case, *others: Case) -> Measured:
        """Measure one beside another; a ticker beside nothing, too."""
        neighbours = self.shorter if where_of(case) == "shorter" else self.usual
        calls = self._neighbours(case)
        window, late = neighbours.window(case.executor, calls, self.done)
        found: dict[Case, Measured] = {}
        for each, stint in zip((case, *others), window.stints, strict=True):
            own = replace(window, workers=1, stints=(stint,))
            if each.kernel != TICKER:
                found[each] = Measured(own.value, window=own)
                continue
            if late is None:
                raise CaseFailedError("no tick came")
            known = self.known.setdefault(each, [])
            known.append(late)
            packed = facts.LATENESS.entry([one.packed() for one in known])
            found[each] = Measured(max(late.usual, SOONEST), packed, own)
            if calls[0] is not None:
                neighbours.learn_hold(calls[0], late.hold)
        first = found.pop(case)
        return replace(first, beside=found)


def _executor(where: str) -> str:
    return "processes" if where == "processes" else "threads"
