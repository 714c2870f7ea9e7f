from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def sleep_gil(seconds: float) -> None: ...
def sleep_nogil(seconds: float) -> None: ...
def sleep_native(
    calls: Sequence[tuple[Any, ...]],
    loops: int = 1,
    spans: npt.NDArray[np.float64] | None = None,
    until: float | None = None,
    cpus: npt.NDArray[np.int64] | None = None,
) -> list[None]: ...
