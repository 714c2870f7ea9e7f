"""Options and arguments that several commands share, and what their texts mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os.path import realpath
from typing import Any

import click

from gilkit.arguments import LARGEST_SEED, LONGEST_TIMEOUT
from gilkit.display.picture_files import SUFFIXES, check_picture
from gilkit.workloads.target import from_words

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def worker_counts(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Return worker counts, which commas separate."""
    if value is None:
        return None
    try:
        counts = tuple(int(part) for part in value.split(","))
    except ValueError:
        counts = ()
    if not counts or min(counts) < 1:
        raise click.BadParameter(
            f"{value!r} is not a list of worker counts of 1 or more, such as 1,2,4", ctx, param
        )
    return counts


def several(what: str, known: Sequence[str]) -> Callable[..., tuple[str, ...] | None]:
    """Return a callback for an option that may be repeated, or hold several names with commas."""

    def callback(
        ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
    ) -> tuple[str, ...] | None:
        names = tuple(name for part in value for name in part.split(",") if name)
        for name in names:
            if name not in known:
                raise click.BadParameter(f"unknown {what} {name!r}: known are {', '.join(known)}", ctx, param)
        return names or None

    return callback


def sizes(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Return two sizes, which a colon separates."""
    if value is None:
        return None
    try:
        first, last = (int(part) for part in value.split(":"))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two sizes, such as 64:1048576", ctx, param) from None
    return first, last


def apart(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Return the file to write into, if no other option names it."""
    for other in ("plot", "output"):  # whichever is read later finds the other
        if value and (named := ctx.params.get(other)) and realpath(named) == realpath(value):
            raise click.UsageError("--plot and --output must be two files", ctx)
    return value


def drawable(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return the file to draw into, if that will be possible: nothing is measured first."""
    if value is not None:
        check_picture(value)
    return apart(ctx, param, value)


def timeout(seconds: float) -> Decorator:
    """Return the option for a limit, with so many seconds by default."""
    return click.option(
        "--timeout", type=click.FloatRange(0, LONGEST_TIMEOUT, min_open=True), default=seconds,
        show_default=True, metavar="SECONDS",
        help="Give up after so long without an answer, and kill the processes.",
    )  # fmt: skip


def rounds(text: str) -> Decorator:
    """Return the option for the number of rounds."""
    return click.option("--rounds", type=click.IntRange(min=1), help=text)


def setup(text: str) -> Decorator:
    """Return the option for what runs before a statement."""
    return click.option("-s", "--setup", multiple=True, metavar="SETUP", help=text)


def listed(text: str) -> Decorator:
    """Return the option that lists, and measures nothing."""
    return click.option("--list", "listed", is_flag=True, help=text)


def kernel_or_statement(what: tuple[str, ...], setup: tuple[str, ...]) -> tuple[list[str], dict[str, Any]]:
    """Return the arguments of a study that takes a kernel or a statement: by position, and by name."""
    try:
        found = from_words(what, setup)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    target = found.pop("target", None)
    return [] if target is None else [target], found


WHAT_ARGUMENT = click.argument("what", nargs=-1, metavar="KERNEL | STMT...", required=True)
NAMES_ARGUMENT = click.argument("names", nargs=-1, metavar="[NAME]...")
WORKERS_OPTION = click.option(
    "--workers",
    callback=worker_counts,
    metavar="N,N,...",
    help="Worker counts; by default 1 and as many as CPUs; for scaling up to twice as many.",
)
SIZE_OPTION = click.option(
    "--size", type=click.IntRange(min=1), help="Work in a call, in the kernel's unit: see gilkit list."
)
SEED_OPTION = click.option(
    "--seed",
    type=click.IntRange(0, LARGEST_SEED),
    help="For the order in each round; recorded in the results.",
)
OUTPUT_OPTION = click.option(
    "-o", "--output", metavar="FILE.json", callback=apart,
    help="Write the results there, in pyperf's format.",
)  # fmt: skip
PLOT_OPTION = click.option(
    "--plot", callback=drawable, metavar="FILE" + "|".join(SUFFIXES).replace("|.", "|"),
    help="Draw it there; it takes pip install 'gilkit[report]'.",
)  # fmt: skip
