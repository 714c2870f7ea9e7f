"""How far a run is, and the bar that shows it: on a terminal, and in a notebook."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: seconds that went by, seconds that it takes in all, and what is being measured.

    What it takes in all is what went by and what is planned; that changes with what is measured.
    """

    done: float
    total: float
    label: str

    @property
    def left(self) -> float:
        """The seconds that it takes yet."""
        return self.total - self.done


Listener = Callable[[Progress], None]


def with_bar(function: Callable[P, T]) -> Callable[P, T]:
    """Let ``progress=True`` of a study show a bar; the study itself is given a callable, or None."""

    @functools.wraps(function)
    def study(*args: P.args, **asked: P.kwargs) -> T:
        wanted = asked.get("progress")
        if isinstance(wanted, bool):
            with bar() if wanted else nullcontext() as step:
                asked["progress"] = step
                return function(*args, **asked)
        if wanted is not None and not callable(wanted):
            raise TypeError(f"progress must be True or callable, not {type(wanted).__name__}")
        return function(*args, **asked)

    return study


def bar() -> AbstractContextManager[Listener | None]:
    """Return a progress bar: of the notebook that this runs in, or on standard error if that is a terminal.

    Anywhere else there is none: a file has no use for it.
    """
    if in_notebook():
        return NotebookBar()
    from rich.console import Console

    console = Console(stderr=True)
    return Bar(console) if console.is_terminal else nullcontext()


def in_notebook() -> bool:
    """Return whether this runs in the kernel of a notebook, which shows what is displayed."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


class Bar(AbstractContextManager[Listener]):
    """A progress bar that is redrawn between cases only, so that drawing never runs beside measuring.

    A terminal that was closed meanwhile does not end the run: whoever closed it may, by a hangup.
    """

    def __init__(self, console: Any) -> None:
        from rich import progress

        self.bar = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            auto_refresh=False,
        )
        self.task = self.bar.add_task("starting", total=None, left="")

    def __enter__(self) -> Listener:
        with suppress(OSError):
            self.bar.start()
        return self.step

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.bar.stop()

    def step(self, step: Progress) -> None:
        """Show ``step``."""
        with suppress(OSError):
            self.bar.update(
                self.task,
                description=step.label,
                completed=step.done,
                total=step.total if step.left > 0 else None,
                left=time_left(step.left),
            )
            self.bar.refresh()


class NotebookBar(AbstractContextManager[Listener]):
    """The same below the cell that runs; it is gone when that has ended."""

    def __enter__(self) -> Listener:
        from IPython.display import display

        self.handle: Any = display(_html(Progress(0, 0, "starting")), raw=True, display_id=True)
        return self.step

    def __exit__(self, *_: object) -> None:
        self.handle.update({"text/html": "", "text/plain": ""}, raw=True)

    def step(self, step: Progress) -> None:
        """Show ``step``."""
        self.handle.update(_html(step), raw=True)


def _html(step: Progress) -> dict[str, str]:
    from html import escape  # which loads all entities of HTML, for notebooks alone

    value = f' value="{step.done / step.total:.4f}"' if step.left > 0 else ""
    text = f"{escape(step.label)} {time_left(step.left)}"
    return {"text/html": f"<progress{value}></progress> {text}", "text/plain": step.label}


def time_left(seconds: float) -> str:
    """Return how long it takes yet, in minutes and seconds; nothing where that is not known."""
    minutes, rest = divmod(ceil(seconds), 60)
    return f"{minutes}:{rest:02d} left" if seconds > 0 else ""
