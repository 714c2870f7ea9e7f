"""The bar: who is told of progress, and where a bar is drawn."""

from __future__ import annotations

import inspect
import io
import sys
from typing import Any

import pytest
from rich.console import Console

import gilkit
from gilkit.display import progress
from gilkit.display.progress import Bar, NotebookBar, Progress, with_bar
from gilkit.studies.registry import STUDIES

FUNCTIONS = [*(name for name in STUDIES if name in gilkit.__all__), "timeit"]


@with_bar
def study(progress: Any = None) -> Any:
    return progress


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_study_takes_true(name: str) -> None:
    function = getattr(gilkit, name)
    assert "bool" in inspect.signature(function).parameters["progress"].annotation
    with pytest.raises(TypeError, match="progress must be True or callable, not str"):
        function(progress="yes")


def test_a_callable_is_given_on_and_false_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    told = print
    assert study(progress=told) is told
    assert study(progress=False) is None
    assert study() is None
    assert study(progress=True) is None  # no terminal


def test_true_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    for name in ("TTY_COMPATIBLE", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stderr", Terminal())
    step = study(progress=True)
    assert isinstance(step.__self__, Bar)
    text = io.StringIO()
    with Bar(Console(file=text, force_terminal=True, width=60)) as step:
        step(Progress(1, 2, "lcg: round 1 of 2"))
    assert "lcg: round 1 of 2" in text.getvalue()


def test_in_a_notebook_it_is_displayed_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    display = pytest.importorskip("IPython.display", reason="there is no IPython here")
    shown: list[dict[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            assert raw
            shown.append(data)

    def first(data: dict[str, str], raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        shown.append(data)
        return Handle()

    monkeypatch.setattr(display, "display", first)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    with progress.bar() as step:
        assert isinstance(step.__self__, NotebookBar)
        step(Progress(1, 4, "<lcg>"))
    assert [data["text/plain"] for data in shown] == ["starting", "<lcg>", ""]
    assert shown[1]["text/html"] == '<progress value="0.2500"></progress> &lt;lcg&gt; 0:03 left'
    assert shown[2]["text/html"] == ""
