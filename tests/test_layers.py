"""The house: data flows one way between its rooms, never in a circle, and a name means one thing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gilkit"
BESIDE = {"_version", "errors", "arguments", "machine"}  # modules that every room may use
FLOORS = [  # bottom up: rooms import from the floors below theirs, and from BESIDE
    {"_ext"},
    {"results"},
    {"kernels"},
    {"workloads", "display"},
    {"gil"},
    {"engine"},
    {"studies"},
    {"cli"},
]
ROOMS = [room for floor in FLOORS for room in sorted(floor)]
ON_TOP = {"__init__", "__main__", "pytest_audit", "pytest_limits", "pytest_plugin"}  # what people start from
LONGEST_MODULE, LONGEST_SOURCE, LONGEST_FUNCTION = (
    300,
    400,
    60,
)  # lines: of *.py, of *.pyx; without a docstring
BY_NAME = {"import_module", "exec_module", "__import__"}  # ways to import what no import statement names
MAY_IMPORT_BY_NAME = {
    "gilkit.cli.group",
    "gilkit.studies.entry",
    "gilkit.studies.fresh_import",
    "gilkit.studies.registry",
}
SHUFFLING = {"shuffle", "sample", "permutation", "permuted"}
OF_EACH_STUDY = {"STUDY", "Course"}  # names that every study has, once


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}
COMPILED = {name_of(path) for path in (PACKAGE / "_ext").glob("*.pyi")}
SOURCES = sorted((ROOT / "ext").glob("*.pyx"))


def imported(path: Path, typing_only: bool = True) -> set[str]:
    """The modules of gilkit that a file imports, wherever in it; with or without those for types alone."""
    found: set[str] = set()
    for node in nodes(tree(path), typing_only):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gilkit":
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES or full in COMPILED else str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "gilkit"}
    return found


def nodes(top: ast.AST, typing_only: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(top):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing_only:
            continue
        yield node
        yield from nodes(node, typing_only)


def named(path: Path) -> set[str]:
    """The names that a module takes from others: imports them, under whatever name, or has as attributes."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def room_of(module: str) -> str:
    """The room that a module is in, or the module itself where it stands beside the rooms."""
    return module.split(".")[1] if "." in module else "__init__"


def allowed(room: str) -> set[str]:
    """What the modules of a room may import from."""
    below = takewhile(lambda floor: room not in floor, FLOORS)
    return BESIDE | {room} | {other for floor in below for other in floor}


def test_every_room_is_on_a_floor_and_few_modules_stand_beside_them() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS)
    beside = {path.stem for path in PACKAGE.glob("*.py")}
    assert beside == BESIDE | ON_TOP
    assert len(beside) <= 9


@pytest.mark.parametrize("room", ROOMS)
def test_no_arrow_goes_up(room: str) -> None:
    for module, path in MODULES.items():
        if room_of(module) == room:
            assert {room_of(other) for other in imported(path)} <= allowed(room), path


@pytest.mark.parametrize("module", sorted(BESIDE))
def test_what_stands_beside_imports_no_room(module: str) -> None:
    path = PACKAGE / f"{module}.py"
    assert {room_of(other) for other in imported(path, typing_only=False)} <= BESIDE, path


def test_no_import_goes_unseen() -> None:
    """Those that `imported` does not see: relative ones, and modules that are named when the program runs."""
    for module, path in MODULES.items():
        levels = {n.level for n in ast.walk(tree(path)) if isinstance(n, ast.ImportFrom)}
        assert levels <= {0}, f"{path}: a relative import"
        names = named(path) | {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
        assert module in MAY_IMPORT_BY_NAME or not names & BY_NAME, path


def test_nothing_goes_round_in_a_circle() -> None:
    graph = {module: imported(path, typing_only=False) - {module} for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("study", sorted(path.parent.name for path in PACKAGE.glob("studies/*/study.py")))
def test_every_study_has_the_same_shape(study: str) -> None:
    from gilkit.cli.group import command
    from gilkit.studies.registry import STUDIES

    here = {path.stem for path in (PACKAGE / "studies" / study).glob("*.py")}
    assert {"__init__", "study", "findings"} < here
    assert here & {"table", "picture"}
    assert "chart" in here
    assert set(STUDIES) == {path.parent.name for path in PACKAGE.glob("studies/*/__init__.py")}
    assert study in command.commands


def test_tests_are_in_the_same_folders() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    for folder in folders:
        assert (ROOT / folder).is_dir() or (PACKAGE / folder).is_dir(), folder


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_tests(room: str) -> None:
    folder = ROOT / "tests" / ("ext" if room == "_ext" else room)
    assert list(folder.rglob("test_*.py"))


def test_only_the_command_line_prints_and_exits() -> None:
    for module, path in MODULES.items():
        if room_of(module) in ("cli", "__main__"):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"print", "sys.exit", "exit", "click.echo"}, path


def test_only_the_runner_shuffles() -> None:
    for module, path in MODULES.items():
        assert module == "gilkit.engine.runner" or not named(path) & SHUFFLING, path


def test_no_key_of_the_metadata_is_written_out_but_where_facts_are() -> None:
    from gilkit.results.facts import FACTS

    for module, path in MODULES.items():
        texts = {n.value for n in ast.walk(tree(path)) if isinstance(n, ast.Constant)}
        assert module == "gilkit.results.facts" or not texts & set(FACTS), path


def defined(top: ast.Module) -> Iterator[str]:
    """The classes and constants of a module."""
    for node in top.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        value = getattr(node, "value", None)
        if isinstance(value, ast.Call) and ast.unparse(value.func) in ("TypeVar", "ParamSpec"):
            continue
        yield from (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and n.id.isupper())


def test_one_name_means_one_thing() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for module, path in MODULES.items():
        for name in defined(tree(path)):
            homes[name].add(module)
    for path in SOURCES:
        for name in re.findall(r"^(?:cdef )?class (\w+)", path.read_text("utf-8"), re.M):
            homes[name].add(path.name)
    for name in OF_EACH_STUDY:
        where = homes.pop(name, set())
        studies = {module.split(".")[2] for module in where if module.startswith("gilkit.studies.")}
        assert len(studies) == len(where), (name, where)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_modules_and_functions_are_short() -> None:
    for path in MODULES.values():
        assert len(path.read_text("utf-8").splitlines()) <= LONGEST_MODULE, path
    for path in SOURCES:
        assert len(path.read_text("utf-8").splitlines()) <= LONGEST_SOURCE, path
    for path in MODULES.values():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                text = ast.get_docstring(node, clean=False)
                length = node.end_lineno - node.lineno + 1 - (len(text.splitlines()) if text else 0)  # type: ignore[operator]
                assert length <= LONGEST_FUNCTION, (path, node.name)


def test_the_guide_has_every_room() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert len(guide.splitlines()) <= 120
    for room in ROOMS:
        assert room == "_ext" or f"`{room}/`" in guide, room
