"""Work on Python objects; compiled in ext/_objects.pyx."""

from __future__ import annotations

from gilkit._ext import _objects
from gilkit.kernels import _plain, data
from gilkit.kernels._base import kernel

__all__ = ["objects"]

NEEDS_GIL = "it works on Python objects, which only the holder of the GIL may touch"


@kernel(
    _objects,
    make=lambda size, _: (data.words(size),),
    size=50_000,
    python_size=50_000,
    unit="words",
    limit="the GIL",
    nbytes=lambda n: 64 * n,
    missing={"nogil": NEEDS_GIL, "native": NEEDS_GIL},
    plain=_plain.counted,
)
def objects(words: list[str]) -> dict[str, int]:
    """Count words in a dict: work on Python objects, compiled or not.

    Limited by the GIL, which it holds throughout: the control that no ``nogil`` can save.

    Parameters
    ----------
    words : list of str
        Each costs one look-up, one addition and one store in a dict.

    Returns
    -------
    dict
        How often each word occurs, in the order of first occurrence.

    Raises
    ------
    TypeError
        If words is no list.

    Notes
    -----
    As ``collections.Counter(words)``.
    """
    if not isinstance(words, list):
        raise TypeError(f"words must be a list, not {type(words).__name__}")
    return _plain.counted(words)
