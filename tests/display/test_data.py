"""Results for machines: strict JSON, tidy CSV, data frames, and HTML."""

from __future__ import annotations

import builtins
import csv
import io
import json
from enum import Enum
from html.parser import HTMLParser
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from pages import untold
from rich.console import Group
from rich.text import Text

import gilkit
from gilkit.display.data import csv_text, frame, json_text, strict
from gilkit.display.tables import html, plain
from gilkit.results import facts
from gilkit.results.stats import Estimate
from gilkit.studies.registry import STUDIES, study_of
from gilkit.studies.threshold.crossing import Crossing

OLD = Path(__file__).parent.parent / "results" / "old_files"
FILES = sorted(path for path in OLD.glob("*.json") if path.with_suffix(".txt").exists())
COLUMNS = ["kernel", "variant", "executor", "workers", "rounds", "seconds", "seconds_low", "seconds_high"]
COLUMNS += ["speedup", "speedup_low", "speedup_high"]
FINDINGS = {
    "comparison": {"verdicts", "to_do", "held", "attached"},
    "threshold": {"unit", "crossings", "price"},
    "beside": {"sides", "quiet", "to_do", "together", "event_loop", "shorter_interval"},
    "map": {"subject", "answer", "line", "pools", "chunk_sizes", "task_costs", "to_do"},
    "layout": {"splits", "call", "calls_in_a_task", "decision", "to_do"},
    "costs": {"constants"},
    "scaling": {"columns", "growth"},
    "claims": {"rulings"},
    "stalls": {"processes", "to_mend"},
}
files = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


class Colour(Enum):
    """Any enumeration."""

    RED = "red"


def refuse(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def test_what_is_no_number_is_null() -> None:
    assert strict([nan, inf, 1.5, None, True]) == [None, None, 1.5, None, True]
    assert strict(Estimate(2.0)) == {"median": 2.0, "low": None, "high": None}
    assert strict({1: Estimate(2.0, 1.0, 3.0)}) == {"1": {"median": 2.0, "low": 1.0, "high": 3.0}}
    assert strict((Colour.RED, Crossing(1, None))) == ["red", {"low": 1, "high": None}]


def test_json_is_ascii_and_csv_is_quoted() -> None:
    assert json.loads(json_text({"é": "×"})) == {"é": "×"}
    assert json_text({"é": "×"}).isascii()
    rows = [{"kernel": 'f("a, b")\n', "seconds": None}]
    assert list(csv.DictReader(io.StringIO(csv_text(rows)))) == [{"kernel": 'f("a, b")\n', "seconds": ""}]


@files
def test_every_kind_says_what_was_measured_and_what_follows(path: Path) -> None:
    outcome = gilkit.load(path)
    found = json.loads(json_text(outcome.to_dict()), parse_constant=refuse)
    assert found["format"] == 1
    assert study_of(found["kind"]) is outcome.study
    assert set(found) == {"format", "kind", "facts", "cases", "failures", "missing"} | FINDINGS[found["kind"]]
    names = ["/".join(str(case[key]) for key in COLUMNS[:4]) for case in found["cases"]]
    assert names == [case.name for case in outcome.results]
    for case, row in zip(outcome.results, found["cases"], strict=True):
        assert list(row) == COLUMNS
        assert row["rounds"] == len(outcome.results.values(case))
        assert min(outcome.results.values(case)) <= row["seconds"] <= max(outcome.results.values(case))
    assert found["facts"][facts.CPUS.key] == outcome.results.cpus
    assert untold(found) == []


@files
def test_facts_are_those_of_the_run(path: Path) -> None:
    found = gilkit.load(path).to_dict()["facts"]
    assert {"gilkit_version", "gilkit_interpreter", "gilkit_gil", "gilkit_seed"} < set(found)
    assert not set(found) & {"gilkit_rounds", "gilkit_windows", "gilkit_size", "hostname"}


def test_a_statement_is_a_fact_of_its_run() -> None:
    found = gilkit.load(OLD / "timeit.json").to_dict()
    assert found["facts"]["gilkit_statement"] == "json.dumps(d)"


def test_speedups_are_those_of_the_table() -> None:
    outcome = gilkit.load(OLD / "comparison.json")
    found = outcome.to_dict()
    [row] = [
        c
        for c in found["cases"]
        if (c["kernel"], c["variant"], c["executor"], c["workers"]) == ("lcg", "nogil", "threads", 2)
    ]
    speedup = outcome.speedup("nogil", "threads", 2, "lcg")
    assert (row["speedup"], row["speedup_low"], row["speedup_high"]) == (speedup, speedup.low, speedup.high)
    verdict = outcome.verdicts["lcg"]
    assert found["verdicts"]["lcg"]["cause"] == verdict.cause.value
    assert found["verdicts"]["lcg"]["why"] == verdict.why


def test_findings_are_those_of_python() -> None:
    threshold = gilkit.load(OLD / "threshold.json")
    for found in threshold.to_dict()["crossings"]:
        there = threshold.crossing(found["workers"])
        assert (found["at"], found["low"], found["high"]) == (there.at, there.low, there.high)
        assert [point["size"] for point in found["points"]] == [
            point.size for point in threshold.points(found["workers"])
        ]
    costs = gilkit.load(OLD / "costs.json")
    for found in costs.to_dict()["constants"]:
        assert found["seconds"]["median"] == costs.value(found["name"], found["workers"])
    claims = gilkit.load(OLD / "claims.json")
    rulings = claims.to_dict()["rulings"]
    assert {name: found["ruling"] for name, found in rulings.items()} == {
        name: finding.ruling.value for name, finding in claims.findings.items()
    }


@files
def test_a_frame_has_every_round_and_says_which_count(path: Path) -> None:
    pytest.importorskip("pandas", reason="there is no pandas here")
    outcome = gilkit.load(path)
    found = outcome.to_frame()
    assert list(found) == ["kernel", "variant", "executor", "workers", "round", "seconds", "counted"]
    assert len(found) == sum(len(outcome.results.every(case)) for case in outcome.results)
    assert found["counted"].sum() == sum(len(outcome.results.rounds(case)) for case in outcome.results)


def test_without_pandas_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name == "pandas":
            raise ImportError("No module named 'pandas'")
        return usual(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"^a data frame needs pandas \(pip install pandas\): .*$"):
        frame([{"a": 1}])


class Words(HTMLParser):
    """The text of a page, and the styles in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.styles: list[str] = []
        self.feed(page)

    def handle_starttag(self, _: str, attributes: list[tuple[str, str | None]]) -> None:
        self.styles += [value or "" for name, value in attributes if name == "style"]

    def handle_data(self, data: str) -> None:
        self.text += data


@files
def test_html_has_the_same_text_and_takes_the_colours_of_the_page(path: Path) -> None:
    outcome = gilkit.load(path)
    page = Words(outcome._repr_html_())
    assert [line.rstrip() for line in page.text.rstrip().splitlines()] == plain(outcome).splitlines()
    for style in page.styles:
        assert "background-color" not in style
        assert "#000000" not in style


def test_html_is_escaped() -> None:
    page = html(Group(Text("<script>alert('&')</script>"), Text("said", style="red")))
    assert "<script>" not in page
    assert Words(page).text.splitlines()[0] == "<script>alert('&')</script>"


def test_every_study_that_leaves_a_file_has_findings() -> None:
    assert {study.kind for study in STUDIES.values() if study.kind} == set(FINDINGS)
