"""The commands that measure nothing: of results that were kept, and of what there is."""

from __future__ import annotations

import click

from gilkit.arguments import TIMEOUT
from gilkit.cli import options
from gilkit.cli.files import FILES_ARGUMENT, PAGE_OPTION, PLOT_OPTION
from gilkit.cli.reporting import ended
from gilkit.cli.screen import progress_bar, show
from gilkit.errors import ResultsError


@click.command("show")
@FILES_ARGUMENT
@PLOT_OPTION
@options.for_machines
def show_command(files: tuple[str, ...], plot: str | None) -> None:
    """Print the report of a results FILE again.

    Several of gilkit timeit or compare, of the same work, stand side by side: the speedups in each, and what
    differs.
    """
    from gilkit.studies.load import load
    from gilkit.studies.side_by_side import side_by_side

    if len(files) > 1:
        if plot is not None:
            raise click.UsageError("--plot draws one file at a time")
        show(side_by_side(files))
        return
    (file,) = files
    found = load(file)
    try:
        show(found)
    except ResultsError as error:  # a fact that only the table reads
        raise ResultsError(f"{file} is damaged: {error}") from None
    ended(found, plot)


@click.command("report")
@FILES_ARGUMENT
@PAGE_OPTION
def report_command(files: tuple[str, ...], output: str) -> None:
    """Make one page of results that one can send: pip install 'gilkit[report]'."""
    from gilkit.studies.pages import report

    report(files, output)
    click.echo(f"{output}: {len(files)} result{'s' * (len(files) != 1)}")


@click.command("list")
@options.for_machines
def list_command() -> None:
    """Print the kernels, variants and executors, and what is missing."""
    from gilkit.studies.catalogue import Catalogue

    show(Catalogue())


@click.command("modules")
@click.argument("packages", nargs=-1, metavar="[PACKAGE]...")
@click.option("--all", "every", is_flag=True, help="List those, too, that leave the GIL off.")
@options.timeout(TIMEOUT)
@options.for_machines
def modules_command(packages: tuple[str, ...], every: bool, timeout: float) -> None:
    """Find the extension modules that turn the GIL on of a free-threaded Python.

    Imports each of a PACKAGE in a process of its own, by default of all that are installed. A PACKAGE is
    named as it is installed or as it is imported, or is a part of one, such as scipy.linalg.
    """
    from gilkit.studies.modules import modules

    with progress_bar() as step:
        found = modules(packages, every=every, timeout=timeout, progress=step)
    show(found)
