"""Calls of kernels in each of their variants, for several test modules and their worker processes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gilkit.kernels import KERNELS, VARIANTS, Kernel


def bits(result: Any) -> Any:
    """What must be equal for two results to be the same to the bit."""
    if isinstance(result, np.ndarray):
        return (str(result.dtype), result.shape, result.tobytes())
    return (type(result), result)


def call(name: str, variant: str, args: tuple[Any, ...]) -> Any:
    """Return what a variant returns."""
    function = KERNELS[name].variant(variant)
    with np.errstate(all="ignore"):
        return function([args])[0] if variant == "native" else function(*args)


def run(name: str, variant: str, args: tuple[Any, ...]) -> Any:
    """Return the bits of what a variant returns."""
    return bits(call(name, variant, args))


def variants(kernel: Kernel) -> list[str]:
    """Return the variants that a kernel has here."""
    return [v for v in VARIANTS if kernel.variant(v) is not None]
