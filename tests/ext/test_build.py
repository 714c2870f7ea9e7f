"""Installing from source where the compiler lacks something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for a compiler is a shell script")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what the package is built from."""
    pytest.importorskip("Cython")
    copy = tmp_path / "source"
    for part in ("ext", "gilkit"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("*.so", "*.html"))
    for part in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, copy)
    return copy


def build(source: Path, compiler: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "setup.py", "-q", "build", "-j", "2", "--build-lib", "built"],
        cwd=source,
        env={**os.environ, "CC": str(compiler), "LDSHARED": f"{compiler} -shared"},
        capture_output=True,
        text=True,
        check=False,
    )


def stand_in(folder: Path, body: str) -> Path:
    """A compiler that is a script."""
    script = folder / "cc"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return script


def test_without_a_compiler_the_last_line_says_so(source: Path) -> None:
    done = build(source, source / "no-such-compiler")
    assert done.returncode != 0
    last = (done.stdout + done.stderr).strip().splitlines()[-1]
    assert last.startswith("gilkit: installing from source needs a C compiler")


def test_without_pythons_headers_the_last_line_says_so(source: Path, tmp_path: Path) -> None:
    script = stand_in(
        tmp_path, 'case "$*" in *-c*) for a; do grep -qs Python.h "$a" && exit 1; done;; esac\nexec cc "$@"'
    )
    done = build(source, script)
    assert done.returncode != 0
    last = (done.stdout + done.stderr).strip().splitlines()[-1]
    assert "needs Python's C headers" in last


NEITHER = """
case "$*" in *-fopenmp*) echo no such flag >&2; exit 1;; *-DGILKIT_NO_GIL_STATE*) exec cc "$@" -O0;; esac
for a; do case "$a" in *.c) grep -qs pycore_interp.h "$a" && exit 1;; esac; done
exec cc "$@" -O0
"""


def test_without_openmp_and_internal_headers_all_else_is_there(source: Path, tmp_path: Path) -> None:
    script = stand_in(tmp_path, NEITHER)
    done = build(source, script)
    assert done.returncode == 0, done.stderr
    assert "gilkit: left out: the native variant: the compiler has no OpenMP\n    no such flag" in done.stderr
    assert "gilkit: left out: the GIL monitor: this Python's internal headers do not fit" in done.stderr
    for module in (source / "ext").glob("*.pyx"):
        assert f"gilkit: gilkit._ext.{module.stem} from ext/{module.name}" in done.stderr

    def gilkit(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "gilkit", *arguments],
            cwd=source / "built",
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    listed = " ".join(gilkit("list").split())
    assert "openmp: gilkit was built without OpenMP" in listed
    table = gilkit("compare", "lcg", "--quick", "--rounds", "2")
    assert "ceiling: processes on lcg" in " ".join(table.split())
    assert next(line for line in table.splitlines() if line.startswith("lcg ")).split()[3] == "–"
    script_text = (
        "import gilkit\ntry:\n    gilkit.held_share(len, '')\nexcept RuntimeError as e:\n    print(e)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script_text], cwd=source / "built", capture_output=True, text=True, check=True
    ).stdout
    assert "without this interpreter's internal headers" in told
