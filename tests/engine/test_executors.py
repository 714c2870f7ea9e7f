"""Executors do what `concurrent.futures` promises; process pools die and say how."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import FIRST_EXCEPTION, BrokenExecutor, Executor, wait
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from command import ended, leaving_nothing

from gilkit.engine import executors
from gilkit.engine.bursts import burst
from gilkit.engine.executors import EXECUTORS, SerialExecutor, chosen_executors
from gilkit.engine.processes import ProcessPool, start_context
from gilkit.engine.worker_pool import WorkerPool
from gilkit.kernels import lcg

pytestmark = pytest.mark.usefixtures("as_dask_starts_them")


def test_a_call_and_its_result(executor: Executor) -> None:
    assert executor.submit(divmod, 7, 2).result(60) == (3, 1)
    assert list(executor.map(abs, [-1, -2, 3])) == [1, 2, 3]


def test_an_error_is_the_futures(executor: Executor) -> None:
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0).result(60)


def test_an_exit_in_a_call_is_the_futures_too(executor: Executor) -> None:
    with pytest.raises(SystemExit):
        executor.submit(sys.exit, 3).result(60)


def test_serial_runs_in_the_submitting_thread() -> None:
    assert SerialExecutor().submit(os.getpid).result() == os.getpid()


def test_processes_never_fork() -> None:
    assert start_context().get_start_method() in ("forkserver", "spawn")


APART = [name for name, kind in EXECUTORS.items() if kind.apart]


@pytest.fixture(params=APART)
def start(request: pytest.FixtureRequest) -> Iterator[Callable[[int], WorkerPool]]:
    """What starts workers that are processes, in every way that there is; they are gone at the end."""
    kind = EXECUTORS[request.param]
    if reason := kind.missing():
        pytest.skip(reason)
    known: list[psutil.Process] = []

    def start(workers: int) -> WorkerPool:
        pool = kind.start(workers)
        assert isinstance(pool, WorkerPool)
        known.extend(map(psutil.Process, pool.pids()))
        return pool

    yield start
    assert ended(known)


def test_a_pool_starts_with_every_worker_and_ends_with_all(start: Callable[[int], WorkerPool]) -> None:
    pool = start(3)
    try:
        assert len(set(pool.pids())) == 3
        assert all(psutil.pid_exists(pid) for pid in pool.pids())
        assert pool.submit(gc.isenabled).result(60) is False
        assert list(pool.map(divmod, [7, 8, 9], [2, 2, 2], chunksize=2)) == [(3, 1), (4, 0), (4, 1)]
        # So many calls at one time, and each on a worker of its own.
        assert {future.result(60) for future in burst(pool, [whoever_is_here] * 3)} == set(pool.pids())
    finally:
        pool.end()


def whoever_is_here() -> int:
    time.sleep(1)
    return os.getpid()


def test_workers_leave_interrupts_to_their_parent() -> None:
    with ProcessPool(1) as pool:
        assert pool.submit(signal.getsignal, signal.SIGINT).result(60) == signal.SIG_IGN


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to die of")
@pytest.mark.parametrize(
    ("start", "name"),
    [
        pytest.param(pool, name, marks=pytest.mark.endurance if not EXECUTORS[pool].usual and more else ())
        for pool in APART
        for name, more in (("SIGKILL", False), ("SIGSEGV", True), ("SIGTERM", True))
    ],
    indirect=["start"],
)
def test_a_worker_that_is_killed(name: str, start: Callable[[int], WorkerPool]) -> None:
    pool = start(2)
    try:
        futures = burst(pool, [partial(time.sleep, 60)] * 2)
        time.sleep(0.2)  # each has one
        os.kill(pool.pids()[0], signal.Signals[name])
        told, _ = wait(futures, 30, FIRST_EXCEPTION)
        with pytest.raises(BrokenExecutor):
            [future.result() for future in told]
        assert pool.ends() == f"was killed by {name}"
    finally:
        pool.kill()


@pytest.mark.parametrize(
    "start",
    [pytest.param(name, marks=() if EXECUTORS[name].usual else pytest.mark.endurance) for name in APART],
    indirect=True,
)
def test_a_worker_that_exits(start: Callable[[int], WorkerPool]) -> None:
    pool = start(1)
    try:
        with pytest.raises(BrokenExecutor):
            pool.submit(os._exit, 7).result(60)
        assert pool.ends() == "exited with status 7"
    finally:
        pool.kill()


@pytest.mark.parametrize("executor", APART, indirect=True)
def test_workers_that_hang_are_killed(executor: WorkerPool) -> None:
    """The last that they are asked for: those that answered what is above."""
    known = [psutil.Process(pid) for pid in executor.pids()]
    waiting = burst(executor, [partial(time.sleep, 600)] * 2)
    executor.kill()
    assert not wait(waiting, 60).not_done
    assert len(known) == 2
    assert ended(known)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.skipif(EXECUTORS["dask"].missing() is not None, reason="needs Dask")
def test_a_scheduler_of_dask_that_is_killed_fails_who_waits(
    capfd: pytest.CaptureFixture[str],
) -> None:
    pool = EXECUTORS["dask"].start(2)
    try:
        futures = burst(pool, [partial(time.sleep, 60)] * 2)
        time.sleep(0.2)  # each has one
        os.kill(vars(pool)["_host"].pids()[0], signal.SIGKILL)
        assert not wait(futures, 30).not_done
        assert all(isinstance(future.exception(), BrokenExecutor) for future in futures)
        with pytest.raises(BrokenExecutor):
            pool.submit(abs, -1).result(30)
        assert vars(pool)["_host"].ends() == "was killed by SIGKILL"
    finally:
        pool.shutdown(wait=False)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.skipif(EXECUTORS["dask"].missing() is not None, reason="needs Dask")
def test_a_worker_of_dask_that_is_killed_with_its_results_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from gilkit.engine import dask_pool

    def kill_and_gather(client: Any, *args: Any, **options: Any) -> Any:
        workers = [psutil.Process(pid) for pid in pool.pids()]
        for worker in workers:
            worker.kill()
        assert ended(workers)
        return gather(client, *args, **options)

    gather = dask_pool.QuietClient.gather
    monkeypatch.setattr(dask_pool.QuietClient, "gather", kill_and_gather)
    pool = dask_pool.DaskPool(1, 2)
    other = futures.ThreadPoolExecutor(1)
    try:
        assert isinstance(other.submit(pool.timed, int, 8, 60.0).exception(60), BrokenExecutor)
    finally:
        pool.kill()
        other.shutdown(wait=False)
    assert capfd.readouterr().err == ""


ORPHANS = """
import sys, time
from gilkit.engine.executors import EXECUTORS
if __name__ == "__main__":
    pool = EXECUTORS[sys.argv[1]].start(2)
    print(*pool.pids(), flush=True)
    for _ in range(2):
        pool.submit(time.sleep, 600)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("name", APART)
def test_workers_end_with_their_parent_however_it_ends(name: str, tmp_path: Path) -> None:
    if reason := EXECUTORS[name].missing():
        pytest.skip(reason)
    script = tmp_path / "parent.py"
    script.write_text(ORPHANS)
    with (
        leaving_nothing(),
        subprocess.Popen([sys.executable, str(script), name], stdout=subprocess.PIPE, text=True) as parent,
    ):
        assert parent.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(workers) == 2
        parent.kill()
    assert ended(workers)


@pytest.mark.parametrize("name", APART)
def test_a_program_that_ends_no_pool_ends_all_the_same(name: str, tmp_path: Path) -> None:
    if reason := EXECUTORS[name].missing():
        pytest.skip(reason)
    script = tmp_path / "forgets.py"
    script.write_text(
        ORPHANS.replace("start(2)", "start(1)")
        .replace("for _ in range(2)", "for _ in ()")
        .replace("    time.sleep(600)\n", "")
    )
    with leaving_nothing():
        done = subprocess.run(
            [sys.executable, str(script), name], capture_output=True, text=True, check=False, timeout=100
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("name", APART)
def test_a_process_that_may_start_no_others_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker of Dask, or of multiprocessing's own pool."""
    if reason := EXECUTORS[name].missing():
        pytest.skip(reason)
    monkeypatch.setitem(vars(multiprocessing.current_process())["_config"], "daemon", True)
    with pytest.raises(RuntimeError, match="it may start no others"):
        EXECUTORS[name].start(2)


def test_what_is_missing_says_why() -> None:
    for kind in EXECUTORS.values():
        reason = kind.missing()
        assert reason is None or (reason and "\n" not in reason)
    assert EXECUTORS["serial"].missing() is None
    assert EXECUTORS["threads"].missing() is None
    assert EXECUTORS["openmp"].missing() == lcg.missing.get("native")
    assert (EXECUTORS["interpreters"].missing() is None) == hasattr(futures, "InterpreterPoolExecutor")


def test_a_python_without_multiprocessing_has_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EXECUTORS["processes"].missing() is None
    monkeypatch.setattr(executors, "find_spec", lambda _: None)
    assert EXECUTORS["processes"].missing() == "this Python has no multiprocessing"


@pytest.mark.parametrize("name", [name for name, kind in EXECUTORS.items() if kind.by_value])
def test_a_library_that_is_not_there_can_be_had(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "find_spec", lambda _: None)
    with pytest.raises(
        ValueError, match=rf"executor {name} is not .* it needs \w+: pip install 'gilkit\[pools\]'$"
    ):
        chosen_executors([name], list(EXECUTORS))


def test_libraries_are_measured_by_their_name_only() -> None:
    from gilkit.studies.compare.plan import usual_executors
    from gilkit.studies.costs.constants import chosen

    named = {name for name, kind in EXECUTORS.items() if not kind.usual}
    assert named >= {"loky", "joblib", "joblib-threading", "dask"}
    assert not named & {*usual_executors(own=True), *(constant.executor for constant in chosen(None))}
    assert {constant.executor for constant in chosen([f"submit-{name}" for name in named])} == named
