"""Without the extra: whoever asks for a picture is told how to get it, before anything is measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import refused

OLD = Path(__file__).parents[1] / "results" / "old_files"
WITHOUT = "import sys; sys.modules[{!r}] = None; from gilkit.cli.main import main; main()"


@pytest.mark.parametrize("module", ["altair", "vl_convert"])
@pytest.mark.parametrize(
    "command",
    [("compare", "--plot", "x.svg"), ("report", str(OLD / "costs.json"), "-o", "x.html")],
    ids=" ".join,
)
def test_one_line_says_how_to_get_it(module: str, command: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(module), *command],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    refused(done, "pip install 'gilkit[report]'")
    assert not list(tmp_path.iterdir())


def test_a_plot_loads_nothing_before_something_is_measured() -> None:
    code = (
        "import sys; from gilkit.display.picture_files import check_picture; check_picture('x.svg'); "
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert not {"altair", "vl_convert"} & set(done.stdout.split())
    assert "gilkit" in done.stdout or "gilkit[report]" in done.stderr
