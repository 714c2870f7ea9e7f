"""`gilkit stalls`: it becomes the program that it is to watch, and tells what was seen."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from gilkit import machine
from gilkit.arguments import LONGEST_STALL, SHORTEST_STALL, STALL, duration
from gilkit.cli import completion, starter
from gilkit.cli.files import apart
from gilkit.errors import ResultsError
from gilkit.results.writing import check_writable

VALUED = "--check-hash-based-pycs"  # the long option of Python that has a value


def seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Return the seconds of a time with its unit."""
    try:
        found = duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    if not SHORTEST_STALL <= found <= LONGEST_STALL:
        raise click.BadParameter(f"it must be between 1ms and 3600s, not {value}", ctx, param)
    return found


class Running(click.Command):
    """A command that runs a program: whatever follows what names it is the program's own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._divided(args))

    def _divided(self, args: list[str]) -> list[str]:
        """Return the words with ``--`` behind those that are gilkit's."""
        taking = {
            name
            for param in self.params
            if isinstance(param, click.Option) and not param.is_flag
            for name in param.opts
        }
        place = 0
        while place < len(args) and args[place].startswith("-") and args[place] not in ("-", "--"):
            word = args[place]
            short = word[:2] in taking and not word.startswith("--")
            place += 2 if word in taking else 1
            if short and word[:2] in ("-m", "-c"):  # all else is the program's, a -- too
                return args if place > len(args) else [*args[:place], "--", *args[place:]]
        if place > len(args) or args[place : place + 1] == ["--"]:
            return args
        return [*args[:place], "--", *args[place:]]


@click.command("stalls", cls=Running)
@click.option(
    "--longer", callback=seconds, default=f"{STALL * 1e3:g}ms", show_default=True, metavar="TIME",
    help="From how long on it counts as a stall that others wait, such as 50ms or 0.5s.",
)  # fmt: skip
@click.option(
    "-o", "--output", metavar="FILE.json", shell_complete=completion.files, callback=apart,
    help="Write all stalls there, with their stacks: results, which gilkit show prints again; or, if its "
    "name ends in .trace.json, a trace for Perfetto or chrome://tracing.",
)  # fmt: skip
@click.option("--subprocesses", is_flag=True, help="Watch child processes of multiprocessing, too.")
@click.option("-m", "module", metavar="MODULE", help="Run a module, as python -m does.")
@click.option("-c", "code", metavar="CODE", help="Run this code, as python -c does.")
@click.argument("words", nargs=-1, metavar="[SCRIPT] [ARGS]...", shell_complete=completion.files)
@click.pass_context
def stalls_command(
    ctx: click.Context,
    longer: float,
    output: str | None,
    subprocesses: bool,
    module: str | None,
    code: str | None,
    words: tuple[str, ...],
) -> None:
    """Run a program, and tell which of its lines made other threads wait.

    Prints to standard error when the program ends, and on SIGUSR1 meanwhile: at which lines a thread kept the
    GIL while others waited for it, and for how long. All else is as with python SCRIPT: what follows SCRIPT,
    MODULE or CODE are the arguments of the program, and its exit status is that of gilkit.
    """
    if ctx.find_root().info_name == "%gilkit":
        raise click.UsageError("stalls runs a program of its own: in a notebook, use gilkit.Stalls", ctx)
    if module is not None and code is not None:
        raise click.UsageError("-m and -c exclude one another", ctx)
    how, what = ("m", module) if module is not None else ("c", code) if code is not None else ("script", None)
    if what is None:
        if not words:
            raise click.UsageError("name a program: SCRIPT, -m MODULE or -c CODE", ctx)
        what, *words = words  # type: ignore[assignment]
        _check_script(what)
    if output is not None:
        if how == "script" and os.path.realpath(output) == os.path.realpath(what):
            raise click.UsageError("--output and SCRIPT must be two files", ctx)
        check_writable(output)
        output = os.path.realpath(output)
    asked = {
        "how": how,
        "program": what,
        "longer": longer,
        "output": output,
        "subprocesses": subprocesses,
        "home": _folder(),
        "began": time.monotonic(),
        "busy": machine.busy_seconds(),
        "cpu_before": sum(os.times()[:4]),
    }
    _become([sys.executable, *_flags(), starter.__file__, json.dumps(asked), what, *words])


def _check_script(path: str) -> None:
    """Refuse what cannot be read; a pipe is read once only, by the program."""
    try:
        if path != "-" and stat.S_ISREG(os.stat(path or ".").st_mode):  # noqa: PTH116 (as Python: not made shorter)
            Path(path).open("rb").close()
    except OSError as error:
        raise ResultsError(f"cannot open {path}: {error.strerror}") from None


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""


def _flags() -> list[str]:
    """Return the options that this interpreter was given, such as ``-X dev``: the program has them, too."""
    found: list[str] = []
    words = iter(sys.orig_argv[1:])
    for word in words:
        if not word.startswith("-") or word in ("-", "--"):
            break
        ends = re.match("-[a-zA-Z]*?([cmXW])", word)  # short options may stand together
        if ends is not None and ends[1] in "cm":  # what is run
            return [*found, word[: ends.end() - 1]] if ends.end() > 2 else found
        found.append(word)
        if word == VALUED or (ends is not None and ends.end() == len(word)):
            found += [next(words)]
    return found


def _become(words: list[str]) -> NoReturn:
    """Go on as another program: in the same process, where the system can."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if os.name == "nt":
        sys.exit(subprocess.run(words, check=False).returncode)
    os.execv(words[0], words)
