"""Options and arguments that several commands share, and what their texts mean."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any

import click

from gilkit.arguments import LARGEST_SEED, LONGEST_TIMEOUT, unknown
from gilkit.cli import completion
from gilkit.cli.screen import FORMS, alone, printer
from gilkit.kernels import KERNELS

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def counts_of(what: str, example: str) -> Callable[..., tuple[int, ...] | None]:
    """Return a callback for an option that is a list of counts, which commas separate."""

    def callback(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
        if value is None:
            return None
        try:
            counts = tuple(int(part) for part in value.split(","))
        except ValueError:
            counts = ()
        if not counts or min(counts) < 1:
            raise click.BadParameter(
                f"{value!r} is not a list of {what} of 1 or more, such as {example}", ctx, param
            )
        return counts

    return callback


worker_counts = counts_of("worker counts", "1,2,4")
chunk_sizes = counts_of("chunk sizes", "1,16,256")


def several(what: str, known: Sequence[str]) -> Callable[..., tuple[str, ...] | None]:
    """Return a callback for an option that may be repeated, or hold several names with commas."""

    def callback(
        ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
    ) -> tuple[str, ...] | None:
        names = tuple(name for part in value for name in part.split(",") if name)
        for name in names:
            if name not in known:
                raise click.BadParameter(unknown(what, name, known), ctx, param)
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


def timeout(seconds: float) -> Decorator:
    """Return the option for a limit, with so many seconds by default."""
    return click.option(
        "--timeout", type=click.FloatRange(0, LONGEST_TIMEOUT, min_open=True), default=seconds,
        show_default=True, metavar="SECONDS",
        help="Give up what has taken so long without an answer, and kill its processes.",
    )  # fmt: skip


def rounds(usual: str) -> Decorator:
    """Return the option for the number of rounds, with what there are by default."""
    text = f"How many rounds; in each, everything is measured once. By default {usual}."
    return click.option("--rounds", type=click.IntRange(min=1), metavar="N", help=text)


def quick(short: str, usual: str) -> Decorator:
    """Return the option for fewer rounds, with how long all takes with it and without."""
    text = f"Fewer rounds, so less is certain: all takes {short} instead of {usual}."
    return click.option("--quick", is_flag=True, help=text)


def workers(usual: str) -> Decorator:
    """Return the option for worker counts, with those that there are by default."""
    text = f"Measure with so many workers at once, threads or processes. By default {usual}."
    return click.option("--workers", callback=worker_counts, metavar="N,N,...", help=text)


LISTED = 60  # characters of names that fit beside their option


def chosen(what: str, known: Sequence[str], text: str) -> Decorator:
    """Return the option for some of a few names: repeated, or with commas between them."""
    names, words = _names(known)
    return click.option(
        f"--{what}", f"{what}s", multiple=True, callback=several(what, known), metavar=names,
        shell_complete=completion.of(known),
        help=f"{text} For several, repeat it or put commas between them.{words}",
    )  # fmt: skip


def _names(known: Sequence[str]) -> tuple[str, str]:
    """Return what stands for a name in help, and what its text adds where there are too many for that."""
    listed = "|".join(known)
    if len(listed) <= LISTED:
        return f"[{listed}]", ""
    return "NAME", f" A NAME is {', '.join(known[:-1])} or {known[-1]}."


def executors(known: Sequence[str]) -> Decorator:
    """Return the option for some of the executors."""
    return chosen(
        "executor", known, "Run workers in this way only; what the machine can do is measured, too."
    )


def one(what: str, known: Sequence[str], text: str, **settings: Any) -> Decorator:
    """Return the option for one of a few names."""
    names, words = _names(known)
    return click.option(
        f"--{what}", metavar=names, shell_complete=completion.of(known), help=f"{text}{words}", **settings
    )


def setup(more: str = "") -> Decorator:
    """Return the option for what runs before a statement, with what else there is to say of it."""
    text = "Code that every worker runs once before a statement, such as imports and its data."
    return click.option(
        "-s", "--setup", multiple=True, metavar="SETUP", help=f"{text}{more} For several lines, repeat it."
    )


def names(known: Callable[[], Collection[str]]) -> Decorator:
    """Return the argument for some names of a registry, which is loaded when one of them is completed."""
    return click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion.of(known))


def listed(text: str) -> Decorator:
    """Return the option that lists, and measures nothing."""
    return click.option("--list", "listed", is_flag=True, help=text)


def for_machines(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command print what it found as JSON or CSV, too: `screen.show` does."""

    @click.option("--json", "json", is_flag=True, help="Print JSON, and nothing else on standard output.")
    @click.option("--csv", "csv", is_flag=True, help="The same as CSV: a row for each case, slice or kernel.")
    @functools.wraps(command)
    def run(*args: Any, json: bool, csv: bool, **asked: Any) -> Any:
        if json and csv:
            raise click.UsageError("--json and --csv exclude one another")
        if (json or csv) and asked.get("listed"):
            raise click.UsageError("--json and --csv are for what was measured, not for --list")
        if not json and not csv:
            return command(*args, **asked)
        printer.set(FORMS["json" if json else "csv"])
        with alone():
            return command(*args, **asked)

    return run


def for_cluster(asked: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is asked of a cluster; None for nothing, and then ``asked`` has no word of one."""
    scheduler, at_once = asked.pop("scheduler"), asked.pop("all_at_once")
    if scheduler is None:
        if at_once:
            raise click.UsageError("--all-at-once goes with --scheduler ADDRESS")
        return None
    for name, option in HERE_ONLY.items():
        if asked.pop(name, None):
            raise click.UsageError(f"{option} and --scheduler exclude one another")
    return {**asked, "scheduler": scheduler, "all_at_once": at_once}


def kernel_or_statement(what: tuple[str, ...], setup: tuple[str, ...]) -> tuple[list[str], dict[str, Any]]:
    """Return the arguments of a study that takes a kernel or a statement: by position, and by name."""
    from gilkit.workloads.target import from_words

    try:
        found = from_words(what, setup)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    target = found.pop("target", None)
    return [] if target is None else [target], found


HERE_ONLY = {  # what hosts of a cluster are not asked for
    "executors": "--executor",
    "workers": "--workers",
    "against": "--against",
    "shared": "--shared",
    "ladder": "--ladder",
    "pythons": "--python",
}
WHAT_ARGUMENT = click.argument(
    "what", nargs=-1, metavar="KERNEL | STMT...", required=True, shell_complete=completion.of(KERNELS)
)
WORKERS_OPTION = workers("1 and as many as there are CPUs")
SIZE_OPTION = click.option(
    "--size", type=click.IntRange(min=1), metavar="N",
    help="How much work a call does, in the kernel's unit: see gilkit list. By default the size there.",
)  # fmt: skip
PYTHONS_OPTION = click.option(
    "--python", "pythons", multiple=True, metavar="PATH", shell_complete=completion.files,
    help="Measure there, and compare interpreters: a path or a name, with this gilkit installed; repeat it.",
)  # fmt: skip
SCHEDULER_OPTION = click.option(
    "--scheduler", metavar="ADDRESS",
    help="Measure every host of a Dask cluster that runs already, such as tcp://127.0.0.1:8786.",
)  # fmt: skip
AT_ONCE_OPTION = click.option(
    "--all-at-once", is_flag=True,
    help="With --scheduler: measure all hosts at one time, to see what they do to each other.",
)  # fmt: skip
SEED_OPTION = click.option(
    "--seed", type=click.IntRange(0, LARGEST_SEED), metavar="N",
    help="Repeat the order of an earlier run, which its results file has. By default one by chance.",
)  # fmt: skip
