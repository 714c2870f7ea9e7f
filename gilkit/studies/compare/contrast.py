"""Statements beside one another: what each does alone and on all workers, and which one to use. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import ascii_uppercase

from gilkit.gil.law import behaviour
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.advice import WORTHWHILE
from gilkit.studies.compare.causes import shown
from gilkit.studies.compare.evidence import shown_workers
from gilkit.studies.compare.speedups import over_sets, sets_of, speedups

MATTERS = 0.02  # of the work, from which a difference is one that anybody cares for
MUCH = 1.10  # times as long, from which a ratio says more than a percentage
CONTESTED = ("threads", "processes")  # the executors on which statements are beside one another
MOST = len(ascii_uppercase)  # statements that have a letter


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
        workers.
    alone, together : dict of str to dict of str to Estimate
        ``alone[a][b]``: the work of one worker with a, over that with b, paired by rounds; and that of all
        workers on threads.
    """

    names: Mapping[str, str]
    workers: int
    held: Mapping[str, float]
    work: Mapping[tuple[str, str, int], Estimate]
    alone: Mapping[str, Mapping[str, Estimate]]
    together: Mapping[str, Mapping[str, Estimate]]


def contrast(results: Results) -> Contrast:
    """Return how the statements of a run compare."""
    names = dict(zip(ascii_uppercase, in_order(results), strict=False))
    first = names["A"]
    workers = shown_workers(results, first)
    alone = results.rounds(_case(first, "threads", 1)) or results.rounds(_case(first, "processes", 1))
    work = {}
    for letter, name in names.items():
        for case in results:
            if (case.kernel, case.variant) == (name, "function") and case.executor in CONTESTED:
                by_round = speedups(results.rounds(case), alone, case.workers)
                if (found := over_sets(by_round, sets_of(results, case))) is not None:
                    work[letter, case.executor, case.workers] = found
    held = {
        letter: share
        for letter, name in names.items()
        if (share := results.fact(_case(name, "threads", 1), facts.HELD)) is not None
    }
    return Contrast(names, workers, held, work, _ratios(results, names, 1), _ratios(results, names, workers))


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
            top, bottom = _case(name, "threads", workers), _case(rival, "threads", workers)
            by_round = speedups(results.rounds(top), results.rounds(bottom), 1)
            ratio = over_sets(by_round, sets_of(results, top))
            if ratio is not None and one != other:
                found[one][other] = ratio
    return found


def conclusion(c: Contrast) -> tuple[str, str]:
    """Say in one sentence which statement to use, and in what figures one sees it."""
    measured = [letter for letter in c.names if (letter, "threads", c.workers) in c.work]
    first = next(iter(c.names))
    if first not in measured or len(measured) < 2:
        seen = f"only {measured[0]} has" if measured else "none has"
        return "not decided", f"{seen} rounds on threads that count"
    if c.workers < 2:
        return _on_one(c, measured)
    best = next((letter for letter in measured if _surely_best(letter, measured, c.together)), None)
    if best is None:
        return _no_winner(c, measured)
    others = (letter for letter in measured if letter != best)
    rival = first if best != first else max(others, key=lambda other: c.work[other, "threads", c.workers])
    does = f"{_work(c, best)} instead of {_work(c, rival)} on {c.workers} threads"
    apart = _more_in_processes(c, best)
    if apart is not None:
        letter, most = apart
        return f"use processes, with {letter}", f"{most:.2f}× there; on threads {does} with {best}"
    return _lead(c, best, first), ", ".join([does, *_alone(c, best, rival)])


def _more_in_processes(c: Contrast, best: str) -> tuple[str, Estimate] | None:
    """Return the statement that surely does more in processes than any does on threads, and how much."""
    threads = c.work[best, "threads", c.workers]
    apart = {
        letter: c.work[letter, "processes", c.workers]
        for letter in c.names
        if (letter, "processes", c.workers) in c.work
    }
    letter = max(apart, key=lambda each: apart[each], default="")
    if not letter or not apart[letter].low > threads.high or apart[letter] < threads * WORTHWHILE:
        return None
    return letter, apart[letter]


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
    """Say what to do: to release the GIL, where that is what makes the difference."""
    if best == first:
        return f"stay with {first}"
    was, now = (behaviour(c.held[letter]) if letter in c.held else "" for letter in (first, best))
    return f"release it, as {best} does" if was == "holds" and now.startswith("releases") else f"use {best}"


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
