"""A call whose held share is known; compiled in ext/_synthetic.pyx."""

from __future__ import annotations

from gilkit._ext import _checks, _synthetic
from gilkit.kernels import _plain
from gilkit.kernels._base import kernel

__all__ = ["synthetic"]


@kernel(
    _synthetic,
    make=lambda size, _: (size // 2, size - size // 2),
    size=500_000,
    python_size=20_000,
    unit="iterations",
    limit="the GIL, by half",
    plain=_plain.both,
)
def synthetic(held: int, released: int) -> tuple[int, int]:
    """Run `lcg` for `held` iterations with the GIL, then for `released` without: a known truth.

    Limited by the share of the call that holds the GIL, h = held / (held + released): any number of threads
    reach at most 1 / h. By default h is one half.

    Parameters
    ----------
    held, released : int
        Iterations, 0 to 2**63 - 1. Each costs what it costs in `lcg`.

    Returns
    -------
    tuple of int
        The results of both parts.

    Raises
    ------
    TypeError, ValueError
        If an argument is no integer, is negative or too large.

    Notes
    -----
    The bound is Amdahl's law with the GIL as its serial part.
    """
    _checks.count(held, "held")
    _checks.count(released, "released")
    return _plain.both(held, released)
