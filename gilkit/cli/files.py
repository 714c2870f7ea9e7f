"""Options and arguments that name files: no two the same, which is checked before anything is measured."""

from __future__ import annotations

from collections.abc import Iterable
from os.path import realpath
from typing import Any

import click

from gilkit.cli import completion
from gilkit.display.picture_files import SUFFIXES, check_picture

FILES = {"plot": "--plot", "output": "--output", "input": "--input", "files": "FILE"}


def apart(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Return the file to read or to write, if no other option or argument names it."""
    for other, name in FILES.items():  # whichever is read later finds the other
        named = ctx.params.get(other)
        if other != param.name and value and named and _paths(named) & _paths(value):
            both = " and ".join(sorted((name, FILES[param.name or other]), key=list(FILES.values()).index))
            raise click.UsageError(f"{both} must be two files", ctx)
    return value


def _paths(value: str | Iterable[str]) -> set[str]:
    return {realpath(path) for path in ([value] if isinstance(value, str) else value)}


def drawable(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
    """Return the file to draw into, if that will be possible: nothing is measured first."""
    if value is not None:
        check_picture(value)
    return apart(ctx, param, value)


OUTPUT_OPTION = click.option(
    "-o", "--output", metavar="FILE.json", shell_complete=completion.files, callback=apart,
    help="Write the results there, in pyperf's format.",
)  # fmt: skip
PLOT_OPTION = click.option(
    "--plot", callback=drawable, metavar="FILE" + "|".join(SUFFIXES).replace("|.", "|"),
    shell_complete=completion.files, help="Draw it there; it takes pip install 'gilkit[report]'.",
)  # fmt: skip
FILES_ARGUMENT = click.argument(
    "files", nargs=-1, metavar="FILE...", required=True, shell_complete=completion.files, callback=apart
)
PAGE_OPTION = click.option(
    "-o", "--output", required=True, metavar="FILE.html", shell_complete=completion.files, callback=apart,
    help="Write the page there.",
)  # fmt: skip
