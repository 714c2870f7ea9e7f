"""What a held share means."""

from __future__ import annotations

from gilkit.gil.law import behaviour


def test_what_a_call_does_with_the_gil() -> None:
    assert [behaviour(held) for held in (0.0, 0.1, 0.5, 0.9, 1.0)] == [
        "releases",
        "releases",
        "releases in part",
        "holds",
        "holds",
    ]
