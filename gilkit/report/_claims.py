"""The report of claims: what people say, what was measured here, and what follows."""

from __future__ import annotations

import json
from collections import Counter

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gilkit.experiments import CLAIMS, WHOLE, Ruling, figures
from gilkit.report._common import headline
from gilkit.results import Case, Results

COLOURS = {
    Ruling.HOLDS: "green",
    Ruling.REFUTED: "red",
    Ruling.DEPENDS: "yellow",
    Ruling.UNDECIDED: "dim",
}
ABSENT = "not here"


def claims(results: Results) -> RenderableType:
    """Return everything that there is to say of claims."""
    missing: dict[str, str] = json.loads(results.facts.get("gilkit_missing", "{}"))
    body = _columns()
    count: Counter[Ruling] = Counter()
    for name, claim in CLAIMS.items():
        whole = Case(name, WHOLE, "serial", 1)
        said = [Text(name, style="bold"), Text(f"“{claim.claim}”")]
        if results.values(whole):
            finding = claim.finding(figures(results, name))
            count[finding.ruling] += 1
            lines: list[RenderableType] = [*said, Text(finding.measured), _follows(finding.why)]
            word = Text(finding.ruling.value, style=f"bold {COLOURS[finding.ruling]}")
        elif whole in results.failures:
            word, lines = Text("failed", style="red"), [*said, Text(results.failures[whole])]
        elif name in missing:
            word, lines = Text(ABSENT, style="dim"), [*said, Text(missing[name])]
        else:
            continue
        body.add_row(word, Group(*(line for line in lines if str(line)), ""))
    told = " · ".join(f"{ruling.value} {count[ruling]}" for ruling in Ruling if count[ruling])
    return Group(headline(results), "", f"What people say, and what was measured here: {told}", "", body)


def _columns() -> Table:
    body = Table.grid(padding=(0, 2, 0, 0))
    body.add_column(no_wrap=True, min_width=9)
    body.add_column()
    return body


def _follows(why: str) -> RenderableType:
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_row("→", Text(why, style="italic"))
    return line


def sayings() -> RenderableType:
    """Return the claims, and how each is put to the test."""
    parts: list[RenderableType] = []
    for claim in CLAIMS.values():
        about = (claim.experiment.__doc__ or "").replace("`", "").split("\n\n", 1)[-1]
        method, limits = (" ".join(part.split()) for part in about.split("Limits:"))
        lines = [Text(f"“{claim.claim}”"), Text(method), Text(f"Limits: {limits}")]
        if absent := claim.missing():
            lines.append(Text(f"not here: {absent}", style="red"))
        parts += [Text(claim.name, style="bold"), Padding(Group(*lines), (0, 0, 1, 2))]
    return Group(*parts)
