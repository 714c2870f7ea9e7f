"""The loops of gilkit's kernels, compiled by numba. Needs numba, which the extra ``peers`` installs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange, set_num_threads


def lcg(n):  # type: ignore[no-untyped-def]  # noqa: D103
    result = 1
    reduced = 0
    for _ in range(n):
        result = (result * reduced % 10_000_000 * (result + 2 * reduced) + 3) % 10_000_000
        reduced += 1
        if reduced == 10_000_000:
            reduced = 0
    return result


@njit(nogil=True)  # type: ignore[untyped-decorator]
def is_prime(number):  # type: ignore[no-untyped-def]  # noqa: D103
    if number < 2:
        return False
    if number % 2 == 0:
        return number == 2
    divisor = 3
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 2
    return True


def primes(numbers):  # type: ignore[no-untyped-def]  # noqa: D103
    out = np.empty(len(numbers), np.bool_)
    for i in prange(len(numbers)):
        out[i] = is_prime(numbers[i])
    return out


def mandelbrot(n, limit=256):  # type: ignore[no-untyped-def]  # noqa: D103
    out = np.empty((n, n), np.int32)
    for row in prange(n):
        ci = 2.5 * row / n - 1.25
        for column in range(n):
            cr = 2.5 * column / n - 2.0
            zr = zi = rr = ii = 0.0
            i = 0
            while i < limit and rr + ii <= 4.0:
                zi = 2.0 * zr * zi + ci
                zr = rr - ii + cr
                rr = zr * zr
                ii = zi * zi
                i += 1
            out[row, column] = i
    return out


def triad(b, c, s, out):  # type: ignore[no-untyped-def]  # noqa: D103
    for i in prange(len(b)):
        out[i] = b[i] + s * c[i]
    return out


def transform(points, matrix, out):  # type: ignore[no-untyped-def]  # noqa: D103
    for i in prange(len(points)):
        for row in range(4):
            total = 0.0
            for column in range(4):
                total += matrix[row, column] * points[i, column]
            out[i, row] = total
    return out


def pairwise(x, out):  # type: ignore[no-untyped-def]  # noqa: D103
    n, d = x.shape
    for i in prange(n):
        for j in range(n):
            total = 0.0
            for k in range(d):
                difference = x[i, k] - x[j, k]
                total += difference * difference
            out[i, j] = total
    return out


def histogram(data):  # type: ignore[no-untyped-def]  # noqa: D103
    counts = np.zeros(256, np.int64)
    for value in data:
        counts[value] += 1
    return counts


def _compiled(*loops: Callable[..., Any], parallel: bool = False) -> dict[str, Callable[..., Any]]:
    # The error model is that of C: a division checks nothing.
    return {loop.__name__: njit(nogil=True, parallel=parallel, error_model="numpy")(loop) for loop in loops}


NOGIL = _compiled(lcg, primes, mandelbrot, triad, transform, pairwise, histogram)
PARALLEL = _compiled(
    primes, mandelbrot, triad, transform, pairwise, parallel=True
)  # those whose iterations are apart


def set_threads(count: int) -> None:
    """Let the parallel loops that this thread calls use so many threads."""
    set_num_threads(count)
