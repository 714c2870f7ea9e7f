"""The command line as a whole: the only module that exits, with a status that says how it went."""

from __future__ import annotations

import io
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn, TextIO

import click

from gilkit.cli.commands import FailedCasesError, command
from gilkit.cli.screen import show
from gilkit.errors import (
    BusyMachineWarning,
    InterruptedRunError,
    NothingMeasuredError,
    ResultsError,
    UnsavedError,
)
from gilkit.report.tables import failures

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0, 1 if a case failed, 2 for bad input, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± or → still gets its table
    warnings.showwarning = _warn
    try:
        command.main(args=arguments, prog_name="gilkit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except FailedCasesError:
        sys.exit(FAILED)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "gilkit"
        _fail(f"{' '.join(error.format_message().split()).rstrip('.')} (see '{where} --help')")
    except UnsavedError as error:
        show(error.outcome)
        _fail(str(error))
    except NothingMeasuredError as error:
        for line in failures(error.failures):
            show(line)
        click.echo("gilkit: nothing was measured", err=True)
        sys.exit(FAILED)
    except (click.ClickException, ResultsError, ValueError, TypeError) as error:
        _fail(str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        _fail(f"cannot read {error.filename}: {error.strerror}" if error.filename else str(error))
    except (KeyboardInterrupt, click.Abort) as error:
        _interrupted(error)
    sys.exit(0)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Say a warning of gilkit's own in one line, and any other as Python does."""
    own = issubclass(category, BusyMachineWarning)
    text = (
        f"gilkit: {message}\n" if own else warnings.formatwarning(message, category, filename, lineno, line)
    )
    click.echo(text, file=file or sys.stderr, nl=False)


def _interrupted(error: BaseException) -> NoReturn:
    """Show what there was until the interrupt, and exit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = error.__cause__ if isinstance(error, click.Abort) else error
    kept = source.outcome if isinstance(source, InterruptedRunError) else None
    if kept is not None:
        show(kept)
    nothing = isinstance(source, InterruptedRunError) and kept is None
    click.echo("gilkit: interrupted" + (": nothing was measured" if nothing else ""), err=True)
    sys.exit(INTERRUPTED)


def _fail(message: str) -> NoReturn:
    click.echo(f"gilkit: {message}", err=True)
    sys.exit(BAD_INPUT)
