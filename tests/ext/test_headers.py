"""What is read of interpreters' insides compiles for all whose headers are here, with a GIL and without."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "ext" / "gil_state.c"
COMPILER = (sysconfig.get_config_var("CC") or "").split()
ASK = """
import json, sys, sysconfig
paths = {sysconfig.get_path(name): 0 for name in ("include", "platinclude")}
print(json.dumps([sys.version_info[:2], bool(sysconfig.get_config_var("Py_GIL_DISABLED")), list(paths)]))
"""
NAMES = [f"python3.{minor}{build}" for minor in range(11, 20) for build in ("", "t")]
PYENV = Path(
    os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")
)  # on the path are those of one version only
FOLDERS = os.pathsep.join([*map(str, PYENV.glob("versions/*/bin")), os.environ.get("PATH", os.defpath)])
FOUND = [shutil.which(name, path=FOLDERS) for name in NAMES]
PYTHONS = [sys.executable, *filter(None, FOUND)]  # this one, and others that are here


@cache
def headers(python: str) -> tuple[tuple[int, int], bool, list[str]]:
    """The version of an interpreter, whether it was built without a GIL, and its folders of headers."""
    done = subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("it does not start")
    version, free, folders = json.loads(done.stdout)
    if not any(Path(folder, "internal", "pycore_interp.h").exists() for folder in folders):
        pytest.skip("its internal headers are not here")
    return tuple(version), free, folders


@pytest.mark.parametrize(  # the gate asks whether "without" was passed
    "gil",
    [pytest.param("-UPy_GIL_DISABLED", id="with"), pytest.param("-DPy_GIL_DISABLED=1", id="without")],
)
@pytest.mark.parametrize("python", PYTHONS, ids=lambda python: Path(python).name)
def test_the_readers_compile_with_and_without_a_gil(python: str, gil: str) -> None:
    version, free, folders = headers(python)
    if gil.startswith("-D") and version < (3, 13):
        pytest.skip("before 3.13 there was no build without a GIL")
    if gil.startswith("-U") and free:
        pytest.skip("these headers are those of a build without a GIL")
    includes = [f"-I{path}" for path in (*folders, SOURCE.parent)]
    command = [*COMPILER, gil, "-Wall", "-Werror=implicit-function-declaration", "-fsyntax-only", *includes]
    try:
        done = subprocess.run([*command, str(SOURCE)], capture_output=True, text=True, check=False)
    except OSError:
        pytest.skip("no compiler that says whether it compiles")
    assert done.returncode == 0, done.stderr
    assert str(SOURCE) not in done.stderr, done.stderr  # no warning
