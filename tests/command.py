"""The command line as a process, for several test modules."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from contextvars import copy_context
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil

from gilkit.cli.main import _run
from gilkit.workloads.folder import see

HASTY = (str(Path(__file__).with_name("hasty.py")),)  # what Python runs, if figures do not matter
THOROUGH = ("-m", "gilkit")


def gilkit(
    *arguments: str, start: tuple[str, ...] = HASTY, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, *start, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)  # type: ignore[call-overload,no-any-return]


def answered(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, where one of its own adds nothing but the time to load it.

    That one says the same is shown in `tests/cli/test_cli.py`. What is measured takes the fixture `hasty`.
    """
    out, err = io.StringIO(), io.StringIO()
    see(str(Path.cwd()))  # as `main` does
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = copy_context().run(_run, arguments)
    finally:
        see("")
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    """Bad input: status 2, nothing on standard output, and one line that says what is wrong."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("gilkit: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert message in done.stderr


def heed_interrupts() -> None:
    """Undo what a shell does to jobs in the background, whose children would ignore interrupts, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(*arguments: str, start: tuple[str, ...] = HASTY, **options: Any) -> Iterator[Popen[str]]:
    """Start the command line in a session of its own; it is killed at the end, if it still runs.

    Parameters
    ----------
    *arguments : str
    start : tuple of str
        What Python is told to run with these arguments.
    **options
        Of `subprocess.Popen`.
    """
    with Popen(
        [sys.executable, *start, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts if os.name == "posix" else None,
        **options,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupted(process: Popen[str]) -> tuple[str, str]:
    """Press Ctrl-C: every process of its session is told. Returns what was printed until it ended."""
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=100)


def seen(condition: Callable[[], object], seconds: float = 100.0) -> bool:
    """Wait until a condition holds, for so long at most; return whether it does."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


MARK = "GILKIT_STARTED_BY_TEST"


@contextmanager
def leaving_nothing() -> Iterator[None]:
    """See that all processes end that are started meanwhile: each has the mark in its environment."""
    os.environ[MARK] = mark = uuid.uuid4().hex
    try:
        yield
    finally:
        del os.environ[MARK]
    assert seen(lambda: not marked(mark)), marked(mark)


def marked(mark: str) -> list[str]:
    """What runs with such a mark."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == mark and runs(process):
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
    return found


def runs(process: psutil.Process) -> bool:
    """Whether it has not ended; nobody may have asked after it since."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def ended(processes: Iterable[psutil.Process]) -> bool:
    """Whether all of these end soon."""
    waited_for = list(processes)
    return seen(lambda: not any(map(runs, waited_for)))
