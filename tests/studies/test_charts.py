"""Charts of every study, from results: what they show is what the results say, and Vega-Lite draws it."""

from __future__ import annotations

import importlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from command import answered, refused
from made_up_history import history
from pictures import needs_pictures
from simulated import HOLDS, Machine, Made

import gilkit as package
from gilkit.display.picture_files import drawn_by, specification, svg
from gilkit.kernels import KERNELS
from gilkit.machine import BUSY
from gilkit.results.case import Case
from gilkit.results.stats import Estimate, estimate
from gilkit.studies.compare.budget import OWN_PACE, USUAL_PACE
from gilkit.studies.outcome import Outcome
from gilkit.studies.registry import STUDIES

pytestmark = [pytest.mark.once, needs_pictures]

OLD = Path(__file__).parents[1] / "results" / "old_files"
FILES = sorted(path for path in OLD.glob("*.json") if path.stem != "trace")


@pytest.fixture(scope="module")
def charts() -> Any:
    """What draws, which loads Altair."""
    return importlib.import_module("gilkit.display.charts")


def shown(chart: Any) -> list[dict[str, Any]]:
    """All rows of data that a chart holds."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def texts(drawn: str) -> str:
    """What there is to read in an SVG."""
    return "\n".join(re.findall(r"<text[^>]*>(.*?)</text>", drawn))


def changed(path: Path, to: Path, key: str, value: object) -> Path:
    """A copy of a results file in which a fact is another, wherever it stands."""

    def again(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: value if name == key else again(one) for name, one in part.items()}
        return [again(one) for one in part] if isinstance(part, list) else part

    to.write_text(json.dumps(again(json.loads(path.read_text("utf-8")))), "utf-8")
    return to


def test_every_kind_of_results_is_drawn_here() -> None:
    kinds = {study.kind for study in STUDIES.values()} - {""}
    assert {package.load(path).results.kind for path in FILES} == kinds


@cache
def words_of(path: Path) -> str:
    """What there is to read in the picture of a file, as it is usually drawn: it is drawn once."""
    return texts(svg(package.load(path).plot()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_picture_asks_its_question_and_says_of_what_machine_it_is(path: Path) -> None:
    words = words_of(path)
    asks(package.load(path), words)
    assert "BUSY" not in words


def asks(outcome: Outcome, words: str) -> None:
    """Check that a picture asks its question, and says of what machine it is."""
    assert outcome.study.question(outcome.results) in words.replace("\n", " ")
    assert "CPython 3.11.7 · GIL on · 2 CPUs" in words


def test_a_comparison_shows_the_speedups_of_its_table() -> None:
    found = package.load(OLD / "comparison.json")
    rows = {(row["kernel"], row["what"]): row for row in shown(found.plot()) if "kernel" in row}
    assert len({kernel for kernel, _ in rows}) == 3
    for (kernel, what), row in rows.items():
        variant, executor = {"processes": ("nogil", "processes"), "ceiling": ("ceiling", "openmp")}.get(
            what, (what.split()[0], "openmp" if what == "native threads" else "threads")
        )
        if (kernel, what) == ("objects", "processes"):
            variant = "gil"
        speedup = found.speedup(variant, executor, kernel=kernel)
        assert (row["figure"], row["low"], row["high"]) == (speedup, speedup.low, speedup.high)
    assert ("objects", "nogil threads") not in rows


def test_a_statement_shows_its_speedups_by_workers() -> None:
    found = package.load(OLD / "timeit.json")
    rows = [row for row in shown(found.plot()) if "what" in row]
    assert {row["what"] for row in rows} == {"threads", "processes", "sent", "ceiling"}
    for row in rows:
        if row["workers"] == 2 and row["what"] in ("threads", "processes"):
            speedup = found.speedup("function", row["what"], 2)
            assert (row["figure"], row["low"], row["high"]) == (speedup, speedup.low, speedup.high)


def test_a_threshold_shows_every_size_and_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    from gilkit.studies.threshold import chart
    from gilkit.studies.threshold.crossing import Crossing

    found = package.load(OLD / "threshold.json")
    rows = [row for row in shown(found.plot()) if "size" in row]
    points = found.points(2)
    assert {(row["size"], row["figure"], row["call"]) for row in rows} == {
        (point.size, float(point.advantage), point.call) for point in points
    }
    assert not any(row["decided"] for row in rows)
    assert chart.crossings(found.results) == []  # three rounds decide nothing
    monkeypatch.setattr(chart, "crossing", lambda _: Crossing(1024, 2048))
    assert "pays from 1,448 on" in texts(svg(found.plot()))
    monkeypatch.setattr(chart, "crossing", lambda _: Crossing(None, 64))
    assert "pays everywhere from 64 on" in texts(svg(found.plot()))


def test_costs_show_every_constant_that_was_measured() -> None:
    found = package.load(OLD / "costs.json")
    rows = [row for row in shown(found.plot()) if "figure" in row]
    medians = {float(estimate(found.results.values(case))) for case in found.results}
    assert {row["figure"] for row in rows} == medians
    assert len({row["row"] for row in rows}) == len(list(found.results))  # each has a row of its own
    words = words_of(OLD / "costs.json")
    assert "a process, by spawn" in words
    assert "32.6 ms" in words


def test_scaling_shows_the_seconds_of_every_column() -> None:
    found = package.load(OLD / "scaling.json")
    rows = [row for row in shown(found.plot()) if "column" in row]
    for row in rows:
        assert row["figure"] == float(found.seconds(row["column"], row["workers"]))
    assert {row["workers"] for row in rows} == set(found.workers)
    assert "2 CPUs" in words_of(OLD / "scaling.json")


def test_bands_are_of_intervals_and_not_of_ranges(charts: Any) -> None:
    bands = charts.bands(charts.alt.Chart(charts.values([])), charts.alt.Scale()).to_dict()
    assert bands["transform"] == [{"filter": "datum.decided"}]
    for kind in ("threshold", "scaling"):
        found = package.load(OLD / f"{kind}.json")
        areas = [layer for layer in found.plot().to_dict()["layer"] if layer["mark"].get("type") == "area"]
        assert [area["encoding"]["y2"] for area in areas] == [{"field": "high"}]
        assert "bands" not in words_of(OLD / f"{kind}.json")  # three rounds have no interval


def test_claims_show_the_ruling_on_each() -> None:
    found = package.load(OLD / "claims.json")
    rows = {row["claim"]: row for row in shown(found.plot())}
    assert {name: row["ruling"] for name, row in rows.items()} == {
        name: finding.ruling.value for name, finding in found.findings.items()
    }
    assert all(row["measured"] == found.findings[name].measured for name, row in rows.items())


def test_a_timeline_shows_who_had_the_gil_for_how_long(charts: Any) -> None:
    found = history()
    drawn = STUDIES["timeline"].chart(found)
    length = (found.end - found.start) * 1e3
    rows = shown(drawn)
    words = texts(svg(drawn))
    assert all(worker.name in words for worker in found.workers)
    for index, worker in enumerate(found.workers):
        own = [row for row in rows if row.get("worker") == worker.name]
        assert all(0 <= row["start"] < row["end"] <= length + 1e-6 for row in own)
        had = sum(row["end"] - row["start"] for row in own if row["does"] == "has the GIL")
        held = found.held(index).between(found.start, found.end) * 1e3
        assert had == pytest.approx(held, abs=0.1 * length)  # what lasted longest in each cell
    assert {row["does"] for row in rows if "does" in row} <= set(charts.DRAWN_AS)


@pytest.mark.parametrize("cpus", [4, 64])
def test_all_kernels_on_large_machines(cpus: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = Machine(cpus, monkeypatch, tmp_path)
    found, _ = made.carried_out(made.kernels(), USUAL_PACE, {"objects": HOLDS, "synthetic": Made(held=0.5)})
    rows = [row for row in shown(found.plot()) if "kernel" in row]
    assert {row["kernel"] for row in rows} == set(KERNELS)
    nogil = next(row for row in rows if (row["kernel"], row["what"]) == ("lcg", "nogil threads"))
    assert nogil["figure"] == float(found.speedup("nogil", "threads", kernel="lcg"))
    assert "synthetic" in texts(svg(found.plot()))
    own, _ = made.carried_out(made.own(1, 2, cpus, shared=True), OWN_PACE, {"own": Made()})
    assert {row["workers"] for row in shown(own.plot()) if "workers" in row} == {1, 2, cpus}
    assert "shared" in texts(svg(own.plot()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_on_a_busy_machine_it_is_written_across_the_picture(path: Path, charts: Any, tmp_path: Path) -> None:
    """In the dark it asks the same."""
    busy = package.load(changed(path, tmp_path / "busy.json", "gilkit_load", 1.3))
    assert busy.results.load >= BUSY
    dark = {"config": charts.themed(dark=True)}
    words = texts(drawn_by(specification(busy.plot()) | dark))
    asks(busy, words)
    assert "BUSY: other programs use 1.3 of 2 CPUs" in words
    assert "believe no figure here" in words


def test_a_bar_is_an_interval_or_a_range_that_says_so(charts: Any) -> None:
    assert charts.bar(Estimate(2.0, 1.5, 2.5)) == {"figure": 2.0, "low": 1.5, "high": 2.5, "decided": True}
    ranged = Estimate(2.0, least=1.0, most=90.0)
    assert charts.bar(ranged) == {"figure": 2.0, "low": 1.0, "high": 90.0, "decided": False}
    assert charts.bar(Estimate(2.0)) == {"figure": 2.0, "low": 2.0, "high": 2.0, "decided": True}
    assert charts.reach([charts.bar(ranged)], 1.0) == [
        1.0,
        4.0,
    ]  # no bar stretches the axis so that nothing else is seen


def test_colours_are_of_a_palette_for_all_eyes(charts: Any) -> None:
    okabe_ito = {"#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"}
    known = {look.colour for look in charts.DRAWN_AS.values() if look.colour.startswith("#")}
    assert okabe_ito <= known
    assert len(known - okabe_ito) == 2  # a grey, and a brown


# Files.


def test_a_picture_is_written_as_its_ending_says(tmp_path: Path) -> None:
    found = package.load(OLD / "comparison.json")
    starts = {"svg": b"<svg", "PNG": b"\x89PNG", "html": b"<!DOCTYPE html>"}
    for ending, start in starts.items():
        found.plot(tmp_path / f"picture.{ending}")
        assert (tmp_path / f"picture.{ending}").read_bytes().lstrip().startswith(start), ending
    page = (tmp_path / "picture.html").read_text("utf-8")
    assert not re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["'](?:https?:)?//""", page)
    assert "nogil threads" in page


def test_a_file_is_drawn_from_the_command_line_and_its_table_stays(tmp_path: Path) -> None:
    path = str(OLD / "timeit.json")
    done = answered("show", path, "--plot", str(tmp_path / "picture.svg"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == answered("show", path).stdout
    assert "sent" in texts((tmp_path / "picture.svg").read_text("utf-8"))


@pytest.mark.usefixtures("hasty")
def test_what_is_measured_is_drawn(tmp_path: Path) -> None:
    drawn, saved = tmp_path / "picture.svg", tmp_path / "found.json"
    arguments = ("costs", "pickle-1kB", "--rounds", "1", "--plot", str(drawn), "-o", str(saved))
    done = answered(*arguments)
    assert done.returncode == 0, done.stderr
    assert "pickle alone, 1 kB" in texts(drawn.read_text("utf-8"))
    assert Case("costs", "pickle-1kB", "serial", 1) in list(package.load(saved).results)


COMMANDS = [
    ("compare", "lcg"), ("timeit", "pass"), ("beside", "pass"), ("layout", "pass"), ("threshold", "crc32"),
    ("costs",), ("scaling",), ("claims",), ("timeline", "lcg"), ("map", "str", "[1]"),
    ("show", str(OLD / "costs.json")),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_what_cannot_be_drawn_is_refused_before_anything_is_measured(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    refused(answered(*command, "--plot", "x.pdf"), "a plot must end in .svg, .png or .html, not x.pdf")
    refused(answered(*command, "--plot", str(tmp_path / "no" / "x.svg")), "cannot write to")
    assert not list(tmp_path.iterdir())
