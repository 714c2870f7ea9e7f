"""Pictures of curves: where a value is drawn, and what stands around them."""

from __future__ import annotations

import pytest

from gilkit.display.curve import Curve


@pytest.mark.parametrize(
    ("value", "row"), [(10.0, 0), (7.5, 1), (5.0, 2), (0.0, 4), (99.0, 0), (-99.0, 4), (9.0, 0)]
)
def test_a_value_has_a_row_and_what_is_beyond_an_end_is_drawn_there(value: float, row: int) -> None:
    assert Curve(3, 5, top=10.0).row(value) == row


def test_rows_lie_between_two_values() -> None:
    curve = Curve(3, 3, top=4.0, bottom=2.0)
    assert [curve.row(value) for value in (4.0, 3.0, 2.0, 0.0)] == [0, 1, 2, 2]


def test_a_small_difference_does_not_fill_the_picture() -> None:
    assert Curve(3, 11, top=1.02, bottom=1.0).row(1.0) == 10
    assert Curve(3, 11, top=1.02, bottom=1.0, least=0.2).row(1.0) == 1
    assert Curve(3, 11, top=1.0, bottom=1.0, least=0.2).row(1.0) == 0  # nothing between them at all


def test_a_place_has_a_column() -> None:
    assert [Curve(11, 1, top=1.0).column(part) for part in (0.0, 0.5, 1.0)] == [0, 5, 10]


def test_the_picture() -> None:
    curve = Curve(5, 3, top=2.0)
    for x, value, sign in ((0, 0.0, "a"), (2, 1.0, "b"), (4, 2.0, "c"), (4, 2.0, "d")):
        curve.draw(x, curve.row(value), sign)
    lines = curve.lines({0: "2", 2: "0"}, margin=3, ticks="1   4  ", marks=(0, 4))
    assert [line.plain for line in lines] == [
        "  2 ┤    d",  # the last is on top
        "    ┤  b",
        "  0 ┤a",
        "    └┬───┬",
        "     1   4",
    ]
