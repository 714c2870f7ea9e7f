"""The screen: what was found on standard output, as a text, as JSON or as CSV.

What prints it is loaded then: `gilkit stalls` becomes another program before it has anything to print.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

import click

from gilkit.display.progress import bar as progress_bar

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["FORMS", "alone", "open_streams", "printer", "progress_bar", "show"]


def open_streams() -> None:
    """Let what is written to streams that were closed before the start go nowhere, as Python does."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 (until the end)


@contextmanager
def alone() -> Iterator[None]:
    """Let nothing but what `show` prints get to standard output: the rest goes to standard error."""
    out = sys.stdout
    try:
        if not isinstance(out, io.TextIOWrapper):
            raise io.UnsupportedOperation
        number, elsewhere = out.fileno(), sys.stderr.fileno()
    except io.UnsupportedOperation:  # a notebook, a test: no worker has it
        with redirect_stdout(sys.stderr), _printing_to(out):
            yield
        return
    out.flush()
    with os.fdopen(os.dup(number), "w", encoding=out.encoding, errors=out.errors) as kept:
        os.dup2(elsewhere, number)
        try:
            with _printing_to(kept):
                yield
        finally:
            out.flush()
            os.dup2(kept.fileno(), number)


@contextmanager
def _printing_to(stream: TextIO) -> Iterator[None]:
    token = _stream.set(stream)
    try:
        yield
    finally:
        _stream.reset(token)


def show(found: Any) -> None:
    """Print to standard output, in the form that was asked for."""
    printer.get()(found)


def print_text(renderable: RenderableType, err: bool = False) -> None:
    """Print a table: in colour on a terminal, and no wider than 80 columns into a pipe."""
    from rich.console import Console

    console = Console(highlight=False, stderr=err)
    if console.is_terminal:
        console.print(renderable)
    else:
        _say(renderable, err)


def _say(renderable: RenderableType, err: bool = True) -> None:
    from gilkit.display.tables import plain

    click.echo(plain(renderable), err=err)


def print_json(found: Any) -> None:
    """Print what was found as JSON, and what else is to be said elsewhere."""
    from gilkit.display.data import json_text
    from gilkit.studies.outcome import Report

    if isinstance(found, Report):
        click.echo(json_text(found.to_dict()), file=_stream.get())
    else:
        _say(found)


def print_csv(found: Any) -> None:
    """Print the rows of what was found as CSV, and what else is to be said, as of failures, elsewhere."""
    from gilkit.display.data import csv_text
    from gilkit.studies.outcome import Report

    if isinstance(found, Report):
        click.echo(csv_text(found.rows()), file=_stream.get())
        for name, reason in getattr(found, "failures", {}).items():
            click.echo(f"gilkit: failed {name}: {reason}", err=True)
    else:
        _say(found)


FORMS: dict[str, Callable[[Any], None]] = {"json": print_json, "csv": print_csv}
_stream: ContextVar[TextIO | None] = ContextVar("_stream", default=None)
printer: ContextVar[Callable[[Any], None]] = ContextVar("printer", default=print_text)
