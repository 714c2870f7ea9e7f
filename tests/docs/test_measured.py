"""Tests that the pages show are run by pytest, and what they show is what it prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from inner import SHORT_LOOKS, SOON
from pages import (
    DOCS,
    MAKER,
    OUTPUTS,
    Ran,
    blocks,
    stored,
)
from quiet import needs_gil, needs_monitor

pytestmark = pytest.mark.once

SUITES = [block for block in blocks("python") if "def test_" in block]


@pytest.mark.alone
def test_the_suites_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SHORT_LOOKS, "utf-8")
    for place, suite in enumerate(SUITES):
        (tmp_path / f"test_suite_{place}.py").write_text(suite, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra"],
        cwd=tmp_path,
        env={**os.environ, **SOON},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout  # what a busy machine or no GIL skips, it does with a reason


@pytest.mark.alone
@pytest.mark.endurance  # it builds the extension first
def test_the_tests_of_the_extension_pass(ran: Ran) -> None:
    done = ran("pytest -q -ra -p no:cacheprovider test_variation.py")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.skipif(shutil.which("taskset") is None, reason="no taskset here")
@needs_monitor
def test_what_is_not_decided_is_shown_as_it_is_printed(tmp_path: Path) -> None:
    def end(text: str) -> list[str]:
        lines = text.splitlines()
        start = next(place for place, line in enumerate(lines) if "gil: 1 test not decided" in line)
        return [re.sub(r"\d+%", "", line) for line in lines[start:-1]]

    shutil.copy(DOCS / "examples" / "test_crc32.py", tmp_path)
    fresh = subprocess.run(
        MAKER.words(OUTPUTS["test-crc32"].command),
        cwd=tmp_path,
        env={**os.environ, **SOON, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert end(stored("test-crc32")) == end(fresh.stdout)


@pytest.mark.alone
def test_the_failure_is_what_the_fixture_says(ran: Ran) -> None:
    parts = re.findall(r"^E +(measured|machine|means|to do) ", stored("test-sorting"), re.M)
    assert parts == ["measured", "machine", "means", "to do"]
    fresh = ran(OUTPUTS["test-sorting"].command)
    if fresh.returncode == 0:  # skipped: the machine is busy, or has no GIL
        assert "1 skipped" in fresh.stdout
    else:
        assert re.findall(r"^E +(measured|machine|means|to do) ", fresh.stdout, re.M) == parts


@pytest.mark.alone
@needs_monitor
@needs_gil  # the page is of an interpreter that has one
def test_the_audit_is_shown_as_it_is_printed(ran: Ran) -> None:
    def told(text: str) -> list[str]:
        section = text.partition("gil: held for 20 ms or more by ")[2].partition("short test summary")[0]
        return re.findall(
            r"2 tests|test_report\.py::\w+|calls of C .*|report\.py:\d+ report → \S+\.py", section
        )

    expected = told(stored("test-report"))
    assert {"test_report.py::test_large_report", "test_report.py::test_export"} < set(expected)
    assert set(told(ran(OUTPUTS["test-report"].command).stdout)) == set(expected)
