"""How commands end that report what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gilkit.cli.screen import show

if TYPE_CHECKING:
    from gilkit.studies.outcome import Outcome


class FailedCasesError(click.ClickException):
    """Some cases failed; their rows have said why."""


def reported(outcome: Outcome, plot: str | None = None) -> None:
    """Print the report of what was found, and end with it."""
    show(outcome)
    ended(outcome, plot)


def ended(outcome: Outcome, plot: str | None) -> None:
    """Draw what was found, if asked for, and tell if some of it failed."""
    if plot is not None:
        outcome.plot(plot)
    if outcome.failures:
        raise FailedCasesError("some cases failed")
