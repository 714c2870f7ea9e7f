"""What a command ends with: its results, whole, partial or unsaved."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from gilkit import results
from gilkit.lab import Lab
from gilkit.results import Results

if TYPE_CHECKING:
    from rich.console import RenderableType


class Outcome:
    """What was measured, and what follows from it. Its ``repr`` is the report.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    kind: ClassVar[str]

    def __init__(self, suite: Any) -> None:
        self.suite = suite
        self._results = Results(suite)

    @property
    def results(self) -> Results:
        """The suite, read by case."""
        return self._results

    @property
    def failures(self) -> dict[str, str]:
        """The names of the cases that failed, each with the reason."""
        return {case.name: reason for case, reason in self._results.failures.items()}

    @property
    def missing(self) -> dict[str, str]:
        """The names of what cannot be measured here, each with the reason."""
        return dict(json.loads(self.results.facts.get("gilkit_missing", "{}")))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the suite to ``path``, in pyperf's JSON."""
        results.save(self.suite, path)

    def __rich__(self) -> RenderableType:
        from gilkit.report import report

        return report(self._results)

    def __repr__(self) -> str:
        from gilkit.report import plain

        return plain(self)


class Shown(Protocol):
    """What every command ends with: it can be printed and kept."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to ``path``."""

    def __rich__(self) -> RenderableType:
        """Return everything that there is to say of it."""


O = TypeVar("O", bound=Shown)  # noqa: E741 (as T and P)


class UnsavedError(results.ResultsError):
    """The results could not be written; ``outcome`` has them."""

    def __init__(self, error: results.ResultsError, outcome: Shown) -> None:
        super().__init__(str(error))
        self.outcome = outcome


class InterruptedRunError(KeyboardInterrupt):
    """An interrupt while something was measured; ``outcome`` is what there was until then, or None."""

    def __init__(self, outcome: Shown | None) -> None:
        super().__init__("interrupted")
        self.outcome = outcome


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
    with ExitStack() as deaf:
        try:
            with lab:
                try:
                    measure(lab)
                except KeyboardInterrupt:
                    deaf.enter_context(_deaf())
                    raise
        except KeyboardInterrupt:
            raise InterruptedRunError(_kept(kind, suite, output)) from None
    outcome = kind(suite())
    if output is not None:
        try:
            outcome.save(output)
        except results.ResultsError as error:
            raise UnsavedError(error, outcome) from None
    return outcome


def _kept(
    kind: Callable[[Any], O], suite: Callable[[], Any], output: str | os.PathLike[str] | None
) -> O | None:
    """Return what an interrupted run leaves, after it was written to its file."""
    try:
        outcome = kind(suite())
    except results.NothingMeasuredError:
        return None
    if output is not None:
        with suppress(results.ResultsError):
            outcome.save(output)
    return outcome


@contextmanager
def _deaf() -> Iterator[None]:
    """Ignore further interrupts while the first is seen to: processes ended, results kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
