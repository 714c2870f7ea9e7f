"""The picture of a ladder: a rung for everything that threads may have for themselves, and what follows."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import closing, figure, scale_of_speedups
from gilkit.studies.compare.ladder_words import sentence
from gilkit.studies.compare.rungs import Ladder, Rung

LONGEST_BAR = 24  # characters
NOTHING_OWN, ALL_OWN = "nothing", "all of SETUP"


def titles(ladder: Ladder) -> Iterator[tuple[str, Rung]]:
    """Yield every rung with what threads on it have for themselves."""
    yield ALL_OWN, ladder.private
    yield NOTHING_OWN, ladder.shared
    for rung in ladder.rungs:
        yield f"all but {rung.title}" if rung.only else rung.title, rung


def picture(ladder: Ladder) -> Iterator[RenderableType]:
    """Yield the picture, and what follows from it in one sentence."""
    rungs = list(titles(ladder))
    most = max(float(ladder.workers), *(rung.speedup or 0.0 for _, rung in rungs))
    bars = ["█" * round(LONGEST_BAR * (rung.speedup or 0.0) / most) for _, rung in rungs]
    longest = max(map(len, bars))
    cells = [
        figure(rung.speedup, rung in ladder.culprits, rung.speedup is None, rung is ladder.shared)
        for _, rung in rungs
    ]
    yield Text(scale_of_speedups([ladder.workers]))
    yield Fitted(
        [
            TableColumn("each thread has its own", [Text(title) for title, _ in rungs], name=True),
            TableColumn("threads", cells, points=True),
            TableColumn("", [Text(bar.ljust(longest)) for bar in bars], spare=1, points=True),
        ]
    )
    for name, why in ladder.untried.items():
        yield Text(f"not tried: `{name}`: {why}", style="dim")
    if ladder.failed:
        yield Text(f"nothing could be tried: {ladder.failed}", style="dim")
    yield closing(*sentence(ladder))
