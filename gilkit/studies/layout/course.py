"""Carry it out: weigh the processes of every split, then measure all splits in rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from math import ceil

from gilkit import machine
from gilkit.display.units import nbytes
from gilkit.engine.pools import Lab
from gilkit.engine.runner import LOOK, Lane, Measured, Runner, exactly
from gilkit.engine.split_lab import SplitLab
from gilkit.errors import CaseFailedError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.studies.compare.budget import targets
from gilkit.studies.compare.preparation import watched
from gilkit.studies.layout import STUDY
from gilkit.studies.layout.figures import WORTH
from gilkit.studies.layout.splits import EMPTY, Split, split_of
from gilkit.studies.layout.verdict import decision
from gilkit.workloads.target import Own

TASK, LONGEST_TASK = 0.02, 1.0  # seconds of calls in a task, from and to; one call may be longer
TASKS_EACH = 2  # of each CPU in a window, at the least; of long calls there may be one
SPLIT_WINDOW = 0.5  # seconds of tasks of each CPU in a window, at the least
EMPTY_TASKS = 100  # in a window of nothing else
GIL_WATCHED_FOR = 0.2  # seconds to watch the GIL
SETS_OF_CLUSTERS = 2
LOOK_AT_ROUNDS = (8, 14, 22)  # rounds at which it is looked whether they decide
SPLITS_PATIENCE = (
    90.0  # seconds of rounds, after which there are no more; but for the fewest that decide anything
)
MOST_IDLE = 64  # worker processes that may be there beside those that are measured
PART = 0.5  # of the free memory that all clusters may take together


class SplitCourse:
    """The course of one measurement.

    Parameters
    ----------
    own : Own
        The statement.
    splits : list of Split
        That of the fewest processes first.
    rounds : int or None
        None for as many as it takes, within limits.
    cpus : int
    runner : Runner
    lab_of : callable
        ``lab_of(split)`` returns its lab.
    """

    def __init__(
        self,
        own: Own,
        splits: Sequence[Split],
        rounds: int | None,
        cpus: int,
        runner: Runner,
        lab_of: Callable[[Split], SplitLab],
    ) -> None:
        self.own = own
        self.splits = list(splits)
        self.asked = rounds
        self.cpus = cpus
        self.runner = runner
        self.workload = own.workload(shared=True)
        self.lab_of = lab_of
        self.labs: dict[Split, SplitLab] = {}
        self.begun: set[Split] = set()
        self.at_once = True  # whether all clusters may be there together
        self.loops = self.tasks = 1
        self.call = 0.0  # seconds
        self.sets: list[int] = []

    def measure(self, lab: Lab) -> None:
        """Measure everything; threads of ``lab`` tell how long a call is and who holds the GIL."""
        runner = self.runner
        runner.begin(STUDY.kind)
        runner.facts |= self.own.facts
        runner.say("calibrating")
        known = self._known(lab)
        lab.renew()  # its data would take memory
        if known is None:
            return
        load = machine.load_by_others(LOOK)  # before and after: idle clusters use CPUs, too
        with ExitStack() as stack:
            self.labs = {split: stack.enter_context(self.lab_of(split)) for split in self.splits}
            weighed = self._weigh()
            for split in weighed:
                of_process = facts.MEMORY.named("process").entry(weighed[split]) if weighed[split] else {}
                more = {**known, **of_process, **facts.LOOPS.entry(self.loops)}
                runner.record(split.case(self.own.name), load, {**self.own.facts, **more})
                runner.record(split.case(EMPTY), load, {})
            self._rounds(list(weighed))
        runner.note_load(list(runner.records), machine.load_by_others(LOOK))

    def _known(self, lab: Lab) -> facts.Metadata | None:
        """Find out how long a call is and who holds the GIL; None where a call fails."""
        alone = Case(self.own.name, "function", "threads", 1)
        pace = self.runner.attempt([alone], partial(lab.pace, "threads", self.workload))
        if pace is None:
            return None
        self.call = pace.call
        found = facts.CALL_SECONDS.entry(pace.call)
        if self.cpus > 1:  # the monitor wants one of its own
            self.runner.say("watching the GIL")
            found |= watched(lab, self.workload, GIL_WATCHED_FOR)[0]
        return found

    def _weigh(self) -> dict[Split, int]:
        """Start every cluster that fits into memory; return the bytes of a process of it, 0 for unknown."""
        found: dict[Split, int] = {}
        missing: dict[str, str] = {}
        each = 0
        for split in self.splits:
            self._alone_unless_at_once(split, each)
            free = machine.free_memory()
            if split.processes * each > free:
                missing[str(split)] = (
                    f"{split.processes} processes of {nbytes(each)} need "
                    f"{nbytes(split.processes * each)}, and {nbytes(free)} are free"
                )
                continue
            self.runner.say(f"starting {split}")
            if (memory := self._begin(split)) is None:
                continue
            found[split] = sum(memory) // len(memory) if memory else 0
            each = found[split] or each
            if len(found) == 1:
                self.runner.attempt(self._cases(split), partial(self._size, split))
        if missing:
            self.runner.facts |= facts.MISSING.entry(missing)
        return found

    def _size(self, split: Split) -> None:
        """Choose tasks so long that the scheduler can feed all workers, by what an empty one costs."""
        lab = self.labs[split]
        empty = (lab.tasks(self.workload, 0, EMPTY_TASKS // 2).seconds for _ in range(2))
        cost = min(empty) / (EMPTY_TASKS // 2)  # all may stand still once
        task = min(LONGEST_TASK, max(TASK, WORTH * cost * self.cpus))
        self.loops = max(1, ceil(task / self.call))
        window = max(SPLIT_WINDOW, TASKS_EACH * task)
        self.tasks = self.cpus * ceil(window / (self.loops * self.call))

    def _alone_unless_at_once(self, split: Split, each: int) -> None:
        """Find out whether clusters may be there together; if not, end all but that of a split."""
        if each:
            every = sum(one.processes for one in self.splits)
            room = machine.free_memory() + each * sum(one.processes for one in self.begun)
            self.at_once = every <= MOST_IDLE and every * each <= PART * room
        self._end_others(split)

    def _end_others(self, split: Split) -> None:
        if not self.at_once:
            for other in self.begun - {split}:
                self.labs[other].renew()
            self.begun &= {split}

    def _begin(self, split: Split) -> list[int] | None:
        """Start the cluster of a split, and return the memory of its processes; None where that fails."""
        return self.runner.attempt(self._cases(split), partial(self._begun_lab, split))

    def _cases(self, split: Split) -> list[Case]:
        """Return what is measured of a split: the statement, and empty tasks."""
        return [split.case(self.own.name), split.case(EMPTY)]

    def _begun_lab(self, split: Split) -> list[int]:
        lab = self.labs[split]
        found = lab.begin(self.workload)
        self.begun.add(split)
        lab.tasks(self.workload, 1, 2 * split.workers)  # every thread has made a call
        return found

    def _rounds(self, weighed: Sequence[Split]) -> None:
        """Measure rounds, over sets of fresh clusters, until they decide or time is up."""
        runner, first = self.runner, self.asked or LOOK_AT_ROUNDS[0]
        lanes = [self._lane(split) for split in weighed]
        goals, done, begun = targets(first, SETS_OF_CLUSTERS), 0, runner.clock()
        while done < first or self._goes_on(done, runner.clock() - begun):
            if not runner.open(lane.case for lane in lanes):
                return
            if done >= FEWEST_ROUNDS and self.asked is None and runner.clock() - begun > SPLITS_PATIENCE:
                break
            if done in goals[:-1]:
                self._renew()
                self.sets.append(done)
            planned = max(first, min([n for n in LOOK_AT_ROUNDS if n > done], default=done + 1))
            label = partial(_label, f"round {done + 1} of {planned}: ")
            runner.later = runner.pace * sum(lane.cost for lane in lanes) * (planned - done - 1)
            runner.rounds(lanes, exactly(1), label, first=done)
            done += 1
            for case in runner.open(runner.records) if self.sets else ():
                runner.records[case].facts |= facts.GENERATIONS.entry(self.sets)
            runner.save()
        runner.later = 0.0

    def _goes_on(self, done: int, spent: float) -> bool:
        """Whether there are to be more rounds than at first."""
        if self.asked is not None or done >= LOOK_AT_ROUNDS[-1] or spent > SPLITS_PATIENCE:
            return False
        return done not in LOOK_AT_ROUNDS or decision(Results(self.runner.suite())).split is None

    def _renew(self) -> None:
        for lab in self.labs.values():
            lab.renew()
        self.begun.clear()

    def _lane(self, split: Split) -> Lane:
        case, empty = self._cases(split)
        seconds = 2 * self.tasks / self.cpus * self.loops * self.call
        return Lane(case, partial(self._windows, split), seconds, (empty,))

    def _windows(self, split: Split) -> Measured:
        """Measure one window of the statement, and one of empty tasks; what is not there is started first."""
        self._end_others(split)
        if split not in self.begun:
            self._begun_lab(split)
        calls = self.loops * self.tasks
        try:
            lab = self.labs[split]
            window = lab.tasks(self.workload, self.loops, self.tasks, calls * self.call)
            empty = lab.tasks(self.workload, 0, EMPTY_TASKS)
        except CaseFailedError:
            self.begun.discard(split)
            raise
        beside = {split.case(EMPTY): Measured(empty.seconds / EMPTY_TASKS)}
        return Measured(window.seconds / calls, window=window, beside=beside)


def _label(head: str, _: int, __: int, case: Case) -> str:
    return f"{head}{split_of(case)}"
