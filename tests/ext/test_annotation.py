"""Cython's own annotation of what it made of the kernels."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest

from gilkit.kernels import KERNELS

ROOT = Path(__file__).parents[2]
EXT = ROOT / "ext"
Body = list[tuple[int, str]]


def directives() -> dict[str, object]:
    """The directives that setup.py compiles with."""
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DIRECTIVES":
            return dict(ast.literal_eval(node.value))
    raise AssertionError("setup.py has no DIRECTIVES")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the C file and the annotation of every module, and of the declarations they share."""
    pytest.importorskip("setuptools")  # has distutils, which Cython.Build imports, where Python has none
    build = pytest.importorskip("Cython.Build")
    folder = tmp_path_factory.mktemp("annotated")
    for source in EXT.glob("*.p[yx]*"):
        shutil.copy(source, folder)
        if source.suffix == ".pxd" and source.stem != "checks":  # inline functions, as a module of their own
            shutil.copy(source, folder / f"{source.stem}_inline.pyx")
    build.cythonize(
        [str(path) for path in folder.glob("*.pyx")],
        include_path=[str(folder)],
        compiler_directives=directives(),
        annotate=True,
        quiet=True,
    )
    return folder


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
def functions(compiled: Path) -> dict[str, Body]:
    """Every ``noexcept nogil`` function of ``ext/``."""
    found: dict[str, Body] = {}
    for page in compiled.glob("*.html"):
        found.update(bodies(page))
    return found


@pytest.mark.parametrize("name", [name for name, kernel in KERNELS.items() if kernel.nogil is not None])
def test_no_line_of_a_body_touches_the_python_api(name: str, functions: dict[str, Body]) -> None:
    if name == "sleep":
        pytest.skip("its body is a C function")
    if name == "lcg_checked":
        pytest.skip("it is the trap that this test guards the others against")
    body = functions["lcg_body" if name == "synthetic" else f"{name}_body"]
    assert body
    assert not [line for score, line in body if score]


def test_no_shared_function_touches_the_python_api(functions: dict[str, Body]) -> None:
    for name in ("lcg_step", "is_prime", "repeat", "stamp", "run_team", "spin"):
        assert functions[name], name
    functions = {name: body for name, body in functions.items() if name != "run_team"}  # starts the threads
    touching = {name: [line for score, line in body if score] for name, body in functions.items()}
    assert not {name: lines for name, lines in touching.items() if lines}


def test_the_annotation_would_show_it(compiled: Path) -> None:
    # The same reading of the same pages finds the lines that do work with Python objects.
    text = (compiled / "_objects.html").read_text("utf-8")
    assert re.search(r'line score-[1-9]\d*".*?<span class="">\d+</span>: .*counts', text)


def test_every_module_declares_itself_free_of_the_gil(compiled: Path) -> None:
    sources = list(compiled.glob("_*.c"))
    assert len(sources) == len(list(EXT.glob("*.pyx")))
    for source in sources:
        text = source.read_text("utf-8")
        assert "#define __Pyx_FREETHREADING_COMPATIBLE Py_MOD_GIL_NOT_USED" in text, source.name
