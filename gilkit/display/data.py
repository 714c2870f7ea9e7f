"""Results for machines: rows of cases and of rounds, as JSON, as CSV and as a data frame."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any

from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate

DOCUMENT_FORMAT = 1  # of the JSON object; a later one may have more in it
TOLD_APART = (facts.FORMAT, facts.KIND, facts.FAILURES, facts.MISSING)  # these have places of their own
Row = dict[str, Any]
Speedup = Callable[[Results, Case], Estimate | None]


def document(results: Results, findings: Mapping[str, Any], speedup: Speedup | None = None) -> Row:
    """Return everything that there is to say of results, of what JSON can say.

    Parameters
    ----------
    results : Results
    findings : mapping
        What follows from them.
    speedup : callable or None
        ``speedup(results, case)``, where cases have one.
    """
    found: Row = strict(
        {
            "format": DOCUMENT_FORMAT,
            "kind": results.kind,
            "facts": run_facts(results),
            "cases": case_rows(results, speedup),
            "failures": {case.name: reason for case, reason in results.failures.items()},
            "missing": results.missing,
            **findings,
        }
    )
    return found


def run_facts(results: Results) -> Row:
    """Return the facts of a run, by their keys in the results file; and the most that others used."""
    known = [fact for fact in facts.FACTS.values() if not fact.of_case and fact not in TOLD_APART]
    found: Row = {}
    for case in results:  # a statement is one of the run, and stands in its own cases only
        for fact in known:
            if (value := results.fact(case, fact)) is not None:
                found.setdefault(fact.key, value)
    return found | facts.LOAD.entry(results.load)


def case_rows(results: Results, speedup: Speedup | None) -> list[Row]:
    """Return a row for every case that was measured: its medians, and the ends of their intervals."""
    return [
        {
            **_names(case),
            "rounds": len(results.rounds(case)),
            **_ends("seconds", _sure(estimate(results.values(case)), results.rounds(case))),
            **_ends("speedup", speedup(results, case) if speedup else None),
        }
        for case in results
    ]


def _sure(found: Estimate, rounds: Mapping[int, float]) -> Estimate:
    """Return a median without its interval, where none of its rounds counts."""
    return found if rounds else Estimate(found)


def round_rows(results: Results) -> Iterator[Row]:
    """Yield a row for every round of every case, and whether it counts."""
    for case in results:
        kept = results.rounds(case)
        for id_, seconds in results.every(case).items():
            yield {**_names(case), "round": id_, "seconds": seconds, "counted": id_ in kept}


def _names(case: Case) -> Row:
    return {
        "kernel": case.kernel,
        "variant": case.variant,
        "executor": case.executor,
        "workers": case.workers,
    }


def _ends(name: str, found: Estimate | None) -> Row:
    ends = (None, None, None) if found is None else (float(found), found.low, found.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(strict, ends), strict=True))


def strict(value: Any) -> Any:
    """Return a value in what JSON has: what is no number is None, an estimate its median and its interval."""
    if isinstance(value, Estimate):
        return strict({"median": float(value), "low": value.low, "high": value.high})
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {field.name: strict(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return strict(sorted(value))
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return value


def json_text(found: Mapping[str, Any]) -> str:
    """Return JSON in ASCII, which no terminal and no pipe can damage."""
    return json.dumps(found, indent=2, allow_nan=False)


def csv_text(rows: Sequence[Row]) -> str:
    """Return rows as CSV, below a line with the names of the columns; what is not known is empty."""
    if not rows:
        return ""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().rstrip("\n")


def frame(rows: Iterable[Row]) -> Any:
    """Return rows as a data frame.

    Raises
    ------
    ImportError
        If there is no pandas.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"a data frame needs pandas (pip install pandas): {error}") from None
    return pandas.DataFrame.from_records(list(rows))
