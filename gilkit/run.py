"""Carry a plan out: calibrate every subject, then interleave the rounds of its cases."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import isnan
from typing import Any

from gilkit import __version__, machine, results
from gilkit.measure import CaseFailedError, Lab, calibrated
from gilkit.plan import FEW, Pace, Subject
from gilkit.results import SUBJECTS, Case, Record
from gilkit.workload import Workload

WATCH = 0.2  # seconds to watch the GIL, of every kernel
LOOK = 0.15  # seconds to watch what others use, before and after every kernel


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: seconds of measuring done and planned, and what is being measured."""

    done: float
    total: float
    label: str


class Run:
    """The course of one comparison: calibrate every subject, then run its rounds."""

    def __init__(
        self,
        subjects: list[Subject],
        pace: Pace,
        rounds: int | None,
        seed: int | None,
        cpus: int,
        output: str | os.PathLike[str] | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.subjects = subjects
        self.pace = pace
        self.rounds = rounds
        self.cpus = cpus
        self.output = output
        self.progress = progress
        self.seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self.random = random.Random(self.seed)
        self.records: dict[Case, Record] = {}
        self.failures: dict[Case, str] = {}
        self.facts: dict[str, str | int | float] = {}
        self.planned = self.done = 0.0
        self.begun = time.perf_counter()

    def measure(self, lab: Lab) -> None:
        """Measure everything, and write it to the output after every kernel."""
        self.facts = {
            **results.system_facts(),
            **machine.metadata(),
            "gilkit_version": __version__,
            "gilkit_seed": self.seed,
        }
        lost = machine.lost_seconds()
        for subject in self.subjects:
            self._calibrate(lab, subject)
        costs = {s.name: sum(s.seconds(case, self.cpus) for case in self._open(s)) for s in self.subjects}
        rounds = self.pace.rounds(costs)
        if self.rounds is not None:
            rounds = dict.fromkeys(rounds, self.rounds)
        self.planned = sum(rounds[name] * cost for name, cost in costs.items())
        for subject in self.subjects:
            self._measure(lab, subject, rounds[subject.name], costs[subject.name])
            for name, seconds in machine.lost_seconds().items():
                self.facts[name] = round(seconds - lost.get(name, 0.0), 3)
            for name, seconds in lab.starts.items():
                self.facts[f"gilkit_start_{name}"] = round(seconds, 4)
            with suppress(results.ResultsError):  # whoever called saves the whole, and hears of it
                self.save()

    def _open(self, subject: Subject) -> list[Case]:
        """The cases of ``subject`` that have not failed."""
        return [case for case in subject.cases if case not in self.failures]

    def _say(self, label: str, done: float = 0.0) -> None:
        if self.progress is not None:
            self.progress(Progress(self.done, self.planned, label))
        self.done += done

    def _calibrate(self, lab: Lab, subject: Subject) -> None:
        """Find the loops of every variant on one worker; a variant that fails there has failed everywhere."""
        for variant, workload in subject.workloads.items():
            cases = [case for case in subject.cases if case.variant == variant]
            if not cases:
                continue
            self._say(f"{subject.name}: calibrating {variant}")
            serial = "openmp" if cases[0].executor == "openmp" else "serial"

            def run(loops: int, workload: Workload = workload, serial: str = serial) -> float:
                return lab.round(serial, workload, 1, loops).seconds

            try:
                loops, call = calibrated(run, self.pace.stretch)
            except CaseFailedError as error:
                self.failures.update(dict.fromkeys(cases, str(error)))
                continue
            subject.loops[variant], subject.calls[variant] = loops, call

    def _measure(self, lab: Lab, subject: Subject, rounds: int, cost: float) -> None:
        """Run the rounds of one subject, each with its cases in an order of its own."""
        load = machine.load_by_others(LOOK)
        for case in self._open(subject):
            facts: dict[str, str | int | float] = {
                **subject.facts[case.variant],
                "loops": subject.loops_of(case, self.cpus),
                "gilkit_workers": case.workers,
                "gilkit_load": round(load, 3),
            }
            self.records[case] = Record(case, facts=facts)
        self._watch(lab, subject)
        late = min(time.perf_counter() + 1.1 * rounds * cost + 0.5, self.begun + self.pace.limit)
        for index in range(rounds):
            if index >= FEW and self.rounds is None and time.perf_counter() > late:
                break  # the machine is slower than it was when this was planned
            order = self._open(subject)
            self.random.shuffle(order)
            values = {}
            for case in order:
                self._say(f"{subject.name}: round {index + 1} of {rounds}", subject.seconds(case, self.cpus))
                try:
                    loops = subject.loops_of(case, self.cpus)
                    done = lab.round(case.executor, subject.workloads[case.variant], case.workers, loops)
                except CaseFailedError as error:
                    self.failures[case] = str(error)
                else:
                    values[case] = done
            # Only whole rounds count: an interrupt in this one leaves the values of all cases paired.
            for case, done in values.items():
                self.records[case].values.append(done.value)
                self.records[case].facts["gilkit_cpu"] = round(done.cpu, 4)
        self._look_again(subject, load)

    def _look_again(self, subject: Subject, before: float) -> None:
        """Record the larger load by others, of before and after the rounds of a kernel."""
        load = max(before, machine.load_by_others(LOOK))
        for case in subject.cases:
            if case in self.records:
                self.records[case].facts["gilkit_load"] = round(load, 3)

    def _watch(self, lab: Lab, subject: Subject) -> None:
        """Find the share of a call that holds the GIL: of the variant that the verdict is about."""
        variant = next((v for v in SUBJECTS if v in subject.loops), None)
        if variant is None or self.cpus < 2:  # the monitor spins on a CPU of its own
            return
        self._say(f"{subject.name}: watching the GIL")
        facts: dict[str, str | int | float] = {}
        try:
            found = lab.watch(subject.workloads[variant], WATCH)
        except CaseFailedError as error:
            facts["gilkit_held_note"] = str(error)
        else:
            if found.share.samples or found.share.note:
                facts["gilkit_held"] = float(found.share)
                facts["gilkit_held_times"] = round(found.holds, 2)
            if not isnan(found.share.error):
                facts["gilkit_held_error"] = found.share.error
            if found.share.note:
                facts["gilkit_held_note"] = found.share.note
        for case in subject.cases:
            if case.variant == variant and case in self.records:
                self.records[case].facts.update(facts)

    def suite(self) -> Any:
        """Return what was measured so far.

        Raises
        ------
        NothingMeasuredError
            If that is nothing.
        """
        return results.build(self.records.values(), self.facts, self.failures)

    def save(self) -> None:
        """Write what was measured so far to the output, if there is one.

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        if self.output is not None:
            results.save(self.suite(), self.output)
