"""The group of all commands: what click does not do, or does otherwise."""

from __future__ import annotations

from typing import Any

import click

from gilkit.arguments import nearest, unknown
from gilkit.cli.examples import epilog

LONGEST_SUMMARY = 1000  # characters: no summary is cut off, it is wrapped


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

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        cmd.epilog = cmd.epilog or epilog(name or cmd.name or "")
        super().add_command(cmd, name)

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


def no_such_option(error: click.NoSuchOption) -> str:
    """Return the line that refuses an option: which one of the command was perhaps meant."""
    params = error.ctx.command.get_params(error.ctx) if error.ctx else []
    known = [name.lstrip("-") for param in params for name in param.opts if name.startswith("--")]
    guess = nearest(error.option_name.lstrip("-"), known)
    return f"unknown option {error.option_name!r}" + (f": did you mean '--{guess}'?" if guess else "")
