"""What becomes of a run: it ends whole, interrupted or unsaved, and nothing that was measured is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Any, Protocol, TypeVar

from gilkit.engine.pools import Lab
from gilkit.engine.processes import INTERRUPTS, stop_if_run_again
from gilkit.errors import InterruptedRunError, NothingMeasuredError, ResultsError, UnsavedError

SAME = 1.0  # seconds after an interrupt in which a further one is taken for the same


class Saved(Protocol):
    """What a run ends with: it can be kept."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to ``path``."""


O = TypeVar("O", bound=Saved)  # noqa: E741 (as T and P)


def obtained(
    kind: Callable[[Any], O],
    lab: Lab,
    measure: Callable[[Lab], None],
    suite: Callable[[], Any],
    output: str | os.PathLike[str] | None,
) -> O:
    """Let ``measure`` work in ``lab``, and return the outcome of that kind; ``output`` has it, too.

    Parameters
    ----------
    kind : callable
        Makes the outcome of what `suite` returns.
    lab : Lab
        Entered and left here.
    measure : callable
    suite : callable
        Returns what was measured so far, mostly a suite, or raises a `NothingMeasuredError`.
    output : path or None

    Raises
    ------
    InterruptedRunError, UnsavedError, NothingMeasuredError
    """
    stop_if_run_again()
    with ExitStack() as once:
        try:
            with lab:
                try:
                    measure(lab)
                except KeyboardInterrupt:
                    once.enter_context(heard_once())
                    raise
            return _whole(kind, suite, output)
        except KeyboardInterrupt:
            once.enter_context(heard_once())
            raise InterruptedRunError(_kept(kind, suite, output)) from None


def _whole(kind: Callable[[Any], O], suite: Callable[[], Any], output: str | os.PathLike[str] | None) -> O:
    """Return what a run leaves that went to its end, after it was written to its file."""
    outcome = kind(suite())
    if output is not None:
        try:
            outcome.save(output)
        except ResultsError as error:
            raise UnsavedError(error, outcome) from None
    return outcome


def _kept(
    kind: Callable[[Any], O], suite: Callable[[], Any], output: str | os.PathLike[str] | None
) -> O | None:
    """Return what an interrupted run leaves, after it was written to its file."""
    try:
        outcome = kind(suite())
    except NothingMeasuredError:
        return None
    if output is not None:
        with suppress(ResultsError):
            outcome.save(output)
    return outcome


@contextmanager
def heard_once(last: bool = False) -> Iterator[None]:
    """Take further interrupts for the first one while that is seen to: processes ended, results kept.

    For a second only: one that comes later than a key bounces has its effect. Nobody waits in vain.

    Parameters
    ----------
    last : bool
        Whether there is nothing to be kept afterwards: from then on one ends the program at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: before for number in INTERRUPTS if callable(before := signal.getsignal(number))}
    first = time.monotonic()

    def hear(number: int, frame: FrameType | None) -> None:
        if time.monotonic() > first + SAME:
            handlers[number](number, frame)

    for number in handlers:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, before in handlers.items():
            signal.signal(number, signal.SIG_DFL if last else before)
