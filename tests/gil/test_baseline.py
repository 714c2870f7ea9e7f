"""Baselines: what is known is allowed, with a margin; what is new is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilkit.errors import ResultsError
from gilkit.gil.baseline import Baseline, Known


def test_what_is_recorded_is_read_and_what_is_short_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "holds.json"
    first = Baseline(path, 0.02)
    assert not first.there
    assert first.record({"b": Known(0.06, "app.py:3 f"), "a": Known(0.015, "app.py:1 g"), "c": None}) == 1
    second = Baseline(path, 0.01)
    assert second.there
    assert second.known == {"b": Known(0.06, "app.py:3 f")}
    assert second.limit("b") == (0.12, "the baseline has 60 ms at app.py:3 f, and allows 120 ms")
    assert second.limit("a") == (0.02, "the baseline knows no hold of it, and allows 20 ms")
    assert second.record({"a": Known(0.03, "app.py:1 g")}) == 2
    assert list(Baseline(path, 0.01).known) == ["a", "b"]
    assert Baseline(path, 0.05).limit("a")[0] == 0.06
    assert second.record({"b": None}) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_an_update_lowers_what_is_recorded_and_nothing_else_does(tmp_path: Path) -> None:
    path = tmp_path / "holds.json"
    Baseline(path).record({"a": Known(0.03, "app.py:1 g")})
    assert [Baseline(path, asked).longer for asked in (None, 0.01, 0.05)] == [0.02, 0.02, 0.05]
    lower = Baseline(path, 0.01, update=True)
    assert lower.record({"b": Known(0.015, "app.py:3 f")}) == 2
    assert Baseline(path).longer == Baseline(path, update=True).longer == 0.01


def test_a_path_that_is_no_text_is_kept(tmp_path: Path) -> None:
    path, known = tmp_path / "holds.json", {"a": Known(0.03, "\udce4.py:1 g")}
    Baseline(path).record(known)
    assert Baseline(path).known == known


def written(**facts: str) -> str:
    """A baseline with one test, and what is said in JSON in the place of what it says."""
    found = {"gil_baseline": "1", "from": "0.02", "longest": "0.05", "at": '"app.py:3 f"'} | facts
    test = f'{{"longest": {found["longest"]}, "at": {found["at"]}}}'
    return f'{{"gil_baseline": {found["gil_baseline"]}, "from": {found["from"]}, "tests": {{"b": {test}}}}}'


NO_SECONDS = ("1" + 400 * "0", "1e999", "NaN", "-1", "true", '"0.05"', "null")


@pytest.mark.usefixtures("nothing_collected")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, "is no baseline of gilkit") for text in ("", "[]", "{}", "1", "[" * 100_000)),
        ('{"gil_baseline": 1, "from": 1, "tests": 1}', "is no baseline of gilkit"),
        ('{"gil_baseline": 1, "from": 1, "tests": []}', "is no baseline of gilkit"),
        *((written(**{"from": text}), "is no baseline of gilkit") for text in NO_SECONDS),
        *((written(longest=text), "is no baseline of gilkit") for text in NO_SECONDS),
        (written(at="3"), "is no baseline of gilkit"),
        (written(gil_baseline="true"), "is no baseline of gilkit"),
        (written(gil_baseline="2"), "is a baseline of version 2: only 1 can be read"),
    ],
    ids=lambda value: value[:40],
)
def test_another_file_is_refused_and_left_alone(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "holds.json"
    path.write_text(written())
    assert Baseline(path).known == {"b": Known(0.05, "app.py:3 f")}
    path.write_text(text)
    with pytest.raises(ResultsError, match=rf"holds\.json {said}$"):
        Baseline(path)
    assert path.read_text() == text


def test_where_it_cannot_be_written_is_said_before(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot write to "):
        Baseline(tmp_path / "nowhere" / "holds.json", 0.02)
