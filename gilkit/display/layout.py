"""Tables of figures that fit the width that there is: decimal points in line, rows folded, nothing cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

GAP = 1  # blanks between columns, beside the one that a star may take: those of the box
FIGURE = re.compile(r"[*≠ ]?(\d+|–)")


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table of figures.

    Parameters
    ----------
    head : str
        Up to two lines.
    cells : list of Text
    spare : int
        0 for one that is always there; of the others those of the largest number go first, where it is
        narrow.
    name : bool
        Whether it names the rows: so it stands at the left, in every part of a table that is folded.
    points : bool
        Whether decimal points stand in line; else all ends do.
    """

    head: str
    cells: Sequence[Text]
    spare: int = 0
    name: bool = False
    points: bool = False

    def aligned(self) -> list[Text]:
        """Return the cells, with their decimal points in line where that is asked for."""
        if not self.points:
            return list(self.cells)
        points = [found.end() if (found := FIGURE.match(cell.plain)) else 0 for cell in self.cells]
        before = max(points, default=0)
        behind = max((len(cell) - at for at, cell in zip(points, self.cells, strict=True) if at), default=0)
        texts = [*(cell.plain for cell in self.cells), *self.head.split("\n")]
        widest = max(before + behind, *(len(text) for text in texts))
        padded = []
        for at, cell in zip(points, self.cells, strict=True):
            rest = behind - (len(cell) - at) if at else 0  # what is no figure stands at the right
            padded.append(Text(" " * (widest - rest - len(cell))) + cell + Text(" " * rest))
        return padded

    @property
    def width(self) -> int:
        """Its width, without what is between columns."""
        return max(map(len, [*self.head.split("\n"), *(cell.plain for cell in self.aligned())]))


class Fitted:
    """A table of figures, as wide as there is room.

    Where that is little, columns that can be spared go; then the rest is folded into parts below one another;
    and at last names are wrapped. No figure is cut off.

    Parameters
    ----------
    columns : list of TableColumn
    """

    def __init__(self, columns: Sequence[TableColumn]) -> None:
        self.columns = columns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for place, part in enumerate(self.parts(options.max_width)):
            if place:
                yield ""
            yield _table(part, options.max_width)

    def parts(self, width: int) -> list[list[TableColumn]]:
        """Return the columns that are shown in so many characters, in one part or several."""
        shown = list(self.columns)
        while _width(shown) > width and (most := max(column.spare for column in shown)):
            shown.remove(next(column for column in reversed(shown) if column.spare == most))
        return list(_folded(shown, width))


class Sized:
    """Something that is drawn anew for the room that there is.

    Parameters
    ----------
    make : callable
        ``make(width)`` returns it, as wide as so many characters.
    """

    def __init__(self, make: Callable[[int], RenderableType]) -> None:
        self.make = make

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.make(options.max_width)


def _width(columns: Sequence[TableColumn]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def _folded(columns: Sequence[TableColumn], width: int) -> Iterator[list[TableColumn]]:
    names = [column for column in columns if column.name]
    part = list(names)
    for column in columns:
        if column.name:
            continue
        if _width([*part, column]) > width and len(part) > len(names):
            yield part
            part = list(names)
        part.append(column)
    yield part


def _table(columns: Sequence[TableColumn], width: int) -> Table:
    found = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    narrow = _width(columns) > width  # names are wrapped: no figure is cut off
    for column in columns:
        head = Text(column.head, justify="left" if column.name else "right")
        # Cells that are padded already stand at the left: rich takes blanks at their end away elsewhere.
        padded = column.name or column.points
        whole = not (column.name and narrow)
        found.add_column(
            head,
            justify="left" if padded else "right",
            min_width=column.width if whole else None,
            no_wrap=whole,
            overflow="fold",
        )
    for row in zip(*(column.aligned() for column in columns), strict=True):
        found.add_row(*row)
    return found
