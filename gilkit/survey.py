"""`costs`: measure the machine constants, all of them or some, in interleaved rounds."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from gilkit import machine, results
from gilkit.constants import CONSTANTS, Constant, chosen
from gilkit.lab import Lab
from gilkit.measure import CaseFailedError, calibrated
from gilkit.outcome import Outcome, obtained
from gilkit.plan import worker_counts
from gilkit.probes import TIMEOUT
from gilkit.results import Case, Record
from gilkit.run import Progress, run_facts
from gilkit.settings import checked_rounds, shown_count
from gilkit.stats import Estimate, estimate

BUDGET, QUICK = 14.0, 3.0  # seconds for the rounds
FEW, MOST = 3, 25  # rounds
LENGTH = 0.02  # seconds that a constant is measured for in a round


class Costs(Outcome):
    """What starting, switching and sending cost on a machine. Its ``repr`` is the table.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    kind = "costs"

    def value(self, name: str, workers: int | None = None) -> Estimate:
        """Return what one of a constant takes.

        Parameters
        ----------
        name : str
            As in the results: see `gilkit.constants.CONSTANTS`.
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


class Survey:
    """The course of one measurement of constants."""

    def __init__(
        self,
        constants: Iterable[Constant],
        counts: Iterable[int],
        rounds: int | None,
        budget: float,
        seed: int | None,
        progress: Callable[[Progress], None] | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.constants = list(constants)
        self.missing = {c.name: reason for c in self.constants if (reason := c.missing())}
        self.cases = {
            case: c for c in self.constants if c.name not in self.missing for case in c.cases(counts)
        }
        self.rounds = rounds
        self.budget = budget
        self.progress = progress
        self.clock = clock
        self.seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self.random = random.Random(self.seed)
        self.loops: dict[Case, int] = {}
        self.records: dict[Case, Record] = {}
        self.failures: dict[Case, str] = {}
        self.facts: dict[str, str | int | float] = {}

    def measure(self, lab: Lab) -> None:
        """Find out how often each fits into a round, then run the rounds."""
        self.facts = {**run_facts(self.seed), "gilkit_kind": Costs.kind}
        if self.missing:
            self.facts["gilkit_missing"] = json.dumps(self.missing)
        load = machine.load_by_others()
        for index, case in enumerate(self.cases):
            self._say(index, len(self.cases), f"{case.variant}: calibrating")
            self._calibrate(lab, case)
        for case in self._open():
            facts: dict[str, str | int | float] = {
                "loops": self.loops[case],
                "gilkit_workers": case.workers,
                "gilkit_load": round(load, 3),
            }
            self.records[case] = Record(case, facts=facts)
        begun = self.clock()
        planned = self.rounds or MOST
        for index in range(planned):
            spent = self.clock() - begun
            if self.rounds is None and index:
                planned = max(FEW, min(MOST, int(self.budget / spent * index)))
                if index >= planned:
                    break
            self._say(index, planned, f"round {index + 1} of {planned}")
            self._round(lab)
        load = max(load, machine.load_by_others())
        for record in self.records.values():
            record.facts["gilkit_load"] = round(load, 3)

    def _open(self) -> list[Case]:
        """The cases that have not failed."""
        return [case for case in self.cases if case not in self.failures]

    def _say(self, done: int, planned: int, label: str) -> None:
        if self.progress is not None:
            self.progress(Progress(done, planned, label))

    def _calibrate(self, lab: Lab, case: Case) -> None:
        """Measure a constant once, unrecorded: what is slow the first time is not what it costs."""
        constant = self.cases[case]

        def run(loops: int) -> float:
            return loops * constant.probe(lab, case.workers, loops)

        try:
            if constant.loops:
                run(constant.loops)
            self.loops[case] = constant.loops or calibrated(run, LENGTH)[0]
        except CaseFailedError as error:
            self.failures[case] = str(error)

    def _round(self, lab: Lab) -> None:
        """Measure every constant once, in an order of this round's own."""
        order = self._open()
        self.random.shuffle(order)
        values = {}
        for case in order:
            try:
                values[case] = self.cases[case].probe(lab, case.workers, self.loops[case])
            except CaseFailedError as error:
                self.failures[case] = str(error)
        for case, value in values.items():  # whole rounds only
            self.records[case].values.append(value)

    def suite(self) -> Any:
        """Return what was measured so far."""
        return results.build(self.records.values(), self.facts, self.failures)


def costs(
    names: Iterable[str] | str | None = None,
    /,
    *,
    rounds: int | None = None,
    quick: bool = False,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Costs:
    """Measure what starting, switching and sending cost on this machine.

    Parameters
    ----------
    names : list of str, or str, optional
        Some of `gilkit.constants.CONSTANTS`, or groups of them, of `gilkit.constants.GROUPS`; all by default.
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
    constants = chosen(names)
    counts = worker_counts(machine.usable_cpus())
    survey = Survey(constants, counts, checked_rounds(rounds), QUICK if quick else BUDGET, seed, progress)
    if not survey.cases:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in survey.missing.items())
        raise ValueError(f"nothing to measure: {reasons}")
    if output is not None:
        results.check_writable(output)
    return obtained(Costs, Lab(1, TIMEOUT), survey.measure, survey.suite, output)
