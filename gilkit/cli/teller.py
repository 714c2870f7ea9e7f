"""The interpreter that tells what was seen in a program that was watched: see `program`."""

from __future__ import annotations

import json
import sys

import click

from gilkit.cli.program import NO_REPORT, NOT_TOLD
from gilkit.cli.screen import open_streams, print_text
from gilkit.errors import ResultsError


def told() -> None:
    """Tell what was seen in the program that wrote it to standard input, and keep it."""
    open_streams()
    status = 0
    try:
        from gilkit.studies.stalls.study import StallReport, is_trace

        told = json.load(sys.stdin)
        found = StallReport.of(told)
        click.echo(err=True)  # apart from what the program printed
        print_text(found, err=True)
        if told["ended"] and told["output"] is not None:
            found.save_trace(told["output"]) if is_trace(told["output"]) else found.save(told["output"])
    except (ResultsError, OSError) as error:
        click.echo(f"gilkit: {error}", err=True)
        status = NOT_TOLD
    except Exception as error:  # noqa: BLE001 (a fault of ours: it is told, and the program ends as it does)
        click.echo(f"{NO_REPORT}: {' '.join(str(error).split()) or type(error).__name__}", err=True)
        status = NOT_TOLD
    sys.exit(status)
