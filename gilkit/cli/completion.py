"""What a shell offers when one presses Tab: names from the registries. Click does the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def of(known: Collection[str] | Callable[[], Collection[str]]) -> Completer:
    """Return what completes one of these names, and each of several with commas between them.

    Parameters
    ----------
    known : collection of str, or a function that returns one
        A function is called when a name is completed: what it loads, nobody else waits for.
    """

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, begun = incomplete.rpartition(",")
        names = known() if callable(known) else known
        return [CompletionItem(before + comma + name) for name in names if name.startswith(begun)]

    return complete


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell, which knows files."""
    return [CompletionItem(incomplete, type="file")]
