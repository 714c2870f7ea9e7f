"""What callers ask for, checked."""

from __future__ import annotations

import pytest

from gilkit.arguments import worker_counts


@pytest.mark.parametrize(
    ("cpus", "counts"),
    [
        (1, (1, 2)),
        (2, (1, 2, 3, 4)),
        (3, (1, 2, 3, 4, 6)),
        (4, (1, 2, 3, 4, 8)),
        (6, (1, 2, 3, 4, 8, 12)),
        (64, (1, 2, 3, 4, 8, 16, 32, 64, 128)),
    ],
)
def test_worker_counts(cpus: int, counts: tuple[int, ...]) -> None:
    assert worker_counts(cpus) == counts
