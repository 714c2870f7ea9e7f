"""Tests of a report: that of a large one takes too long without letting go of the GIL."""

import pytest
from report import report


def test_small_report():
    """Few rows are written in a moment."""
    assert report(10).count("row") == 10


def test_large_report():
    """Here everybody else waits."""
    assert report(1_000_000).endswith("}]")


@pytest.mark.gil_longest("5s")  # nobody waits for an export at night
def test_export():
    """The limit of its own lets it."""
    assert report(200_000).endswith("}]")
