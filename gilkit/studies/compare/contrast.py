"""Statements beside one another: what each does alone and on all workers, and which one to use. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase

from gilkit.engine.executors import EXECUTORS
from gilkit.gil.law import behaviour
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.advice import WORTHWHILE
from gilkit.studies.compare.causes import shown
from gilkit.studies.compare.evidence import held_share_in, shown_workers
from gilkit.studies.compare.further import FURTHER_EXECUTORS
from gilkit.studies.compare.merged import several_pythons
from gilkit.studies.compare.speedups import beside_one, work_ratio

MATTERS = 0.02  # of the work, from which a difference is one that anybody cares for
MUCH = 1.10  # times as long, from which a ratio says more than a percentage
CONTESTED = ("threads", "processes", *FURTHER_EXECUTORS)  # on which statements are beside one another
APART = tuple(name for name in CONTESTED if not EXECUTORS[name].shares_gil)
MOST = len(ascii_uppercase)  # statements that have a letter


def differs(ratio: Estimate | None) -> bool:
    """Whether two surely do not do the same: all of the interval is off by more than anybody cares for."""
    return ratio is not None and (ratio.low > 1 + MATTERS or ratio.high < 1 / (1 + MATTERS))


@dataclass(frozen=True, slots=True)
class Contrast:
    """Statements that were measured in the same rounds, the first of which sets the measure.

    Parameters
    ----------
    names : dict of str to str
        The statements, by the letter that stands for each.
    workers : int
        How many work at once in what is decided.
    held : dict of str to float
        The share of a call that holds the GIL, where it is known.
    work : dict
        The work that is done at once, in that of one worker alone with the first; by letter, executor and
        workers. Without an interval it decides nothing: too few rounds count.
    alone, together : dict of str to dict of str to Estimate
        ``alone[a][b]``: the work of one worker with a, over that with b, paired by rounds; and that of all
        workers on threads.
    attached : dict of str to float
        The share of a call that stays attached, where there is no GIL.
    """

    names: Mapping[str, str]
    workers: int
    held: Mapping[str, float]
    work: Mapping[tuple[str, str, int], Estimate]
    alone: Mapping[str, Mapping[str, Estimate]]
    together: Mapping[str, Mapping[str, Estimate]]
    attached: Mapping[str, float] = field(default_factory=dict)


def several_own(results: Results) -> bool:
    """Whether it is statements beside one another that were measured."""
    return of_own(results) and len(results.kernels) > 1 and not several_pythons(results)


def of_own(results: Results) -> bool:
    """Whether it is the reader's own code that was measured."""
    return any(case.variant == "function" for case in (*results, *results.failures))


def contrast(results: Results) -> Contrast:
    """Return how the statements of a run compare."""
    names = dict(zip(ascii_uppercase, in_order(results), strict=False))
    first = names["A"]
    workers = shown_workers(results, first)
    ones = [_case(first, executor, 1) for executor in CONTESTED]
    one = max(ones, key=lambda case: (bool(results.rounds(case)), bool(results.every(case))))
    cases = [case for case in results if case.variant == "function" and case.executor in CONTESTED]
    work = {
        (letter, case.executor, case.workers): done
        for letter, name in names.items()
        for case in cases
        if case.kernel == name and (done := beside_one(results, case, one)) is not None
    }
    held, attached = (
        {
            letter: share
            for letter, name in names.items()
            if (share := held_share_in(results, _case(name, "threads", 1), kind)) is not None
        }
        for kind in (HELD_SHARE, ATTACHED_SHARE)
    )
    alone, together = _ratios(results, names, 1), _ratios(results, names, workers)
    return Contrast(names, workers, held, work, alone, together, attached)


def in_order(results: Results) -> list[str]:
    """Return the statements in the order in which they were given; one that failed keeps its place."""
    return list(dict.fromkeys([*facts.AGAINST.of(results.facts, []), *results.kernels]))


def _case(name: str, executor: str, workers: int) -> Case:
    return Case(name, "function", executor, workers)


def _ratios(results: Results, names: Mapping[str, str], workers: int) -> dict[str, dict[str, Estimate]]:
    """Return the work of so many threads with one statement, over that with another."""
    found: dict[str, dict[str, Estimate]] = {letter: {} for letter in names}
    for one, name in names.items():
        for other, rival in names.items():
            ratio = work_ratio(results, _case(name, "threads", workers), _case(rival, "threads", workers))
            if ratio is not None and one != other:
                found[one][other] = ratio
    return found


def conclusion(c: Contrast) -> tuple[str, str]:
    """Say in one sentence which statement to use, and in what figures one sees it."""
    measured = [letter for letter in c.names if (letter, "threads", c.workers) in c.work]
    first = next(iter(c.names))
    if first not in measured or len(measured) < 2:
        seen = f"only {measured[0]}" if measured else "none"
        return "not decided", f"{seen} was measured on threads"
    if c.workers < 2:
        return _on_one(c, measured)
    best = _best(c, measured)
    if best is None:
        return _no_winner(c, measured)
    others = (letter for letter in measured if letter != best)
    rival = first if best != first else max(others, key=lambda other: c.work[other, "threads", c.workers])
    does = f"{_work(c, best)} instead of {_work(c, rival)} on {c.workers} threads"
    apart = _more_apart(c, best)
    if apart is not None:
        executor, letter, most = apart
        return f"use {executor}, with {letter}", f"{most:.2f}× there; on threads {does} with {best}"
    return _lead(c, best, first), ", ".join([does, *_alone(c, best, rival)])


def winner(c: Contrast) -> str | None:
    """Return the statement that `conclusion` says to use on threads; None where it says something else."""
    measured = [letter for letter in c.names if (letter, "threads", c.workers) in c.work]
    if c.workers < 2 or len(measured) < 2 or next(iter(c.names)) not in measured:
        return None
    best = _best(c, measured)
    return None if best is None or _more_apart(c, best) else best


def _best(c: Contrast, measured: list[str]) -> str | None:
    """Return the statement that surely does most on threads."""
    return next((letter for letter in measured if _surely_best(letter, measured, c.together)), None)


def _more_apart(c: Contrast, best: str) -> tuple[str, str, Estimate] | None:
    """Return the statement that surely does more in processes than any does on threads, where, and how much.

    Where there were no processes, in what else was measured.
    """
    threads = c.work[best, "threads", c.workers]
    for executor in APART:
        apart = {
            letter: done
            for letter in c.names
            if (done := c.work.get((letter, executor, c.workers))) is not None and done.decided
        }
        letter = max(apart, key=lambda each: apart[each], default="")
        if letter and apart[letter].low > threads.high and apart[letter] >= threads * WORTHWHILE:
            return executor, letter, apart[letter]
        if letter:
            return None
    return None


def _on_one(c: Contrast, measured: list[str]) -> tuple[str, str]:
    """Say which is the fastest on one worker."""
    faster = next((letter for letter in measured if _surely_best(letter, measured, c.alone)), None)
    if faster is None:
        return "not decided", "none is surely the fastest on one worker"
    rival = min(c.alone[faster], key=lambda other: c.alone[faster][other])
    return f"use {faster}", f"{slower(c.alone[faster][rival])}, beside {rival}"


def _surely_best(letter: str, measured: list[str], ratios: Mapping[str, Mapping[str, Estimate]]) -> bool:
    """Whether one surely does more than every other, by so much that it matters."""
    return all(
        other == letter
        or (
            (other in ratios[letter] and ratios[letter][other].decided and ratios[letter][other].low > 1)
            and ratios[letter][other] >= 1 + MATTERS
        )
        for other in measured
    )


def _work(c: Contrast, letter: str) -> str:
    return f"{c.work[letter, 'threads', c.workers]:.2f}×"


def _lead(c: Contrast, best: str, first: str) -> str:
    return f"stay with {first}" if best == first else instead(c, best, first)


def instead(c: Contrast, best: str, other: str) -> str:
    """Say what to do: to release the GIL, where that is what makes the difference."""
    was, now = (behaviour(c.held[letter]) if letter in c.held else "" for letter in (other, best))
    releasing = was == "holds" and now.startswith("releases")
    return f"release it, as {best} does" if releasing else f"use {best}"


def _alone(c: Contrast, best: str, rival: str) -> Iterator[str]:
    """Say what it costs or gains on one worker."""
    work = c.alone[best].get(rival)
    if work is not None:
        yield slower(work)


def slower(work: Estimate) -> str:
    """Say how the work of one compares to that of another, as ``0.3% slower on one``."""
    if not work.decided:
        return f"too few rounds to tell them apart on one ({work - 1:+.1%})"
    if work.low <= 1 <= work.high:
        if max(work.high - 1, 1 - work.low) <= MATTERS:
            return "as fast on one"
        return f"on one not told apart ({work.low - 1:+.0%} to {work.high - 1:+.0%})"
    longer = 1 / work
    if work < 1:
        return f"{longer - 1:.1%} slower on one" if longer < MUCH else f"{longer:.2f} times as long on one"
    return f"{work - 1:.1%} faster on one" if work < MUCH else f"{work:.2f} times as fast on one"


def _no_winner(c: Contrast, measured: list[str]) -> tuple[str, str]:
    """Say that there is no difference on threads, if that is certain, and who is faster on one."""
    pairs = [c.together[one].get(other) for one in measured for other in measured if one != other]
    figures = ", ".join(f"{letter} {shown(c.work[letter, 'threads', c.workers])}" for letter in measured)
    if any(ratio is None or not ratio.decided or ratio.high > 1 + MATTERS for ratio in pairs):
        return "not decided", f"on {c.workers} threads {figures}; use more --rounds, on a quiet machine"
    use, why = _on_one(c, measured)
    if use == "not decided":
        return "no difference that matters", f"on {c.workers} threads {figures}"
    return use, f"{why}, and no difference on {c.workers} threads ({figures})"
