"""Figures with their units, and figures in lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gilkit.results.stats import Estimate


def rough_count(number: float) -> str:
    """Return a count to two digits: it is an estimate."""
    return f"{float(f'{number:.1e}'):,.0f}"


def seconds(value: float) -> str:
    """Return a time to three digits with its unit, as ``3.44 ms``."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{value / 1e-9:#.3g}".rstrip(".") + " ns"


def nbytes(count: float) -> str:
    """Return a number of bytes with its unit, as ``1.5 MB``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{count:.0f} B"


def rate(value: float) -> str:
    """Return how many there are in a second, to three digits, as ``1,234`` or ``0.520``."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")


def times(value: Estimate) -> str:
    """Return a speedup with its interval, as ``1.98 ± 0.02 times``."""
    margin = "" if value.margin != value.margin else f" ± {max(value.margin, 0.01):.2f}"
    return f"{value:.2f}{margin} times"


def lined(head: str, rows: Iterable[Sequence[str]]) -> str:
    """Return figures in lines below ``head``: names to the left, and columns of figures to the right."""
    body = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in body
    ]
    return "\n".join([head, *(f"  {line}".rstrip() for line in lines)])


def rounded(value: float) -> str:
    """Return a ratio to two digits, as ``230``."""
    return f"{value:.1f}" if value < 10 else rough_count(value)
