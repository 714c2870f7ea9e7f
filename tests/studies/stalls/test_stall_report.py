"""The report of stalls, from a file: what is told, of whom, and what a damaged file says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pictures import needs_pictures
from traceformat import checked, tracks

import gilkit
from gilkit.display.data import csv_text
from gilkit.display.tables import plain
from gilkit.errors import ResultsError
from gilkit.gil.places import (
    C_CALL,
    CERTAIN_PLACE,
    COLLECTION,
    LIKELY_PLACE,
    PUT_ASIDE,
    PYTHON_CODE,
    Stall,
)
from gilkit.gil.threads import ThreadId
from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.file import build
from gilkit.studies.stalls import STUDY
from gilkit.studies.stalls.notes import children
from gilkit.studies.stalls.study import StallReport
from gilkit.studies.stalls.watched import KeptPlace, Watched, joined, short

FILE = Path(__file__).parents[2] / "results" / "old_files" / "stalls.json"
OWN = KeptPlace("/srv/app.py", 31, "report", "app.py", False, "text = json.dumps(rows)")
INNER = KeptPlace("/usr/lib/json/encoder.py", 258, "iterencode", "json/encoder.py", True, "return c_make()")
OTHER = KeptPlace("/srv/app.py", 40, "index", "app.py", False, "rows.sort()")
MAIN, WORKER, ENDED = ThreadId("MainThread", 1), ThreadId("worker-1", 2), ThreadId(None, None)
STALLS = (
    Stall(100.1, 100.3, WORKER, C_CALL, CERTAIN_PLACE, (INNER, OWN)),
    Stall(100.4, 100.45, MAIN, PYTHON_CODE, LIKELY_PLACE, (OTHER,)),
    Stall(100.5, 100.6, WORKER, C_CALL, CERTAIN_PLACE, (INNER, OWN)),
    Stall(100.7, 100.71, ENDED),
)
SEEN = Watched("main", 9, 100.0, 2.0, STALLS, (("worker-1", 0.5), ("MainThread", 0.3)), 0.8, 0.4, ended=True)


def report(*watched: Watched, gil: str = "on") -> StallReport:
    records = [
        Record(
            Case("program", f"child-{number}" if number else "main", "process", 1),
            [one.seconds],
            facts.STALLS_SEEN.entry(one.packed()),
        )
        for number, one in enumerate(watched)
    ]
    run = {
        **facts.machine_facts(),
        **facts.GIL.entry(gil),
        **facts.KIND.entry(STUDY.kind),
        **facts.SUBJECT.entry("app.py"),
        **facts.COUNTS_FROM.entry(0.01),
    }
    return StallReport(build(records, run, {}))


def words(found: StallReport, width: int = 80) -> str:
    return " ".join(plain(found, width).split())


def test_what_is_packed_is_unpacked() -> None:
    again = Watched.unpacked(json.loads(json.dumps(SEEN.packed())))
    assert again == replace(SEEN, stalls=again.stalls)
    for stall, there in zip(again.stalls, STALLS, strict=True):
        assert (stall.start, stall.end) == pytest.approx((there.start, there.end), abs=2e-6)
        assert replace(stall, start=there.start, end=there.end) == there
    assert len(SEEN.packed()["places"]) == 3  # each once


def test_lines_are_told_the_widest_first_and_where_they_led() -> None:
    text = words(report(SEEN))
    first = "300 ms 2 200 ms app.py:31 report → json/encoder.py:258 iterencode text = json.dumps(rows)"
    assert f"{first} one C call · certain" in text
    assert "50.0 ms 1 50.0 ms app.py:40 index rows.sort() Python code · likely" in text
    assert "10.0 ms 1 10.0 ms not known somebody waited" in text
    assert text.index(first) < text.index("app.py:40") < text.index("not known")
    assert "at least 400 ms: 20% of the time" in text
    assert "held for 80% of the time: worker-1 50%, MainThread 30%" in text
    assert "app.py:31 report: it saves others 300 ms of waiting, of 360 ms in stalls; let it release" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_into_the_width_that_there_is(width: int) -> None:
    long = replace(OWN, short="a/very/long/path/" * 4 + "app.py", text="call(" + "x, " * 40 + ")")
    found = report(replace(SEEN, stalls=(replace(STALLS[0], stack=(INNER, long)),)))
    assert max(map(len, plain(found, width).splitlines())) <= width
    assert "json/encoder.py:258" in words(found, width)


def test_many_lines_are_cut_and_counted() -> None:
    stalls = [
        replace(STALLS[0], start=100 + n / 10, end=100.05 + n / 10, stack=(replace(OWN, line=n + 1),))
        for n in range(13)
    ]
    text = words(report(replace(SEEN, stalls=tuple(stalls))))
    assert text.count("one C call") == 10
    assert "and 3 more lines: 150 ms" in text
    assert len(report(replace(SEEN, stalls=tuple(stalls))).rows()) == 13


def test_workers_of_one_name_are_told_as_one_and_the_line_to_mend_is_that_of_all() -> None:
    first, second = (
        replace(SEEN, name=f"ForkPoolWorker-{n}", pid=20 + n, stalls=(STALLS[1],)) for n in (1, 2)
    )
    crashed = replace(SEEN, name="crasher", pid=30, stalls=(), ended=False)
    found = report(replace(SEEN, stalls=STALLS[:1]), first, second, crashed)
    text = words(found)
    assert "2 × ForkPoolWorker, watched for 4.00 s in all" in text
    assert "100 ms 2 50.0 ms app.py:40 index" in text
    assert text.count("ended by force") == 1
    assert text.index("crasher") < text.index("ended by force")
    so_far = words(report(replace(SEEN, ended=False), crashed))
    assert "crasher, watched for 2.00 s so far" in so_far
    assert "ended by force" not in so_far
    assert found.to_dict()["to_mend"]["place"] == "app.py:31 report"
    assert [one["pids"] for one in found.to_dict()["processes"]] == [[9], [21, 22], [30]]


@pytest.mark.parametrize(
    ("kind", "words_of_it"),
    [
        (
            COLLECTION,
            "collection made others wait for 500 ms, of 800 ms in stalls: keep fewer objects",
        ),
        (
            PUT_ASIDE,
            "the CPU to others made others wait for 500 ms, of 800 ms in stalls",
        ),
    ],
)
def test_no_line_is_to_be_mended_for_what_comes_up_on_any(kind: str, words_of_it: str) -> None:
    anywhere = (
        Stall(100.0, 100.3, MAIN, kind, CERTAIN_PLACE, (OTHER,)),
        Stall(101.0, 101.2, MAIN, kind, CERTAIN_PLACE, (OWN,)),
        Stall(102.0, 102.3, MAIN, C_CALL, CERTAIN_PLACE, (OTHER,)),
    )
    found = report(replace(SEEN, stalls=anywhere))
    assert words_of_it in words(found)
    assert found.to_dict()["to_mend"]["place"] is None
    assert found.to_dict()["to_mend"]["kind"] == kind


def test_what_harms_nobody_and_what_was_not_seen_is_told_apart() -> None:
    quiet = replace(SEEN, stalls=(), waited=0.0, alone=12, dropped=3, note="why not")
    text = words(report(quiet))
    assert "nobody waited for the GIL for 10 ms or longer" in text
    assert "held for 10 ms or longer while nobody waited: 12 times, which harms nobody" in text
    assert "not all was seen: why not" in text
    assert "3 more stalls were not kept" in text
    assert text.endswith("no line was seen to make anybody wait for 10 ms or longer")
    assert words(report(replace(quiet, note=""))).endswith("no line made anybody wait for 10 ms or longer")


def test_where_a_line_is_not_known_it_says_why_if_that_is_known() -> None:
    text = words(report(replace(SEEN, stalls=STALLS[3:], note="its frames cannot be read")))
    assert "10.0 ms not known: its frames cannot be read somebody waited" in text


def test_without_a_gil_or_a_monitor_it_says_what_cannot_be_known() -> None:
    nothing = replace(SEEN, stalls=(), waited=0.0, held=None, threads=())
    missing = words(report(replace(nothing, missing="its layout is unknown")))
    assert "nothing can be seen: its layout is unknown" in missing
    assert missing.endswith("which lines make others wait cannot be known here")


def test_without_a_gil_it_is_about_threads_that_all_wait_for() -> None:
    text = words(report(SEEN, gil="off"))
    assert "the line that they waited for" in text
    assert "somebody waited for another thread to stop or to go on for at least" in text
    assert "a thread was attached for" in text
    assert "let it detach" in text
    assert "GIL" not in text.partition("GIL off")[2].replace("releases the GIL", "")
    none = words(report(replace(SEEN, stalls=(), waited=0.0), gil="off"))
    assert "nobody waited for another thread to stop or to go on for 10 ms or longer" in none
    alone = words(report(replace(SEEN, alone=2), gil="off"))
    assert "threads stopped, or were to stop, for 10 ms or longer while nobody waited: 2 times" in alone
    assert "held" not in alone


def test_what_is_waited_in_all_and_in_stalls_is_told_apart() -> None:
    """Of shorter waits only the sum is known."""
    text = words(report(replace(SEEN, waited=9.0)))
    assert "somebody waited for the GIL for at least 9.00 s" in text
    assert "of 360 ms in stalls" in text


def test_rows_are_lines_and_a_frame_has_every_stall() -> None:
    pytest.importorskip("pandas", reason="there is no pandas here")
    found = report(SEEN)
    assert [row["stalls"] for row in found.rows()] == [2, 1, 1]
    frame = found.to_frame()
    assert len(frame) == len(STALLS)
    assert list(frame["start"]) == pytest.approx([0.1, 0.4, 0.5, 0.7])
    assert list(frame["inner_line"][:2]) == [258, 40]


def test_without_stalls_the_csv_is_empty() -> None:
    assert csv_text(report(replace(SEEN, stalls=())).rows()) == ""


def test_a_trace_has_each_stall_on_the_track_of_its_thread() -> None:
    found = report(SEEN, replace(SEEN, name="child", pid=10, start=100.0))
    from gilkit.studies.stalls.trace_events import events

    every = checked(events(found.results))
    there = tracks(every)
    assert {(pid, name): len(slices) for (pid, name), slices in there.items()} == {
        (pid, name): count
        for pid in (9, 10)
        for name, count in (("worker-1", 2), ("MainThread", 1), ("a thread that ended", 1))
    }
    [first, _] = there[9, "worker-1"]
    assert (first["ts"], first["dur"], first["name"]) == (100_000, 200_000, "app.py:31 report")
    assert first["args"]["stack"] == ["json/encoder.py:258 iterencode", "app.py:31 report"]


@needs_pictures
def test_a_picture_has_the_lines_and_is_drawn_without_any() -> None:
    from gilkit.display.picture_files import svg
    from gilkit.studies.stalls.chart import rows

    found = report(SEEN)
    assert [row["figure"] for row in rows(found.results)] == [line["seconds"] for line in found.rows()]
    assert "app.py:31 report" in svg(found.plot())
    assert "anybody wait" in svg(report(replace(SEEN, stalls=())).plot())


# What a killed child leaves.


def test_of_a_child_that_was_killed_in_a_line_what_was_whole_is_kept() -> None:
    chunks = [
        replace(SEEN, stalls=STALLS[:1], ended=False),
        replace(SEEN, stalls=STALLS[1:2], alone=7, ended=False),
    ]
    lines = [json.dumps(chunk.packed()) for chunk in chunks]
    [found] = children(["\n".join([*lines, lines[0][:100]]), "", "{"])
    assert [stall.kind for stall in found.stalls] == [C_CALL, PYTHON_CODE]
    assert (found.alone, found.ended) == (7, False)
    assert joined([SEEN]) == SEEN


def test_files_are_called_from_the_working_folder_or_from_that_of_their_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.path", ["/srv/app", "/usr/lib/python", "/usr/lib/python/site-packages"])
    assert short("/srv/app/views.py", "/srv", False) == "app/views.py"
    assert short("/srv/app/views.py", "/home", False) == "views.py"
    assert short("/srv/venv/x.py", "/srv", True) == "/srv/venv/x.py"
    assert short("/usr/lib/python/site-packages/a/b.py", "/", True) == "a/b.py"
    assert short("<string>", "/srv", False) == "<string>"


# Damaged files.


def changed(change: Callable[[dict[str, Any]], object], to: Path) -> Path:
    """The file, with what was seen of the program changed."""
    found = json.loads(FILE.read_text("utf-8"))
    [main] = [one for one in found["benchmarks"] if "main" in one["metadata"]["name"]]
    seen = json.loads(main["metadata"]["gilkit_stalls"])
    change(seen)
    main["metadata"]["gilkit_stalls"] = json.dumps(seen)
    to.write_text(json.dumps(found), "utf-8")
    return to


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no pid": lambda seen: seen.pop("pid"),
    "name": lambda seen: seen.update(name=3),
    "seconds": lambda seen: seen.update(seconds="3"),
    "negative": lambda seen: seen.update(waited=-1.0),
    "stalls": lambda seen: seen.update(stalls=3),
    "stall": lambda seen: seen["stalls"][0].pop(),
    "kind": lambda seen: seen["stalls"][0].__setitem__(4, None),
    "no such place": lambda seen: seen["stalls"][0].__setitem__(6, [999]),
    "place before the first": lambda seen: seen["stalls"][0].__setitem__(6, [-1]),
    "line": lambda seen: seen["places"][0].__setitem__(1, "6"),
    "file": lambda seen: seen["places"][0].__setitem__(0, None),
    "threads": lambda seen: seen.update(threads=[["a"]]),
    "ended": lambda seen: seen.pop("ended"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_says_so(name: str, tmp_path: Path) -> None:
    path = changed(DAMAGES[name], tmp_path / "damaged.json")
    with pytest.raises(ResultsError, match=r"damaged\.json is damaged: "):
        gilkit.load(path)


def test_an_undamaged_one_is_read(tmp_path: Path) -> None:
    path = changed(lambda _: None, tmp_path / "whole.json")
    assert plain(gilkit.load(path)) == plain(gilkit.load(FILE))
    again = tmp_path / "again.json"
    gilkit.load(path).save(again)
    assert plain(gilkit.load(again)) == plain(gilkit.load(FILE))
