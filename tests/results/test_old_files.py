"""Results files of before: one of each kind, written by version 0.1.0 when it measured stretches.

What was measured stays; the intervals around it are those of today. A file without a text beside it is of a
kind that came later, made up for the pictures.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import gilkit
from gilkit.display.tables import plain

KINDS = {"claims", "comparison", "costs", "scaling", "threshold"}  # of version 0.1.0
OLD = Path(__file__).with_name("old_files")
FILES = sorted(path for path in OLD.glob("*.json") if path.with_suffix(".txt").exists())


def test_every_kind_of_then_is_kept() -> None:
    kinds = {gilkit.load(path).results.kind for path in FILES}
    assert kinds == KINDS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_is_shown_with_the_intervals_of_today_and_a_word(path: Path) -> None:
    assert plain(gilkit.load(path)) == path.with_suffix(".txt").read_text("utf-8").rstrip()


@pytest.mark.parametrize("width", [54, 30])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_cut_where_it_is_narrow(path: Path, width: int) -> None:
    text = plain(gilkit.load(path), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_is_saved_again_unchanged(path: Path, tmp_path: Path) -> None:
    found = gilkit.load(path)
    found.save(tmp_path / "again.json")
    assert repr(gilkit.load(tmp_path / "again.json")) == repr(found)


def test_a_trace_is_told_from_results() -> None:
    with pytest.raises(gilkit.errors.ResultsError, match=r"is a trace: open it in https://ui\.perfetto\.dev"):
        gilkit.load(OLD / "trace.json")
