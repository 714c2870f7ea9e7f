"""What kernels work on: made by size, or read from a file. Everything is deterministic."""

from __future__ import annotations

import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gilkit.kernels._numpy import np, npt

if TYPE_CHECKING:
    Floats = npt.NDArray[np.float64]

# The numbers that the documentation of concurrent.futures tests for primality; only the last is composite.
PRIME_CANDIDATES = (
    112272535095293,
    112582705942171,
    112272535095293,
    115280095190773,
    115797848077099,
    1099726899285419,
)


def candidates(size: int) -> npt.NDArray[np.int64]:
    """Return ``size`` of `PRIME_CANDIDATES`, over and over: from the last, whose divisor is found soonest."""
    return np.resize(np.array(PRIME_CANDIDATES[::-1], dtype=np.int64), size)


def floats(*shape: int) -> Floats:
    """Return an array of float64 in [0, 1), the same for the same shape."""
    return np.random.default_rng(0).random(shape)


@lru_cache(maxsize=1)
def _library() -> list[Path]:
    """The source files of the running Python's standard library, in a fixed order."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(root.glob("*.py")) + sorted(root.glob("[a-z]*/*.py"))
    if not files:
        raise FileNotFoundError("the standard library's source is not installed: name a file with --input")
    return files


def library_source(size: int) -> bytes:
    """Return the first ``size`` bytes of the standard library's source, over and over if it is shorter."""
    parts: list[bytes] = []
    missing = size
    while missing > 0:
        before = missing
        for path in _library():
            parts.append(path.read_bytes()[:missing])
            missing -= len(parts[-1])
            if not missing:
                break
        if missing == before:
            raise FileNotFoundError("the standard library's source is empty: name a file with --input")
    return b"".join(parts)


def octets(size: int, path: str | None) -> bytes:
    """Return ``size`` bytes of the file at ``path``, or of the standard library's source."""
    if path is None:
        return library_source(size)
    with Path(path).open("rb") as file:
        return file.read(size)


def words(size: int) -> list[str]:
    """Return the first ``size`` words of the standard library's source."""
    found: list[str] = []
    length = 16 * size
    while len(found) < size:
        found = library_source(length).decode("latin-1").split()
        length *= 2
    return found[:size]


def _open_rows(path: str) -> npt.NDArray[Any]:
    """Map the .npy file at ``path``: rows of real numbers."""
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is not a .npy array: {error}") from None
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.dtype.kind not in "biuf":
        raise ValueError(f"{path} must hold one 2-d array of real numbers, saved by numpy.save")
    return rows


def rows(size: int, path: str | None, columns: int) -> Floats:
    """Return ``size`` rows of float64 from the array at ``path``, or made up with ``columns`` columns."""
    if path is None:
        return floats(size, columns)
    return np.array(_open_rows(path)[:size], dtype=np.float64, order="C")


def homogeneous(size: int, path: str | None) -> Floats:
    """Return ``size`` points of four coordinates; three get a fourth of 1.

    Raises
    ------
    ValueError
        If the array at ``path`` has neither 3 nor 4 columns.
    """
    points = rows(size, path, 4)
    if points.shape[1] == 3:
        points = np.column_stack([points, np.ones(len(points))])
    if points.shape[1] != 4:
        raise ValueError(f"{path} must have 3 or 4 columns to be points, not {points.shape[1]}")
    return np.ascontiguousarray(points)


def available(path: str, takes: str) -> int:
    """Return how much of a kernel's input the file at ``path`` holds: bytes, or rows of an array.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is empty, or is no array where ``takes`` is ``"array"``.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError(f"{path} is not a regular file")
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
    if takes == "array":
        size = len(_open_rows(path))
    if size == 0:
        raise ValueError(f"{path} is empty")
    return size
