"""Carry a plan out: calibrate every subject, watch its GIL, then measure its cases in interleaved rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from math import isnan
from typing import Any

from gilkit import machine
from gilkit.engine.pools import Lab
from gilkit.engine.runner import FEWEST_ROUNDS, LOOK, Lane, Measured, Rule, Runner, exactly
from gilkit.engine.window import Window, calibrated
from gilkit.errors import CaseFailedError
from gilkit.results import facts
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.facts import Metadata
from gilkit.studies.compare.plan import Pace, Subject
from gilkit.workloads.pickling import Pickled, inputs, pickled

WATCH = 0.2  # seconds to watch the GIL, of every kernel


class Course:
    """The course of one comparison.

    Parameters
    ----------
    subjects : list of Subject
    pace : Pace
    rounds : int or None
        None for as many as the pace allows.
    cpus : int
    runner : Runner
    """

    def __init__(
        self, subjects: Sequence[Subject], pace: Pace, rounds: int | None, cpus: int, runner: Runner
    ) -> None:
        self.subjects = subjects
        self.pace = pace
        self.asked = rounds
        self.cpus = cpus
        self.runner = runner
        self.inputs: dict[str, dict[str, Any]] = {}  # the data of the reader's own calls
        self.begun = runner.clock()

    def measure(self, lab: Lab) -> None:
        """Measure everything, and write it to the output after every kernel."""
        runner = self.runner
        runner.begin()
        before = machine.lost_seconds()
        for subject in self.subjects:
            self._calibrate(lab, subject)
        for subject in self.subjects:
            self._narrow(subject)
        costs = {s.name: self._cost(s) for s in self.subjects}
        rounds = self.pace.rounds(costs)
        if self.asked is not None:
            rounds = dict.fromkeys(rounds, self.asked)
        runner.total = sum(rounds[name] * cost for name, cost in costs.items())
        for subject in self.subjects:
            self._measure(lab, subject, rounds[subject.name], costs[subject.name])
            for fact, now, then in zip(
                (facts.STEAL, facts.THROTTLED), machine.lost_seconds(), before, strict=True
            ):
                if now is not None:
                    runner.facts |= fact.entry(round(now - (then or 0.0), 3))
            for name, seconds in lab.starts.items():
                runner.facts |= facts.START.named(name).entry(round(seconds, 4))
            runner.save()

    def _cost(self, subject: Subject) -> float:
        """Return about how long one round of ``subject`` takes."""
        return sum(subject.seconds(case, self.cpus) for case in self.runner.open(subject.cases))

    def _narrow(self, subject: Subject) -> None:
        """Leave worker counts out that nobody asked for, where the rounds of long calls would not fit."""
        if subject.narrow and FEWEST_ROUNDS * self._cost(subject) > self.pace.budget:
            subject.cases = [case for case in subject.cases if case.workers in (1, subject.narrow)]
            subject.cases = [c for c in subject.cases if c.workers > 1 or c == c.baseline]

    def _calibrate(self, lab: Lab, subject: Subject) -> None:
        """Find the loops of every variant on one worker; a variant that fails there has failed everywhere."""
        for variant in subject.workloads:
            if variant == "sent":
                self._inspect(lab, subject)
            cases = [case for case in subject.cases if case.variant == variant]
            if not cases:
                continue
            self.runner.say(f"{subject.name}: calibrating {variant}")
            alone = cases[0] if variant == "sent" else cases[0].baseline
            window = partial(self._window, lab, subject, alone)
            everything = subject.own and variant == "function"  # nothing else is of interest then
            found = self.runner.attempt(
                subject.cases if everything else cases,
                lambda window=window: calibrated(  # type: ignore[misc]
                    lambda loops: window(loops).seconds, self.pace.stretch
                ),
            )
            if found is not None:
                subject.loops[variant], subject.calls[variant] = found
            elif everything:
                return

    def _window(self, lab: Lab, subject: Subject, case: Case, loops: int) -> Window:
        """Let the workers of a case make their calls."""
        workload = subject.workloads[case.variant]
        if case.variant == "sent":
            return lab.sent(workload, self.inputs[subject.name], case.workers, loops)
        return lab.window(case.executor, workload, case.workers, loops)

    def _inspect(self, lab: Lab, subject: Subject) -> None:
        """Find what the reader's own call takes beside time: memory for each worker, pickles of its data."""
        self.runner.say(f"{subject.name}: memory and pickles")
        known, workload = subject.facts["function"], subject.workloads["function"]
        sendable = self._weigh(lab, subject)
        try:
            found = lab.call(pickled, workload)
        except CaseFailedError as error:
            found = [Pickled("the call", problem=str(error))]
        known |= facts.PICKLES.entry([asdict(item) for item in found])
        try:
            sendable = sendable and not any(item.problem for item in found)
            self.inputs[subject.name] = lab.call(inputs, workload) if sendable else {}
        except CaseFailedError:
            sendable = False
        if not sendable:
            subject.cases = [case for case in subject.cases if case.variant != "sent"]

    def _weigh(self, lab: Lab, subject: Subject) -> bool:
        """Note the memory that a further worker takes; return whether processes can make the call."""
        known, workload = subject.facts["function"], subject.workloads["function"]
        used = {case.executor for case in subject.cases if case.variant == "function"}
        possible = True
        for executor in sorted(used & {"threads", "processes"}):
            before = lab.memory(executor)
            try:
                lab.window(executor, workload, lab.most, 1)
            except CaseFailedError:  # its own rounds will say why
                possible = possible and executor != "processes"
                continue
            after = lab.memory(executor)
            if executor == "processes" and after:
                known |= facts.MEMORY_PROCESSES.entry(sum(after) // len(after))
            elif executor == "threads" and before and after:
                known |= facts.MEMORY_THREADS.entry(max(0, after[0] - before[0]) // lab.most)
        return possible

    def _measure(self, lab: Lab, subject: Subject, rounds: int, cost: float) -> None:
        """Run the rounds of one subject."""
        runner, load = self.runner, machine.load_by_others(LOOK)
        cases = runner.open(subject.cases)
        for case in cases:
            loops = facts.LOOPS.entry(subject.loops_of(case, self.cpus))
            runner.record(case, load, {**subject.facts[case.variant], **loops})
        self._watch(lab, subject)
        lanes = [
            Lane(case, partial(self._lane, lab, subject, case), subject.seconds(case, self.cpus))
            for case in cases
        ]
        runner.rounds(
            lanes,
            self._rule(rounds, cost),
            lambda index, planned, _: f"{subject.name}: round {index + 1} of {planned}",
        )
        runner.note_load(subject.cases, machine.load_by_others(LOOK))

    def _lane(self, lab: Lab, subject: Subject, case: Case) -> Measured:
        done = self._window(lab, subject, case, subject.loops_of(case, self.cpus))
        return Measured(done.value, facts.CPU_USED.entry(round(done.cpu, 4)))

    def _rule(self, rounds: int, cost: float) -> Rule:
        """Stop after the planned rounds; earlier, if the machine is slower than when they were planned."""
        if self.asked is not None:
            return exactly(rounds)
        clock = self.runner.clock
        late = min(clock() + 1.1 * rounds * cost + 0.5, self.begun + self.pace.limit)
        return lambda done, _: rounds if done < FEWEST_ROUNDS or clock() <= late else done

    def _watch(self, lab: Lab, subject: Subject) -> None:
        """Find the share of a call that holds the GIL: of the variant that the verdict is about."""
        variant = next((v for v in JUDGED_VARIANTS if v in subject.loops), None)
        if variant is None or self.cpus < 2:  # the monitor spins on a CPU of its own
            return
        self.runner.say(f"{subject.name}: watching the GIL")
        found: Metadata = {}
        try:
            seen = lab.watch(subject.workloads[variant], WATCH)
        except CaseFailedError as error:
            found |= facts.HELD_NOTE.entry(str(error))
        else:
            self.runner.facts |= facts.GIL.entry("on" if seen.gil else "off")  # there, after SETUP ran
            if not isnan(seen.share):
                found |= facts.HELD.entry(float(seen.share))
                found |= facts.HELD_TIMES.entry(round(seen.holds, 2))
                found |= facts.HELD_LONGEST.entry(seen.longest_hold)
            if not isnan(seen.share.error):
                found |= facts.HELD_ERROR.entry(seen.share.error)
            if seen.share.note:
                found |= facts.HELD_NOTE.entry(seen.share.note)
        for case in subject.cases:
            if case.variant == variant and case in self.runner.records:
                self.runner.records[case].facts |= found
