"""What several test modules need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hasty import hurry
from turns import place

from gilkit.engine.executors import CALL_EXECUTORS

WORKERS = 2
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of commands are started: let them start quickly
os.environ["PYTHONWARNINGS"] = "ignore:BUSY:UserWarning"  # of commands: it may be busy here


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let tests that measure run alone; see `turns`."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with place(item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files whose tests run alone last: they keep nobody waiting who could run beside another."""
    beside = {item.path for item in items if not item.get_closest_marker("alone")}
    items.sort(key=lambda item: item.path not in beside)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """An empty folder for temporary files: its path leaves room for the names of sockets."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def hasty() -> Iterator[None]:
    """Let this process measure for as short as it can, for tests of all but the figures."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch.setattr)
        yield


@pytest.fixture(scope="session", params=[name for name, kind in CALL_EXECUTORS.items() if not kind.native])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Every executor that runs Python, started once."""
    kind = CALL_EXECUTORS[request.param]
    if reason := kind.missing():
        pytest.skip(reason)
    with kind.start(WORKERS) as started:
        yield started
