from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def synthetic_gil(held: int, released: int) -> tuple[int, int]: ...
def synthetic_nogil(held: int, released: int) -> tuple[int, int]: ...
def synthetic_clocked(held: int, released: int, log: npt.NDArray[np.float64]) -> tuple[int, int]: ...
def synthetic_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[tuple[int, int]]: ...
