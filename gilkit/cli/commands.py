"""The commands: one function for each."""

from __future__ import annotations

from typing import Any

import click

from gilkit._version import __version__
from gilkit.arguments import SHORT_TIMEOUT, TIMEOUT
from gilkit.cli import options
from gilkit.cli.options import (
    NAMES_ARGUMENT,
    OUTPUT_OPTION,
    PLOT_OPTION,
    SEED_OPTION,
    SIZE_OPTION,
    WHAT_ARGUMENT,
    WORKERS_OPTION,
)
from gilkit.cli.screen import progress_bar, show
from gilkit.engine.executors import CALL_EXECUTORS
from gilkit.errors import ResultsError
from gilkit.kernels import VARIANTS
from gilkit.studies import catalogue
from gilkit.studies.claims import table as claims_table
from gilkit.studies.claims.study import claims
from gilkit.studies.compare.study import compare, timeit
from gilkit.studies.costs import table as costs_table
from gilkit.studies.costs.study import costs
from gilkit.studies.drawn import Drawn
from gilkit.studies.load import load
from gilkit.studies.outcome import Outcome
from gilkit.studies.pages import report
from gilkit.studies.scaling.study import scaling
from gilkit.studies.threshold.study import threshold
from gilkit.studies.timeline.study import timeline


class FailedCasesError(click.ClickException):
    """Some cases failed; their rows have said why."""


class StoppedError(Exception):
    """A command was interrupted; its cause is the interrupt."""


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Interrupts are not left to click: it writes to a terminal that may be gone."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise StoppedError from error


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="gilkit")
def command() -> None:
    """Threads or processes, and should this release the GIL? Measured here."""


def _report(outcome: Outcome, plot: str | None = None) -> None:
    """Print the report of what was found, and end with it."""
    show(outcome)
    _end(outcome, plot)


def _end(outcome: Outcome, plot: str | None) -> None:
    """Draw what was found, if asked for, and tell if some of it failed."""
    _draw(outcome, plot)
    if outcome.failures:
        raise FailedCasesError("some cases failed")


def _draw(drawn: Drawn, plot: str | None) -> None:
    if plot is not None:
        drawn.plot(plot)


@command.command("compare")
@click.argument("kernels", nargs=-1, metavar="[KERNEL]...")
@click.option(
    "--variant", "variants", multiple=True, callback=options.several("variant", VARIANTS),
    help=f"Only this one, of {', '.join(VARIANTS)}; repeat for several.",
)  # fmt: skip
@click.option(
    "--executor", "executors", multiple=True, callback=options.several("executor", list(CALL_EXECUTORS)),
    help=f"Only this one, of {', '.join(CALL_EXECUTORS)}; repeat for several. The ceiling stays.",
)  # fmt: skip
@WORKERS_OPTION
@SIZE_OPTION
@options.rounds("Rounds; by default as many as narrow intervals take.")
@click.option("--quick", is_flag=True, help="Half a minute, with less certainty.")
@SEED_OPTION
@click.option("--input", metavar="FILE", help="Take data from FILE: any, or a .npy array for array kernels.")
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(TIMEOUT)
def compare_command(kernels: tuple[str, ...], plot: str | None, **asked: Any) -> None:
    """Measure KERNELs (by default all) with and without the GIL, on threads and on processes.

    Prints how many times the work of one worker is done at once, and why it is not more.
    """
    with progress_bar() as step:
        outcome = compare(list(kernels) or None, progress=step, **asked)
    _report(outcome, plot)


@command.command("timeit")
@click.argument("statement", nargs=-1, metavar="STMT...", required=True)
@options.setup("What every worker runs first, once; repeat for several lines.")
@WORKERS_OPTION
@click.option(
    "--shared", is_flag=True, help="Measure threads that share one SETUP, too: as most programs do."
)
@options.rounds("Rounds; by default as many as narrow intervals take.")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(SHORT_TIMEOUT)
def timeit_command(
    statement: tuple[str, ...], setup: tuple[str, ...], plot: str | None, **asked: Any
) -> None:
    """Measure a statement of your own: who holds the GIL, and do threads or processes win.

    STMT and SETUP are as for python -m timeit; several STMTs are lines of one.
    """
    with progress_bar() as step:
        outcome = timeit("\n".join(statement), "\n".join(setup) or "pass", progress=step, **asked)
    _report(outcome, plot)


@command.command("threshold")
@WHAT_ARGUMENT
@options.setup("For a statement: what every worker runs first, once. May use n.")
@click.option(
    "--sizes", callback=options.sizes, metavar="A:B", help="The smallest and the largest size, or n."
)
@WORKERS_OPTION
@options.rounds("Rounds at every size; by default 7 to 21.")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(SHORT_TIMEOUT)
def threshold_command(what: tuple[str, ...], setup: tuple[str, ...], plot: str | None, **asked: Any) -> None:
    """Find the size from which on releasing the GIL pays.

    Of a KERNEL: from which its nogil version beats its gil version. Of a statement STMT that uses n: from
    which threads beat one.
    """
    kernel, statement = options.kernel_or_statement(what, setup)
    if statement and asked["sizes"] is None:
        raise click.UsageError("a statement needs --sizes A:B, the smallest and the largest n")
    with progress_bar() as step:
        found = threshold(*kernel, progress=step, **statement, **asked)
    _report(found, plot)


@command.command("costs")
@NAMES_ARGUMENT
@options.rounds("Rounds; by default as many as fit into 15 seconds.")
@click.option("--quick", is_flag=True, help="Ten seconds, with less certainty.")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.listed("Print what each NAME stands for, and measure nothing.")
def costs_command(names: tuple[str, ...], listed: bool, plot: str | None, **asked: Any) -> None:
    """Measure what starting, switching and sending cost on this machine.

    A NAME is a constant or a group of them: see --list.
    """
    if listed:
        show(costs_table.catalogue())
        return
    with progress_bar() as step:
        found = costs(list(names) or None, progress=step, **asked)
    _report(found, plot)


@command.command("timeline")
@WHAT_ARGUMENT
@options.setup("For a statement: what every worker runs first, once.")
@click.option("--variant", help="Of the kernel: python, gil or nogil; by default nogil where it has one.")
@click.option("--executor", default="threads", show_default=True, help="threads, processes or serial.")
@click.option("--workers", type=click.IntRange(min=1), help="Lanes; by default 2 to 4, as there are CPUs.")
@SIZE_OPTION
@click.option(
    "--calls", type=click.IntRange(min=1), metavar="N",
    help="Calls of every worker, each a slice; by default what fits, and short ones share a slice.",
)  # fmt: skip
@click.option(
    "-o", "--output", metavar="FILE.json", callback=options.apart,
    help="Write a trace for Perfetto or chrome://tracing there.",
)  # fmt: skip
@PLOT_OPTION
@options.timeout(SHORT_TIMEOUT)
def timeline_command(what: tuple[str, ...], setup: tuple[str, ...], plot: str | None, **asked: Any) -> None:
    """Show who ran when and who held the GIL when: a lane for every worker.

    Of a KERNEL, or of a statement STMT as for gilkit timeit.
    """
    kernel, statement = options.kernel_or_statement(what, setup)
    with progress_bar() as step:
        found = timeline(*kernel, progress=step, **statement, **asked)
    show(found)
    _draw(found, plot)


@command.command("scaling")
@click.option(
    "--work", type=float, metavar="SECONDS", help="Work of one worker; by default 0.1 on a few CPUs."
)
@WORKERS_OPTION
@options.rounds("Rounds; by default as many as fit into half a minute.")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(TIMEOUT)
def scaling_command(plot: str | None, **asked: Any) -> None:
    """Run the classic experiment: CPU-bound and I/O-bound work on threads and on processes.

    Every worker does the same work; starting and joining counts. Prints the seconds by workers, beside
    compiled code with and without the GIL and native threads, and which columns stay flat.
    """
    with progress_bar() as step:
        found = scaling(progress=step, **asked)
    _report(found, plot)


@command.command("claims")
@NAMES_ARGUMENT
@click.option("--quick", is_flag=True, help="All in 45 seconds, with less certainty.")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.listed("Print how each is put to the test, and measure nothing.")
def claims_command(names: tuple[str, ...], listed: bool, plot: str | None, **asked: Any) -> None:
    """Put what people say of threads and processes to the test.

    Prints for each claim what was measured here, and whether it holds. A NAME is a claim's: see --list. All
    take up to three minutes.
    """
    if listed:
        show(claims_table.catalogue())
        return
    with progress_bar() as step:
        found = claims(list(names) or None, progress=step, **asked)
    _report(found, plot)


@command.command("show")
@click.argument("file")
@PLOT_OPTION
def show_command(file: str, plot: str | None) -> None:
    """Print the report of a results FILE again."""
    found = load(file)
    try:
        show(found)
    except ResultsError as error:  # a fact that only the table reads
        raise ResultsError(f"{file} is damaged: {error}") from None
    _end(found, plot)


@command.command("report")
@click.argument("files", nargs=-1, metavar="FILE...", required=True)
@click.option("-o", "--output", required=True, metavar="FILE.html", help="Write the page there.")
def report_command(files: tuple[str, ...], output: str) -> None:
    """Make a page of results FILEs that one can send: verdicts, pictures and tables, in one file.

    It takes pip install 'gilkit[report]'.
    """
    report(files, output)
    click.echo(f"{output}: {len(files)} result{'s' * (len(files) != 1)}")


@command.command("list")
def list_command() -> None:
    """Print the kernels, variants and executors, with why one is not available here."""
    show(catalogue.catalogue())
