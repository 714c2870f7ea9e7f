"""Carry a plan out: calibrate every subject, then interleave the rounds of its cases."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

from gilkit import __version__, machine, results
from gilkit.lab import Lab
from gilkit.measure import CaseFailedError, Round, calibrated
from gilkit.plan import FEW, Pace, Subject
from gilkit.results import SUBJECTS, Case, Record
from gilkit.transfer import Pickled, data, pickled

WATCH = 0.2  # seconds to watch the GIL, of every kernel
LOOK = 0.15  # seconds to watch what others use, before and after every kernel


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: seconds of measuring done and planned, and what is being measured."""

    done: float
    total: float
    label: str


def run_facts(seed: int) -> dict[str, str | int | float]:
    """Return the metadata of a run: of the machine, the interpreter and gilkit."""
    return {
        **results.system_facts(),
        **machine.metadata(),
        "gilkit_version": __version__,
        "gilkit_seed": seed,
    }


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
        self.inputs: dict[str, dict[str, Any]] = {}  # the data of the reader's own calls
        self.planned = self.done = 0.0
        self.begun = time.perf_counter()

    def measure(self, lab: Lab) -> None:
        """Measure everything, and write it to the output after every kernel."""
        self.facts = run_facts(self.seed)
        lost = machine.lost_seconds()
        for subject in self.subjects:
            self._calibrate(lab, subject)
        for subject in self.subjects:
            self._narrow(subject)
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

    def _narrow(self, subject: Subject) -> None:
        """Leave worker counts out that nobody asked for, where the rounds of long calls would not fit."""
        if (
            subject.narrow
            and FEW * sum(subject.seconds(c, self.cpus) for c in self._open(subject)) > self.pace.budget
        ):
            subject.cases = [case for case in subject.cases if case.workers in (1, subject.narrow)]
            subject.cases = [c for c in subject.cases if c.workers > 1 or c == c.baseline]

    def _open(self, subject: Subject) -> list[Case]:
        """The cases of ``subject`` that have not failed."""
        return [case for case in subject.cases if case not in self.failures]

    def _say(self, label: str, done: float = 0.0) -> None:
        if self.progress is not None:
            self.progress(Progress(self.done, self.planned, label))
        self.done += done

    def _calibrate(self, lab: Lab, subject: Subject) -> None:
        """Find the loops of every variant on one worker; a variant that fails there has failed everywhere."""
        for variant in subject.workloads:
            if variant == "sent":
                self._inspect(lab, subject)
            cases = [case for case in subject.cases if case.variant == variant]
            if not cases:
                continue
            self._say(f"{subject.name}: calibrating {variant}")
            alone = cases[0] if variant == "sent" else cases[0].baseline

            def run(loops: int, alone: Case = alone) -> float:
                return self._round(lab, subject, alone, loops).seconds

            try:
                loops, call = calibrated(run, self.pace.stretch)
            except CaseFailedError as error:
                failed = subject.cases if subject.own and variant == "function" else cases
                self.failures.update(dict.fromkeys(failed, str(error)))
                if failed is subject.cases:
                    return  # nothing else is of interest then
                continue
            subject.loops[variant], subject.calls[variant] = loops, call

    def _round(self, lab: Lab, subject: Subject, case: Case, loops: int) -> Round:
        """Run one round of a case."""
        workload = subject.workloads[case.variant]
        if case.variant == "sent":
            return lab.sent(workload, self.inputs[subject.name], case.workers, loops)
        return lab.round(case.executor, workload, case.workers, loops)

    def _inspect(self, lab: Lab, subject: Subject) -> None:
        """Find what the reader's own call takes beside time: memory for each worker, pickles of its data."""
        self._say(f"{subject.name}: memory and pickles")
        facts, workload = subject.facts["function"], subject.workloads["function"]
        sendable = True
        used = {case.executor for case in subject.cases if case.variant == "function"}
        for executor in sorted(used & {"threads", "processes"}):
            before = lab.memory(executor)
            try:
                lab.round(executor, workload, lab.most, 1)
            except CaseFailedError:  # its own rounds will say why
                sendable = sendable and executor != "processes"
                continue
            after = lab.memory(executor)
            if executor == "processes" and after:
                facts["gilkit_memory_processes"] = sum(after) // len(after)
            elif executor == "threads" and before and after:
                facts["gilkit_memory_threads"] = max(0, after[0] - before[0]) // lab.most
        try:
            found = lab.call(pickled, workload)
        except CaseFailedError as error:
            found = [Pickled("the call", problem=str(error))]
        facts["gilkit_pickles"] = json.dumps([asdict(item) for item in found])
        try:
            sendable = sendable and not any(item.problem for item in found)
            self.inputs[subject.name] = lab.call(data, workload) if sendable else {}
        except CaseFailedError:
            sendable = False
        if not sendable:
            subject.cases = [case for case in subject.cases if case.variant != "sent"]

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
                    done = self._round(lab, subject, case, loops)
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
                facts["gilkit_held_longest"] = found.longest_hold
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
