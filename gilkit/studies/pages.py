"""`report`: one page of what was measured, which whoever gets it can read without gilkit."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gilkit.display.page import Picture, Said, Section, page
from gilkit.display.picture_files import check_drawable, drawn_by, specification
from gilkit.display.tables import heading, plain, round_counts
from gilkit.machine import BUSY, busy_words
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.results.writing import check_writable, replace
from gilkit.studies.load import load
from gilkit.studies.outcome import Outcome

if TYPE_CHECKING:
    import altair as alt

Reported: TypeAlias = str | os.PathLike[str] | Outcome

OF_PYPERF = {"date": "When", "platform": "System", "cpu_model_name": "CPU"}  # what it notes of a run


def report(found: Reported | Iterable[Reported], output: str | os.PathLike[str]) -> None:
    """Make a page of results: verdicts, pictures, the machine, failures and tables, in one file of HTML.

    It needs no network and no script, and has a light and a dark side. It takes the extra ``report``.

    Parameters
    ----------
    found : path, outcome, or list of these
        Results files, or what `gilkit.compare` and its like returned.
    output : path
        Ends in .html.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to report, Altair or vl-convert is missing, or the path has another ending.
    ResultsError
        If a file cannot be read, or the page not be written.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.report(["before.json", "after.json"], "page.html")  # doctest: +SKIP
    """
    if not isinstance(found, str | os.PathLike | Outcome | Iterable):
        raise TypeError(f"a report is of results files and outcomes, not of a {type(found).__name__}")
    every = [found] if isinstance(found, str | os.PathLike | Outcome) else list(found)
    if not every:
        raise ValueError("name at least one results file")
    if Path(output).suffix.lower() != ".html":
        raise ValueError(f"a report must end in .html, not {output}")
    check_drawable()
    check_writable(output)
    sections = [_section(one) for one in every]
    replace(output, lambda name: Path(name).write_text(page(sections), "utf-8", "replace"))


def _section(one: Reported) -> Section:
    """Return what is said of one outcome."""
    if isinstance(one, Outcome):
        outcome, name = one, one.study.name
    elif isinstance(one, str | os.PathLike):
        outcome, name = load(one), Path(one).name
    else:
        raise TypeError(f"a report is of results files and outcomes, not of a {type(one).__name__}")
    results, study = outcome.results, outcome.study
    question = study.question(results)
    return Section(
        name=name,
        question=question,
        headline=heading(results.facts, results.load).plain.split("\n")[0],
        answers=study.answers(results),
        pictures=list(_pictures(outcome, question)),
        measured=_measured(results),
        failures=list(outcome.failures.items()),
        table=plain(outcome),
        busy=f"{busy_words(results.load, results.cpus)}; believe no figure" if results.load >= BUSY else "",
    )


def _pictures(outcome: Outcome, question: str) -> Iterable[Picture]:
    """The picture of the study, and that of all rounds."""
    from gilkit.display.rounds import ROUNDS_QUESTION, rounds_chart

    yield _picture(question, outcome.study.chart(outcome.results))
    rounds = rounds_chart(outcome.results)
    if rounds is not None:
        yield _picture(ROUNDS_QUESTION, rounds)


def _picture(question: str, chart: alt.LayerChart) -> Picture:
    from gilkit.display.charts import themed

    spec = specification(chart)
    return Picture(question, drawn_by(spec), drawn_by({**spec, "config": themed(dark=True)}))


def _measured(results: Results) -> Said:
    """What the file says of the machine and of the run, as far as all cases have it in common."""
    common = results.suite.get_metadata()
    found = [(label, str(common[key])) for key, label in OF_PYPERF.items() if key in common]
    found.append(("Rounds of a case that count", round_counts(results)))
    every = ((fact, fact.of(common)) for fact in facts.FACTS.values() if fact.type in (str, int, float))
    told = ((fact, value) for fact, value in every if value is not None)
    return [*found, *((fact.about.rstrip("."), _shown(value)) for fact, value in told)]


def _shown(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
