"""Kernels that wait; compiled in ext/_waiting.pyx."""

from __future__ import annotations

from math import isfinite

from gilkit._ext import _waiting
from gilkit.arguments import number
from gilkit.kernels import _plain
from gilkit.kernels._base import kernel

__all__ = ["sleep"]


@kernel(
    _waiting,
    make=lambda size, _: (size / 1e6,),
    size=5_000,
    python_size=5_000,
    unit="microseconds",
    largest=10**12,
    limit="the clock",
    plain=_plain.slept,
)
def sleep(seconds: float) -> None:
    """Wait, in C: with the GIL held nobody else runs meanwhile, and without it everybody may.

    Limited by the clock alone: it needs no CPU, so released waits overlap on any number of threads.
    The reference is `time.sleep`, which releases the GIL.

    Parameters
    ----------
    seconds : float
        From 0 to 1e6. A call costs the timer's slack (tens of microseconds) more than it asks for.

    Raises
    ------
    TypeError, ValueError
        If seconds is no number, or not in that range.

    Notes
    -----
    POSIX ``nanosleep``; ``Sleep`` on Windows, which counts milliseconds.
    """
    length = number(seconds, "seconds")
    if not (isfinite(length) and 0 <= length <= 1e6):
        raise ValueError("seconds must be between 0 and 1e6")
    _plain.slept(length)
