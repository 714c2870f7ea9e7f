"""``%load_ext gilkit``: the command line in a real IPython."""

from __future__ import annotations

import atexit
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gilkit
from gilkit.cli.magics import Shown
from gilkit.display.tables import plain
from gilkit.errors import InterruptedRunError
from gilkit.studies.catalogue import Catalogue
from gilkit.studies.outcome import Report

interactiveshell = pytest.importorskip("IPython.core.interactiveshell", reason="there is no IPython here")
pytestmark = [
    pytest.mark.usefixtures("hasty"),
    pytest.mark.filterwarnings("ignore"),  # of IPython's own, in a shell without a terminal
]
FAST = "--rounds 1 --workers 2"
ON_THREADS = f"{FAST} --executor threads"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An IPython without a history that has loaded gilkit."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shell = interactiveshell.InteractiveShell()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "gilkit")
    yield shell
    shell.history_manager.end_session()
    if hasattr(shell.history_manager, "close"):  # not in every version
        shell.history_manager.close()
    atexit.unregister(shell.atexit_operations)  # at exit each would collect the garbage of all tests


def ran(shell: Any, cell: str) -> Any:
    done = shell.run_cell(cell)
    assert done.success, done.error_in_exec
    return done.result


def test_a_line_returns_the_outcome_and_prints_nothing(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(shell, f"r = %gilkit compare lcg --size 2000 {ON_THREADS}")
    assert isinstance(shell.user_ns["r"], gilkit.Comparison)
    assert capsys.readouterr().out == ""


def test_the_shell_shows_html(shell: Any) -> None:
    outcome = ran(shell, "%gilkit costs pickle-1kB --rounds 1")
    data, _ = shell.display_formatter.format(outcome)
    assert data["text/html"].startswith("<pre")
    assert data["text/plain"] == plain(outcome)
    listed = ran(shell, "%gilkit costs --list")
    assert isinstance(listed, Shown)
    assert "pickle" in shell.display_formatter.format(listed)[0]["text/html"]


def test_results_are_shown_again(shell: Any) -> None:
    ran(shell, f"r = %gilkit compare lcg --size 2000 {ON_THREADS} -o r.json")
    assert repr(ran(shell, "%gilkit show r.json")) == repr(shell.user_ns["r"])


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (f"timeit {ON_THREADS}", gilkit.Comparison),
        ("timeline --calls 2 --workers 2", gilkit.Timeline),
        (f"threshold {FAST} --sizes 10:20", gilkit.Threshold),
    ],
)
def test_a_cell_is_the_statement(shell: Any, command: str, kind: type[Report]) -> None:
    outcome = ran(shell, f"%%gilkit {command} -s 'n = 10; sign = {{1}}'\n-1 in sign\nx = {{n}}\nsum(x)\n")
    assert isinstance(outcome, kind)
    assert "-1 in sign; x = {n}; sum(x)" in " ".join(repr(outcome).split())


def test_a_statement_finds_modules_in_the_working_folder(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "beside_the_notebook.py").write_text("VALUE = 3\n", "utf-8")
    outcome = ran(shell, f"%gilkit timeit {FAST} -s 'from beside_the_notebook import VALUE' VALUE")
    assert outcome.failures == {}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%gilkit compare nope", "unknown kernel 'nope': known are "),
        ("%gilkit compare 'lcg", "No closing quotation"),
        ("%gilkit nonsense", "unknown command 'nonsense': known are "),
        ("%gilkit show /nowhere/r.json", "cannot read /nowhere/r.json: No such file"),
        (f"%gilkit timeit {FAST} 1/0", "nothing was measured: ZeroDivisionError: division by zero"),
        (
            "%%gilkit compare\nlcg",
            "a cell is a statement: %%gilkit takes timeit, beside, layout, threshold, timeline",
        ),
        ("%%gilkit timeit\n)", "unmatched ')'"),
    ],
)
def test_errors_are_one_line(shell: Any, cell: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    done = shell.run_cell(cell)
    assert not done.success  # what is below it in the notebook does not run
    out, err = capsys.readouterr()
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in out + err


def test_help_is_printed_and_nothing_exits(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for cell in ("%gilkit", "%gilkit --help", "%gilkit timeit --help", "%gilkit --version"):
        assert ran(shell, cell) is None
        assert "gilkit" in capsys.readouterr().out


def test_what_a_module_says_of_warnings_as_it_is_loaded_stays(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = warnings.showwarning

    def loaded() -> Catalogue:  # as a library may that a command loads
        warnings.filterwarnings("ignore", "PLANTED")
        return Catalogue()

    monkeypatch.setattr("gilkit.studies.catalogue.Catalogue", loaded)
    assert ran(shell, "%gilkit list") is not None
    assert any(pattern and pattern.match("PLANTED") for _, pattern, *_ in warnings.filters)
    assert warnings.showwarning is usual


def test_json_is_printed_and_the_next_command_is_shown_again(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(shell, "%gilkit costs pickle-1kB --rounds 1 --json") is None
    assert json.loads(capsys.readouterr().out)["kind"] == "costs"
    assert isinstance(ran(shell, "%gilkit costs pickle-1kB --rounds 1"), gilkit.Costs)


def test_an_interrupt_returns_what_was_measured(
    shell: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = gilkit.costs("pickle-1kB", rounds=1)

    def stop(*_: object, **__: object) -> None:
        raise InterruptedRunError(kept)

    monkeypatch.setattr("gilkit.studies.costs.study.costs", stop)
    kept = measured
    assert ran(shell, "%gilkit costs") is measured
    assert capsys.readouterr().err == "gilkit: interrupted\n"
    kept = None
    assert not shell.run_cell("%gilkit costs").success
    assert "interrupted: nothing was measured" in capsys.readouterr().err
