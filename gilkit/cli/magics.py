"""The command line in a notebook: ``%load_ext gilkit``, then ``%gilkit`` and ``%%gilkit``."""

from __future__ import annotations

import shlex
import sys
import warnings
from contextvars import copy_context
from pathlib import Path
from typing import Any

import click

from gilkit.cli.group import StoppedError, command
from gilkit.cli.main import BAD_INPUTS, in_words, say_warning
from gilkit.cli.reporting import FailedCasesError
from gilkit.cli.screen import printer
from gilkit.display.tables import html, plain
from gilkit.errors import InterruptedRunError, UnsavedError
from gilkit.studies.outcome import Report
from gilkit.workloads.folder import see

STMT = "STMT"  # in the name of an argument that may be a statement


class Shown:
    """What a command shows that measures nothing, such as a list."""

    def __init__(self, renderable: Any) -> None:
        self.renderable = renderable

    def __repr__(self) -> str:
        return plain(self.renderable)

    def _repr_html_(self) -> str:
        return html(self.renderable)


def load_ipython_extension(ipython: Any) -> None:
    """Let IPython and notebooks take gilkit's commands: ``%load_ext gilkit``.

    ``%gilkit COMMAND …`` takes what the command line takes, and returns what the function of the same name
    returns, which a notebook shows. ``%%gilkit timeit [OPTIONS]`` measures the cell below it, and so do
    ``threshold`` and ``timeline``. The cell runs in workers: names of the notebook are not there, what it
    needs goes into ``-s SETUP``.

    Parameters
    ----------
    ipython : IPython.core.interactiveshell.InteractiveShell
    """
    from IPython.core.error import UsageError
    from IPython.core.magic import no_var_expand

    def gilkit(line: str, cell: str | None = None) -> Any:
        """Run a command of gilkit: %gilkit --help lists them."""
        try:
            return _run(_words(line, cell))
        except Refused as refused:
            raise UsageError(str(refused)) from None
        except ImportError as error:  # a command that could not be loaded
            raise UsageError(in_words(error)) from None

    # Braces and dollars are those of the statement.
    ipython.register_magic_function(no_var_expand(gilkit), "line_cell", "gilkit")


class Refused(Exception):  # noqa: N818 (never seen: it is one line in the notebook)
    """What was asked for could not be done; the message says why."""


def _words(line: str, cell: str | None) -> list[str]:
    """Return the words of the command line that is meant; a cell is its statement."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Refused(f"{error}: {line}") from None
    if cell is None:
        return words
    takers = [name for name, found in command.commands.items() if _takes_statement(found)]
    if not words or words[0] not in takers:
        raise Refused(f"a cell is a statement: %%gilkit takes {', '.join(takers)}")
    if "--" in words:
        raise Refused("a cell is the statement: -- and another one have no place beside it")
    if words[-1].startswith("-") and _takes_value(command.commands[words[0]], words[-1]):
        raise Refused(f"{words[-1]} needs a value")
    return [*words, "--", cell.strip("\n")]


def _takes_value(found: click.Command, option: str) -> bool:
    """Whether an option of a command is followed by its value."""
    options = (param for param in found.params if isinstance(param, click.Option) and option in param.opts)
    return any(not param.is_flag for param in options)


def _takes_statement(found: click.Command) -> bool:
    arguments = (param for param in found.params if isinstance(param, click.Argument))
    return any(STMT in (argument.metavar or "") for argument in arguments)


def _run(words: list[str]) -> Any:
    """Run a command, and return what it found; None if it has printed all itself."""
    found: list[Any] = []
    usual, warnings.showwarning = warnings.showwarning, say_warning
    try:
        copy_context().run(_collect, words, found)
    finally:
        warnings.showwarning = usual
    if not found:
        return None
    last = found[-1]
    return last if isinstance(last, Report) else Shown(last)


def _collect(words: list[str], found: list[Any]) -> None:
    """Run a command, and collect what it shows; what it measured until it was ended counts, too."""
    printer.set(found.append)
    see(str(Path.cwd()))
    try:
        command.main(args=words, prog_name="%gilkit", standalone_mode=False)
    except FailedCasesError:
        pass  # their rows have said why
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except StoppedError as error:
        stopped = error.__cause__
        if not isinstance(stopped, InterruptedRunError) or stopped.outcome is None:
            raise Refused("interrupted: nothing was measured") from None
        found.append(stopped.outcome)
        print("gilkit: interrupted", file=sys.stderr)
    except UnsavedError as error:
        found.append(error.outcome)
        print(f"gilkit: {error}", file=sys.stderr)
    except BAD_INPUTS as error:
        raise Refused(in_words(error)) from None
    finally:
        see("")
