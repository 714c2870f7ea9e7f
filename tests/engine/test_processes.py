"""Pools of processes always end: in the middle of a result, or at a start that fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from command import ended, gilkit, leaving_nothing, seen, started

from gilkit.engine import processes
from gilkit.engine.processes import ProcessPool, interrupts_later, start_context

POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
LARGE = 60_000_000  # bytes: far more than a pipe holds
LIMIT = 100.0  # seconds; it takes less than ten


def ended_in_time(pool: ProcessPool) -> None:
    """Kill a pool in a thread of its own, so that a test ends that finds it does not."""
    killing = threading.Thread(target=pool.kill, daemon=True)
    killing.start()
    killing.join(LIMIT)
    assert not killing.is_alive()
    assert not any(process.is_alive() for process in pool.members)


@pytest.mark.parametrize(
    "after",
    [0.0, 0.02, 0.1, *(pytest.param(0.005 * k, marks=pytest.mark.endurance) for k in range(1, 20))],
)
def test_a_pool_is_killed_in_the_middle_of_a_result(after: float) -> None:
    pool = ProcessPool(2)
    futures = [pool.submit(bytes, LARGE) for _ in range(4)]
    time.sleep(after)
    ended_in_time(pool)
    assert all(future.done() for future in futures)


@POSIX
def test_a_pool_is_killed_in_the_middle_of_what_is_sent() -> None:
    pool = ProcessPool(1)
    os.kill(pool.members[0].pid or 0, signal.SIGSTOP)  # it reads nothing
    future = pool.submit(len, bytes(LARGE))
    time.sleep(0.2)
    ended_in_time(pool)
    assert future.done()


@POSIX
def test_a_worker_that_stops_and_does_not_end_by_itself_is_killed() -> None:
    pool = ProcessPool(1)
    os.kill(pool.members[0].pid or 0, signal.SIGSTOP)
    pool.end()
    assert not pool.members[0].is_alive()


def ignore_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@POSIX
def test_a_worker_that_ignores_sigterm_ends_when_another_crashes() -> None:
    pool = ProcessPool(2)
    for _ in range(20):  # each of them does some
        pool.submit(ignore_sigterm)
    crash = pool.submit(os.kill, pool.members[0].pid or 0, signal.SIGSEGV)
    waiting = pool.submit(time.sleep, 1000)
    for future in (waiting, crash):
        with suppress(BrokenExecutor):
            future.result(LIMIT)
    assert waiting.done()
    assert pool.ends() == "was killed by SIGSEGV"
    assert not any(process.is_alive() for process in pool.members)


ORPHANS = """
import subprocess, sys, time
from gilkit.engine.processes import ProcessPool
def start():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
if __name__ == "__main__":
    pool = ProcessPool(1)
    pool.submit(start).result()
    print("started", flush=True)
    time.sleep(1000)
"""


@POSIX
def test_what_a_worker_started_ends_with_the_program_that_is_killed(
    tmp_path: Path, short_folder: Path
) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    environment = {"TMPDIR": str(short_folder)}
    with leaving_nothing(), started(start=(str(script),), env={**os.environ, **environment}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.kill()


def leave(*_: object) -> None:
    """What a worker does that ends at its start."""
    os._exit(3)


def cannot_be_loaded() -> None:
    raise ValueError("not here")


class Unloadable:
    """Its pickle cannot be loaded."""

    def __reduce__(self) -> Any:
        return cannot_be_loaded, ()


def test_why_a_pool_broke_is_told_to_later_calls_too() -> None:
    pool = ProcessPool(1)
    try:
        first = pool.submit(Unloadable)
        assert isinstance(first.exception(LIMIT), BrokenExecutor)
        with pytest.raises(BrokenExecutor) as later:
            pool.submit(os.getpid)
        assert "ValueError: not here" in str(later.value.__cause__)
    finally:
        pool.kill()
    with pytest.raises(BrokenExecutor):
        pool.submit(os.getpid)


def test_a_pool_gives_up_when_a_worker_ends_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_enter_worker", leave)
    with pytest.raises(BrokenExecutor, match="one exited with status 3"):
        ProcessPool(2)


def test_a_pool_gives_up_when_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        ProcessPool(2)


UNGUARDED = """
import gilkit
print("begins", flush=True)
print(gilkit.timeit("pass", rounds=1, workers=2))
"""


def test_a_script_without_a_guard_is_told_so_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    with leaving_nothing():
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=200
        )
    whole = done.stdout + done.stderr
    assert whole.count("a script has to call this under if __name__ == '__main__'") == 1, whole
    assert whole.count("Traceback") <= 1  # of the script itself, which nobody keeps from it
    assert "one call" not in whole  # no table of a child's


def test_a_pool_that_cannot_start_for_another_reason_does_not_blame_the_script(tmp_path: Path) -> None:
    code = "import gilkit\nif __name__ == '__main__': gilkit.timeit('pass', rounds=1, workers=2)"
    script = tmp_path / "script.py"
    script.write_text(code)
    environment = {**os.environ, "TMPDIR": str(tmp_path / ("long" * 30))}
    Path(environment["TMPDIR"]).mkdir()
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env=environment,
    )
    if done.returncode:  # newer Pythons go to another folder
        assert "1 worker process did not start: AF_UNIX path too long" in done.stderr
    assert "has to call this under" not in done.stderr


FEW = ("--rounds", "1", "--workers", "2")
NESTED = "from multiprocessing import Pool; pool = Pool(2)"


@POSIX
def test_a_statement_with_a_pool_of_its_own_leaves_nothing(tmp_path: Path, short_folder: Path) -> None:
    with leaving_nothing():
        arguments = ["timeit", *FEW, "-s", NESTED, "pool.map(abs, [1])"]
        environment = {**os.environ, "TMPDIR": str(short_folder)}
        done = gilkit(*arguments, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "leaked" not in done.stderr
    assert list(short_folder.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals here")
def test_what_starts_beside_the_workers_does_not_let_interrupts_through() -> None:
    script = (
        "import signal; from gilkit.engine.processes import interrupts_later, start_context\n"
        "with interrupts_later():\n"
        "    start_context().Barrier(2)\n"
        "    assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@POSIX
def test_what_asked_to_end_comes_before_the_errors_that_it_led_to() -> None:
    def start() -> None:
        with interrupts_later() as came:
            os.kill(os.getpid(), signal.SIGINT)
            while not came():  # another thread may take it, and take its time
                time.sleep(0.001)
            raise EOFError("the server has ended")

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it would be ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            start()
    finally:
        signal.signal(signal.SIGINT, before)


@POSIX
def test_other_processes_from_the_same_server_can_be_ended() -> None:
    with ProcessPool(1) as pool:
        assert pool.submit(len, "abc").result(LIMIT) == 3
    process = start_context().Process(target=time.sleep, args=(1000,))
    process.start()
    process.terminate()
    process.join(LIMIT)
    assert process.exitcode == -signal.SIGTERM


@POSIX
@pytest.mark.parametrize("how", ["kill", "end", "ends"])
def test_what_has_no_living_parent_ends_with_the_worker_it_is_from(how: str) -> None:
    pool = ProcessPool(1)
    orphan = psutil.Process(pool.submit(_orphan).result())
    if how == "ends":
        assert pool.submit(os.abort).exception() is not None
    getattr(pool, how)()
    assert ended([orphan])


def _orphan() -> int:
    """Leave a process behind whose parent ends at once, and return its number."""
    code = "import subprocess as s; print(s.Popen(['sleep', '1000'], stdout=s.DEVNULL).pid)"
    return int(subprocess.check_output([sys.executable, "-c", code]))


@POSIX
def test_a_program_that_is_killed_leaves_no_orphans_of_its_workers(tmp_path: Path) -> None:
    left = tmp_path / "left"
    code = f"import subprocess as s; s.Popen(['sleep', '1000']); open({str(left)!r}, 'w').close()"
    stmt = f"s.run([sys.executable, '-c', {code!r}])"
    with leaving_nothing(), started("timeit", "-s", "import subprocess as s, sys", stmt) as process:
        assert seen(left.exists)
        process.kill()
