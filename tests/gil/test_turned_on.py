"""Whether there is a GIL, and which module turned it on, named by the process in which it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from undeclared import compiled, imports, needs_compiler, needs_free_threads

from gilkit.gil.turned_on import GilState, gil_state
from gilkit.machine import free_threaded, gil_enabled
from gilkit.results import facts

LOOK = """
import json, sys, warnings
from dataclasses import asdict
from gilkit.gil.turned_on import gil_state, notice
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
if sys.argv[2] == "notice":
    notice()
for name in sys.argv[3:]:
    try:
        __import__(name)
    except ImportError:
        pass
print(json.dumps(asdict(gil_state())))
"""


def state_after(
    folder: Path, *names: str, how: str = "notice", options: tuple[str, ...] = (), **environment: str
) -> Any:
    """The state of the GIL of a process that has imported some modules."""
    done = subprocess.run(
        [sys.executable, *options, "-c", LOOK, str(folder), how, *names],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_this_process_tells() -> None:
    state = gil_state()
    assert state.on == gil_enabled()
    if not free_threaded():
        assert state == GilState(True)


def test_what_a_results_file_says_of_it() -> None:
    assert GilState(False).facts == facts.GIL.entry("off")
    known = GilState(True, "PYTHON_GIL=1", ("a", "b.c")).facts
    assert facts.GIL.of(known) == "on"
    assert facts.GIL_SETTING.of(known) == "PYTHON_GIL=1"
    assert facts.GIL_MODULES.of(known) == ["a", "b.c"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Modules of every sort."""
    folder = tmp_path_factory.mktemp("modules")
    compiled(folder, "undeclared")
    compiled(folder, "undeclared_at_once", one_phase=True)
    compiled(folder, "declared", declares=True)
    compiled(folder, "declared_at_once", declares=True, one_phase=True)
    fails = 'PyErr_SetString(PyExc_ImportError, "no"); return -1;'
    compiled(folder, "fails", execute=fails)
    for name in ("declared", "undeclared"):
        compiled(folder, f"at_once_with_{name}", one_phase=True, execute=imports(name))
        compiled(folder, f"declared_with_{name}", declares=True, one_phase=True, execute=imports(name))
        compiled(folder, f"with_{name}", execute=imports(name))
    return folder


@needs_free_threads
@needs_compiler
class TestFreeThreaded:
    """Of a free-threaded interpreter, and modules made for this."""

    @pytest.mark.parametrize("how", ["notice", "look"])
    @pytest.mark.parametrize("name", ["undeclared", "undeclared_at_once"])
    def test_a_module_that_declares_nothing_turns_it_on(self, name: str, how: str, folder: Path) -> None:
        state = state_after(folder, "declared", name, how=how)
        assert state == {"on": True, "setting": "", "modules": [name]}

    @pytest.mark.parametrize("how", ["notice", "look"])
    def test_one_that_declares_it_leaves_it_off(self, how: str, folder: Path) -> None:
        state = state_after(folder, "declared", "declared_at_once", how=how)
        assert state == {"on": False, "setting": "", "modules": []}

    @pytest.mark.parametrize(
        ("name", "needing"),
        [
            ("at_once_with_declared", ["at_once_with_declared"]),  # within which the GIL is on for a while
            ("at_once_with_undeclared", ["undeclared", "at_once_with_undeclared"]),
            ("declared_with_declared", []),
            ("declared_with_undeclared", ["undeclared"]),
            ("with_undeclared", ["with_undeclared", "undeclared"]),  # it was made before it imports
            ("with_declared", ["with_declared"]),
        ],
    )
    def test_who_imports_whom_on_the_way(self, name: str, needing: list[str], folder: Path) -> None:
        assert state_after(folder, name) == {"on": bool(needing), "setting": "", "modules": needing}
        assert sorted(state_after(folder, name, how="look")["modules"]) == sorted(needing)

    def test_one_whose_import_fails_turned_it_on_before(self, folder: Path) -> None:
        assert state_after(folder, "fails") == {"on": True, "setting": "", "modules": ["fails"]}
        assert state_after(folder, "fails", how="look")["on"]  # nobody knows by whom

    @pytest.mark.parametrize("value", ["0", "1"])
    @pytest.mark.parametrize("by", ["PYTHON_GIL=", "-X gil="])
    def test_a_setting_decides(self, by: str, value: str, folder: Path) -> None:
        if by.startswith("-X"):
            state = state_after(folder, "undeclared", options=("-X", f"gil={value}"), PYTHON_GIL="")
        else:
            state = state_after(folder, "undeclared", PYTHON_GIL=value)
        assert state == {"on": value == "1", "setting": f"{by}{value}", "modules": ["undeclared"]}
