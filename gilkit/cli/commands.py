"""The commands: one function for each; `group.HOMES` has those that are elsewhere.

Each loads its study when it runs: who asks for another command, or for help, does not wait for it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import click

from gilkit.arguments import SHORT_TIMEOUT, TIMEOUT
from gilkit.cli import completion, options
from gilkit.cli.files import OUTPUT_OPTION, PLOT_OPTION, apart
from gilkit.cli.options import (
    AT_ONCE_OPTION,
    PYTHONS_OPTION,
    SCHEDULER_OPTION,
    SEED_OPTION,
    SIZE_OPTION,
    WHAT_ARGUMENT,
    WORKERS_OPTION,
)
from gilkit.cli.reporting import reported
from gilkit.cli.screen import progress_bar, show
from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.studies.threshold.plan import MOST_TIMES, ROUNDS
from gilkit.studies.timeline.lanes import LANE_EXECUTORS, LANE_VARIANTS

if TYPE_CHECKING:
    from gilkit.studies.outcome import Outcome


@click.command("compare")
@click.argument("kernels", nargs=-1, metavar="[KERNEL]...", shell_complete=completion.of(KERNELS))
@options.chosen("variant", VARIANTS, "Measure this variant of the kernels only.")
@options.executors(list(EXECUTORS))
@WORKERS_OPTION
@SIZE_OPTION
@options.rounds("as many as narrow intervals take")
@options.quick("half a minute", "two minutes")
@SEED_OPTION
@click.option(
    "--input", metavar="FILE", shell_complete=completion.files, callback=apart,
    help="Let kernels work on its data: any file for those of bytes, a .npy file for those of arrays.",
)  # fmt: skip
@PYTHONS_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(TIMEOUT)
@options.for_machines
def compare_command(kernels: tuple[str, ...], plot: str | None, **asked: Any) -> None:
    """Measure threads and processes, with and without the GIL.

    Every KERNEL (by default all: see gilkit list) is one computation in up to four variants. Prints how many
    times the work of one worker is done at once, and why it is not more.
    """
    from gilkit.studies.compare.study import compare

    with progress_bar() as step:
        outcome = compare(list(kernels) or None, progress=step, **asked)
    reported(outcome, plot)


@click.command("timeit")
@click.argument("statement", nargs=-1, metavar="STMT...", required=True)
@options.setup()
@options.executors([name for name, kind in EXECUTORS.items() if not kind.native])
@WORKERS_OPTION
@click.option(
    "--against", multiple=True, metavar="STMT",
    help="Compare another statement, after the same SETUP, in the same rounds; repeat for more.",
)  # fmt: skip
@click.option(
    "--shared", is_flag=True, help="Measure also threads that share what one SETUP made, as in most programs."
)
@click.option(
    "--ladder", is_flag=True,
    help="Find which object that threads share stops them: each is made private again, one by one.",
)  # fmt: skip
@SCHEDULER_OPTION
@AT_ONCE_OPTION
@PYTHONS_OPTION
@options.rounds("as many as narrow intervals take")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(SHORT_TIMEOUT)
@options.for_machines
def timeit_command(
    statement: tuple[str, ...], setup: tuple[str, ...], plot: str | None, **asked: Any
) -> None:
    """Measure your own statement, on threads and on processes.

    Prints who holds the GIL, and whether threads or processes win. STMT and SETUP are as for python -m
    timeit: several STMTs are lines of one.
    """
    from gilkit.studies.compare.timeit_study import timeit

    stmt, before = "\n".join(statement), "\n".join(setup) or "pass"
    elsewhere = options.for_cluster(asked)
    with progress_bar() as step:
        if elsewhere is None:
            outcome: Outcome = timeit(stmt, before, progress=step, **asked)
        else:
            from gilkit.studies.layout.study import on_cluster

            outcome = on_cluster(stmt=stmt, setup=before, progress=step, **elsewhere)
    reported(outcome, plot)


@click.command("beside")
@click.argument("statement", nargs=-1, metavar="STMT_A [STMT_B]", required=True)
@options.setup()
@options.rounds("as many as narrow intervals take")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(SHORT_TIMEOUT)
@options.for_machines
def beside_command(
    statement: tuple[str, ...], setup: tuple[str, ...], plot: str | None, **asked: Any
) -> None:
    """Measure what one statement costs another that runs beside it.

    Prints what each keeps of its throughput on threads and in processes, how late an event loop would be, and
    what to do. With one STMT it runs beside the event loop alone: a ticker that wakes every millisecond.
    """
    if len(statement) > 2:
        raise click.UsageError(f"one statement or two, not {len(statement)}: put ; between parts of one")
    from gilkit.studies.beside.study import beside

    with progress_bar() as step:
        found = beside(*statement, setup="\n".join(setup) or "pass", progress=step, **asked)
    reported(found, plot)


@click.command("threshold")
@WHAT_ARGUMENT
@options.setup(" It may use n.")
@click.option(
    "--sizes", callback=options.sizes, metavar="A:B",
    help="The smallest and the largest size to measure; of a statement the smallest and the largest n.",
)  # fmt: skip
@WORKERS_OPTION
@options.rounds(f"{ROUNDS} at every size, and up to {MOST_TIMES * ROUNDS} where it is close")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(SHORT_TIMEOUT)
@options.for_machines
def threshold_command(what: tuple[str, ...], setup: tuple[str, ...], plot: str | None, **asked: Any) -> None:
    """Find the size from which on releasing the GIL pays.

    Of a KERNEL: from which size its nogil version beats its gil version. Of a statement STMT that uses n, or
    whose SETUP does: from which n several threads beat one.
    """
    kernel, statement = options.kernel_or_statement(what, setup)
    if statement and asked["sizes"] is None:
        raise click.UsageError("a statement needs --sizes A:B, the smallest and the largest n")
    from gilkit.studies.threshold.study import threshold

    with progress_bar() as step:
        found = threshold(*kernel, progress=step, **statement, **asked)
    reported(found, plot)


def _costs() -> Collection[str]:
    from gilkit.studies.costs.constants import NAMES

    return NAMES


@click.command("costs")
@options.names(_costs)
@options.rounds("as many as fit into 15 seconds")
@options.quick("ten seconds", "twenty")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.listed("Print what each NAME stands for, and measure nothing.")
@options.for_machines
def costs_command(names: tuple[str, ...], listed: bool, plot: str | None, **asked: Any) -> None:
    """Measure what starting, switching and sending cost here.

    Prints how long it takes to start a thread or a process, to hand over the GIL, to send data and the like.
    A NAME is one of these or a group of them, by default all: see --list.
    """
    if listed:
        from gilkit.studies.costs.table import catalogue

        show(catalogue())
        return
    from gilkit.studies.costs.study import costs

    with progress_bar() as step:
        found = costs(list(names) or None, progress=step, **asked)
    reported(found, plot)


@click.command("timeline")
@WHAT_ARGUMENT
@options.setup()
@options.one("variant", LANE_VARIANTS, "The variant of the kernel. By default nogil where it has that.")
@options.one("executor", LANE_EXECUTORS, "What runs the workers.", default="threads", show_default=True)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N",
    help="Show so many workers, a lane for each. By default as many as there are CPUs, from 2 to 4.",
)  # fmt: skip
@SIZE_OPTION
@click.option(
    "--calls", type=click.IntRange(min=1), metavar="N",
    help="How many calls every worker makes. By default as many as fit, and short ones are drawn as one.",
)  # fmt: skip
@click.option(
    "-o", "--output", metavar="FILE.json", shell_complete=completion.files, callback=apart,
    help="Write a trace for Perfetto or chrome://tracing there.",
)  # fmt: skip
@PLOT_OPTION
@options.timeout(SHORT_TIMEOUT)
@options.for_machines
def timeline_command(what: tuple[str, ...], setup: tuple[str, ...], plot: str | None, **asked: Any) -> None:
    """Show who ran when, and who held the GIL when.

    There is a lane for every worker, with its calls of a KERNEL, or of a statement STMT as for gilkit timeit.
    """
    from gilkit.studies.timeline.study import timeline

    kernel, statement = options.kernel_or_statement(what, setup)
    with progress_bar() as step:
        found = timeline(*kernel, progress=step, **statement, **asked)
    show(found)
    if plot is not None:
        found.plot(plot)


@click.command("scaling")
@click.option(
    "--work", type=float, metavar="SECONDS",
    help="How long the work of one worker takes. By default 0.1, or less where there are many CPUs.",
)  # fmt: skip
@options.workers("1 to twice as many as there are CPUs")
@options.rounds("as many as fit into half a minute")
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.timeout(TIMEOUT)
@options.for_machines
def scaling_command(plot: str | None, **asked: Any) -> None:
    """Time the same work on more and more threads and processes.

    The classic experiment: threads or processes are started, each computes or waits for as long, and they are
    joined; all of that counts. Prints the seconds by the number of workers, beside compiled code with and
    without the GIL and native threads, and which columns stay flat.
    """
    from gilkit.studies.scaling.study import scaling

    with progress_bar() as step:
        found = scaling(progress=step, **asked)
    reported(found, plot)


def _claims() -> Collection[str]:
    from gilkit.studies.claims.registry import CLAIMS

    return CLAIMS


@click.command("claims")
@options.names(_claims)
@options.quick("45 seconds", "up to three minutes")
@click.option(
    "--python", metavar="PATH", shell_complete=completion.files,
    help="Another interpreter, for claims on two: with a GIL and without. It need not have gilkit.",
)  # fmt: skip
@SEED_OPTION
@OUTPUT_OPTION
@PLOT_OPTION
@options.listed("Print how each is put to the test, and measure nothing.")
@options.for_machines
def claims_command(names: tuple[str, ...], listed: bool, plot: str | None, **asked: Any) -> None:
    """Put what people say of threads and processes to the test.

    Prints for each claim what was measured here, and whether it holds. A NAME is that of a claim, by default
    all: see --list.
    """
    if listed:
        from gilkit.studies.claims.table import catalogue

        show(catalogue())
        return
    from gilkit.studies.claims.study import claims

    with progress_bar() as step:
        found = claims(list(names) or None, progress=step, **asked)
    reported(found, plot)
