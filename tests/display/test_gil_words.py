"""What reports say of the GIL of a free-threaded build."""

from __future__ import annotations

import pytest

from gilkit.display.gil_words import gil_lines, gil_remedy, gil_words
from gilkit.display.tables import heading
from gilkit.gil.turned_on import GilState
from gilkit.results import facts

ONE = GilState(True, modules=("lxml.etree",)).facts
THREE = GilState(True, modules=("lxml.etree", "a.b", "a.c")).facts


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (GilState(True), "GIL on"),
        (GilState(False), "GIL off"),
        (GilState(True, modules=("a.b",)), "GIL on: turned on by a.b"),
        (GilState(True, modules=("a.b", "c")), "GIL on: turned on by a.b and 1 other"),
        (GilState(True, modules=("a.b", "c", "d")), "GIL on: turned on by a.b and 2 others"),
        (GilState(True, "PYTHON_GIL=1", ("a.b",)), "GIL on, by PYTHON_GIL=1"),
        (GilState(False, "-X gil=0", ("a.b",)), "GIL off, by -X gil=0"),
    ],
)
def test_the_first_line_says_who_turned_it_on(state: GilState, words: str) -> None:
    assert gil_words(state.facts) == words
    assert f" · {words} · " in heading(state.facts, 0.0).plain.split("\n")[0]


def test_the_next_line_says_why() -> None:
    assert list(gil_lines(ONE)) == ["lxml.etree is an extension module that does not declare Py_mod_gil"]
    assert next(gil_lines(THREE)).endswith("does not declare Py_mod_gil; nor do the others")
    assert list(gil_lines(GilState(True).facts)) == []
    assert list(gil_lines(GilState(True, "PYTHON_GIL=1", ("a",)).facts)) == []
    elsewhere = GilState(False).facts | facts.GIL_ELSEWHERE.entry({"processes": "on"})
    assert list(gil_lines(elsewhere)) == ["in workers of processes the GIL was on"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (GilState(True), None),
        (GilState(False), None),
        (GilState(True, modules=("a.b", "a.c", "d")), "gilkit modules a d lists"),
        (GilState(True, "PYTHON_GIL=1"), "without PYTHON_GIL=1"),
        (GilState(False, "PYTHON_GIL=0"), None),
        (GilState(False, "PYTHON_GIL=0", ("a.b",)), "at your own risk: a.b does not declare Py_mod_gil"),
    ],
)
def test_the_last_line_says_what_to_do(state: GilState, said: str | None) -> None:
    found = [text.plain for text in gil_remedy(state.facts)]
    assert len(found) == (said is not None)
    assert said is None or said in found[0]
