"""What a shell offers when one presses Tab: names from the registries. Click does the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def of(known: Iterable[str]) -> Completer:
    """Return what completes one of these names, and each of several with commas between them."""
    return among(lambda: known)


def among(known: Callable[[], Iterable[str]]) -> Completer:
    """Return the same for names that are looked up when one of them is completed."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, begun = incomplete.rpartition(",")
        return [CompletionItem(before + comma + name) for name in known() if name.startswith(begun)]

    return complete


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell, which knows files."""
    return [CompletionItem(incomplete, type="file")]
