"""Other interpreters: which there are, whether gilkit is the same there, and a program of it in each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from gilkit._version import __version__
from gilkit.engine.ends import how_ended
from gilkit.engine.families import kill_session
from gilkit.engine.interrupts import heard_once
from gilkit.engine.probe import answer_in, printed
from gilkit.engine.turns import ASKS, GO, STOP
from gilkit.errors import CaseFailedError
from gilkit.results.case import Case

LINES_BEFORE = 100  # that it prints, at most, before it answers
WRITING_DOWN = 10.0  # seconds in which a program ends that is told to: it writes down what it has
GIL_VARIABLE = "PYTHON_GIL"
PROGRAM = "from gilkit.studies.compare.elsewhere import main; main()"


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter in which gilkit measures.

    Parameters
    ----------
    name : str
        What it is called in tables: its version, with a t where it is built to run without a GIL.
    given : str
        What the user calls it.
    path : str
    free : bool
        Whether it is built so.
    """

    name: str
    given: str
    path: str
    free: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its programs: one with a GIL does not start where PYTHON_GIL takes it away."""
        return environment(self.free)

    @property
    def case(self) -> Case:
        """What its turns are called."""
        return Case(self.name, "turn", "python", 1)


def found_pythons(given: Iterable[str | os.PathLike[str]]) -> list[Python]:
    """Return the interpreters that are meant: those of one version are told apart by numbers.

    Raises
    ------
    TypeError, ValueError
        If one is none, or has not the same gilkit: the message says which.
    """
    named = [(text, *_probed(text, path)) for text, path in map(located, given)]
    of_version = Counter(name for _, name, *_ in named)
    seen: Counter[str] = Counter()
    found = []
    for text, name, path, free in named:
        seen[name] += 1
        own = f"{name} ({seen[name]})" if of_version[name] > 1 else name
        found.append(Python(own, text, path, free))
    return found


def environment(free: bool) -> dict[str, str]:
    """Return the environment of an interpreter's programs, which may be built to run without a GIL, or not.

    One that is not does not start where PYTHON_GIL takes the GIL away.
    """
    return {name: value for name, value in os.environ.items() if free or name != GIL_VARIABLE}


def versioned(version: str, free: bool) -> str:
    """Return what a version is called, with a t where it is built to run without a GIL: 3.14.0t."""
    plain = version.replace(".", "").isdigit()  # not 3.14.0rc2+
    return version + (("t" if plain else " (free-threaded)") if free else "")


def located(given: str | os.PathLike[str]) -> tuple[str, str]:
    """Return what the user calls an interpreter, and its path: of a name, that on PATH.

    Raises
    ------
    TypeError, ValueError
        If it is none, or if there is no such program.
    """
    try:
        text = os.fsdecode(given)
    except TypeError:
        raise TypeError(f"python must be a path or a name, not {type(given).__name__}") from None
    path = shutil.which(text) if text and "\0" not in text else None
    if path is not None:
        return text, os.path.abspath(path)  # noqa: PTH100 (links of environments are kept)
    if text and os.path.isdir(text):  # noqa: PTH112 (which takes any text)
        example = os.path.join(text, "bin", "python")  # noqa: PTH118
        raise ValueError(f"{text} is a folder: name a Python by its path, such as {example}")
    raise ValueError(f"there is no program {text!r}: name a Python by its path, or as it is on PATH")


def _probed(given: str, path: str) -> tuple[str, str, bool]:
    """Return of an interpreter with the same gilkit its name, its path, and whether it is free-threaded."""
    lines, errors = printed(given, path, environment(free=False))
    try:
        found: dict[str, Any] = answer_in(lines, dict) or {}
        version = versioned(found["version"], found["free"])
        other = "" if found["implementation"] == "CPython" else f"{found['implementation']} "
    except (LookupError, TypeError):
        last = f": {errors[-1]}" if errors else ""
        raise ValueError(f"{given} is no Python, or one before 3.11{last[:200]}") from None
    failed, theirs = found.get("error", ""), found.get("gilkit")
    if theirs is None and failed.startswith("ModuleNotFoundError: No module named 'gilkit'"):
        raise ValueError(f"{given} has no gilkit: install it there ({given} -m pip install gilkit)")
    if theirs is not None and theirs != __version__:
        raise ValueError(f"{given} has gilkit {theirs}, and this is {__version__}: install the same there")
    if failed:
        raise ValueError(f"gilkit cannot be loaded by {given}: {failed}")
    if found["free"] and (setting := os.environ.get(GIL_VARIABLE)):
        lines, errors = printed(given, path, environment(free=True))
        if not answer_in(lines, dict):
            why = f": {errors[0][:200]}" if errors else ""
            raise ValueError(f"{given} does not start with {GIL_VARIABLE}={setting}{why}")
    return other + version, path, found["free"]


class Elsewhere:
    """A program of gilkit in another interpreter. It computes in its turns only.

    Parameters
    ----------
    python : Python
    asked : mapping
        What it is to measure.
    environment : mapping
        More of the environment.

    Attributes
    ----------
    waits : bool
        Whether it waits for its turn: if not it has ended.
    """

    def __init__(self, python: Python, asked: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._python = python
        self.waits = self._prepared = False
        # In a session of its own: interrupts are for this program, which sees to it that the other one ends.
        try:
            self._process = subprocess.Popen(
                [python.path, "-P", "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**python.environment, **environment}, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise CaseFailedError(f"{python.given} cannot be started: {error.strerror}") from None
        self._asked = asked

    def begin(self) -> None:
        """Let it prepare: its first turn, which lasts until it would begin with its rounds.

        Raises
        ------
        CaseFailedError
            If it ended, and not because it was done.
        """
        self._order(self._asked)

    def turn(self) -> None:
        """Let it measure until it waits for the next turn, or has ended.

        Raises
        ------
        CaseFailedError
            If it ended, and not because it was done.
        """
        if self.waits:
            self._order(GO)

    def finish(self) -> None:
        """Let it write down what it has, and end: now."""
        if self.waits:
            self._order(STOP)

    def _order(self, what: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.waits = False
        with suppress(OSError):  # it has ended, and says why below
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
        said = self._said(self._process.stdout)
        self.waits = said == ASKS
        if self.waits:
            self._prepared = True
            return
        try:
            status = self._process.wait(WRITING_DOWN)
        except subprocess.TimeoutExpired:  # it only says no more
            self.close()
            status = self._process.returncode
        if (reason := said["failed"]) is not None:
            raise CaseFailedError(reason or f"its program {how_ended(status)}")

    def _said(self, answers: IO[bytes]) -> Any:
        """Return its next answer; before the first one, its start may print lines of its own."""
        for _ in range(LINES_BEFORE):
            line = answers.readline()
            if not line.endswith(b"\n"):
                return {"failed": ""}
            with suppress(ValueError):
                said = json.loads(line)
                if said == ASKS or (isinstance(said, dict) and "failed" in said):
                    return said
        raise CaseFailedError(f"its program printed {LINES_BEFORE} lines, and none is an answer")

    def interrupt(self) -> None:
        """Tell it to write down what it has, and to end: at once where it has nothing yet."""
        if not self._prepared:
            self.close()
            return
        with suppress(OSError):
            self._process.send_signal(signal.SIGINT)

    def wait(self, until: float) -> None:
        """Wait for its end, but not longer than until then."""
        while self._process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)

    def close(self) -> None:
        """See that it has ended, with all that it started."""
        kill_session(self._process)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


@contextmanager
def closing_all(programs: Mapping[str, Elsewhere]) -> Iterator[None]:
    """End all programs afterwards; those that are interrupted keep what they have.

    A further interrupt ends the time in which they write it down, and none leaves one alive.
    """
    with ExitStack() as ends:
        try:
            yield
        except KeyboardInterrupt:
            ends.enter_context(heard_once())
            for each in programs.values():
                each.interrupt()
            until = time.monotonic() + WRITING_DOWN
            for each in programs.values():
                each.wait(until)
            raise
        finally:
            for each in (*programs.values(), *programs.values()):  # twice: an interrupt may hit one
                ends.callback(each.close)
