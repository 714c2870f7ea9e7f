"""The screen: tables on standard output, a progress bar on standard error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from gilkit.display.tables import plain
from gilkit.engine.runner import Progress


def show(renderable: RenderableType) -> None:
    """Print to standard output: in colour on a terminal, and no wider than 80 columns into a pipe."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(renderable)
    else:
        click.echo(plain(renderable))


def progress_bar() -> AbstractContextManager[Callable[[Progress], None] | None]:
    """Return a progress bar on standard error, where that is a terminal; nothing otherwise."""
    console = Console(stderr=True)
    return Bar(console) if console.is_terminal else nullcontext()


class Bar(AbstractContextManager[Callable[[Progress], None]]):
    """A progress bar that is redrawn between cases only, so that drawing never runs beside measuring.

    A terminal that was closed meanwhile does not end the run: whoever closed it may, by a hangup.
    """

    def __init__(self, console: Console) -> None:
        self.bar = ProgressBar(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            auto_refresh=False,
        )
        self.task = self.bar.add_task("starting", total=None)

    def __enter__(self) -> Callable[[Progress], None]:
        with suppress(OSError):
            self.bar.start()
        return self.step

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.bar.stop()

    def step(self, step: Progress) -> None:
        """Show ``step``."""
        with suppress(OSError):
            self.bar.update(self.task, description=step.label, completed=step.done, total=step.total or None)
            self.bar.refresh()
