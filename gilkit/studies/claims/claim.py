"""What a claim is, and what is decided from the figures of its experiment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gilkit.errors import ResultsError, one_line
from gilkit.gil.law import RELEASES
from gilkit.gil.share import with_interval
from gilkit.machine import BUSY
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate, paired
from gilkit.studies.claims.bench import Bench

NOT_MEASURED = "nothing was measured"
WHOLE = "whole"  # the variant of the case that has an experiment's length and its facts
SCALE = 0.85  # of what so many workers can give, from which they are said to scale
USUAL_SECONDS = 5.0  # that an experiment takes, about
SLOWER = 1.02  # times as long from which something is called slower
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
        Seconds by round, by variant, executor and workers.
    facts : mapping
        What else was found: JSON.
    cpus : int
        CPUs that may be used.
    gil : bool
        Whether the interpreter runs with a GIL.
    load : float
        CPUs that others used just before or just after, whichever was more.
    """

    series: Mapping[tuple[str, str, int], Mapping[int, float]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    cpus: int = 2
    gil: bool = True
    load: float = 0.0

    def time(self, variant: str, executor: str = "threads", workers: int = 1) -> Estimate:
        """Return the seconds of a round."""
        return _estimated(self.series[variant, executor, workers])

    def ratio(self, top: tuple[str, str, int], bottom: tuple[str, str, int], factor: float = 1.0) -> Estimate:
        """Return ``factor`` times the seconds of one by those of another, round by round."""
        tops, bottoms = self._rounds(top), self._rounds(bottom)
        return _estimated({id_: factor * tops[id_] / bottoms[id_] for id_ in paired(tops, bottoms)})

    def _rounds(self, key: tuple[str, str, int]) -> Mapping[int, float]:
        """Return the seconds by round; one worker alone was the serial one to an earlier gilkit."""
        variant, _, workers = key
        return self.series[(variant, "serial", 1) if workers == 1 and key not in self.series else key]

    def speedup(self, variant: str, executor: str, workers: int = 0) -> Estimate:
        """Return how many times the work of one worker so many do at once: by default as many as CPUs."""
        workers = workers or self.cpus
        return self.ratio((variant, executor, 1), (variant, executor, workers), workers)

    def spread(self, name: str) -> Estimate:
        """Return the median of a fact that was found again and again."""
        return estimate(self.facts[name])

    def share(self, name: str) -> Estimate:
        """Return for what share of a call the GIL was held: as `Bench.watch` left it.

        Raises
        ------
        TypeError
            If that is not told.
        """
        return with_interval(*self.facts["held"][name])

    @property
    def keeping(self) -> tuple[str, str]:
        """What calls into C do that keep the GIL, and that let it go; or the like where there is none."""
        return ("hold the GIL", "release it") if self.gil else ("stay attached", "detach")

    def counts(self, variant: str, executor: str) -> list[int]:
        """Return the worker counts of a variant on an executor."""
        return sorted(n for v, e, n in self.series if (v, e) == (variant, executor))


class _DisturbedError(Exception):
    """Others disturbed every round of something that is to be decided."""


def _estimated(rounds: Mapping[int, float]) -> Estimate:
    if not rounds:
        raise _DisturbedError
    return estimate(list(rounds.values()))


def figures(results: Results, name: str) -> Figures:
    """Return what the experiment on a claim found."""
    cases = [case for case in results if case.kernel == name]
    whole = Case(name, WHOLE, "serial", 1)
    found = results.fact(whole, facts.FOUND)
    return Figures(
        {(c.variant, c.executor, c.workers): results.rounds(c) for c in cases if c.variant != WHOLE},
        found or {},
        results.cpus,
        results.gil,
        results.fact(whole, facts.LOAD) or 0.0,
    )


Decision = Callable[[Figures], Finding]


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that people say of threads and processes, and the experiment on it.

    Parameters
    ----------
    name : str
    sentence : str
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
    pair : bool
        Whether it is on two interpreters, of which the reader names the other.
    seconds : float
        About how long the experiment takes, for the progress.
    """

    name: str
    sentence: str
    experiment: Callable[[Bench], None]
    decision: Decision
    cpus: int = 1
    quiet: bool = False
    missing: Callable[[], str | None] = lambda: None
    pair: bool = False
    seconds: float = USUAL_SECONDS

    def finding(self, found: Figures) -> Finding:
        """Return what follows from ``found``: nothing, where the machine is too small or too busy."""
        if found.cpus < self.cpus:
            return Finding(Ruling.UNDECIDED, "the machine is too small: it takes two CPUs to tell")
        try:
            finding = self.decision(found)
        except _DisturbedError:
            return Finding(Ruling.UNDECIDED, "the machine is too busy: others disturbed every round")
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise ResultsError(f"what was found of {self.name} is not whole: {one_line(error)}") from error
        if self.quiet and finding.measured != NOT_MEASURED and found.load >= BUSY:
            why = f"the machine is too busy: others used {found.load:.1f} CPUs just before or after"
            return Finding(Ruling.UNDECIDED, why, finding.measured)
        return finding


REGISTERED: dict[str, Claim] = {}


def claim(
    name: str, sentence: str, decision: Decision, **options: Any
) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """Register the decorated experiment on the claim that ``sentence`` makes."""

    def register(experiment: Callable[[Bench], None]) -> Callable[[Bench], None]:
        REGISTERED[name] = Claim(name, sentence, experiment, decision, **options)
        return experiment

    return register


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


def releases(share: Estimate) -> bool | None:
    """Return whether a call that holds the GIL for such a share releases it; None if it does in part."""
    return True if negated(above(share, RELEASES)) else False if above(share, 1 - RELEASES) else None


def told_share(share: float | None) -> str:
    """Return a held share in words."""
    return "not told" if share is None else f"{share:.1%}"


def ruled(answer: bool | None, measured: str, holds: str, refuted: str) -> Finding:
    """Return the finding of a claim that is true, false or open."""
    if answer is None:
        why = "the intervals leave it open: more rounds on a quiet machine decide it"
        return Finding(Ruling.UNDECIDED, why, measured)
    return Finding(Ruling.HOLDS, holds, measured) if answer else Finding(Ruling.REFUTED, refuted, measured)
