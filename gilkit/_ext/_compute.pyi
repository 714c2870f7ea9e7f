from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

openmp: bool

def lcg_gil(n: int) -> int: ...
def lcg_nogil(n: int) -> int: ...
def lcg_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[int]: ...
def primes_gil(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]: ...
def primes_nogil(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]: ...
def primes_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[npt.NDArray[np.bool_]]: ...
def mandelbrot_gil(n: int, limit: int = 256) -> npt.NDArray[np.int32]: ...
def mandelbrot_nogil(n: int, limit: int = 256) -> npt.NDArray[np.int32]: ...
def mandelbrot_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[npt.NDArray[np.int32]]: ...
def lcg_checked_gil(n: int) -> int: ...
def lcg_checked_nogil(n: int) -> int: ...
def lcg_checked_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[int]: ...
