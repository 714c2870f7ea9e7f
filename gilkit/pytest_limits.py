"""For how long a test may keep the GIL: times as options, settings and markers say them."""

from __future__ import annotations

import pytest

from gilkit.arguments import duration
from gilkit.gil.audit import LONGEST_LIMIT, SHORTEST_LIMIT
from gilkit.gil.audited import brief


def limit_of_marker(item: pytest.Item) -> float | None:
    """Return the limit that the marker of a test sets, if it has one."""
    marker = item.get_closest_marker("gil_longest")
    if marker is None:
        return None
    what = f"{item.nodeid}: gil_longest"
    if len(marker.args) != 1 or marker.kwargs:
        raise pytest.UsageError(f"{what} takes one time, such as 0.05 or '50ms'")
    return limit_of(marker.args[0], what)


def limit_of(value: object, what: str) -> float:
    """Return the seconds that a setting says, as ``20ms``, ``0.02s`` or a number.

    Raises
    ------
    pytest.UsageError
        If it says none, or too few or too many.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise pytest.UsageError(f"{what}: {value!r} is no time, such as 0.05 or '50ms'")
    try:
        limit = float(value)
    except ValueError:
        try:
            limit = duration(str(value))
        except ValueError as error:
            raise pytest.UsageError(f"{what}: {error}") from None
    if not SHORTEST_LIMIT <= limit <= LONGEST_LIMIT:
        least = f"{brief(SHORTEST_LIMIT)}, twice Python's switch interval"
        raise pytest.UsageError(f"{what}: {value!r} is not from {least}, to an hour")
    return limit
