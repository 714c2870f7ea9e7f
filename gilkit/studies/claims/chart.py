"""The picture of claims: what people say, and the ruling on each."""

from __future__ import annotations

import altair as alt

from gilkit.display.charts import Row, colours, drawn_names, framed, values
from gilkit.results.file import Results
from gilkit.studies.claims.claim import Finding
from gilkit.studies.claims.table import became, question, why_not

SENTENCE = 22  # pixels of a row
WORD = 88  # and of the column of rulings


def rows(results: Results) -> list[Row]:
    """Return what became of every claim, with its figures."""
    found: list[Row] = []
    for name, (claim, finding) in became(results).items():
        word = finding.ruling.value if isinstance(finding, Finding) else finding
        why = finding.why if isinstance(finding, Finding) else why_not(results, name)
        measured = finding.measured if isinstance(finding, Finding) else ""
        sentence = f"“{claim.sentence}”"
        found.append({"claim": name, "sentence": sentence, "ruling": word, "measured": measured, "why": why})
    return found


def chart(results: Results) -> alt.LayerChart:
    """Return the picture of claims."""
    found = rows(results)
    names = drawn_names(found, "ruling")
    axis = alt.Axis(grid=False, ticks=False, domain=False, labelPadding=10)
    claim = alt.Y("claim:N", sort=None, title=None, axis=axis)
    base = alt.Chart(values(found)).encode(y=claim)
    layers = [
        base.mark_bar(cornerRadius=4, height=SENTENCE - 5).encode(
            x=alt.value(0), x2=alt.value(WORD), color=colours("ruling", names, legend=None),
            tooltip=["sentence:N", "measured:N", "why:N"],
        ),
        base.mark_text(color="#111", fontWeight="bold").encode(x=alt.value(WORD / 2), text="ruling:N"),
        base.mark_text(align="left").encode(x=alt.value(WORD + 12), text="sentence:N"),
    ]  # fmt: skip
    counted = " · ".join(f"{name} {sum(row['ruling'] == name for row in found)}" for name in names)
    return framed(layers, (question(results), [counted], results.facts, results.load), SENTENCE * len(found))
