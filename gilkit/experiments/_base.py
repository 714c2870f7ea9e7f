"""What a claim is, what an experiment works with, and what is decided from its figures."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gilkit.lab import Lab
from gilkit.machine import BUSY
from gilkit.measure import Round, calibrated
from gilkit.results import Case, Results
from gilkit.stats import Estimate, estimate, paired_ratio
from gilkit.workload import KernelCall, Workload

FEW, MOST = 3, 25  # rounds
BUDGET, QUICK = 3.0, 0.45  # seconds for the rounds of an experiment
STRETCH = 0.05  # seconds that one worker's calls last in a round
WHOLE = "whole"  # the variant of the case that has an experiment's length and its facts
SCALES = 0.85  # of what so many workers can give, from which they are said to scale
NO_GAIN = 1.15  # times the work of one up to which several workers gain nothing


class Ruling(Enum):
    """What an experiment says of a claim."""

    HOLDS = "holds"
    REFUTED = "refuted"
    DEPENDS = "depends"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Finding:
    """What follows from the figures of an experiment.

    Parameters
    ----------
    ruling : Ruling
    why : str
        The sentence that says on what it rests, or what it depends on.
    measured : str
        The figures, in words.
    """

    ruling: Ruling
    why: str
    measured: str = ""

    def __str__(self) -> str:
        return f"{self.ruling.value}: {self.why}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What an experiment measured: all that a decision may look at.

    Parameters
    ----------
    series : mapping
        Seconds of every round, by variant, executor and workers.
    facts : mapping
        What else was found: JSON.
    cpus : int
        CPUs that may be used.
    gil : bool
        Whether the interpreter runs with a GIL.
    load : float
        CPUs that others used just before or just after, whichever was more.
    """

    series: Mapping[tuple[str, str, int], Sequence[float]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    cpus: int = 2
    gil: bool = True
    load: float = 0.0

    def time(self, variant: str, executor: str = "threads", workers: int = 1) -> Estimate:
        """Return the seconds of a round."""
        return estimate(self.series[variant, executor, workers])

    def ratio(self, top: tuple[str, str, int], bottom: tuple[str, str, int], factor: float = 1.0) -> Estimate:
        """Return ``factor`` times the seconds of one by those of another, round by round."""
        return paired_ratio(self.series[top], self.series[bottom], factor)

    def speedup(self, variant: str, executor: str, workers: int = 0) -> Estimate:
        """Return how many times the work of one worker so many do at once: by default as many as CPUs."""
        workers = workers or self.cpus
        alone = (variant, executor if executor == "openmp" else "serial", 1)
        return self.ratio(alone, (variant, executor, workers), workers)

    def spread(self, name: str) -> Estimate:
        """Return the median of a fact that was found again and again."""
        return estimate(self.facts[name])

    def counts(self, variant: str, executor: str) -> list[int]:
        """Return the worker counts of a variant on an executor."""
        return sorted(n for v, e, n in self.series if (v, e) == (variant, executor))


def figures(results: Results, name: str) -> Figures:
    """Return what the experiment on a claim found."""
    cases = [case for case in results if case.kernel == name]
    whole = Case(name, WHOLE, "serial", 1)
    return Figures(
        {(c.variant, c.executor, c.workers): list(results.values(c)) for c in cases if c.variant != WHOLE},
        json.loads(results.fact(whole, "found") or "{}"),
        results.cpus,
        results.facts.get("gilkit_gil", "on") == "on",
        float(results.fact(whole, "load") or 0.0),
    )


Decision = Callable[[Figures], Finding]


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that people say of threads and processes, and the experiment on it.

    Parameters
    ----------
    name : str
    claim : str
        What people say.
    experiment : callable
        ``experiment(bench)`` measures; its docstring tells the method and its limits.
    decision : callable
        ``decision(figures)`` returns a `Finding`: a pure function of what was measured.
    cpus : int
        CPUs without which nothing can be decided.
    quiet : bool
        Whether others that use the CPUs would change the answer.
    missing : callable
        Returns why the experiment cannot be made here, or None.
    """

    name: str
    claim: str
    experiment: Callable[[Bench], None]
    decision: Decision
    cpus: int = 1
    quiet: bool = False
    missing: Callable[[], str | None] = lambda: None

    def finding(self, found: Figures) -> Finding:
        """Return what follows from ``found``: nothing, where the machine is too small or too busy."""
        if found.cpus < self.cpus:
            return Finding(Ruling.UNDECIDED, "the machine is too small: it takes two CPUs to tell")
        finding = self.decision(found)
        if self.quiet and found.load >= BUSY:
            why = f"the machine is too busy: others used {found.load:.1f} CPUs just before or after"
            return Finding(Ruling.UNDECIDED, why, finding.measured)
        return finding


REGISTERED: dict[str, Claim] = {}


def claim(
    name: str, sentence: str, decision: Decision, **facts: Any
) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """Register the decorated experiment on the claim that ``sentence`` makes."""

    def register(experiment: Callable[[Bench], None]) -> Callable[[Bench], None]:
        REGISTERED[name] = Claim(name, sentence, experiment, decision, **facts)
        return experiment

    return register


Lane = tuple[str, str, int, Workload]


class Bench:
    """What an experiment works with, and where it leaves what it finds.

    Parameters
    ----------
    lab : Lab
    cpus : int
        CPUs that may be used.
    quick : bool
        Whether less time is given, for less certainty.
    random : random.Random
        For the order in a round.
    say : callable
        Called with a few words on what is measured next.

    Attributes
    ----------
    series : dict
        As in `Figures`.
    facts : dict
        As in `Figures`.
    """

    def __init__(
        self,
        lab: Lab,
        cpus: int,
        quick: bool,
        order: random.Random,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.lab = lab
        self.cpus = cpus
        self.quick = quick
        self.random = order
        self.say = say
        self.series: dict[tuple[str, str, int], list[float]] = {}
        self.facts: dict[str, Any] = {}

    @property
    def counts(self) -> list[int]:
        """Worker counts from 1 to 2 × CPUs: 1, all CPUs, and twice as many."""
        return sorted({1, self.cpus, 2 * self.cpus})

    def note(self, seconds: float, variant: str, executor: str = "threads", workers: int = 1) -> None:
        """Keep what a round took."""
        self.series.setdefault((variant, executor, workers), []).append(max(seconds, 1e-9))

    def found(self, name: str, value: Any) -> None:
        """Keep what was found once more."""
        self.facts.setdefault(name, []).append(value)

    def rounds(self, least: int = FEW, budget: float = 0.0) -> Iterator[int]:
        """Count rounds, for as long as there is time."""
        budget = budget or (QUICK if self.quick else BUDGET)
        begun = time.perf_counter()
        for index in range(MOST):
            spent = time.perf_counter() - begun
            if index >= least and spent + spent / index > budget:
                return
            self.say(f"round {index + 1}")
            yield index

    def shuffled(self, items: Iterable[Any]) -> list[Any]:
        """Return these in an order of this round's own."""
        order = list(items)
        self.random.shuffle(order)
        return order

    def lanes(self, lanes: Iterable[Lane]) -> None:
        """Measure workloads on executors, in interleaved rounds, as `gilkit.compare` does.

        Parameters
        ----------
        lanes : iterable of (str, str, int, Workload)
            What it is called, on which executor, by how many workers, and what; one worker alone is added.
        """
        every: dict[tuple[str, str, int], Workload] = {}
        for variant, executor, workers, workload in lanes:
            every.setdefault((variant, executor if executor == "openmp" else "serial", 1), workload)
            every[variant, executor, workers] = workload
        self.say("calibrating")
        loops = {
            key: calibrated(lambda n, k=key, w=work: self.lab.round(k[1], w, 1, n).seconds, STRETCH)[0]  # type: ignore[misc]
            for key, work in every.items()
            if key[1] in ("serial", "openmp") and key[2] == 1
        }
        for _ in self.rounds():
            done: dict[tuple[str, str, int], Round] = {}
            for key in self.shuffled(every):
                alone = (key[0], key[1] if key[1] == "openmp" else "serial", 1)
                done[key] = self.lab.round(key[1], every[key], key[2], loops[alone])
            for key, found in done.items():
                self.note(found.value, *key)
                self.found("cpu " + "/".join(map(str, key)), found.cpu)


def kernel(name: str, variant: str) -> KernelCall:
    """Return a call of a kernel's variant, of its usual size."""
    from gilkit.kernels import KERNELS

    return KernelCall(name, variant, KERNELS[name].default_size(variant))


def times(value: Estimate) -> str:
    """Return a speedup with its interval, as ``1.98 ± 0.02 times``."""
    margin = "" if value.margin != value.margin else f" ± {max(value.margin, 0.01):.2f}"
    return f"{value:.2f}{margin} times"


def lined(head: str, rows: Iterable[Sequence[str]]) -> str:
    """Return figures in lines below ``head``: names to the left, and columns of figures to the right."""
    body = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in body
    ]
    return "\n".join([head, *(f"  {line}".rstrip() for line in lines)])


def rounded(value: float) -> str:
    """Return a ratio to two digits, as ``230``."""
    return f"{value:.1f}" if value < 10 else f"{float(f'{value:.1e}'):,.0f}"


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Return whether all are true; None if that is not known."""
    known = list(answers)
    return False if False in known else None if None in known else True


def above(value: Estimate, limit: float) -> bool | None:
    """Return whether ``value`` is above ``limit``; None where its interval leaves that open."""
    return True if value.low > limit else False if value.high < limit else None


def negated(answer: bool | None) -> bool | None:
    """Return the opposite; None of what is not known."""
    return None if answer is None else not answer


def ruled(answer: bool | None, measured: str, holds: str, refuted: str) -> Finding:
    """Return the finding of a claim that is true, false or open."""
    if answer is None:
        return Finding(
            Ruling.UNDECIDED, "the intervals leave it open: try again on a quiet machine", measured
        )
    return Finding(Ruling.HOLDS, holds, measured) if answer else Finding(Ruling.REFUTED, refuted, measured)
