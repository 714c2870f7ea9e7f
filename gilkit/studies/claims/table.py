"""The report of claims: what people say, what was measured here, and what follows."""

from __future__ import annotations

from collections import Counter

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gilkit.display.tables import caveats, closing, headline
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.studies.claims.claim import WHOLE, Ruling, figures
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
NOT_HERE = "not here"


def table(results: Results) -> RenderableType:
    """Return everything that there is to say of claims."""
    missing = results.missing
    body = _columns()
    count: Counter[Ruling] = Counter()
    for name, claim in CLAIMS.items():
        whole = Case(name, WHOLE, "serial", 1)
        said = [Text(name, style="bold"), Text(f"“{claim.sentence}”")]
        if results.values(whole):
            finding = claim.finding(figures(results, name))
            count[finding.ruling] += 1
            lines: list[RenderableType] = [*said, Text(finding.measured), _follows(finding.why)]
            word = Text(finding.ruling.value, style=f"bold {COLOURS[finding.ruling]}")
        elif whole in results.failures:
            word, lines = Text("failed", style="red"), [*said, Text(results.failures[whole])]
        elif name in missing:
            word, lines = Text(NOT_HERE, style="dim"), [*said, Text(missing[name])]
        else:
            continue
        body.add_row(word, Group(*(line for line in lines if str(line)), ""))
    told = ", ".join(f"{count[ruling]} {WORDS[ruling]}" for ruling in Ruling if count[ruling])
    head: list[RenderableType] = [headline(results), "", "What people say, and what was measured here"]
    end = [closing(f"of {count.total()} claims", told)] if count else []
    return Group(*head, *caveats(results), "", body, *end)


def _columns() -> Table:
    body = Table.grid(padding=(0, 2, 0, 0))
    body.add_column(no_wrap=True, min_width=9)
    body.add_column()
    return body


def _follows(why: str) -> RenderableType:
    line = Table.grid(padding=(0, 1, 0, 0))
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
