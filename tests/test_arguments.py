"""What callers ask for, checked."""

from __future__ import annotations

import pytest

from gilkit.arguments import shown_count, worker_counts, worker_list


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


@pytest.mark.parametrize("cpus", [4, 16, 64])
def test_tables_show_as_many_as_cpus_or_else_the_most(cpus: int) -> None:
    assert shown_count([1, cpus], cpus) == cpus
    assert shown_count([1, cpus, 4 * cpus], cpus) == cpus
    assert shown_count([1, 2, 3], cpus) == 3
    assert shown_count([1, 2], 1) == 2


def test_worker_lists_are_in_order() -> None:
    assert worker_list(None, (1, 64)) == [1, 64]
    assert worker_list([4, 1, 2, 4], (1, 64)) == [1, 2, 4]
    assert worker_list(16, (1, 64)) == [16]
