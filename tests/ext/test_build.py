"""Installing from source where the compiler lacks something, and Cython's own annotation of what it made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gilkit.kernels import KERNELS

ROOT = Path(__file__).parents[2]
EXT = ROOT / "ext"
Body = list[tuple[int, str]]
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name == "nt", reason="the stand-in for a compiler is a shell script"),
]


def copied(folder: Path) -> Path:
    """A copy of what the package is built from."""
    pytest.importorskip("Cython")
    copy = folder / "source"
    for part in ("ext", "gilkit"):
        made = shutil.ignore_patterns("*.so", "*.html", "_*.c", "__pycache__")
        shutil.copytree(ROOT / part, copy / part, ignore=made)
    for part in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, copy)
    return copy


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return copied(tmp_path)


PLAINLY = ("setup.py",)
ANNOTATED = (
    "-c",
    "import runpy, sys; from Cython.Compiler import Options; Options.annotate = True; "
    "sys.argv[0] = 'setup.py'; runpy.run_path('setup.py', run_name='__main__')",
)


def build(source: Path, compiler: Path, start: tuple[str, ...] = PLAINLY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *start, "-q", "build", "--build-lib", "built"],
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
case "$*" in *-fopenmp*) echo no such flag >&2; exit 1;; *-DGILKIT_NO_GIL_STATE*) exec cc "$@" -O0 -g0;; esac
for a; do case "$a" in *.c) grep -qs pycore_interp.h "$a" && exit 1;; esac; done
exec cc "$@" -O0 -g0
"""
Built = tuple[subprocess.CompletedProcess[str], Path]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A build without OpenMP and internal headers, and its source.

    The functions that modules share are in a module of their own there, for their annotation.
    """
    folder = tmp_path_factory.mktemp("build")
    source = copied(folder)
    for shared in (source / "ext").glob("*.pxd"):
        if shared.stem != "checks":
            shutil.copy(shared, shared.with_name(f"{shared.stem}_inline.pyx"))
    return build(source, stand_in(folder, NEITHER), ANNOTATED), source


@pytest.mark.endurance
def test_without_openmp_and_internal_headers_all_else_is_there(built: Built) -> None:
    done, source = built
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


# Cython's annotation.


def bodies(page: Path) -> dict[str, Body]:
    """The lines of every ``noexcept nogil`` function on a page, each with its score: 0 is plain C."""
    scores = {
        int(line): int(score)
        for score, line in re.findall(
            r'<pre class="cython line score-(\d+)".*?<span class="">(\d+)</span>: ', page.read_text("utf-8")
        )
    }
    found: dict[str, Body] = {}
    current = ""
    for number, line in enumerate(page.with_suffix(".pyx").read_text().splitlines(), 1):
        if head := re.match(r"cdef .*?(\w+)\(.*\) noexcept nogil:", line):
            current = head[1]
            found[current] = []
        elif line and not line[0].isspace():
            current = ""
        elif current and line.strip():
            found[current].append((scores[number], line.strip()))
    return found


@pytest.fixture(scope="module")
def functions(built: Built) -> dict[str, Body]:
    """Every ``noexcept nogil`` function of ``ext/``."""
    found: dict[str, Body] = {}
    for page in (built[1] / "ext").glob("*.html"):
        found.update(bodies(page))
    return found


@pytest.mark.endurance
@pytest.mark.parametrize("name", [name for name, kernel in KERNELS.items() if kernel.nogil is not None])
def test_no_line_of_a_body_touches_the_python_api(name: str, functions: dict[str, Body]) -> None:
    if name == "sleep":
        pytest.skip("its body is a C function")
    if name == "lcg_checked":
        pytest.skip("it is the trap that this test guards the others against")
    body = functions["lcg_body" if name == "synthetic" else f"{name}_body"]
    assert body
    assert not [line for score, line in body if score]


@pytest.mark.endurance
def test_no_shared_function_touches_the_python_api(functions: dict[str, Body]) -> None:
    for name in ("lcg_step", "is_prime", "repeat", "stamp", "run_team", "spin"):
        assert functions[name], name
    functions = {name: body for name, body in functions.items() if name != "run_team"}  # starts the threads
    touching = {name: [line for score, line in body if score] for name, body in functions.items()}
    assert not {name: lines for name, lines in touching.items() if lines}


@pytest.mark.endurance
def test_the_annotation_would_show_it(built: Built) -> None:
    # The same reading of the same pages finds the lines that do work with Python objects.
    text = (built[1] / "ext" / "_objects.html").read_text("utf-8")
    assert re.search(r'line score-[1-9]\d*".*?<span class="">\d+</span>: .*counts', text)


@pytest.mark.endurance
def test_every_module_declares_itself_free_of_the_gil(built: Built) -> None:
    sources = list((built[1] / "ext").glob("_*.c"))
    assert len(sources) == len(list(EXT.glob("*.pyx")))
    for source in sources:
        text = source.read_text("utf-8")
        assert "#define __Pyx_FREETHREADING_COMPATIBLE Py_MOD_GIL_NOT_USED" in text, source.name
