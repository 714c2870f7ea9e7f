"""The command line: the only module that parses, prints and exits."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gilkit import __version__, plotting, report
from gilkit.classic import Scaling, scaling
from gilkit.comparison import compare, timeit
from gilkit.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.outcome import InterruptedRunError, UnsavedError
from gilkit.reading import load
from gilkit.results import NothingMeasuredError, Results, ResultsError
from gilkit.run import Progress as Step
from gilkit.settings import LONGEST, SECONDS, SHORT
from gilkit.survey import costs
from gilkit.sweep import threshold
from gilkit.tracing import timeline
from gilkit.trial import claims

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def _counts(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
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


def _several(what: str, known: Sequence[str]) -> Callable[..., tuple[str, ...] | None]:
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


WORKERS = click.option(
    "--workers", callback=_counts, metavar="N,N,...", help="Worker counts; by default 1 to 2 x CPUs."
)
SEED = click.option("--seed", type=int, help="For the order in each round; recorded in the results.")
OUTPUT = click.option(
    "-o", "--output", metavar="FILE.json", help="Write the results there, in pyperf's format."
)


def _timeout(seconds: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--timeout", type=click.FloatRange(0, LONGEST, min_open=True), default=seconds, show_default=True,
        metavar="SECONDS", help="Give up after so long without an answer, and kill the processes.",
    )  # fmt: skip


def _show(renderable: RenderableType) -> None:
    """Print to standard output: in colour on a terminal, and no wider than 80 columns into a pipe."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(renderable)
    else:
        click.echo(report.plain(renderable))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gilkit")
def command() -> None:
    """Threads or processes, and should this release the GIL? Measured here."""


@command.command("compare")
@click.argument("kernels", nargs=-1, metavar="[KERNEL]...")
@click.option(
    "--variant", "variants", multiple=True, callback=_several("variant", VARIANTS),
    help=f"Only this one, of {', '.join(VARIANTS)}; repeat for several.",
)  # fmt: skip
@click.option(
    "--executor", "executors", multiple=True, callback=_several("executor", list(EXECUTORS)),
    help=f"Only this one, of {', '.join(EXECUTORS)}; repeat for several. The ceiling stays.",
)  # fmt: skip
@WORKERS
@click.option(
    "--size", type=click.IntRange(min=1), help="Work in a call, in the kernel's unit: see gilkit list."
)
@click.option(
    "--rounds", type=click.IntRange(min=1), help="Rounds; by default as many as fit into two minutes."
)
@click.option("--quick", is_flag=True, help="Half a minute, with less certainty.")
@SEED
@click.option("--input", metavar="FILE", help="Take data from FILE: any, or a .npy array for array kernels.")
@OUTPUT
@_timeout(SECONDS)
def compare_command(kernels: tuple[str, ...], **options: Any) -> None:
    """Measure KERNELs (by default all) with and without the GIL, on threads and on processes.

    Prints how many times the work of one worker is done at once, and why it is not more.
    """
    with _bar() as step:
        outcome = compare(list(kernels) or None, progress=step, **options)
    _finish(outcome.results)


def _finish(found: Results, plot: str | None = None) -> None:
    """Print the report of what was found, draw it if asked for, and exit with 1 if some of it failed."""
    _show(report.report(found))
    if plot is not None:
        plotting.draw(found, plot)
    if found.failures:
        sys.exit(FAILED)


@command.command("timeit")
@click.argument("statement", nargs=-1, metavar="STMT...", required=True)
@click.option(
    "-s", "--setup", multiple=True, metavar="SETUP",
    help="What every worker runs first, once; repeat for several lines.",
)  # fmt: skip
@WORKERS
@click.option(
    "--rounds", type=click.IntRange(min=1), help="Rounds; by default as many as fit into ten seconds."
)
@SEED
@OUTPUT
@_timeout(SHORT)
def timeit_command(statement: tuple[str, ...], setup: tuple[str, ...], **options: Any) -> None:
    """Measure a statement of your own: who holds the GIL, and do threads or processes win.

    STMT and SETUP are as for python -m timeit; several STMTs are lines of one.
    """
    with _bar() as step:
        outcome = timeit("\n".join(statement), "\n".join(setup) or "pass", progress=step, **options)
    _finish(outcome.results)


def _ends(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Return two sizes, which a colon separates."""
    if value is None:
        return None
    try:
        first, last = (int(part) for part in value.split(":"))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two sizes, such as 64:1048576", ctx, param) from None
    return first, last


def _kernel_or_own(what: tuple[str, ...], setup: tuple[str, ...]) -> tuple[str | None, dict[str, Any]]:
    """Return the kernel that is named; or None, and the statement as keyword arguments."""
    alone = len(what) == 1 and not setup
    if alone and what[0] in KERNELS:
        return what[0], {}
    if alone and what[0].isidentifier():
        raise click.UsageError(f"unknown kernel {what[0]!r}: known are {', '.join(KERNELS)}")
    if not setup and all(word in KERNELS for word in what):
        raise click.UsageError(f"one kernel at a time, not {len(what)}: {', '.join(what)}")
    return None, {"stmt": "\n".join(what), "setup": "\n".join(setup) or "pass"}


@command.command("threshold")
@click.argument("what", nargs=-1, metavar="KERNEL | STMT...", required=True)
@click.option(
    "-s", "--setup", multiple=True, metavar="SETUP",
    help="For a statement: what every worker runs first, once. May use n.",
)  # fmt: skip
@click.option("--sizes", callback=_ends, metavar="A:B", help="The smallest and the largest size, or n.")
@WORKERS
@click.option("--rounds", type=click.IntRange(min=1), help="Rounds at every size; by default 7 to 21.")
@SEED
@OUTPUT
@_timeout(SHORT)
def threshold_command(what: tuple[str, ...], setup: tuple[str, ...], **options: Any) -> None:
    """Find the size from which on releasing the GIL pays.

    Of a KERNEL: from which its nogil version beats its gil version. Of a statement STMT that uses n: from
    which threads beat one.
    """
    kernel, own = _kernel_or_own(what, setup)
    if kernel is None and options["sizes"] is None:
        raise click.UsageError("a statement needs --sizes A:B, the smallest and the largest n")
    with _bar() as step:
        found = threshold(kernel, progress=step, **own, **options)
    _finish(found.results)


@command.command("costs")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--rounds", type=click.IntRange(min=1), help="Rounds; by default as many as fit into 15 seconds."
)
@click.option("--quick", is_flag=True, help="Ten seconds, with less certainty.")
@SEED
@OUTPUT
@click.option("--list", "listed", is_flag=True, help="Print what each NAME stands for, and measure nothing.")
def costs_command(names: tuple[str, ...], listed: bool, **options: Any) -> None:
    """Measure what starting, switching and sending cost on this machine.

    A NAME is a constant or a group of them: see --list.
    """
    if listed:
        _show(report.constants())
        return
    with _bar() as step:
        found = costs(list(names) or None, progress=step, **options)
    _finish(found.results)


@command.command("timeline")
@click.argument("what", nargs=-1, metavar="KERNEL | STMT...", required=True)
@click.option(
    "-s", "--setup", multiple=True, metavar="SETUP",
    help="For a statement: what every worker runs first, once.",
)  # fmt: skip
@click.option("--variant", help="Of the kernel: python, gil or nogil; by default nogil where it has one.")
@click.option("--executor", default="threads", show_default=True, help="threads, processes or serial.")
@click.option("--workers", type=click.IntRange(min=1), help="Lanes; by default 2 to 4, as there are CPUs.")
@click.option(
    "--size", type=click.IntRange(min=1), help="Work in a call, in the kernel's unit: see gilkit list."
)
@click.option(
    "--calls", type=click.IntRange(min=1), metavar="N",
    help="Calls of every worker, each a slice; by default what fits, and short ones share a slice.",
)  # fmt: skip
@click.option(
    "-o", "--output", metavar="FILE.json", help="Write a trace for Perfetto or chrome://tracing there."
)
@_timeout(SHORT)
def timeline_command(what: tuple[str, ...], setup: tuple[str, ...], **options: Any) -> None:
    """Show who ran when and who held the GIL when: a lane for every worker.

    Of a KERNEL, or of a statement STMT as for gilkit timeit.
    """
    kernel, own = _kernel_or_own(what, setup)
    with _bar() as step:
        found = timeline(kernel, progress=step, **own, **options)
    _show(found)


def _plot(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return the file to draw into, if that will be possible: nothing is measured first."""
    if value is not None:
        plotting.check(value)
    return value


PLOT = click.option(
    "--plot", callback=_plot, metavar="FILE.svg|png",
    help="Draw the curves there, with matplotlib: pip install 'gilkit[plot]'.",
)  # fmt: skip


@command.command("scaling")
@click.option(
    "--work", type=float, metavar="SECONDS", help="Work of one worker; by default 0.1 on a few CPUs."
)
@WORKERS
@click.option(
    "--rounds", type=click.IntRange(min=1), help="Rounds; by default as many as fit into half a minute."
)
@SEED
@OUTPUT
@PLOT
@_timeout(SECONDS)
def scaling_command(plot: str | None, **options: Any) -> None:
    """Run the classic experiment: CPU-bound and I/O-bound work on threads and on processes.

    Every worker does the same work; starting and joining counts. Prints the seconds by workers, beside
    compiled code with and without the GIL and native threads, and which columns stay flat.
    """
    if plot and options["output"] and Path(plot).resolve() == Path(options["output"]).resolve():
        raise click.UsageError("--plot and --output must be two files")
    with _bar() as step:
        found = scaling(progress=step, **options)
    _finish(found.results, plot)


@command.command("claims")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--quick", is_flag=True, help="All in 45 seconds, with less certainty.")
@SEED
@OUTPUT
@click.option(
    "--list", "listed", is_flag=True, help="Print how each is put to the test, and measure nothing."
)
def claims_command(names: tuple[str, ...], listed: bool, **options: Any) -> None:
    """Put what people say of threads and processes to the test.

    Prints for each claim what was measured here, and whether it holds. A NAME is a claim's: see --list. All
    take up to three minutes.
    """
    if listed:
        _show(report.sayings())
        return
    with _bar() as step:
        found = claims(list(names) or None, progress=step, **options)
    _finish(found.results)


@command.command("show")
@click.argument("file")
@PLOT
def show_command(file: str, plot: str | None) -> None:
    """Print the report of a results FILE again."""
    found = load(file)
    if plot is not None and not isinstance(found, Scaling):
        raise click.UsageError("--plot draws what gilkit scaling measured, and nothing else yet")
    _finish(found.results, plot)


@command.command("list")
def list_command() -> None:
    """Print the kernels, variants and executors, with why one is not available here."""
    _show(report.catalogue())


def _bar() -> AbstractContextManager[Callable[[Step], None] | None]:
    """Return a progress bar on standard error, where that is a terminal; nothing otherwise."""
    console = Console(stderr=True)
    return Bar(console) if console.is_terminal else nullcontext()


class Bar(AbstractContextManager[Callable[[Step], None]]):
    """A progress bar that is redrawn between cases only, so that drawing never runs beside measuring."""

    def __init__(self, console: Console) -> None:
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            auto_refresh=False,
        )
        self.task = self.bar.add_task("starting", total=None)

    def __enter__(self) -> Callable[[Step], None]:
        self.bar.start()
        return self.step

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def step(self, step: Step) -> None:
        """Show ``step``."""
        self.bar.update(self.task, description=step.label, completed=step.done, total=step.total or None)
        self.bar.refresh()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0, 1 if a case failed, 2 for bad input, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± or → still gets its table
    try:
        command.main(args=arguments, prog_name="gilkit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "gilkit"
        _fail(f"{' '.join(error.format_message().split()).rstrip('.')} (see '{where} --help')")
    except UnsavedError as error:
        _show(error.outcome)
        _fail(str(error))
    except NothingMeasuredError as error:
        for line in report.failures(error.failures):
            _show(line)
        click.echo("gilkit: nothing was measured", err=True)
        sys.exit(FAILED)
    except (click.ClickException, ResultsError, ValueError, TypeError) as error:
        _fail(str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        _fail(f"cannot read {error.filename}: {error.strerror}" if error.filename else str(error))
    except (KeyboardInterrupt, click.Abort) as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        source = error.__cause__ if isinstance(error, click.Abort) else error
        kept = source.outcome if isinstance(source, InterruptedRunError) else None
        if kept is not None:
            _show(kept)
        nothing = isinstance(source, InterruptedRunError) and kept is None
        click.echo("gilkit: interrupted" + (": nothing was measured" if nothing else ""), err=True)
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _fail(message: str) -> NoReturn:
    click.echo(f"gilkit: {message}", err=True)
    sys.exit(BAD_INPUT)
