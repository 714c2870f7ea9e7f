from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def square(out: npt.NDArray[np.float64] | None, n: int) -> npt.NDArray[np.float64]: ...
def triad_gil(
    b: npt.NDArray[np.float64],
    c: npt.NDArray[np.float64],
    s: float = 3.0,
    out: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]: ...
def triad_nogil(
    b: npt.NDArray[np.float64],
    c: npt.NDArray[np.float64],
    s: float = 3.0,
    out: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]: ...
def triad_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[npt.NDArray[np.float64]]: ...
def transform_gil(
    points: npt.NDArray[np.float64],
    matrix: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]: ...
def transform_nogil(
    points: npt.NDArray[np.float64],
    matrix: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]: ...
def transform_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[npt.NDArray[np.float64]]: ...
def pairwise_gil(
    x: npt.NDArray[np.float64], out: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]: ...
def pairwise_nogil(
    x: npt.NDArray[np.float64], out: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]: ...
def pairwise_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[npt.NDArray[np.float64]]: ...
def histogram_gil(data: Any) -> npt.NDArray[np.int64]: ...
def histogram_nogil(data: Any) -> npt.NDArray[np.int64]: ...
def histogram_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[npt.NDArray[np.int64]]: ...
def crc32_gil(data: Any) -> int: ...
def crc32_nogil(data: Any) -> int: ...
def crc32_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[int]: ...
