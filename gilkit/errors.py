"""What can go wrong, and how it is said: every error of gilkit's own, each with a message of one line."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from gilkit.results.case import Case

T = TypeVar("T")
ONLY_IN_THE_FIRST = re.compile(r"module (\w+)\S* does not support loading in subinterpreters")


class CaseFailedError(Exception):
    """A case could not be measured; the message says why."""


class LateError(Exception):
    """No answer in time: the pool is of no use any more."""


class StatementError(ValueError):
    """SETUP or the statement is not Python, or SETUP fails."""


class MonitorError(RuntimeError):
    """The GIL cannot be watched here; the message says why."""


class BusyError(RuntimeError):
    """No decision could be had in time; the message says why."""


class BusyMachineWarning(UserWarning):
    """Other programs use the CPUs, and something is about to be measured; the message says how many."""


class UntoldWarning(UserWarning):
    """The system does not tell something, and it is measured without; the message says what."""


class ResultsError(ValueError):
    """A results file that cannot be read or written."""


class NothingMeasuredError(ResultsError):
    """Every case failed; ``failures`` says why each did."""

    def __init__(self, failures: Mapping[Case, str]) -> None:
        reasons = "; ".join(dict.fromkeys(failures.values()))
        super().__init__(f"nothing was measured: {reasons or 'it was interrupted too early'}")
        self.failures = dict(failures)


class UnsavedError(ResultsError):
    """The results could not be written; ``outcome``, what the command would have returned, has them."""

    def __init__(self, error: ResultsError, outcome: Any) -> None:
        super().__init__(str(error))
        self.outcome = outcome


class InterruptedRunError(KeyboardInterrupt):
    """An interrupt while something was measured; ``outcome`` is what there was until then, or None."""

    def __init__(self, outcome: Any) -> None:
        super().__init__("interrupted")
        self.outcome = outcome


def is_interrupt(error: BaseException) -> bool:
    """Return whether an error is an interrupt of this program, and not one that a call raised itself."""
    return (
        isinstance(error, KeyboardInterrupt)
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # as in a worker
    )


def told(task: Callable[..., T], *args: Any) -> T:
    """Run a task of a worker; what it raises is told in words, as nobody else may know its type.

    Nor that of what led to it, which libraries send with an error.
    """
    try:
        return task(*args)
    except (CaseFailedError, LateError) as error:
        alone: Exception = error
    except BaseException as error:
        if is_interrupt(error):
            raise
        alone = CaseFailedError(one_line(error))
    raise without_history(alone)


E = TypeVar("E", bound=BaseException)


def without_history(error: E) -> E:
    """Return an error without what led to it."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def only_in_the_first(error: BaseException | None) -> str:
    """Return the package that only the first interpreter of a process can import, if an error is for that.

    Packages say it in many lines of their own, and this is what their error comes from.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an error may be its own cause
        seen.add(id(error))
        if isinstance(error, ImportError) and (found := ONLY_IN_THE_FIRST.search(str(error))):
            return found[1]
        error = error.__cause__ or error.__context__
    return ""


def one_line(error: BaseException) -> str:
    """Return any error in one line, its type first."""
    if package := only_in_the_first(error):
        return f"{package} cannot be imported in an interpreter of its own"
    try:
        text = " ".join(str(error).split())
    except BaseException as failed:  # its own text may fail
        if is_interrupt(failed):
            raise
        text = ""
    if isinstance(error, StatementError):  # it says whose error it was
        return text[:200]
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
