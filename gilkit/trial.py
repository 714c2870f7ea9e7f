"""`claims`: put what people say to the test, all of it or some."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from gilkit import machine, results
from gilkit.experiments import CLAIMS, WHOLE, Bench, Claim, Finding, figures
from gilkit.lab import Lab
from gilkit.measure import CaseFailedError, one_line
from gilkit.outcome import Outcome, obtained
from gilkit.plan import allowed
from gilkit.results import Case, Record
from gilkit.run import LOOK, Progress, run_facts

TIMEOUT = 60.0  # seconds for a round of an experiment


class Claims(Outcome):
    """What became of the claims on a machine. Its ``repr`` is the table.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    kind = "claims"

    @property
    def findings(self) -> dict[str, Finding]:
        """What follows for every claim that was put to the test, by its name."""
        tried = [case.kernel for case in self.results if case.variant == WHOLE]
        return {name: CLAIMS[name].finding(figures(self.results, name)) for name in tried if name in CLAIMS}


def _load() -> float:
    """Return how many CPUs others use; what looks busy is looked at again: a moment is no neighbour."""
    load = machine.load_by_others(LOOK)
    return load if load < machine.BUSY else min(load, machine.load_by_others(3 * LOOK))


class Trial:
    """The course of one run through claims."""

    def __init__(
        self,
        claims: Iterable[Claim],
        quick: bool,
        seed: int | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.claims = list(claims)
        self.missing = {c.name: reason for c in self.claims if (reason := c.missing())}
        self.quick = quick
        self.progress = progress
        self.cpus = machine.usable_cpus()
        self.seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self.random = random.Random(self.seed)
        self.records: dict[Case, Record] = {}
        self.failures: dict[Case, str] = {}
        self.facts: dict[str, str | int | float] = {}

    def measure(self, lab: Lab) -> None:
        """Make one experiment after another."""
        self.facts = {**run_facts(self.seed), "gilkit_kind": Claims.kind}
        if self.missing:
            self.facts["gilkit_missing"] = json.dumps(self.missing)
        load = _load()
        for index, claim in enumerate(self.claims):
            if claim.name not in self.missing:
                load = self._try(lab, index, claim, load)

    def _try(self, lab: Lab, index: int, claim: Claim, before: float) -> float:
        """Make one experiment; return the load by others after it. Only whole experiments are kept."""

        def say(label: str) -> None:
            if self.progress is not None:
                self.progress(Progress(index, len(self.claims), f"{claim.name}: {label}"))

        bench = Bench(lab, self.cpus, self.quick, self.random, say)
        whole = Case(claim.name, WHOLE, "serial", 1)
        say("begins")
        begun = time.perf_counter()
        try:
            claim.experiment(bench)
        except CaseFailedError as error:
            self.failures[whole] = str(error)
            return _load()
        except Exception as error:  # noqa: BLE001 (whatever it is: it is a row, and the others stand)
            self.failures[whole] = one_line(error)
            return _load()
        took = time.perf_counter() - begun
        after = _load()
        facts: dict[str, str | int | float] = {
            "gilkit_load": round(max(before, after), 3),
            "gilkit_found": json.dumps(bench.facts),
        }
        self.records[whole] = Record(whole, [took], facts)
        for (variant, executor, workers), values in bench.series.items():
            case = Case(claim.name, variant, executor, workers)
            self.records[case] = Record(case, values, {"gilkit_workers": workers})
        return after

    def suite(self) -> Any:
        """Return what was found so far."""
        return results.build(self.records.values(), self.facts, self.failures)


def claims(
    names: Iterable[str] | str | None = None,
    /,
    *,
    quick: bool = False,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Claims:
    """Put what people say of threads and processes to the test, on this machine and interpreter.

    Parameters
    ----------
    names : list of str, or str, optional
        Some of `gilkit.experiments.CLAIMS`; all by default, which takes up to three minutes.
    quick : bool
        All in 45 seconds, with less certainty.
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
    trial = Trial([CLAIMS[name] for name in allowed("claim", names, list(CLAIMS))], quick, seed, progress)
    if len(trial.missing) == len(trial.claims):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in trial.missing.items())
        raise ValueError(f"nothing to measure: {reasons}")
    if output is not None:
        results.check_writable(output)
    return obtained(Claims, Lab(2 * trial.cpus, TIMEOUT), trial.measure, trial.suite, output)
