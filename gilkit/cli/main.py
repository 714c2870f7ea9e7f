"""The command line as a whole: the only module that exits, with a status that says how it went."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

import click

from gilkit.cli.commands import FailedCasesError, StoppedError, command
from gilkit.cli.screen import show
from gilkit.display.tables import failures
from gilkit.engine.processes import INTERRUPTS
from gilkit.engine.session import heard_once
from gilkit.errors import (
    BusyMachineWarning,
    InterruptedRunError,
    NothingMeasuredError,
    ResultsError,
    UnsavedError,
    UntoldWarning,
)
from gilkit.workloads.statement import see

FAILED, BAD_INPUT = 1, 2
UNWRITTEN = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}  # of standard output


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0, 1 if a case failed, 2 for bad input; 130 after Ctrl-C.

    SIGTERM and SIGHUP end it as Ctrl-C does, with 128 and their number.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± or → still gets its table
    warnings.showwarning = _warn
    _heed()
    with suppress(FileNotFoundError):  # a folder that was removed has no modules
        see(str(Path.cwd()))
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except OSError as error:
        status = _unwritten(error)
    sys.exit(status)


def _run(arguments: Sequence[str] | None) -> int:
    """Run the command line and return its status; what goes wrong is said."""
    try:
        command.main(args=arguments, prog_name="gilkit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except FailedCasesError:
        return FAILED
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "gilkit"
        return _refused(f"{' '.join(error.format_message().split()).rstrip('.')} (see '{where} --help')")
    except UnsavedError as error:
        show(error.outcome)
        return _refused(str(error))
    except NothingMeasuredError as error:
        for line in failures(error.failures):
            show(line)
        click.echo("gilkit: nothing was measured", err=True)
        return FAILED
    except (click.ClickException, ResultsError, ValueError, TypeError) as error:
        return _refused(str(error))
    except OSError as error:
        if error.errno in UNWRITTEN and not error.filename:
            raise
        return _refused(f"cannot read {error.filename}: {error.strerror}" if error.filename else str(error))
    except StoppedError as error:
        return _interrupted(error.__cause__)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(None)
    return 0


def _unwritten(error: OSError) -> int:
    """Say that standard output could not be written, but to whom has closed it and knows."""
    _to_nowhere(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return FAILED
    return _refused(f"cannot write to standard output: {error.strerror or error}")


def _to_nowhere(*streams: TextIO) -> None:
    """Let what is still to be written, at the latest at exit, go nowhere."""
    for stream in streams:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Say a warning of gilkit's own in one line, and any other as Python does."""
    own = issubclass(category, BusyMachineWarning | UntoldWarning)
    text = (
        f"gilkit: {message}\n" if own else warnings.formatwarning(message, category, filename, lineno, line)
    )
    click.echo(text, file=file or sys.stderr, nl=False)


def _interrupted(error: BaseException | None) -> int:
    """Show what there was until the interrupt, and return the status."""
    number = _asked[0] if _asked else signal.SIGINT
    how = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    kept = error.outcome if isinstance(error, InterruptedRunError) else None
    nothing = isinstance(error, InterruptedRunError) and kept is None
    with suppress(KeyboardInterrupt), heard_once():
        try:
            if kept is not None:
                show(kept)
            click.echo(f"gilkit: {how}" + (": nothing was measured" if nothing else ""), err=True)
            sys.stdout.flush()
        except OSError:  # a hangup: the terminal is gone
            _to_nowhere(sys.stdout, sys.stderr)
    for each in INTERRUPTS:  # from here on there is nothing to be kept
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)
    return 128 + number


_asked: list[int] = []  # the signals that asked to end, beside Ctrl-C


def _heed() -> None:
    """Let the signals by which systems end programs end this one as Ctrl-C does; not if they are ignored."""

    def end(number: int, _: FrameType | None) -> None:
        _asked.append(number)
        raise KeyboardInterrupt

    for number in INTERRUPTS:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


def _refused(message: str) -> int:
    try:
        click.echo(f"gilkit: {message}", err=True)
    except OSError:
        _to_nowhere(sys.stderr)
    return BAD_INPUT
