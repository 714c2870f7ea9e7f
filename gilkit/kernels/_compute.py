"""Arithmetic-bound kernels; compiled in ext/_compute.pyx."""

from __future__ import annotations

from math import isqrt
from typing import Any

from gilkit._ext import _checks, _compute
from gilkit.kernels import _plain, data
from gilkit.kernels._base import kernel
from gilkit.kernels._numpy import np, npt

__all__ = ["lcg", "lcg_checked", "mandelbrot", "primes"]


def _sized(size: int, _: str | None) -> tuple[int]:
    return (size,)


@kernel(
    _compute,
    make=_sized,
    size=500_000,
    python_size=20_000,
    unit="iterations",
    limit="arithmetic",
    plain=_plain.lcg,
)
def lcg(n: int) -> int:
    """Iterate a quadratic congruence: the classic useless CPU-bound function.

    From ``result = 1``, ``result = (result*result*i + 2*result*i*i + 3) % 10_000_000`` for i in range(n).

    Limited by arithmetic: each iteration waits for the one before. It touches no memory, so it scales with
    whatever the CPUs have, and is the control that gives a machine's ceiling.

    Parameters
    ----------
    n : int
        Iterations, 0 to 2**63 - 1. Each costs two remainders by a constant and three multiplications.

    Returns
    -------
    int
        The last result, exact for every n: the compiled body reduces i first, so nothing overflows.

    Raises
    ------
    TypeError, ValueError
        If n is no integer, is negative or too large.

    Notes
    -----
    The function is the one of the much-copied script that compares threads with processes; the reduction
    is ours.
    """
    return _plain.lcg(_checks.count(n, "n"))


@kernel(
    _compute,
    make=_sized,
    size=500_000,
    python_size=20_000,
    unit="iterations",
    limit="the GIL, taken 1 in 16",
    plain=_plain.lcg,
)
def lcg_checked(n: int) -> int:
    """Compute `lcg` through a helper that lacks ``noexcept``: the trap of a nogil block that takes the GIL.

    Limited by the GIL, though it looks released: a ``cdef`` function that may raise is asked after each call
    whether it did, and asking takes the GIL. Here that happens once in 16 iterations.

    Parameters
    ----------
    n : int
        Iterations, 0 to 2**63 - 1. Each costs what it costs in `lcg`, and every 16th takes the GIL.

    Returns
    -------
    int
        What `lcg` returns.

    Raises
    ------
    TypeError, ValueError
        If n is no integer, is negative or too large.

    Notes
    -----
    The source is Cython's manual, on ``noexcept`` and "exception checks that require the GIL". Its native
    variant has no GIL to take and runs lcg's own body.
    """
    return int(lcg.python(n))


def _primes(size: int, _: str | None) -> tuple[Any, ...]:
    return (data.candidates(size),)


@kernel(
    _compute,
    make=_primes,
    size=1,
    python_size=1,
    unit="numbers",
    limit="arithmetic",
    nbytes=lambda n: 9 * n,
)
def primes(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Test numbers for primality by trial division.

    Limited by arithmetic: one 64-bit division after another, by 3 and every odd number up to the square root.

    Parameters
    ----------
    numbers : (n,) buffer of int64
        None negative. A prime p costs about sqrt(p) / 2 divisions.

    Returns
    -------
    (n,) ndarray of bool
        Whether each is prime.

    Raises
    ------
    TypeError, ValueError
        If numbers is no C-contiguous 1-d buffer of int64, or holds a negative number.

    Notes
    -----
    The default numbers are those of the ``ProcessPoolExecutor`` example in Python's documentation.
    """
    view = _checks.integers(numbers, "numbers").tolist()
    if any(number < 0 for number in view):
        raise ValueError("numbers must not be negative")

    def is_prime(number: int) -> bool:
        if number < 2 or number % 2 == 0:
            return number == 2
        return all(number % divisor for divisor in range(3, isqrt(number) + 1, 2))

    return np.array([is_prime(number) for number in view], dtype=bool)


@kernel(
    _compute,
    make=_sized,
    size=128,
    python_size=24,
    unit="rows",
    limit="arithmetic",
    largest=32_767,
    nbytes=lambda n: 4 * n * n,
)
def mandelbrot(n: int, limit: int = 256) -> npt.NDArray[np.int32]:
    """Count the iterations until points of the plane escape: uneven work.

    Limited by arithmetic in float64. Rows through the set cost up to `limit` iterations a point and rows
    beside it a few, so that an even split of rows is an uneven split of work.

    Parameters
    ----------
    n : int
        Points a side, at most 32767, of a square grid over [-2, 0.5) x [-1.25, 1.25).
    limit : int
        Iterations after which a point counts as inside, at most 2**31 - 1. Each costs five multiplications.

    Returns
    -------
    (n, n) ndarray of int32
        Iterations, row by row.

    Raises
    ------
    TypeError, ValueError
        If an argument is no integer, is negative or too large.

    Notes
    -----
    The escape-time algorithm: z = z*z + c from z = 0, until abs(z)**2 > 4.
    """
    side = _checks.count(n, "n", 32_767)
    most = _checks.count(limit, "limit", 2**31 - 1)
    out = np.empty((side, side), dtype=np.int32)
    for row in range(side):
        ci = 2.5 * row / side - 1.25
        for column in range(side):
            cr = 2.5 * column / side - 2.0
            zr = zi = rr = ii = 0.0
            i = 0
            while i < most and rr + ii <= 4.0:
                zi = 2.0 * zr * zi + ci
                zr = rr - ii + cr
                rr = zr * zr
                ii = zi * zi
                i += 1
            out[row, column] = i
    return out
