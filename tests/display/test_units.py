"""Figures with their units."""

from __future__ import annotations

import pytest

from gilkit.display.units import lined, nbytes, rounded, seconds, times
from gilkit.results.stats import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2.00 s"),
        (3.7e-3, "3.70 ms"),
        (1e-3, "1.00 ms"),
        (4.56e-5, "45.6 µs"),
        (8e-8, "80.0 ns"),
        (0.123456, "123 ms"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    assert seconds(value) == text


def test_bytes_have_units() -> None:
    assert [nbytes(n) for n in (0, 999, 1500, 2.5e6, 10**9)] == [
        "0 B",
        "999 B",
        "1.50 kB",
        "2.50 MB",
        "1.00 GB",
    ]


def test_ratios_have_two_digits() -> None:
    assert [rounded(value) for value in (1.234, 9.87, 23.4, 234.0, 23456.0)] == [
        "1.2",
        "9.9",
        "23",
        "230",
        "23,000",
    ]


def test_a_speedup_in_words() -> None:
    assert times(Estimate(1.98, 1.93, 2.03)) == "1.98 ± 0.05 times"
    assert times(Estimate(1.98, 1.98, 1.98)) == "1.98 ± 0.01 times"  # never less than it is rounded to
    assert times(Estimate(1.98)) == "1.98 times"  # one round has no interval


def test_figures_stand_in_columns() -> None:
    found = lined("so long:", [("a", "1 ms", "2"), ("longer", "100 ms", "")])
    assert found.splitlines() == ["so long:", "  a         1 ms  2", "  longer  100 ms"]
