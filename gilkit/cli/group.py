"""The group of all commands: what click does not do, or does otherwise."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import click

from gilkit._version import __version__
from gilkit.arguments import nearest, unknown
from gilkit.cli.examples import EXAMPLES, epilog, welcome

LONGEST_SUMMARY = 1000  # characters: no summary is cut off, it is wrapped
HOMES = {"layout": "layout", "map": "mapping", "stalls": "stalls"} | dict.fromkeys(
    ("show", "report", "list", "modules"), "stored"
)  # the modules of commands that are not in `commands`


class LoadedCommands(MutableMapping[str, click.Command]):
    """The commands by name: each is loaded when it is asked for, and what it measures with when it runs."""

    def __init__(self) -> None:
        self._found: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._found:
            if name not in EXAMPLES:
                raise KeyError(name)
            home = import_module(f"gilkit.cli.{HOMES.get(name, 'commands')}")
            self[name] = getattr(home, f"{name}_command")
        return self._found[name]

    def __setitem__(self, name: str, found: click.Command) -> None:
        found.epilog = found.epilog or epilog(name)
        self._found[name] = found

    def __delitem__(self, name: str) -> None:
        del self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(EXAMPLES)

    def __len__(self) -> int:
        return len(EXAMPLES)


class StoppedError(Exception):
    """A command was interrupted; its cause is the interrupt."""


class Commands(click.Group):
    """The commands: each with its examples, summaries that are whole, and guesses at what was meant."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Interrupts are not left to click: it writes to a terminal that may be gone."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise StoppedError from error
        except click.UsageError as error:
            name = ctx.invoked_subcommand
            if error.ctx is None and name is not None:  # click does not always say whose help to read
                error.ctx = click.Context(self.commands[name], ctx, name)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, self.commands[name].get_short_help_str(LONGEST_SUMMARY))
            for name in self.list_commands(ctx)
            if not self.commands[name].hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and not args[0].startswith("-") and args[0] not in self.commands:
            raise click.UsageError(unknown("command", args[0], self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    commands=LoadedCommands(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="gilkit")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Threads or processes, and should this release the GIL? Measured here.

    Without a command, gilkit says what one does first.
    """
    if ctx.invoked_subcommand is None:
        click.echo(welcome())


def no_such_option(error: click.NoSuchOption) -> str:
    """Return the line that refuses an option: which one of the command was perhaps meant."""
    params = error.ctx.command.get_params(error.ctx) if error.ctx else []
    known = [name.lstrip("-") for param in params for name in param.opts if name.startswith("--")]
    guess = nearest(error.option_name.lstrip("-"), known)
    return f"unknown option {error.option_name!r}" + (f": did you mean '--{guess}'?" if guess else "")
