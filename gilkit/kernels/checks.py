"""Checks of arguments for the pure-Python variants: the compiled ones refuse the same, in ext/checks.pxd."""

from __future__ import annotations

import operator
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from gilkit.arguments import LARGEST_INTEGER


def count(value: Any, name: str, most: int = LARGEST_INTEGER) -> int:
    """Return ``value`` as an integer from 0 to ``most``."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None
    if number < 0:
        raise ValueError(f"{name} must not be negative")
    if number > most:
        raise ValueError(f"{name} is too large: at most {most} is allowed")
    return number


def buffer(value: Any, name: str, formats: str, dimensions: int, shape: tuple[int, ...] | None = None) -> Any:
    """Return a view of ``value``, if it is C-contiguous and of one of ``formats`` (see `struct`)."""
    expected = f"a C-contiguous {dimensions}-d buffer of format {' or '.join(formats)}"
    try:
        view = memoryview(value)
    except TypeError:
        raise TypeError(f"{name} must be {expected}, not {type(value).__name__}") from None
    if view.ndim != dimensions or view.format not in list(formats) or not view.c_contiguous:
        raise ValueError(f"{name} must be {expected}")
    if shape is not None and view.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, not {view.shape}")
    return view


def output(value: Any, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return ``value`` to write to, or a new array where it is None."""
    if value is None:
        return np.empty(shape)
    if buffer(value, "out", "d", len(shape), shape).readonly:
        raise ValueError("out must be writable")
    return cast("npt.NDArray[np.float64]", np.asarray(value))
