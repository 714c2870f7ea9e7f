"""One thread of gilkit's `nogil` bodies beside numba's compilation of the same loops.

Needs numba, which the extra ``peers`` installs:

    pip install -e ".[peers]" && python benchmarks/numba_loops.py [ROUNDS]

Each row is one loop: the time of one call of each, and numba's time over gilkit's, above 1 where gilkit is
faster: the median over interleaved rounds with its 95 % interval. Both work on the same data, and their
results are compared before anything is timed.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gilkit.kernels import KERNELS
from gilkit.stats import paired_ratio

try:
    from numba import njit
except ImportError:
    sys.exit("numba_loops: numba is not installed: pip install 'gilkit[peers]'")

STRETCH = 0.02  # seconds of calls in a round


@njit(nogil=True)  # type: ignore[untyped-decorator]
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


@njit(nogil=True)  # type: ignore[untyped-decorator]
def primes(numbers):  # type: ignore[no-untyped-def]  # noqa: D103
    out = np.empty(len(numbers), np.bool_)
    for i in range(len(numbers)):
        out[i] = is_prime(numbers[i])
    return out


@njit(nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def mandelbrot(n, limit=256):  # type: ignore[no-untyped-def]  # noqa: D103
    out = np.empty((n, n), np.int32)
    for row in range(n):
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


@njit(nogil=True)  # type: ignore[untyped-decorator]
def triad(b, c, s, out):  # type: ignore[no-untyped-def]  # noqa: D103
    for i in range(len(b)):
        out[i] = b[i] + s * c[i]
    return out


@njit(nogil=True)  # type: ignore[untyped-decorator]
def pairwise(x, out):  # type: ignore[no-untyped-def]  # noqa: D103
    n, d = x.shape
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(d):
                difference = x[i, k] - x[j, k]
                total += difference * difference
            out[i, j] = total
    return out


@njit(nogil=True)  # type: ignore[untyped-decorator]
def histogram(data):  # type: ignore[no-untyped-def]  # noqa: D103
    counts = np.zeros(256, np.int64)
    for value in data:
        counts[value] += 1
    return counts


LOOPS: dict[str, Callable[..., Any]] = {
    loop.__name__: loop for loop in (lcg, primes, mandelbrot, triad, pairwise, histogram)
}


def stretch(call: Callable[..., Any], args: tuple[Any, ...], loops: int) -> float:
    """Return seconds per call."""
    start = time.perf_counter()
    for _ in range(loops):
        call(*args)
    return (time.perf_counter() - start) / loops


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    sides = {name: (KERNELS[name].nogil, loop) for name, loop in LOOPS.items()}
    args = {name: KERNELS[name].make(KERNELS[name].size, None) for name in LOOPS}
    if "histogram" in args:  # numba takes bytes as an array; so does gilkit
        args["histogram"] = (np.frombuffer(args["histogram"][0], dtype=np.uint8),)
    loops = {}
    for name, (ours, numbas) in sides.items():
        np.testing.assert_array_equal(np.copy(ours(*args[name])), np.copy(numbas(*args[name])))
        loops[name] = max(1, round(STRETCH / stretch(ours, args[name], 1)))
    times: dict[tuple[str, int], list[float]] = {(name, side): [] for name in LOOPS for side in (0, 1)}
    for _ in range(rounds):
        order = list(times)
        random.shuffle(order)
        for name, side in order:
            times[name, side].append(stretch(sides[name][side], args[name], loops[name]))
    print(f"{'loop':12} {'gilkit':>10} {'numba':>10}   numba / gilkit, {rounds} rounds")
    ratios = {}
    for name in LOOPS:
        ours_times, numba_times = times[name, 0], times[name, 1]
        ratios[name] = ratio = paired_ratio(numba_times, ours_times)
        middle = [f"{np.median(t) * 1e3:.3f} ms" for t in (ours_times, numba_times)]
        print(f"{name:12} {middle[0]:>10} {middle[1]:>10}   {ratio:.3f}  [{ratio.low:.3f}, {ratio.high:.3f}]")
    print(f"{'geometric mean':34}   {math.prod(ratios.values()) ** (1 / len(ratios)):.3f}")


if __name__ == "__main__":
    main()
