"""The command line as a whole: the only module that exits, with a status that says how it went."""

from __future__ import annotations

import _thread
import errno
import io
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

import click

from gilkit.cli.group import StoppedError, command, no_such_option
from gilkit.cli.reporting import FailedCasesError
from gilkit.cli.screen import open_streams, show
from gilkit.engine.interrupts import INTERRUPTS, SAME, heard_once
from gilkit.errors import (
    BusyMachineWarning,
    InterruptedRunError,
    NothingMeasuredError,
    ResultsError,
    UnsavedError,
    UntoldWarning,
)
from gilkit.workloads.folder import see

FAILED, BAD_INPUT = 1, 2
OF_A_TEXT = ("<string>", "<module>")  # the file and the name of code that `exec` makes of one, or of `-c`
HEARD_AGAIN = 0.02  # seconds until an interrupt that came at a bad moment comes again
# Of bad input, or where something is not installed as it should be: one line.
BAD_INPUTS = (click.ClickException, ResultsError, ValueError, TypeError, OSError, ImportError)
UNWRITTEN = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}  # of standard output


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0, 1 if a case failed, 2 for bad input; 130 after Ctrl-C.

    SIGTERM and SIGHUP end it as Ctrl-C does, with 128 and their number.
    """
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± or → still gets its table
    warnings.showwarning = say_warning
    _heed()
    with suppress(FileNotFoundError):  # a folder that was removed has no modules
        see(str(Path.cwd()))
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except OSError as error:
        if _asked:  # a hangup, whose terminal is gone: nobody reads any more
            _to_nowhere(sys.stdout, sys.stderr)
            status = 128 + _asked[0][0]
        else:
            status = _unwritten(error)
    sys.exit(status)


def _run(arguments: Sequence[str] | None) -> int:
    """Run the command line and return its status, also where it is interrupted while something is said."""
    try:
        return _said(arguments)
    except StoppedError as error:
        return _interrupted(error.__cause__)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(None)
    except Exception as error:
        if _of_an_interrupt(error):
            return _interrupted(None)
        raise


def _of_an_interrupt(error: BaseException | None) -> bool:
    """Whether an error comes of an interrupt: before 3.12, Python makes one of what `__set_name__` raises."""
    if not _asked:
        return False
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _said(arguments: Sequence[str] | None) -> int:
    """Run the command line and return its status; what goes wrong is said."""
    try:
        command.main(args=arguments, prog_name="gilkit", standalone_mode=False)
    except FailedCasesError:
        return FAILED
    except UnsavedError as error:
        show(error.outcome)
        return _refused(str(error))
    except NothingMeasuredError as error:
        from gilkit.display.tables import failures

        for line in failures(error.failures):
            show(line)
        click.echo("gilkit: nothing was measured", err=True)
        return FAILED
    except BAD_INPUTS as error:
        unwritten = isinstance(error, OSError) and error.errno in UNWRITTEN and not error.filename
        if unwritten or _of_an_interrupt(error):
            raise
        return _refused(in_words(error))
    return 0


def in_words(error: Exception) -> str:
    """Return one of `BAD_INPUTS` in one line."""
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "gilkit"
        text = no_such_option(error) if isinstance(error, click.NoSuchOption) else error.format_message()
        return f"{' '.join(text.split()).rstrip('.')} (see '{where} --help')"
    if isinstance(error, OSError) and error.filename:
        return f"cannot read {error.filename}: {error.strerror}"
    return str(error)


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


def say_warning(
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
    number = _asked[0][0] if _asked else signal.SIGINT
    ended = f"gilkit: ended by {signal.Signals(number).name}"
    how = "\ngilkit: interrupted" if number == signal.SIGINT else ended  # below the ^C of a terminal
    kept = error.outcome if isinstance(error, InterruptedRunError) else None
    nothing = isinstance(error, InterruptedRunError) and kept is None
    with suppress(KeyboardInterrupt), heard_once(last=True):
        try:
            if kept is not None:
                show(kept)
            click.echo(how + (": nothing was measured" if nothing else ""), err=True)
            sys.stdout.flush()
        except ResultsError as error:
            _refused(str(error))
        except OSError:  # a hangup: the terminal is gone
            _to_nowhere(sys.stdout, sys.stderr)
    return 128 + number


_asked: list[tuple[int, float]] = []  # the signals that asked to end, and when


def _heed() -> None:
    """Let the signals by which systems end programs end this one as Ctrl-C does; not if they are ignored.

    One that comes soon after another is taken for the same. One that a finalizer swallows comes again, and so
    does one in code that is made of a text, as dataclasses are: of an interrupt that leaves such code, Python
    ends by SIGINT (``python -m``), whatever status it is told.
    """

    def end(number: int, frame: FrameType | None) -> None:
        if frame and frame.f_back and (frame.f_code.co_filename, frame.f_code.co_name) == OF_A_TEXT:
            _thread.start_new_thread(_again, (number,))
            return
        now = time.monotonic()
        if not _asked or now > _asked[-1][1] + SAME:
            _asked.append((number, now))
            raise KeyboardInterrupt

    for number in INTERRUPTS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, end)
    usual = sys.unraisablehook

    def swallowed(told: sys.UnraisableHookArgs) -> None:
        if told.exc_type is not KeyboardInterrupt or not _asked:
            usual(told)
            return
        number, _ = _asked.pop()
        _thread.start_new_thread(_again, (number,))

    sys.unraisablehook = swallowed


def _again(number: int) -> None:
    """Interrupt the main thread once more, when it has left where it was."""
    time.sleep(HEARD_AGAIN)
    if hasattr(signal, "pthread_kill"):  # what wakes it, too
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        _thread.interrupt_main(signal.Signals(number))


def _refused(message: str) -> int:
    try:
        click.echo(f"gilkit: {message}", err=True)
    except OSError:
        _to_nowhere(sys.stderr)
    return BAD_INPUT
