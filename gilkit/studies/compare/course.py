"""Carry a plan out: prepare every subject, then measure it in rounds until its intervals are narrow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from gilkit import machine
from gilkit.engine.meter import Meter
from gilkit.engine.pools import Lab
from gilkit.engine.runner import LOOK, Lane, Measured, Runner, exactly
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.stats import FEWEST_ROUNDS, paired
from gilkit.results.windows import Window
from gilkit.studies.compare.ahead import (
    FEWEST_TO_FORESEE,
    before_rounds,
    rounds_to_narrow,
    setting_up,
)
from gilkit.studies.compare.budget import PATIENCE, SETS, Budget, targets, too_wide
from gilkit.studies.compare.circumstances import circumstances
from gilkit.studies.compare.plan import Batch, left_out, subject_of
from gilkit.studies.compare.preparation import Preparation
from gilkit.studies.compare.speedups import over_sets, speedups

OVERRUN = 1.45  # times what is planned that the fewest rounds may take, with what starting takes beside


class Course:
    """The course of one comparison.

    Parameters
    ----------
    batches : list of Batch
    pace : Budget
    rounds : int or None
        None for as many as it takes, within limits.
    cpus : int
    runner : Runner
    """

    sets = SETS  # of fresh processes, over which the rounds before the first look are spread

    def __init__(
        self, batches: Sequence[Batch], pace: Budget, rounds: int | None, cpus: int, runner: Runner
    ) -> None:
        self.batches = batches
        self.subjects = [subject for batch in batches for subject in batch.subjects]
        self.pace = pace
        self.asked = rounds
        self.cpus = cpus
        self.runner = runner
        self.begun = runner.clock()
        self.narrowing = 0.0  # seconds, about, of rounds beyond the first that intervals will take

    def measure(self, lab: Lab) -> None:
        """Measure everything, and write it to the output whenever a kernel has more rounds."""
        runner = self.runner
        runner.begin()
        if missing := left_out(self.subjects):
            runner.facts |= facts.MISSING.entry(missing)
        for batch in self.batches:
            if len(batch.subjects) > 1:
                runner.facts |= facts.AGAINST.entry([subject.name for subject in batch.subjects])
        self.lost = machine.lost_seconds()
        self.meter = Meter(lab, self.pace.window, self.cpus, runner.random)
        self.preparation = preparation = Preparation(self.meter, runner)
        with preparation.single:
            for number, subject in enumerate(self.subjects):
                runner.later = before_rounds(self.subjects[number:], self.subjects, self.pace, self.asked)
                preparation.prepare(subject)
            self._first(lab)
            if self.asked is None:
                self._narrow(lab)

    def _first(self, lab: Lab) -> None:
        """Measure the rounds before the first look, spread over sets of fresh processes."""
        whole = {b.name: self._cost(b.cases) for b in self.batches}
        beside = {b.name: self._cost(filter(b.beside, b.cases)) for b in self.batches}
        more = sum(beside.values())
        planned = self.pace.rounds(sum(whole.values()) - more, more)
        wanted, self.few = (self.asked, self.asked) if self.asked else planned
        self.first = wanted

        def seconds(batch: Batch, rounds: int) -> float:
            dear = beside[batch.name]
            return (whole[batch.name] - dear) * rounds + dear * min(rounds, self.few)

        left = sum(seconds(batch, wanted) for batch in self.batches)
        now = self.runner.clock()
        late = now + max(self.pace.budget, min(left, self.pace.patience))
        self.end = now + max(self.pace.patience, OVERRUN * left)
        load, before = machine.load_by_others(LOOK), 0
        for subject in self.subjects:
            for case in self.runner.open(subject.cases):
                self.runner.record(case, load, subject.facts[case.variant])
        goals = targets(wanted, self.sets)
        self.sets_left = len(goals)
        for goal in goals:
            self.sets_left -= 1
            if before:
                self._renew(lab)
            for batch in self.batches:
                if before and batch.tried:
                    batch.sets.append(batch.tried)
                share = seconds(batch, goal) - seconds(batch, before)
                room = (late - self.runner.clock()) * share / max(left, 1e-9)
                self._rounds(batch, batch.cases, goal, self.runner.clock() + room)
                left -= share
                self._foresee()
                self._keep(lab)
            self.runner.note_load(self.runner.records, machine.load_by_others(LOOK))
            before = goal

    def _renew(self, lab: Lab) -> None:
        """Have fresh processes, wherever something is measured."""
        for one in {lab, *(meter.lab for subject in self.subjects for meter in subject.meters.values())}:
            one.renew()

    def _rounds(self, batch: Batch, cases: Sequence[Case], goal: int, late: float) -> None:
        """Run rounds until each of some cases has so many that nobody disturbed, or it is late.

        At least one; not more than `PATIENCE` times as many as are wanted; and the fewest that decide
        anything, as long as there is patience for them.
        """
        runner, first = self.runner, True
        while lacking := self._lacking(batch, cases, goal):
            enough = batch.tried >= self.asked if self.asked else all(self._tired(c, goal) for c in lacking)
            until = late if self._decides(batch, lacking, min(goal, FEWEST_ROUNDS)) else self.end
            if enough or (self.asked is None and not first and runner.clock() > until):
                break
            self._round(batch, lacking, goal)
            first = False
        if batch.sets:
            for case in runner.open(batch.cases):
                runner.records[case].facts |= facts.GENERATIONS.entry(batch.sets)

    def _decides(self, batch: Batch, cases: Iterable[Case], fewest: int) -> bool:
        """Whether what the verdict is about has so many rounds that it can decide something."""
        judged = (case for case in cases if not batch.beside(case))
        return all(len(self._counting(case)) >= fewest for case in self.runner.open(judged))

    def _counting(self, case: Case) -> Collection[int]:
        """Return the rounds in which a case counts, and all it is compared to; all, if a number was asked."""
        records = self.runner.records
        if self.asked:
            return records[case].ids
        compared = self.runner.open(self._measured_with(case))
        return paired(*(records[c].rounds() for c in compared if c in records))

    def _measured_with(self, case: Case) -> tuple[Case, ...]:
        """Return a case, and what it is compared to: they are measured in the same rounds."""
        return case, case.baseline

    def _round(self, batch: Batch, cases: Iterable[Case], goal: int) -> None:
        lanes = [Lane(case, partial(self._lane, case, batch.tried), self._seconds(case)) for case in cases]
        if self.runner.listened:
            later = self.runner.pace * (self._ahead() - sum(lane.cost for lane in lanes))
            if self.asked is None:  # whatever the machine does
                later = min(later, self.end - self.runner.clock())
            self.runner.later = max(0.0, later)
        self.runner.rounds(
            lanes,
            exactly(1),
            lambda *_: f"{batch.name}: round {batch.tried + 1} of {max(goal, self.first)}",
            first=batch.tried,
        )
        batch.tried += 1

    def _lacking(self, batch: Batch, cases: Sequence[Case], goal: int) -> list[Case]:
        """Return the cases of which too few rounds count, with what they are compared to."""
        runner = self.runner
        found: dict[Case, None] = {}
        for case in runner.open(cases):
            if len(self._counting(case)) < (min(goal, self.few) if batch.beside(case) else goal):
                found |= dict.fromkeys(c for one in batch.together(case) for c in self._measured_with(one))
        return [case for case in runner.open(found) if case in runner.records]

    def _lane(self, case: Case, turn: int) -> Measured:
        window = self._window(case, turn)
        return Measured(window.value, window=window)

    def _window(self, case: Case, turn: int) -> Window:
        """Let the workers of a case make their calls."""
        subject = subject_of(self.subjects, case)
        workload = subject.workload(case)
        if case.variant == "sent":
            return self.meter.sent(workload, subject.inputs, case.workers)
        meter = subject.meters.get(case.variant, self.meter)
        return meter.window(case.executor, workload, case.workers, turn, case.variant != "unpinned")

    def _seconds(self, case: Case) -> float:
        """Return about how long a window of a case takes."""
        subject = subject_of(self.subjects, case)
        executor = "sent" if case.variant == "sent" else case.executor
        meter = subject.meters.get(case.variant, self.meter)
        return meter.seconds(executor, subject.workload(case), case.workers)

    def _cost(self, cases: Iterable[Case]) -> float:
        """Return about how long one round of some cases takes."""
        return sum(self._seconds(case) for case in self.runner.open(cases))

    def _ahead(self) -> float:
        """Return about how long what is still planned takes."""
        first = self.sets_left * setting_up(self.subjects)
        for batch in self.batches:
            for case in self.runner.open(batch.cases):
                planned = self.few if batch.beside(case) else self.first
                if planned > batch.tried:
                    first += (planned - batch.tried) * self._seconds(case)
        return first + max(
            0.0, min(self.narrowing, self.begun + self.pace.budget - self.runner.clock() - first)
        )

    def _foresee(self) -> None:
        """Find about how long it will take until intervals are narrow, by how far values spread so far."""
        if self.asked is not None or not self.pace.looks or not self.runner.listened:
            return
        known = [batch for batch in self.batches if batch.tried >= FEWEST_TO_FORESEE]
        found = sum(map(self._to_narrow, known))
        self.narrowing = found * len(self.batches) / max(1, len(known))

    def _to_narrow(self, batch: Batch) -> float:
        """Return about how long the rounds of a batch take beyond the first ones."""
        more: dict[Case, int] = {}
        looks = (self.first, *self.pace.looks)
        for case in self.runner.open(batch.cases):
            wanted = rounds_to_narrow(self._by_round(case), looks)
            rounds = wanted - max(0, self.first - batch.tried)
            for each in self._measured_with(case) if rounds > 0 else ():
                more[each] = max(more.get(each, 0), rounds)
        return sum(rounds * self._seconds(case) for case, rounds in more.items())

    def _narrow(self, lab: Lab) -> None:
        """Spend what time is left where intervals are widest, for what that costs."""
        late, fresh = self.begun + self.pace.budget, False
        self.few = max(self.pace.looks, default=self.few)
        while found := self._widest(late):
            if not fresh:
                fresh = True
                self._renew(lab)
                for batch in self.batches:
                    batch.sets.append(batch.tried)
            batch, cases, goal, width = found
            self._foresee()
            self.runner.say(f"{batch.name}: {len(cases)} intervals are wide, up to ±{width:.2f}")
            self._rounds(batch, cases, goal, late)
            self._keep(lab)

    def _widest(self, late: float) -> tuple[Batch, list[Case], int, float] | None:
        """Return the batch with most to gain: its wide cases, the rounds to go to, the half-width."""
        best, found = 0.0, None
        for batch in self.batches:
            opened = self.runner.open(batch.cases)
            looks = {case: look for case in opened if (look := self._next_look(case))}
            wide = {case: width for case in looks if (width := self._width(batch, case)) > 0}
            judged = {case: width for case, width in wide.items() if not batch.beside(case)}
            if not (wide := judged or wide):
                continue
            goal = min(looks[case] for case in wide)
            wide = {case: width for case, width in wide.items() if looks[case] == goal}
            cases = list(dict.fromkeys(c for case in wide for c in self._measured_with(case)))
            cost = self._cost(cases)
            done = max(len(self._counting(case)) for case in wide)
            if self.runner.clock() + cost * (goal - done) > late:
                continue
            if (gain := max(wide.values()) / cost) > best:
                best, found = gain, (batch, cases, goal, max(wide.values()))
        return found

    def _next_look(self, case: Case) -> int:
        """Return how many rounds of a case there are at the next look at it; 0 if that was the last."""
        done = len(self._counting(case))
        look = next((look for look in self.pace.looks if look > done), 0)
        return look if look and not self._tired(case, look) else 0

    def _tired(self, case: Case, goal: int) -> bool:
        """Whether others disturbed so many rounds of a case that no further ones are tried for a goal."""
        return len(self.runner.records[case].ids) >= PATIENCE * goal

    def _width(self, batch: Batch, case: Case) -> float:
        """Return by how much the interval of a case is too wide, as a half-width; 0 where it is narrow."""
        return too_wide(over_sets(self._by_round(case), batch.sets))

    def _by_round(self, case: Case) -> dict[int, float]:
        """Return the speedup of a case so far; nothing of what others are compared to."""
        records = self.runner.records
        base = records.get(case.baseline)
        if base is None or case == case.baseline:
            return {}
        return speedups(records[case].rounds(), base.rounds(), case.workers)

    def _keep(self, lab: Lab) -> None:
        """Note what the run lost and took to start, and write everything."""
        self.runner.facts |= circumstances(lab, self.lost)
        self.runner.save()
