"""`gilkit layout`: how many Dask workers, with how many threads each."""

from __future__ import annotations

from typing import Any

import click

from gilkit.arguments import SHORT_TIMEOUT
from gilkit.cli import options
from gilkit.cli.files import OUTPUT_OPTION, PLOT_OPTION
from gilkit.cli.options import AT_ONCE_OPTION, SCHEDULER_OPTION, SEED_OPTION
from gilkit.cli.reporting import reported
from gilkit.cli.screen import progress_bar


@click.command("layout")
@click.argument("statement", nargs=-1, metavar="STMT...", required=True)
@options.setup()
@SCHEDULER_OPTION
@AT_ONCE_OPTION
@options.rounds("as many as it takes to decide")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(SHORT_TIMEOUT)
@options.for_machines
def layout_command(
    statement: tuple[str, ...], setup: tuple[str, ...], plot: str | None, **asked: Any
) -> None:
    """Find how many Dask workers to start, with how many threads each.

    Every split of the CPUs into processes and threads runs STMT in tasks, through Dask's scheduler. Prints
    what each does, what a task costs beside its work, the memory, and the options to give to Dask. It takes
    pip install 'gilkit[pools]'.
    """
    from gilkit.studies.layout.study import layout

    asked = options.for_cluster(asked) or asked
    with progress_bar() as step:
        found = layout("\n".join(statement), "\n".join(setup) or "pass", progress=step, **asked)
    reported(found, plot)
