"""What is found out of a subject before its rounds: the length of calls, who holds the GIL, what is sent."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from math import isnan

from gilkit.engine.calibration import Pace
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.gil_facts import gil_facts
from gilkit.engine.meter import FULL, Held, Meter
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.engine.worker import MANY_THREADS
from gilkit.errors import CaseFailedError
from gilkit.gil.held import HeldCall
from gilkit.gil.share import HELD_SHARE
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.facts import Metadata
from gilkit.studies.compare.plan import Subject
from gilkit.studies.costs.probes import handed_over
from gilkit.workloads.pickling import inputs, pickled
from gilkit.workloads.workload import Workload, thread_settings

WATCH = 0.2  # seconds to watch the GIL, of every kernel; a quick run has half of them
HANDOVERS = 100  # that are timed


class Preparation:
    """Prepares subjects to be measured.

    Parameters
    ----------
    meter : Meter
    runner : Runner

    Attributes
    ----------
    single : contextlib.ExitStack
        Ends the workers in which libraries have one thread, where there are any.
    """

    def __init__(self, meter: Meter, runner: Runner) -> None:
        self.meter = meter
        self.lab = meter.lab
        self.runner = runner
        self.single = ExitStack()

    def prepare(self, subject: Subject) -> None:
        """Find out what a subject is like; what fails alone has failed."""
        self._pace(subject)
        if subject.own and Case(subject.name, "function", "threads", 1) in self.runner.failures:
            return
        self._ask(subject)
        self._watch(subject)
        if "sent" in subject.workloads:
            self._inspect(subject)
        self._hand_over()
        self._single(subject)

    def _pace(self, subject: Subject) -> None:
        """Measure how long a call is, of every variant on every executor, on one worker."""
        alone = dict.fromkeys(
            case.baseline for case in subject.cases if case.variant not in ("sent", "unpinned")
        )
        for case in alone:
            self.runner.say(f"{subject.name}: calibrating {case.variant}")
            fail = [c for c in subject.cases if c.baseline == case or subject.follows(c, case)]
            if subject.own and case.variant == "function" and case.executor == "threads":
                fail = subject.cases  # nothing else is of interest then
            pace = self._paced(subject, case, fail)
            if pace is not None and case.executor == "threads":
                known = subject.facts[case.variant]
                known |= facts.INSIDE.entry(round(pace.inside, 4))
            elif fail is subject.cases:
                return

    def _paced(self, subject: Subject, case: Case, fail: list[Case]) -> Pace | None:
        """Measure how long a call is; where it fails, so do others, or they are left out if nobody asked."""
        pace = partial(self.meter.pace, case.executor, subject.workload(case))
        if not (subject.offered and EXECUTORS[case.executor].further):
            return self.runner.attempt(fail, pace)
        try:
            return pace()
        except CaseFailedError as error:
            subject.cases = [other for other in subject.cases if other not in fail]
            known = facts.MISSING.of(self.runner.facts, {})
            several = not subject.own or facts.AGAINST.of(self.runner.facts)
            what = f"{case.executor} of {subject.name}" if several else case.executor
            self.runner.facts |= facts.MISSING.entry(known | {what: str(error)})
            return None

    def _ask(self, subject: Subject) -> None:
        """Ask whether there is a GIL where calls run: what is imported there may turn it on."""
        cases = [case for case in self.runner.open(subject.cases) if case.variant == subject.judged]
        used = {case.executor: subject.workloads[case.variant] for case in cases}
        self.runner.facts |= gil_facts(self.lab, used, self.runner.facts)
        if facts.GIL.of(self.runner.facts) == "on":
            for variant in {"python", "gil"} & subject.workloads.keys():
                self.meter.holds(subject.workloads[variant])

    def _watch(self, subject: Subject) -> None:
        """Find the share of a call that holds the GIL: of the variant that the verdict is about."""
        variant = subject.judged
        if not variant or self.meter.cpus < 2 or subject.secluded:  # the monitor spins on a CPU of its own
            return
        self.runner.say(f"{subject.name}: watching the GIL")
        watch = WATCH if self.meter.least >= FULL else WATCH / 2
        found, seen = watched(self.lab, subject.workloads[variant], watch)
        known: Metadata = subject.facts[variant]
        known |= found
        if seen is None:
            return
        if not isnan(seen.share) and seen.share.kind == HELD_SHARE:
            self.meter.held[subject.workloads[variant]] = Held(float(seen.share), seen.holds)

    def _hand_over(self) -> None:
        """Measure once what it takes to hand the GIL over, where threads are measured."""
        if self.meter.cpus < 2 or facts.HANDOVER.of(self.runner.facts) is not None:
            return
        try:
            self.runner.facts |= facts.HANDOVER.entry(self.lab.call(handed_over, 2, HANDOVERS))
        except CaseFailedError:
            return  # the usual figure does

    def _inspect(self, subject: Subject) -> None:
        """Find what the reader's own call takes beside time: memory for each worker, pickles of its data."""
        self.runner.say(f"{subject.name}: memory and pickles")
        known, workload = subject.facts["function"], subject.workloads["function"]
        sendable = self._weigh(subject)
        if subject.secluded:  # no process is sent anything
            return
        try:
            found = self.lab.call(pickled, workload)
            known |= facts.PICKLES.entry([asdict(item) for item in found])
            sendable = sendable and not any(item.problem for item in found)
            subject.inputs = self.lab.call(inputs, workload) if sendable else {}
        except CaseFailedError as error:
            sent = (case for case in subject.cases if case.variant == "sent")
            self.runner.failures |= dict.fromkeys(sent, f"its data: {error}")
        if not sendable:
            subject.cases = [case for case in subject.cases if case.variant != "sent"]

    def _weigh(self, subject: Subject) -> bool:
        """Note the memory that a further worker takes; return whether processes can make the call."""
        known, workload = subject.facts["function"], subject.workloads["function"]
        used = {case.executor for case in subject.cases if case.variant == "function"}
        possible = True
        for executor in sorted(used):
            memory = facts.MEMORY.named(executor)
            before = self.lab.memory(executor)
            try:
                self.meter.window(executor, workload, self.lab.most)
            except CaseFailedError:  # its own rounds will say why
                possible = possible and executor != "processes"
                continue
            after = self.lab.memory(executor)
            if EXECUTORS[executor].apart and after:
                known |= memory.entry(sum(after) // len(after))
            elif before and after:
                known |= memory.entry(max(0, after[0] - before[0]) // max(1, self.lab.most - 1))
        return possible

    def _single(self, subject: Subject) -> None:
        """Where a call has threads of its own, measure it with one, too, in processes started for that."""
        inside = facts.INSIDE.of(subject.facts.get("function", {}), 0.0)
        shown = max((c.workers for c in subject.cases if c.executor == "threads"), default=1)
        if not subject.own or inside <= MANY_THREADS or shown < 2:
            return
        lab = self.single.enter_context(Lab(self.lab.most, self.lab.timeout, self.lab.hosted, single=True))
        meter = Meter(lab, self.meter.least, self.meter.cpus, self.runner.random)
        self.runner.say(f"{subject.name}: calibrating with one thread inside")
        try:
            if meter.pace("threads", subject.workloads["function"]).inside > MANY_THREADS:
                return  # nothing that is known can keep it from having threads
            limits = lab.call(thread_settings)
        except CaseFailedError:
            return
        if limits:
            subject.facts["function"] |= facts.LIMITS.entry(", ".join(limits))
        subject.workloads["single"] = subject.workloads["function"]
        subject.facts["single"] = {}
        subject.meters["single"] = meter
        subject.cases += [Case(subject.name, "single", "threads", count) for count in (1, shown)]


def watched(lab: Lab, workload: Workload, seconds: float) -> tuple[Metadata, HeldCall | None]:
    """Return what a results file says of the share of a call that holds the GIL, and what was seen."""
    try:
        seen = lab.watch(workload, seconds)
    except CaseFailedError as error:
        return facts.HELD_NOTE.entry(str(error)), None
    return held_facts(seen), seen


def held_facts(seen: HeldCall) -> Metadata:
    """Return what a results file says of what was seen of a call."""
    found: Metadata = {}
    if not isnan(seen.share):
        found |= facts.HELD.entry(float(seen.share))
        found |= facts.HELD_KIND.entry(seen.share.kind)
        found |= facts.HELD_TIMES.entry(round(seen.holds, 2))
        found |= facts.HELD_LONGEST.entry(seen.longest_hold)
    if not isnan(seen.share.error):
        found |= facts.HELD_ERROR.entry(seen.share.error)
    if seen.share.note:
        found |= facts.HELD_NOTE.entry(seen.share.note)
    return found
