"""Programs of their own, which crash, leak and hang without harm, and of which nothing stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from gilkit.engine.pythons import environment
from gilkit.errors import CaseFailedError
from gilkit.machine import process_numbers

FOLDER = Path(__file__).with_name("programs")
LONGEST_PROGRAM = 90.0  # seconds for a program
CALM = 1.0  # seconds for one that is told to end


class Program:
    """A running program: lines of JSON from it, and lines to it.

    Parameters
    ----------
    process : subprocess.Popen
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self.process.pid

    def told(self) -> Any:
        """Return what it says next.

        Raises
        ------
        CaseFailedError
            If it ended instead.
        """
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            with suppress(ValueError):  # its start may print more
                return json.loads(line)
        raise CaseFailedError(f"its program ended early, with status {self.process.wait(LONGEST_PROGRAM)}")

    def tell(self) -> None:
        """Tell it to go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def _started(
    name: str,
    arguments: tuple[Any, ...],
    folder: str,
    errors: int,
    python: str = sys.executable,
    free: bool = True,
) -> subprocess.Popen[str]:
    file, _, function = name.partition(".")
    # Without -P: the programs find each other in their folder. Processes that they start look into the
    # current folder, too: so that is the program's own, where no file of the reader's can pass for a module.
    command = [python, str(FOLDER / f"{file}.py"), function, json.dumps(arguments)]
    variables = {
        **environment(free),
        "TMPDIR": folder,
        "no_proxy": "*",
        "PYTHONFAULTHANDLER": "",
        "PYTHONSAFEPATH": "",
    }
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
    try:
        return subprocess.Popen(
            command, **pipes, text=True, cwd=folder, env=variables, start_new_session=True
        )
    except OSError as error:
        raise CaseFailedError(f"{python} does not start: {error.strerror}") from None


def _members(group: int) -> list[int]:
    """Return the processes of a group, but not those that have ended and that nobody has asked after yet."""
    found = []
    for pid in process_numbers():
        with suppress(OSError, psutil.Error):
            if os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and whatever it started: kindly first, so that blocks of shared memory are removed."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            until = time.monotonic() + CALM
            os.killpg(process.pid, signal.SIGTERM)
            while process.poll() is None or (_members(process.pid) and time.monotonic() < until):
                if time.monotonic() > until:
                    process.kill()
                time.sleep(0.005)
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


@contextmanager
def program(name: str, *arguments: Any) -> Iterator[Program]:
    """Run a program meanwhile; end it, and all that it started, afterwards."""
    with tempfile.TemporaryDirectory(prefix="gilkit-", ignore_cleanup_errors=True) as folder:
        process = _started(name, arguments, folder, subprocess.DEVNULL)
        limit = threading.Timer(LONGEST_PROGRAM, process.kill)
        limit.daemon = True
        try:
            limit.start()
            yield Program(process)
        finally:
            limit.cancel()
            _end(process)


def ended(
    name: str, *arguments: Any, python: str = sys.executable, free: bool = True
) -> tuple[int, list[Any]]:
    """Run a program to its end: its exit status, negative for a signal, and what it said.

    ``python`` is the interpreter that runs it, by default this one; ``free`` is whether it minds PYTHON_GIL.

    Raises
    ------
    CaseFailedError
        If it does not end.
    """
    with tempfile.TemporaryDirectory(prefix="gilkit-", ignore_cleanup_errors=True) as folder:
        process = _started(name, arguments, folder, subprocess.PIPE, python, free)
        try:
            output, errors = process.communicate(timeout=LONGEST_PROGRAM)
        except subprocess.TimeoutExpired:
            raise CaseFailedError(f"no answer within {LONGEST_PROGRAM:g} s: killed") from None
        finally:
            _end(process)
    if process.returncode > 0:
        said = errors.strip().splitlines() or [f"it ended with status {process.returncode}"]
        raise CaseFailedError(f"its program failed: {said[-1]}")
    answers = []
    for line in output.splitlines():
        with suppress(ValueError):  # its start may print more
            answers.append(json.loads(line))
    return process.returncode, answers


def said(name: str, *arguments: Any, python: str = sys.executable, free: bool = True) -> list[Any]:
    """Run a program to its end and return what it said.

    Raises
    ------
    CaseFailedError
        If it does not end well.
    """
    status, lines = ended(name, *arguments, python=python, free=free)
    if status:
        raise CaseFailedError(f"its program was ended by signal {-status}")
    return lines
