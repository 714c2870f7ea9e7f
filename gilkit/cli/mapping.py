"""The command `gilkit map`."""

from __future__ import annotations

from typing import Any

import click

from gilkit.arguments import TIMEOUT
from gilkit.cli import options
from gilkit.cli.files import OUTPUT_OPTION, PLOT_OPTION
from gilkit.cli.reporting import reported
from gilkit.cli.screen import progress_bar
from gilkit.studies.map.names import MAP_EXECUTORS


@click.command("map")
@click.argument("function", metavar="FUNCTION")
@click.argument("items", metavar="ITEMS")
@click.option(
    "-s", "--setup", multiple=True, metavar="SETUP",
    help="Code that defines FUNCTION and ITEMS, such as imports. For several lines, repeat it.",
)  # fmt: skip
@click.option(
    "--items", "limit", type=click.IntRange(min=1), metavar="N",
    help="Take so many items at most. An iterator gives a million by default.",
)  # fmt: skip
@options.chosen("executor", list(MAP_EXECUTORS), "Try this executor only.")
@options.workers("searched for: 1 to twice as many as CPUs, more where calls wait")
@click.option(
    "--chunks", callback=options.chunk_sizes, metavar="N,N,...",
    help="Try these chunk sizes. By default searched for: 1, 4, 16 and so on.",
)  # fmt: skip
@click.option("--budget", type=float, metavar="SECONDS", help="Take about so long. By default 30.")
@options.quick("ten seconds", "half a minute")
@options.rounds("as many as fit into the budget")
@options.SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(TIMEOUT)
@options.for_machines
def map_command(function: str, items: str, setup: tuple[str, ...], plot: str | None, **asked: Any) -> None:
    """Find which pool and which chunk size a map wants.

    Maps FUNCTION over ITEMS, two expressions of Python, on threads, processes and, where there are,
    interpreters, beside a loop. Prints the line to copy, how much faster it is, from how many items on it
    pays, and why the others lose.
    """
    from gilkit.studies.map.study import map as map_study

    with progress_bar() as step:
        outcome = map_study(function, items, setup="\n".join(setup) or "pass", progress=step, **asked)
    reported(outcome, plot)
