"""The report of claims: what people say, what was measured here, and what follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gilkit.display.tables import caveats, closing, headline
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.studies.claims.claim import WHOLE, Claim, Finding, Ruling, figures
from gilkit.studies.claims.registry import CLAIMS

COLOURS = {
    Ruling.HOLDS: "green",
    Ruling.REFUTED: "red",
    Ruling.DEPENDS: "yellow",
    Ruling.UNDECIDED: "dim",
}
WORDS = {
    Ruling.HOLDS: "true here",
    Ruling.REFUTED: "false here",
    Ruling.DEPENDS: "it depends",
    Ruling.UNDECIDED: "not decided",
}
FAILED_CLAIM, NOT_HERE = "failed", "not here"


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of claims."""
    body = _columns()
    count: Counter[Ruling] = Counter()
    for name, (claim, found) in became(results).items():
        said = [Text(name, style="bold"), Text(f"“{claim.sentence}”")]
        if isinstance(found, Finding):
            count[found.ruling] += 1
            lines: list[RenderableType] = [*said, Text(found.measured), _follows(found.why)]
            word = Text(found.ruling.value, style=f"bold {COLOURS[found.ruling]}")
        else:
            word = Text(found, style="red" if found == FAILED_CLAIM else "dim")
            lines = [*said, Text(why_not(results, name))]
        body.add_row(word, Group(*(line for line in lines if str(line)), ""))
    told = ", ".join(f"{count[ruling]} {WORDS[ruling]}" for ruling in Ruling if count[ruling])
    head: list[RenderableType] = [headline(results), "", "What people say, and what was measured here"]
    end = [closing(f"of {count.total()} claim{'s' * (count.total() != 1)}", told)] if count else []
    return Group(*head, *caveats(results), "", body, *end)


def became(results: Results) -> dict[str, tuple[Claim, Finding | str]]:
    """Return what became of every claim that was asked for, by name: a finding, or why there is none."""
    found: dict[str, tuple[Claim, Finding | str]] = {}
    for name, claim in CLAIMS.items():
        whole = Case(name, WHOLE, "serial", 1)
        if results.values(whole):
            found[name] = claim, claim.finding(figures(results, name))
        elif whole in results.failures:
            found[name] = claim, FAILED_CLAIM
        elif name in results.missing:
            found[name] = claim, NOT_HERE
    return found


def why_not(results: Results, name: str) -> str:
    """Return why there is no finding on a claim."""
    return results.failures.get(Case(name, WHOLE, "serial", 1)) or results.missing[name]


def question(_: Results) -> str:
    """Return what the claims answer."""
    return "What people say of threads and processes: does it hold here?"


def answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return what follows for every claim, in words."""
    for name, (claim, found) in became(results).items():
        word, why = (
            (found.ruling.value, found.why) if isinstance(found, Finding) else (found, why_not(results, name))
        )
        yield f"{word}: {name}", f"“{claim.sentence}” {why}"


def _columns() -> Table:
    body = Table.grid(padding=(0, 2, 0, 0))
    body.add_column(no_wrap=True, min_width=9)
    body.add_column(overflow="fold")
    return body


def _follows(why: str) -> RenderableType:
    line = Table.grid("", "", padding=(0, 1, 0, 0))
    line.columns[1].overflow = "fold"
    line.add_row("→", Text(why, style="italic"))
    return line


def catalogue() -> RenderableType:
    """Return the claims, and how each is put to the test."""
    parts: list[RenderableType] = []
    for claim in CLAIMS.values():
        about = (claim.experiment.__doc__ or "").replace("`", "").split("\n\n", 1)[-1]
        method, limits = (" ".join(part.split()) for part in about.split("Limits:"))
        lines = [Text(f"“{claim.sentence}”"), Text(method), Text(f"Limits: {limits}")]
        if reason := claim.missing():
            lines.append(Text(f"not here: {reason}", style="red"))
        parts += [Text(claim.name, style="bold"), Padding(Group(*lines), (0, 0, 1, 2))]
    return Group(*parts)
