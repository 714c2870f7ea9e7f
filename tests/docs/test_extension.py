"""The extension of one page: its benchmarks run."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import (
    DOCS,
    Ran,
)

pytestmark = pytest.mark.once


@pytest.mark.endurance
@pytest.mark.skipif(importlib.util.find_spec("asv") is None, reason="asv is not installed")
def test_the_benchmarks_of_the_extension_run(ran: Ran, tmp_path: Path) -> None:
    where = ran("python -c 'import variation; print(variation.__file__)'")
    folder = Path(where.stdout.strip()).parent
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "ASV_PYTHONPATH": str(folder),
    }  # as if it were installed
    for command in (
        "git init -q .",
        "git add asv.conf.json",
        "git -c user.name=n -c user.email=e commit -qm m",
    ):
        subprocess.run(shlex.split(command), cwd=folder, check=True)
    for words in (["machine", "--yes"], ["run", "--python=same", "--quick", "--dry-run"]):
        done = subprocess.run(
            [sys.executable, "-m", "asv", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Variation.time_two_threads" in done.stdout


@pytest.mark.endurance
def test_asv_builds_the_extension_and_keeps_its_history(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    shutil.copytree(
        DOCS / "examples" / "extension", folder, ignore=shutil.ignore_patterns("*.so", "*.c", "build")
    )
    for command in (
        "git init -q .",
        "git add .",
        "git -c user.name=n -c user.email=e commit -qm m",
        f"{sys.executable} -m asv machine --yes",
        f"{sys.executable} -m asv run --quick",
        f"{sys.executable} -m asv publish",
    ):
        done = subprocess.run(
            shlex.split(command),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert list((folder / "html" / "graphs").rglob("time_variation.Variation.time_two_threads.json"))
