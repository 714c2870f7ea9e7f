"""What several test modules need."""

from __future__ import annotations

import gc
import multiprocessing
import os
import platform
import re
import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hasty import KERNELS, PRELOADED, hurry_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from near_dask import LIBRARY, entered
from turns import Turns

import gilkit
from gilkit.engine import processes
from gilkit.engine.executors import EXECUTORS
from gilkit.machine import gil_enabled

WORKERS = 2
TURNS = Turns()
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of commands are started: let them start quickly
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads of NumPy were a sixth of their CPU time
os.environ["OMP_WAIT_POLICY"] = "passive"  # native threads that spin while they wait were a tenth of it
platform.architecture = cache(platform.architecture)  # pyperf asks for each result, and a process answers
os.environ["PYTHONWARNINGS"] = "ignore:BUSY:UserWarning"  # of commands: it may be busy here

# Workers that tests start in their own process come from one server, which loads once what most of them need.
WITH_A_GIL = [LIBRARY] if gil_enabled() else []  # some of what it loads would turn it on
usual, processes._enter_worker = processes._enter_worker, entered  # those of clusters, too
multiprocessing.set_forkserver_preload([*PRELOADED, *KERNELS, "numpy", *WITH_A_GIL])

# How long an input takes decides nothing; and a test that fails fails for whoever tries it again.
slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("any machine", deadline=None, derandomize=True, suppress_health_check=slow)
settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let tests that measure run alone; see `turns`."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with TURNS.place(_alone(item)):
        return (yield)


def pytest_sessionfinish() -> None:
    """Keep nobody waiting, though this process may be there until all have ended."""
    TURNS.leave()


def pytest_configure(config: pytest.Config) -> None:
    """Let each process begin with other files: in a new clone, one finds compiled what another began with."""
    files = sorted(str(path) for path in Path(__file__).parent.rglob("test_*.py"))
    if first := int(len(files) * _beginning(config)):
        config.args = files[first:] + files[:first]


def _beginning(config: pytest.Config) -> float:
    """How far down the files this process begins; at their top if some are named, or left out."""
    worker = getattr(config, "workerinput", None)
    whole = config.args_source is config.ArgsSource.TESTPATHS
    if worker is None or not whole or config.option.ignore or config.option.ignore_glob:
        return 0.0
    place = int(re.sub(r"\D", "", worker["workerid"]) or 0)
    return float(place / worker["workercount"] % 1)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Put tests that run alone last, and their files; and first what takes long: all wait for the last."""
    if _beginning(config):
        items.sort(key=lambda item: item.path)  # as in the other processes; then a plugin may shuffle them
    yield
    files: dict[Path, list[bool]] = {}
    for item in items:
        files.setdefault(item.path, []).append(_alone(item))
    long = {item.path for item in items if item.get_closest_marker("long")}
    order = {
        path: (any(alone), all(alone), path not in long, place)
        for place, (path, alone) in enumerate(files.items())
    }
    items.sort(key=lambda item: (order[item.path], _alone(item)))


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at what stays: hundreds of thousands of objects."""
    _drawn()  # Hypothesis looks once for who refers to its random numbers, and would not see what is frozen
    gc.freeze()


@settings(max_examples=1)
@given(nothing=st.none())
def _drawn(nothing: None) -> None:
    """Draw something with Hypothesis."""


def _alone(item: pytest.Item) -> bool:
    """Whether it measures; not if it is skipped anyway."""
    skipped = any(mark.args and mark.args[0] is True for mark in item.iter_markers("skipif"))
    return item.get_closest_marker("alone") is not None and not skipped


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """An empty folder for temporary files: its path leaves room for the names of sockets."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def nothing_collected() -> Iterator[None]:
    """Collect no garbage meanwhile: where the stack is full, what finalizes it could not run."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def leaves_no_thread() -> Iterator[None]:
    """Check that the test leaves no thread of its own; one of an earlier test may end meanwhile."""
    before = set(threading.enumerate())
    yield
    assert not set(threading.enumerate()) - before


@pytest.fixture(scope="module")
def hasty() -> Iterator[None]:
    """Let this process measure for as short as it can, for tests of all but the figures."""
    for name in gilkit.__all__:  # a module that is loaded meanwhile would keep what it finds
        getattr(gilkit, name)
    with pytest.MonkeyPatch.context() as patch:
        hurry_here(patch.setattr)
        yield


@pytest.fixture(scope="module")
def as_dask_starts_them() -> Iterator[None]:
    """Let workers of a cluster be started by Dask, as they are outside of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "_enter_worker", usual)
        yield


@pytest.fixture(scope="module", params=[name for name, kind in EXECUTORS.items() if not kind.native])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Every executor that runs Python, started once for a module; indirectly, those that are named.

    None stays longer: those of Dask are never quite idle, which tests that measure would notice.
    """
    kind = EXECUTORS[request.param]
    if reason := kind.missing():
        pytest.skip(reason)
    with kind.start(WORKERS) as started:
        yield started
