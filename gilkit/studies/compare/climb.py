"""The course of a ladder: beside all else, threads that have one suspect each for themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from gilkit import machine
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.meter import Meter
from gilkit.engine.pools import Lab
from gilkit.engine.runner import LOOK, Runner
from gilkit.errors import CaseFailedError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.studies.compare.budget import LADDER_PACE
from gilkit.studies.compare.course import Course
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.ladder import ENDS, climbed, entry_of, is_rung, to_try, told_of, tried_in
from gilkit.studies.compare.plan import Batch
from gilkit.studies.compare.rungs import Rung
from gilkit.studies.compare.speedups import speedups
from gilkit.workloads.statement import names_shared
from gilkit.workloads.suspects import CHANGES, Suspect, slower_again, suspects
from gilkit.workloads.target import Own, processes_in_memory

MOST_SUSPECTS = 12
SETUPS = 3  # times for each worker, at the most, that one look at what threads share runs SETUP


def check_ladder(statement: str, setup: str, executors: Collection[str], workers: int) -> None:
    """Refuse a ladder that has no rungs: nothing that threads could share, or no threads."""
    if "threads" not in executors:
        raise ValueError("a ladder is for threads: they share what SETUP makes, other executors do not")
    if workers < 2:
        raise ValueError("a ladder needs 2 workers or more: one shares nothing")
    if not names_shared(setup, statement):
        raise ValueError(
            "a ladder needs something to share: SETUP makes nothing that the statement uses "
            "(-s 'cache = {}' makes a name)"
        )


class Climb(Course):
    """The course of one statement whose threads may share something that stops them.

    Parameters
    ----------
    own : Own
        The statement.
    batch : Batch
        Of the one subject that it is.
    workers : int
        How many threads stand on each rung.
    rounds, cpus, runner
        As of `Course`.
    """

    def __init__(
        self,
        own: Own,
        batch: Batch,
        workers: int,
        rounds: int | None,
        cpus: int,
        runner: Runner,
    ) -> None:
        super().__init__([batch], LADDER_PACE, rounds, cpus, runner)
        self.own = own
        self.workers = workers
        [self.subject] = batch.subjects
        self.room = 0  # further processes that there is memory for
        self.tried: set[str] = set()
        self.untried: dict[str, str] = {}
        self.known: dict[str, Any] = {}

    def _first(self, lab: Lab) -> None:
        self._suspect(lab)
        super()._first(lab)
        self._climb(lab, ())

    def _narrow(self, lab: Lab) -> None:
        super()._narrow(lab)
        self._climb(lab, self.pace.looks)

    def _measured_with(self, case: Case) -> tuple[Case, ...]:
        """Return a case with all that it is compared to: a rung with the ends of the ladder, too."""
        ends = [replace(case, variant=end) for end in ENDS] if is_rung(case) else []
        return (*super()._measured_with(case), *ends)

    def _by_round(self, case: Case) -> dict[int, float]:
        """Return the speedup of a case so far; of a rung, its work over that of who shares nothing."""
        if not is_rung(case):
            return super()._by_round(case)
        records, upper = self.runner.records, replace(case, variant=ENDS[0])
        known = case in records and upper in records
        return speedups(records[case].rounds(), records[upper].rounds(), 1) if known else {}

    def _next_look(self, case: Case) -> int:
        """Return how many rounds there are at the next look at a case; 0 for processes beside the ladder."""
        return 0 if EXECUTORS[case.executor].apart and case.variant != "ceiling" else super()._next_look(case)

    def _climb(self, lab: Lab, looks: Collection[int]) -> None:
        """Try what is to be tried by what was found, as long as there is patience for it.

        What is tried is looked at again after so many rounds, until it is narrow.
        """
        [batch] = self.batches
        while self.runner.clock() < self.end and self._further():
            new = [case for case in self.runner.open(batch.cases) if case not in self.runner.records]
            load = machine.load_by_others(LOOK)
            for case in new:
                self.runner.record(case, load, self.subject.facts[case.variant])
            if self.asked:  # as many again
                self.asked = batch.tried + self.first
            for rounds in (self.first, *looks):
                self._rounds(batch, new, rounds, self.end)
                new = [case for case in new if self._width(batch, case) > 0]
            self._keep(lab)

    def _suspect(self, lab: Lab) -> None:
        """Find what threads share, and plan a rung for each."""
        subject = self.subject
        if Case(subject.name, "function", "threads", 1) in self.runner.failures:
            return
        self.runner.say(f"{subject.name}: what threads share")
        workload = subject.workloads["function"]
        try:
            with Lab(1, lab.timeout * SETUPS * self.workers) as apart:
                slower = apart.call(slower_again, workload, self.workers)
                found = apart.call(suspects, workload)
        except CaseFailedError as error:
            self.known = {"failed": str(error)}
            self._tell()
            return
        data = facts.MEMORY.named("threads").of(subject.facts["function"], 0)
        self.room = processes_in_memory(data * (lab.most + 1))
        self.untried = dict(found.untried)
        rungs = _by_own(found.found) if slower < CHANGES else []
        why = "there are too many" if self.room >= MOST_SUSPECTS else "there is too little memory"
        most = min(MOST_SUSPECTS, self.room)
        self.untried |= {name: why for rung in rungs[most:] for name in rung.names}
        for rung in rungs[:most]:
            self._try(rung)
        beside = [entry_of(rung) for rung in _by_own(found.beside)]
        self.known = {"beside": beside, "modules": found.modules, "slower": round(slower, 2)}
        self._tell()

    def _tell(self) -> None:
        """Note what was found of what threads share, and what could not be tried."""
        entry = facts.OWN_NAMES.entry({**self.known, "untried": self.untried})
        self.subject.facts["shared"] |= entry
        for case, record in self.runner.records.items():
            if case.variant == "shared":
                record.facts |= entry

    def _further(self) -> bool:
        """Plan the rungs that are to be tried next; return whether there are any."""
        if not any(record.values for record in self.runner.records.values()):
            return False
        results = Results(self.runner.suite())
        ladder = climbed(results, evidence(results, self.subject.name, self.workers))
        planned = len(self.subject.cases)
        for rung in [] if ladder is None else list(to_try(ladder)):
            if rung.variant not in self.tried and len(self.tried) < self.room:
                self._try(rung)
        self._tell()
        return len(self.subject.cases) > planned

    def _try(self, rung: Rung) -> None:
        """Plan a rung; note if that cannot be measured."""
        self.tried.add(rung.variant)
        try:
            self._plan(rung)
        except CaseFailedError as error:
            self.untried[tried_in(rung.names, rung.only)] = str(error)

    def _plan(self, rung: Rung) -> None:
        """Plan a rung, in a process of its own: what one leaves behind does not change another.

        Raises
        ------
        CaseFailedError
            If it cannot be measured.
        """
        subject, usual = self.subject, self.meter
        case = Case(subject.name, rung.variant, "threads", self.workers)
        workload = self.own.workload(shared=True, private=tuple(sorted(rung.own)))
        lab = self.preparation.single.enter_context(Lab(usual.lab.most, usual.lab.timeout))
        meter = Meter(lab, usual.least, usual.cpus, usual.random)
        self.runner.say(f"{subject.name}: calibrating {rung.variant}")
        meter.pace("threads", workload)
        if (held := usual.held.get(subject.workloads["function"])) is not None:
            meter.held[workload] = held
        subject.workloads[rung.variant], subject.meters[rung.variant] = workload, meter
        subject.facts[rung.variant] = told_of(rung)
        subject.cases.append(case)


def _by_own(suspects: Iterable[Suspect]) -> list[Rung]:
    """Return a rung for each suspect; for all together that a thread has for itself only together."""
    found: dict[frozenset[str], list[Suspect]] = {}
    for one in suspects:
        found.setdefault(frozenset(one.own), []).append(one)
    return [
        Rung(
            tuple(one.name for one in alike),
            tuple(one.kind for one in alike),
            own,
            alike=len(alike) > 1,
        )
        for own, alike in found.items()
    ]
