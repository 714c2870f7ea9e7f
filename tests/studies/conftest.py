"""What tests of several studies need."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all machines: to make hundreds of folders for each takes as long as to measure."""
    return tmp_path_factory.mktemp("machines")
