"""The curves of the classic experiment in a file, by matplotlib, which is loaded when it is asked for."""

from __future__ import annotations

import os
from math import isnan
from pathlib import Path

from gilkit.errors import ResultsError
from gilkit.results import facts
from gilkit.results.file import Results, check_writable
from gilkit.studies.scaling.columns import COLUMNS, counts, measured

ENDINGS = (".svg", ".png")
INCHES = (7.5, 4.5)  # of the picture


def check(path: str | os.PathLike[str]) -> None:
    """Find out now whether `draw` will be able to draw into ``path``.

    Raises
    ------
    ValueError
        If it will not: the ending is another, matplotlib is missing, or the file cannot be written.
    """
    if Path(path).suffix.lower() not in ENDINGS:
        raise ValueError(f"a plot must end in {' or '.join(ENDINGS)}, not {path}")
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ValueError(f"a plot needs matplotlib (pip install 'gilkit[plot]'): {error}") from None
    check_writable(path)


def draw(results: Results, path: str | os.PathLike[str]) -> None:
    """Draw the seconds of every column by workers, with their intervals, into a file.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.add_subplot()
    for column in COLUMNS.values():
        if not (found := measured(results, column)):
            continue
        below = [0.0 if isnan(value.low) else value - value.low for value in found.values()]
        above = [0.0 if isnan(value.high) else value.high - value for value in found.values()]
        # CPU-bound Python solid, waits dotted, the compiled versions dashed.
        line = ":" if column.kernel == "sleep" else "-" if column.variant == "python" else "--"
        axes.errorbar(
            list(found), list(map(float, found.values())), [below, above],
            label=column.name, linestyle=line, marker="o", markersize=4, capsize=3,
        )  # fmt: skip
    axes.axvline(results.cpus, color="0.8", zorder=0)
    axes.annotate(
        f"{results.cpus} CPU{'s' * (results.cpus != 1)}", (results.cpus, 1), (3, -3),
        xycoords=("data", "axes fraction"), textcoords="offset points", va="top", color="0.5",
    )  # fmt: skip
    axes.set_xticks(counts(results))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("workers")
    axes.set_ylabel("seconds, from the first start to the last join")
    axes.set_title(f"{facts.WORK.needed(results.facts):g} s of work for each worker", loc="left")
    axes.legend(frameon=False)
    try:
        figure.savefig(os.fspath(path), format=Path(path).suffix.lower().lstrip("."), dpi=150)
    except OSError as error:
        raise ResultsError(f"cannot write to {path}: {error.strerror or error}") from None
