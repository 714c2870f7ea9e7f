"""Who is measured beside whom, and what such cases are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results

LETTERS = "AB"  # what statements go by
TICKER = "ticker"
WHERE = ("threads", "processes", "shorter")  # the last: threads with a shorter switch interval
Pair = tuple[str, str, str]  # who, beside whom, where


def alone(who: str, executor: str = "threads") -> Case:
    """Return the case of one alone, on one worker."""
    return Case(who, "function", executor, 1)


def side(who: str, other: str, where: str) -> Case:
    """Return the case of one beside another."""
    shorter = where == "shorter"
    return Case(who, f"{'shorter' if shorter else 'beside'}-{other}", "threads" if shorter else where, 2)


def where_of(case: Case) -> str:
    """Return where a case is measured: one of `WHERE`."""
    return "shorter" if case.variant.startswith("shorter-") else case.executor


def other_of(case: Case) -> str:
    """Return who is beside, or nobody."""
    return case.variant.partition("-")[2]


def baseline(case: Case) -> Case:
    """Return what is kept in a case is a share of: the same one alone, on the same executor."""
    return alone(case.kernel, case.executor)


def pairs(letters: Sequence[str]) -> Iterator[Pair]:
    """Yield who is measured beside whom: two statements, and a ticker beside each; or one beside a ticker."""
    if len(letters) > 1:
        first, second = letters
        yield from ((first, second, where) for where in WHERE)
        yield from ((letter, TICKER, "threads") for letter in letters)
    else:
        yield from ((letter, TICKER, where) for letter in letters for where in WHERE)


def neighbour(letter: str, letters: Sequence[str]) -> str:
    """Return who it is that a statement is measured beside everywhere."""
    return next((other for other in letters if other != letter), TICKER)


def statements(results: Results) -> dict[str, str]:
    """Return the statements, by letter."""
    return dict(zip(LETTERS, facts.AGAINST.needed(results.facts), strict=False))
