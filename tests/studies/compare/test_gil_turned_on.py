"""A module that turns the GIL on is named by all that call it; see `gilkit.gil.turned_on`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import HASTY, gilkit
from undeclared import compiled, needs_compiler, needs_free_threads

import gilkit as package
from gilkit.engine.gil_facts import gil_facts
from gilkit.errors import CaseFailedError
from gilkit.gil.turned_on import GilState
from gilkit.machine import free_threaded
from gilkit.results import facts
from gilkit.workloads.statement import StatementCall

WHY = "undeclared is an extension module that does not declare Py_mod_gil"
COMMANDS = {
    "timeit": ["-s", "import undeclared", "undeclared.twice(1)", "--rounds", "1", "--workers", "2"],
    "beside": ["-s", "import undeclared", "undeclared.twice(1)", "--rounds", "1"],
    "threshold": [
        "-s", "import undeclared", "undeclared.twice(n)", "--rounds", "1", "--workers", "2", "--sizes", "1:2",
    ],
    "timeline": ["-s", "import undeclared", "undeclared.twice(1)", "--calls", "5"],
}  # fmt: skip


class MadeUpLab:
    """What a lab tells of the GIL; that of an executor that is not here cannot be told."""

    def __init__(self, **states: GilState) -> None:
        self.states = states

    def gil(self, executor: str, _: object) -> GilState:
        """Return what is known."""
        if executor not in self.states:
            raise CaseFailedError("it fails")
        return self.states[executor]


OFF, ON = GilState(False), GilState(True, modules=("a",))
CALL = StatementCall("", "")


@pytest.mark.parametrize(
    ("states", "on", "modules", "elsewhere"),
    [
        ({"threads": OFF, "processes": OFF}, "off", [], {}),
        ({"threads": ON, "processes": ON}, "on", ["a"], {}),
        ({"threads": ON, "processes": OFF}, "on", ["a"], {"processes": "off"}),
        ({"threads": OFF, "processes": ON}, "off", ["a"], {"processes": "on"}),
        ({"processes": ON}, "on", ["a"], {}),
        ({"threads": ON}, "on", ["a"], {}),
    ],
)
def test_what_a_file_says_of_all_executors(
    states: dict[str, GilState], on: str, modules: list[str], elsewhere: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("gilkit.engine.gil_facts.free_threaded", lambda: True)
    workloads = dict.fromkeys(("threads", "processes", "openmp"), CALL)
    found = gil_facts(MadeUpLab(**states), workloads, {})  # type: ignore[arg-type]
    assert facts.GIL.of(found) == on
    assert facts.GIL_MODULES.of(found, []) == modules
    assert facts.GIL_ELSEWHERE.of(found, {}) == elsewhere


def test_what_was_turned_on_before_is_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gilkit.engine.gil_facts.free_threaded", lambda: True)
    lab = MadeUpLab(threads=GilState(True, modules=("b", "a")))
    found = gil_facts(lab, {"threads": CALL}, ON.facts)  # type: ignore[arg-type]
    assert facts.GIL_MODULES.of(found) == ["a", "b"]


@pytest.mark.skipif(free_threaded(), reason="this interpreter is free-threaded")
def test_where_there_always_is_a_gil_nobody_is_asked() -> None:
    assert gil_facts(MadeUpLab(), {"threads": CALL}, {}) == {}  # type: ignore[arg-type]


@needs_free_threads
@needs_compiler
class TestFreeThreaded:
    """Of a free-threaded interpreter."""

    @pytest.mark.parametrize("name", list(COMMANDS))
    def test_reports_name_it_and_say_what_to_do(self, name: str, tmp_path: Path) -> None:
        compiled(tmp_path, "undeclared")
        done = gilkit(name, *COMMANDS[name], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert " · GIL on: turned on by undeclared · " in lines[0]
        assert WHY in lines[1:3]
        assert "gilkit modules undeclared" in " ".join(" ".join(lines[-3:]).split())
        assert "RuntimeWarning" not in done.stderr

    def test_stalls_tells_it_of_the_program(self, tmp_path: Path) -> None:
        compiled(tmp_path, "undeclared")
        done = gilkit("stalls", "-c", "import undeclared", cwd=tmp_path)
        assert " · GIL on: turned on by undeclared · " in done.stderr
        assert WHY in done.stderr.splitlines()
        assert "gilkit modules undeclared" in " ".join(done.stderr.split())
        assert " · GIL off · " in gilkit("stalls", "-c", "import json", cwd=tmp_path).stderr

    def test_results_files_keep_it(self, tmp_path: Path) -> None:
        compiled(tmp_path, "undeclared")
        done = gilkit("timeit", *COMMANDS["timeit"], "-o", "r.json", cwd=tmp_path)
        assert gilkit("show", "r.json", cwd=tmp_path).stdout == done.stdout
        found = json.loads(gilkit("show", "r.json", "--json", cwd=tmp_path).stdout)["facts"]
        assert found["gilkit_gil_modules"] == ["undeclared"]

    def test_workers_of_processes_may_differ(self, tmp_path: Path) -> None:
        compiled(tmp_path, "undeclared")
        once = f"import os; begun = {str(tmp_path / 'begun')!r}"
        first = "os.path.exists(begun) or (open(begun, 'w').close(), __import__('undeclared'))"
        asked = ["-s", once, "-s", first, "len(begun)", "--rounds", "1", "--workers", "2"]
        done = gilkit("timeit", *asked, cwd=tmp_path)
        assert "in workers of processes the GIL was off" in done.stdout, done.stdout + done.stderr

    def test_without_such_a_module_it_stays_off(self, tmp_path: Path) -> None:
        compiled(tmp_path, "declared", declares=True)
        asked = ["-s", "import declared", "declared.twice(1)", "--rounds", "1", "--workers", "2"]
        done = gilkit("timeit", *asked, cwd=tmp_path)
        assert " · GIL off · " in done.stdout.splitlines()[0]
        assert "Py_mod_gil" not in done.stdout

    def test_a_setting_is_that_of_workers(self) -> None:
        done = gilkit("timeit", "len('')", "--rounds", "1", "--workers", "2", start=("-X", "gil=1", *HASTY))
        assert " · GIL on, by -X gil=1 · " in done.stdout.splitlines()[0]

    def test_kernels_of_gilkit_turn_nothing_on(self) -> None:
        found = package.compare(["lcg", "triad"], workers=1, rounds=1, quick=True, size=1000)
        assert facts.GIL.of(found.results.facts) == "off"
        assert facts.GIL_MODULES.of(found.results.facts, []) == []
