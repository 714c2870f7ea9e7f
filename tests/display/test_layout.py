"""Tables of figures fit the width that there is: nothing is cut, and decimal points stand in line."""

from __future__ import annotations

import pytest
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import figure, plain
from gilkit.results.stats import Estimate

FIGURES = [Estimate(1.98, 1.96, 2.0), Estimate(12.5, 12.4, 12.6), None, Estimate(2.4, 0.3, 4.5)]


def fitted(spare: int = 0) -> Fitted:
    """A table of two names and three columns of figures."""
    rows = [Text(name) for name in ("lcg", "triad", "objects", "sleep")]
    cells = [figure(found, best=place == 0) for place, found in enumerate(FIGURES)]
    columns = [TableColumn("\nkernel", rows, name=True)]
    columns += [TableColumn(f"{head}\nthreads", cells, points=True) for head in ("gil", "nogil")]
    return Fitted([*columns, TableColumn("native\nthreads", cells, spare, points=True)])


def test_decimal_points_stand_in_line() -> None:
    lines = [line for line in plain(fitted(), 80).splitlines() if "±" in line]
    firsts = {line.index(".") for line in lines}
    assert (len(lines), len(firsts)) == (3, 1), lines


def test_a_star_has_a_blank_before_it() -> None:
    (line,) = [line for line in plain(fitted(), 80).splitlines() if line.startswith("lcg")]
    assert line.count(" *1.98±.02") == 3


@pytest.mark.parametrize("width", [80, 50, 40, 30, 24, 13])
def test_nothing_is_cut_or_wider(width: int) -> None:
    text = plain(fitted(), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert text.count("1.98±.02") == 3
    assert text.count("2.4±2.1") == 3


def test_what_can_be_spared_goes_first_and_the_rest_is_folded() -> None:
    assert "native" in plain(fitted(spare=1), 80)
    assert "native" not in plain(fitted(spare=1), 30)
    folded = plain(fitted(), 24)
    assert folded.count("kernel") == 3
    assert [folded.index(head) for head in ("gil", "nogil", "native")] == sorted(
        folded.index(head) for head in ("gil", "nogil", "native")
    )
