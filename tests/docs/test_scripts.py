"""Blocks of ``python`` in the pages are run as scripts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import HASTY
from pages import (
    DOCS,
    blocks,
    needs_pictures,
)

pytestmark = pytest.mark.once

SCRIPTS = [block for block in blocks("python") if "def test_" not in block]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.splitlines()[-1][:40])
def test_the_scripts_run(script: str, tmp_path: Path) -> None:
    if ".plot(" in script or ".report(" in script:
        needs_pictures()
    path = tmp_path / "example.py"
    body = re.sub("^", "    ", script, flags=re.M)
    hurry = f"sys.path.append({str(Path(HASTY[0]).parent)!r}); from hasty import hurry; hurry()"
    start = f"if __name__ == '__main__':\n    import sys; {hurry}\n    main()\n"
    path.write_text(f"def main():\n{body}\n{start}", "utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_the_example_of_data_that_stay_runs() -> None:
    command = [sys.executable, str(DOCS / "examples" / "own_data.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "1488890\n"
