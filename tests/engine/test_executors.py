"""Executors do what `concurrent.futures` promises; process pools die and say how."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from concurrent import futures
from concurrent.futures import BrokenExecutor, Executor

import psutil
import pytest
from command import ended

from gilkit.engine import executors
from gilkit.engine.executors import EXECUTORS, SerialExecutor
from gilkit.engine.processes import ProcessPool, start_context
from gilkit.kernels import lcg


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


def test_a_pool_starts_with_every_worker() -> None:
    with ProcessPool(3) as pool:
        assert len(pool.members) == 3
        assert len({process.pid for process in pool.members}) == 3
        assert all(process.is_alive() for process in pool.members)


def test_workers_measure_without_the_garbage_collector() -> None:
    with ProcessPool(1) as pool:
        assert pool.submit(gc.isenabled).result(60) is False
        assert pool.submit(signal.getsignal, signal.SIGINT).result(60) == signal.SIG_IGN


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to die of")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM"])
def test_a_worker_that_is_killed(name: str) -> None:
    pool = ProcessPool(2)
    future = pool.submit(time.sleep, 60)
    os.kill(pool.members[0].pid or 0, signal.Signals[name])
    with pytest.raises(BrokenExecutor):
        future.result(60)
    assert pool.ends() == f"was killed by {name}"
    pool.kill()
    assert not any(process.is_alive() for process in pool.members)


def test_a_worker_that_exits() -> None:
    pool = ProcessPool(1)
    with pytest.raises(BrokenExecutor):
        pool.submit(os._exit, 7).result(60)
    assert pool.ends() == "exited with status 7"
    pool.kill()


def test_a_worker_that_hangs_is_killed() -> None:
    pool = ProcessPool(2)
    waiting = [pool.submit(time.sleep, 600) for _ in range(2)]
    pool.kill()
    assert not any(process.is_alive() for process in pool.members)
    assert all(future.done() for future in waiting)


ORPHANS = """
import time
from gilkit.engine.processes import ProcessPool
if __name__ == "__main__":
    pool = ProcessPool(2)
    print(*[process.pid for process in pool.members], flush=True)
    for _ in range(2):
        pool.submit(time.sleep, 600)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_workers_end_with_their_parent_however_it_ends(tmp_path_factory: pytest.TempPathFactory) -> None:
    script = tmp_path_factory.mktemp("orphans") / "parent.py"
    script.write_text(ORPHANS)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(workers) == 2
        parent.kill()
    assert ended(workers)


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
