"""Data flows one way: a module imports only from stages before it, or from the leaves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "gilkit"
LEAVES = {
    "checks",
    "columns",
    "crossing",
    "data",
    "machine",
    "plotting",
    "results",
    "script",
    "settings",
    "starts",
    "stats",
    "trace",
}
STAGES = [
    "kernels",
    "workload",
    "statement",
    "executors",
    "threads",
    "monitor",
    "measure",
    "transfer",
    "recorder",
    "crews",
    "lab",
    "probes",
    "constants",
    "plan",
    "run",
    "verdict",
    "readings",
    "assertions",
    "sameness",
    "pytest_plugin",
    "experiments",
    "report",
    "outcome",
    "comparison",
    "sweep",
    "survey",
    "tracing",
    "classic",
    "trial",
    "reading",
    "cli",
    "__main__",
]
PRIVATE = {path.stem for path in PACKAGE.glob("_*.pyi")}  # compiled


def imported(path: Path) -> set[str]:
    """The modules of gilkit that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "gilkit":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gilkit."):
            found.add((node.module or "").split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("gilkit.")}
    return found - {"__version__"}


MODULES = {path.stem: [path] for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
MODULES |= {path.parent.name: list(path.parent.glob("*.py")) for path in PACKAGE.glob("*/__init__.py")}


def test_every_module_has_its_layer() -> None:
    assert set(MODULES) == LEAVES | set(STAGES)


@pytest.mark.parametrize("name", sorted(LEAVES))
def test_leaves_import_no_stage(name: str) -> None:
    for path in MODULES[name]:
        assert imported(path) <= LEAVES | PRIVATE


@pytest.mark.parametrize("name", STAGES)
def test_stages_import_from_their_left(name: str) -> None:
    allowed = LEAVES | PRIVATE | set(STAGES[: STAGES.index(name)])
    for path in MODULES[name]:
        assert imported(path) - {name} <= allowed, path


def test_only_the_command_line_prints_and_exits() -> None:
    for path in [*PACKAGE.rglob("*.py")]:
        if path.stem in ("cli", "__main__"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"print", "sys.exit", "exit", "click.echo"}, path


def test_modules_are_short() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 430, path
