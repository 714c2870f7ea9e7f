"""`claims`: put what people say to the test, all of it or some."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gilkit import machine
from gilkit.arguments import allowed
from gilkit.display.progress import Listener, Progress, with_bar
from gilkit.engine.pools import Lab
from gilkit.engine.runner import LOOK, UNSURE, Runner
from gilkit.engine.session import obtained
from gilkit.errors import CaseFailedError, one_line
from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.writing import check_writable
from gilkit.studies.claims import STUDY
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.builds import Build, named
from gilkit.studies.claims.claim import WHOLE, Claim, Finding, figures
from gilkit.studies.claims.registry import CLAIMS
from gilkit.studies.outcome import Outcome

QUICKER = 4.0  # times as quick a quick run is
EXPERIMENT_TIMEOUT = 60.0  # seconds for a window of an experiment


class Claims(Outcome):
    """What became of the claims on a machine. Its ``repr`` is the table.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    study = STUDY

    @property
    def findings(self) -> dict[str, Finding]:
        """What follows for every claim that was put to the test, by its name."""
        tried = [case.kernel for case in self.results if case.variant == WHOLE]
        return {name: CLAIMS[name].finding(figures(self.results, name)) for name in tried if name in CLAIMS}


def _load() -> float:
    """Return how many CPUs others use. What looks busy is looked at again: it may have been for a moment."""
    load = machine.load_by_others(LOOK)
    return load if load < machine.BUSY else min(load, machine.load_by_others(3 * LOOK))


class Course:
    """The course of one run through claims.

    Parameters
    ----------
    claims : iterable of Claim
    quick : bool
    cpus : int
    runner : Runner
        Keeps whole experiments only.
    other : Build, optional
        The other interpreter, for claims on two.
    """

    def __init__(
        self, claims: Iterable[Claim], quick: bool, cpus: int, runner: Runner, other: Build | None = None
    ) -> None:
        self.claims = list(claims)
        self.missing = {c.name: reason for c in self.claims if (reason := c.missing())}
        self.quick = quick
        self.cpus = cpus
        self.runner = runner
        self.other = other
        self.took = self.usual = UNSURE  # seconds of experiments, and what they take on a quiet machine

    def measure(self, lab: Lab) -> None:
        """Make one experiment after another."""
        self.runner.begin(STUDY.kind)
        if self.missing:
            self.runner.facts |= facts.MISSING.entry(self.missing)
        load = _load()
        for index, claim in enumerate(self.claims):
            if claim.name in self.missing:
                continue
            begun, pace = self.runner.clock(), self.took / self.usual
            self.runner.later = pace * sum(map(self._usual, self.claims[index + 1 :]))
            load = self._try(lab, claim, begun + pace * self._usual(claim), load)
            self.took += self.runner.clock() - begun
            self.usual += self._usual(claim)

    def _usual(self, claim: Claim) -> float:
        """Return about how long the experiment on a claim takes on a quiet machine."""
        if claim.name in self.missing:
            return 0.0
        return claim.seconds / QUICKER if self.quick else claim.seconds

    def _try(self, lab: Lab, claim: Claim, end: float, before: float) -> float:
        """Make one experiment, which ends about at ``end``; return the load by others after it."""
        runner = self.runner

        def say(step: Progress) -> None:
            runner.say(f"{claim.name}: {step.label}", max(0.0, end - runner.clock()))

        # A runner of its own: what it measured counts only if the experiment comes to its end.
        rounds = Runner(self.runner.random.randrange(2**32), say, clock=runner.clock)
        bench = Bench(claim.name, lab, self.cpus, self.quick, rounds, self.other)
        whole = Case(claim.name, WHOLE, "serial", 1)
        bench.say("begins")
        begun = self.runner.clock()
        try:
            claim.experiment(bench)
        except CaseFailedError as error:
            self.runner.failures[whole] = str(error)
            return _load()
        except Exception as error:  # noqa: BLE001 (whatever it is: it is a row, and the others stand)
            self.runner.failures[whole] = one_line(error)
            return _load()
        took = self.runner.clock() - begun
        after = _load()
        known = {**facts.LOAD.entry(round(max(before, after), 3)), **facts.FOUND.entry(bench.facts)}
        self.runner.records[whole] = Record(whole, [took], known)
        for case, record in rounds.records.items():
            record.facts |= facts.WORKERS.entry(case.workers)
            self.runner.records[case] = record
        return after


@with_bar
def claims(
    names: Iterable[str] | str | None = None,
    /,
    *,
    quick: bool = False,
    python: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Listener | bool | None = None,
) -> Claims:
    """Put what people say of threads and processes to the test, on this machine and interpreter.

    Parameters
    ----------
    names : list of str, or str, optional
        Some claims, as ``gilkit claims --list`` names them; all by default, which takes up to three minutes.
    quick : bool
        All in 45 seconds, with less certainty.
    python : path, optional
        Another interpreter, or its name on PATH, for what is said of two: ``free-threaded-slower``. It need
        not have gilkit.
    seed : int, optional
        For the order in a round; recorded in the results.
    output, progress
        As in `gilkit.compare`; the file is written at the end.

    Returns
    -------
    Claims

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or nothing that was named can be tested here.
    ResultsError, KeyboardInterrupt
        As `gilkit.compare` does.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.claims("crash")  # doctest: +SKIP
    """
    chosen = [CLAIMS[name] for name in allowed("claim", names, list(CLAIMS))]
    runner, cpus = Runner(seed, progress), machine.usable_cpus()
    pairs = [name for name, claim in CLAIMS.items() if claim.pair]
    if python is not None and not any(claim.pair for claim in chosen):
        raise ValueError(f"python is for {', '.join(pairs)}, which is not among the claims")
    other = None if python is None else named(python)
    course = Course(chosen, quick, cpus, runner, other)
    if len(course.missing) == len(course.claims):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in course.missing.items())
        raise ValueError(f"nothing to measure: {reasons}")
    if output is not None:
        check_writable(output)
    return obtained(Claims, Lab(2 * cpus, EXPERIMENT_TIMEOUT), course.measure, runner.suite, output)
