"""What becomes of a run: it ends whole, interrupted or unsaved, and nothing that was measured is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, Protocol, TypeVar

from gilkit.engine.interrupts import heard_once
from gilkit.engine.pools import Lab
from gilkit.engine.processes import stop_if_run_again
from gilkit.errors import InterruptedRunError, NothingMeasuredError, ResultsError, UnsavedError


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
