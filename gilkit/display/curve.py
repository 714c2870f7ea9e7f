"""Pictures of curves, drawn with letters: a grid of cells, with labels at its left and an axis below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.text import Text

FEWEST_COLUMNS = 16  # of a curve, however narrow the screen is


class Curve:
    """A grid of cells to draw into; a line is drawn where the cells of one row are.

    Parameters
    ----------
    wide, high : int
        Columns and rows.
    top, bottom : float
        The values that the first and the last row stand for.
    least : float
        What lies between the two rows at the least: a smaller difference does not fill the picture.
    """

    def __init__(self, wide: int, high: int, top: float, bottom: float = 0.0, least: float = 0.0) -> None:
        self.wide = wide
        self.high = high
        self.top = top
        self.bottom = bottom
        self.height = max(top - bottom, least)
        self.cells = [[" "] * wide for _ in range(high)]

    def row(self, value: float) -> int:
        """Return the row of a value; what is beyond an end is drawn there."""
        held = min(self.top, max(self.bottom, value))
        return round((self.top - held) / self.height * (self.high - 1))

    def column(self, part: float) -> int:
        """Return the column of a place, 0 for the left end and 1 for the right."""
        return round(part * (self.wide - 1))

    def draw(self, x: int, y: int, sign: str) -> None:
        """Put a sign into a cell."""
        self.cells[y][x] = sign

    def lines(
        self, labels: Mapping[int, str], margin: int, ticks: str, marks: Iterable[int] = ()
    ) -> list[Text]:
        """Return the picture.

        Parameters
        ----------
        labels : mapping of int to str
            What stands at the left of some rows.
        margin : int
            Columns for that.
        ticks : str
            What stands below the axis.
        marks : iterable of int
            Columns that are marked on the axis.
        """
        axis = ["─"] * self.wide
        for x in marks:
            axis[x] = "┬"
        return [
            *(
                Text(f"{labels.get(y, ''):>{margin}} ┤{''.join(row)}".rstrip())
                for y, row in enumerate(self.cells)
            ),
            Text(f"{'':>{margin}} └{''.join(axis)}"),
            Text(f"{'':>{margin + 2}}{ticks}".rstrip()),
        ]
