"""The screen: what was found on standard output, as a text, as JSON or as CSV."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import click
from rich.console import Console, RenderableType

from gilkit.display.data import csv_text, json_text
from gilkit.display.progress import bar as progress_bar
from gilkit.display.tables import plain
from gilkit.studies.outcome import Report

__all__ = ["FORMS", "printer", "progress_bar", "show"]


def show(found: Any) -> None:
    """Print to standard output, in the form that was asked for."""
    printer.get()(found)


def print_text(renderable: RenderableType) -> None:
    """Print a table: in colour on a terminal, and no wider than 80 columns into a pipe."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(renderable)
    else:
        click.echo(plain(renderable))


def print_json(found: Any) -> None:
    """Print what was found as JSON, and what else is to be said elsewhere."""
    if isinstance(found, Report):
        click.echo(json_text(found.to_dict()))
    else:
        click.echo(plain(found), err=True)


def print_csv(found: Any) -> None:
    """Print the rows of what was found as CSV, and what else is to be said, as of failures, elsewhere."""
    if isinstance(found, Report):
        click.echo(csv_text(found.rows()))
        for name, reason in getattr(found, "failures", {}).items():
            click.echo(f"gilkit: failed {name}: {reason}", err=True)
    else:
        click.echo(plain(found), err=True)


FORMS: dict[str, Callable[[Any], None]] = {"json": print_json, "csv": print_csv}
printer: ContextVar[Callable[[Any], None]] = ContextVar("printer", default=print_text)
