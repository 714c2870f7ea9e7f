"""What can go wrong, and how it is said: every error of gilkit's own, each with a message of one line."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gilkit.results.case import Case


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


def one_line(error: BaseException) -> str:
    """Return any error in one line, its type first."""
    try:
        text = " ".join(str(error).split())
    except BaseException as failed:  # its own text may fail
        if is_interrupt(failed):
            raise
        text = ""
    if isinstance(error, StatementError):  # it says whose error it was
        return text[:200]
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
