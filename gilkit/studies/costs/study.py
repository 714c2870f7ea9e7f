"""`costs`: measure the machine constants, all of them or some, in interleaved rounds."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial

from gilkit import machine
from gilkit.arguments import checked_rounds, shown_count, worker_counts
from gilkit.display.progress import Listener, with_bar
from gilkit.engine.calibration import calibrated
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Lane, Measured, Rule, Runner, exactly, within
from gilkit.engine.session import obtained
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.stats import Estimate, estimate
from gilkit.results.writing import check_writable
from gilkit.studies.costs import STUDY
from gilkit.studies.costs.constants import CONSTANTS, Constant, chosen
from gilkit.studies.costs.probes import PROBE_TIMEOUT
from gilkit.studies.outcome import Outcome

BUDGET, QUICK_BUDGET = 14.0, 3.0  # seconds for the rounds
CALIBRATED = 0.1  # seconds in which a constant is calibrated, about
PROBED = 0.02  # seconds that a constant is measured for in a round


class Costs(Outcome):
    """What starting, switching and sending cost on a machine. Its ``repr`` is the table.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    study = STUDY

    def value(self, name: str, workers: int | None = None) -> Estimate:
        """Return what one of a constant takes.

        Parameters
        ----------
        name : str
            As in the results: see ``gilkit costs --list``.
        workers : int, optional
            For one that is measured at several numbers of threads; by default as many as there are CPUs.

        Returns
        -------
        Estimate
            Seconds: the median over rounds, with the ends of its 95 % interval, ``low`` and ``high``.

        Raises
        ------
        ValueError
            If that was not measured; the message says why.
        """
        if name not in CONSTANTS:
            chosen([name])  # says which are known
            raise ValueError(f"{name} is a group: name one constant")
        if name in self.missing:
            raise ValueError(f"{name} is not available: {self.missing[name]}")
        found = {
            case.workers: case for case in (*self.results, *self.results.failures) if case.variant == name
        }
        if not found:
            measured = ", ".join(dict.fromkeys(case.variant for case in self.results))
            raise ValueError(f"{name} was not measured; measured were {measured}")
        counts = sorted(found)
        case = found.get(shown_count(counts, self.results.cpus) if workers is None else workers)
        if case is None:
            raise ValueError(
                f"{name} was measured at {', '.join(map(str, counts))} threads, not at {workers}"
            )
        if not self.results.values(case):
            raise ValueError(f"{case.name} failed: {self.results.failures[case]}")
        return estimate(self.results.values(case))


class Course:
    """The course of one measurement of constants.

    Parameters
    ----------
    constants : iterable of Constant
    counts : iterable of int
        Numbers of threads.
    rule : Rule
        When to stop.
    runner : Runner
    """

    def __init__(
        self, constants: Iterable[Constant], counts: Iterable[int], rule: Rule, runner: Runner
    ) -> None:
        self.constants = list(constants)
        self.missing = {c.name: reason for c in self.constants if (reason := c.missing())}
        self.cases = {
            case: c for c in self.constants if c.name not in self.missing for case in c.cases(counts)
        }
        self.rule = rule
        self.runner = runner
        self.loops: dict[Case, int] = {}
        self.took: dict[Case, float] = {}  # seconds of calibrating
        self.round: dict[Case, float] = {}  # seconds in a round, about

    def measure(self, lab: Lab) -> None:
        """Find out how often each fits into a round, then run the rounds."""
        runner = self.runner
        runner.begin(STUDY.kind)
        if self.missing:
            runner.facts |= facts.MISSING.entry(self.missing)
        load = machine.load_by_others()
        planned = self.rule(1, PROBED * len(self.cases)) * PROBED * len(self.cases)
        for number, case in enumerate(self.cases):
            each = CALIBRATED if not number else sum(self.took.values()) / number
            runner.later = each * (len(self.cases) - number) + planned
            runner.say(f"{case.variant}: calibrating")
            self._calibrate(lab, case)
        runner.later = 0.0
        cases = runner.open(self.cases)
        for case in cases:
            runner.record(case, load, facts.LOOPS.entry(self.loops[case]))
        lanes = [Lane(case, partial(self._lane, lab, case), self.round[case]) for case in cases]
        runner.rounds(lanes, self.rule)
        runner.note_load(cases, machine.load_by_others())

    def _calibrate(self, lab: Lab, case: Case) -> None:
        """Measure a constant once, unrecorded: what is slow the first time is not what it costs."""
        constant = self.cases[case]

        begun = self.runner.clock()

        def run(loops: int) -> float:
            before = self.runner.clock()
            length = loops * constant.probe(lab, case.workers, loops)
            self.round[case] = self.runner.clock() - before  # the last is about as long as in a round
            return length

        def found() -> int:
            if constant.loops:
                run(constant.loops)
            return constant.loops or calibrated(run, PROBED)[0]

        if (loops := self.runner.attempt([case], found)) is not None:
            self.loops[case] = loops
        self.took[case] = self.runner.clock() - begun

    def _lane(self, lab: Lab, case: Case) -> Measured:
        return Measured(self.cases[case].probe(lab, case.workers, self.loops[case]))


@with_bar
def costs(
    names: Iterable[str] | str | None = None,
    /,
    *,
    rounds: int | None = None,
    quick: bool = False,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Listener | bool | None = None,
) -> Costs:
    """Measure what starting, switching and sending cost on this machine.

    Parameters
    ----------
    names : list of str, or str, optional
        Some constants, or groups of them, as ``gilkit costs --list`` names them; all by default.
    rounds : int, optional
        By default as many as fit into about 15 seconds.
    quick : bool
        Fewer of them: about ten seconds for all constants.
    seed : int, optional
        For the order of the constants in a round; recorded in the results.
    output, progress
        As in `gilkit.compare`; the file is written at the end.

    Returns
    -------
    Costs

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or nothing that was named is available here.
    ResultsError, KeyboardInterrupt
        As `gilkit.compare` does.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.costs("start")  # doctest: +SKIP
    """
    counts = worker_counts(machine.usable_cpus())
    asked = checked_rounds(rounds)
    rule = within(QUICK_BUDGET if quick else BUDGET) if asked is None else exactly(asked)
    course = Course(chosen(names), counts, rule, Runner(seed, progress))
    if not course.cases:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in course.missing.items())
        raise ValueError(f"nothing to measure: {reasons}")
    if output is not None:
        check_writable(output)
    return obtained(Costs, Lab(1, PROBE_TIMEOUT), course.measure, course.runner.suite, output)
