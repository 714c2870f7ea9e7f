"""What importing gilkit loads, and what it offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gilkit
from gilkit.cli.group import HOMES


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after ``statement``."""
    script = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import gilkit", "import gilkit; gilkit.KERNELS", "import gilkit.kernels"]
)
def test_importing_loads_no_more_than_the_kernels(statement: str) -> None:
    heavy = {"numpy", "rich", "click", "pyperf", "psutil", "threadpoolctl"}
    assert not loaded_by(statement) & (heavy | {"multiprocessing", "concurrent", "asyncio"})


def test_a_worker_imports_nothing_that_an_interpreter_of_its_own_could_not() -> None:
    extra = loaded_by("import gilkit.engine.interpreters, gilkit.workloads.statement")
    assert not extra & {"numpy", "psutil", "threadpoolctl", "rich", "click", "pyperf"}


def test_workers_of_the_readers_own_code_load_no_numpy() -> None:
    extra = loaded_by("import gilkit.engine.window, gilkit.engine.pools, gilkit.workloads.statement")
    assert not extra & {"numpy", "rich", "click", "pyperf"}


def test_what_every_command_needs_is_soon_there_and_what_stalls_needs_too() -> None:
    extra = loaded_by("import gilkit.cli.main, gilkit.cli.stalls")
    assert not extra & {"numpy", "threadpoolctl", "pyperf"}


def test_plain_results_are_compared_without_numpy() -> None:
    compared = "[same(a, a + b'') or difference(a, b) for a, b in [(b'1', b'2'), (b'', b'')]]"
    loaded = loaded_by(f"from gilkit.gil.same_results import difference, same; {compared}; same(1.5, 2.5)")
    assert "numpy" not in loaded


def test_help_waits_for_no_study_and_nothing_that_prints() -> None:
    loaded = loaded_by("from gilkit.cli.group import command; list(command.commands.values())")
    assert {f"gilkit.cli.{home}" for home in (*HOMES.values(), "commands")} <= loaded
    assert not {name for name in loaded if name.startswith("gilkit.studies.") and name.endswith(".study")}
    assert not loaded & {"numpy", "rich", "pyperf", "threadpoolctl"}


def test_importing_leaves_the_gil_as_it_is() -> None:
    gil = "getattr(sys, '_is_gil_enabled', lambda: True)()"
    script = f"import sys; before = {gil}; import gilkit.kernels; assert {gil} == before"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_the_package_is_lazy_and_complete() -> None:
    for name in gilkit.__all__:
        assert getattr(gilkit, name) is not None
    assert set(gilkit.__all__) <= set(dir(gilkit))
    with pytest.raises(AttributeError, match="No gilkit attribute nonsense"):
        _ = gilkit.nonsense
