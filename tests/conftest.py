"""What several test modules need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor

import pytest

from gilkit.engine.executors import CALL_EXECUTORS

WORKERS = 2

os.environ["PYTHONWARNINGS"] = (
    "ignore::UserWarning"  # of commands: that it is busy here is no fault of theirs
)


@pytest.fixture(scope="session", params=[name for name, kind in CALL_EXECUTORS.items() if not kind.native])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Every executor that runs Python, started once."""
    kind = CALL_EXECUTORS[request.param]
    if reason := kind.missing():
        pytest.skip(reason)
    with kind.start(WORKERS) as started:
        yield started
