"""Kernels on buffers; compiled in ext/_memory.pyx."""

from __future__ import annotations

from typing import Any

from gilkit._ext import _checks, _memory
from gilkit.arguments import number
from gilkit.kernels import _plain, data
from gilkit.kernels._base import kernel
from gilkit.kernels._numpy import np, npt

__all__ = ["crc32", "histogram", "pairwise", "transform", "triad"]


def _triad(size: int, _: str | None) -> tuple[Any, ...]:
    return (data.floats(2, size)[0].copy(), data.floats(2, size)[1].copy(), 3.0, np.empty(size))


@kernel(
    _memory,
    make=_triad,
    size=2_000_000,
    python_size=40_000,
    unit="elements",
    limit="memory bandwidth",
    nbytes=lambda n: 24 * n,
)
def triad(
    b: npt.NDArray[np.float64],
    c: npt.NDArray[np.float64],
    s: float = 3.0,
    out: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Compute ``b + s * c``.

    Limited by memory bandwidth once the arrays outgrow the caches: an element costs two
    floating-point operations and moves 24 bytes, or 32 where the cache reads a line before it writes one.

    Parameters
    ----------
    b, c : (n,) buffer of float64
    s : float
    out : (n,) buffer of float64, optional
        Where to write; a new array if it is left out.

    Returns
    -------
    (n,) ndarray of float64
        `out`.

    Raises
    ------
    TypeError, ValueError
        If an array is no C-contiguous 1-d buffer of float64, their shapes differ, or `out` overlaps an input
        without being it.

    Notes
    -----
    The fourth kernel of the STREAM benchmark (McCalpin, 1995).
    """
    x, y = _checks.vector(b, "b"), _checks.vector(c, "c")
    if y.shape != x.shape:
        raise ValueError(f"c must have shape {x.shape} as b has, not {y.shape}")
    factor = number(s, "s")
    if out is None:
        out = np.empty(x.shape)
    target = _checks.vector_out(out, "out", len(x))
    _checks.apart(x, target, "b", True)
    _checks.apart(y, target, "c", True)
    target[:] = [p + factor * q for p, q in zip(x.tolist(), y.tolist(), strict=True)]
    return out


def _transform(size: int, path: str | None) -> tuple[Any, ...]:
    points = data.homogeneous(size, path)
    return (points, data.floats(4, 4), np.empty_like(points))


@kernel(
    _memory,
    make=_transform,
    size=600_000,
    python_size=5_000,
    unit="points",
    limit="memory bandwidth",
    takes="array",
    nbytes=lambda n: 64 * n,
)
def transform(
    points: npt.NDArray[np.float64],
    matrix: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Apply a 4 x 4 matrix to points in homogeneous coordinates.

    Limited by memory bandwidth on large arrays and by arithmetic in the caches: a point costs 28
    floating-point operations and moves 64 bytes.

    Parameters
    ----------
    points : (n, 4) buffer of float64
    matrix : (4, 4) buffer of float64
    out : (n, 4) buffer of float64, optional
        Where to write; a new array if it is left out.

    Returns
    -------
    (n, 4) ndarray of float64
        `out`, whose row i is ``matrix @ points[i]``, added from left to right.

    Raises
    ------
    TypeError, ValueError
        If an array is no C-contiguous 2-d buffer of float64 or has another shape, or `out` overlaps `matrix`,
        or `points` without being that.

    Notes
    -----
    The vertex transform of every graphics pipeline.
    """
    rows = _checks.matrix(points, "points")
    if rows.shape[1] != 4:
        raise ValueError(f"points must have shape (n, 4), not {rows.shape}")
    factors = _checks.matrix(matrix, "matrix")
    if factors.shape != (4, 4):
        raise ValueError(f"matrix must have shape (4, 4), not {factors.shape}")
    if out is None:
        out = np.empty(rows.shape)
    target = _checks.matrix_out(out, "out", len(rows), 4)
    _checks.apart(rows, target, "points", True)
    _checks.apart(factors, target, "matrix", False)
    m = factors.tolist()
    target[:] = np.array(
        [[r[0] * x + r[1] * y + r[2] * z + r[3] * w for r in m] for x, y, z, w in rows.tolist()]
    ).reshape(target.shape)
    return out


def _pairwise(size: int, path: str | None) -> tuple[Any, ...]:
    x = data.rows(size, path, 8)
    return (x, np.empty((len(x), len(x))))


@kernel(
    _memory,
    make=_pairwise,
    size=800,
    python_size=48,
    unit="rows",
    limit="arithmetic and cache bandwidth",
    takes="array",
    default_most=2048,
    nbytes=lambda n: 8 * n * n,
)
def pairwise(
    x: npt.NDArray[np.float64], out: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """Compute the squared Euclidean distance between every two rows.

    Limited by arithmetic, and by the bandwidth of the cache that holds `x`: a distance of d columns costs 3 d
    floating-point operations and writes 8 bytes.

    Parameters
    ----------
    x : (n, d) buffer of float64
    out : (n, n) buffer of float64, optional
        Where to write; a new array if it is left out.

    Returns
    -------
    (n, n) ndarray of float64
        `out`, with ``out[i, j] = sum((x[i] - x[j])**2)``, added from left to right.

    Raises
    ------
    TypeError, ValueError
        If an array is no C-contiguous 2-d buffer of float64, n x n results do not fit, or `out` overlaps `x`.

    Notes
    -----
    The direct formula, as in ``scipy.spatial.distance.pdist(x, "sqeuclidean")``, without its symmetry.
    """
    rows = _checks.matrix(x, "x")
    out = _memory.square(out, len(rows))
    target = _checks.matrix_out(out, "out", len(rows), len(rows))
    _checks.apart(rows, target, "x", False)
    points = rows.tolist()
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            total = 0.0
            for p, q in zip(a, b, strict=True):
                total += (p - q) * (p - q)
            target[i, j] = total
    return out


def _octets(size: int, path: str | None) -> tuple[bytes]:
    return (data.octets(size, path),)


@kernel(
    _memory,
    make=_octets,
    size=4_000_000,
    python_size=50_000,
    unit="bytes",
    limit="latency of the cache",
    takes="bytes",
    nbytes=lambda n: n,
)
def histogram(data: bytes) -> npt.NDArray[np.int64]:
    """Count how often each byte value occurs.

    Limited by the latency of the first-level cache: a byte costs one load and one increment in a table of
    2 kB. The compiled body has four tables in turn, so that repeats of a byte do not wait for one another.

    Parameters
    ----------
    data : (n,) buffer of bytes

    Returns
    -------
    (256,) ndarray of int64

    Raises
    ------
    TypeError, ValueError
        If data is no C-contiguous 1-d buffer of bytes.

    Notes
    -----
    As ``numpy.bincount(data, minlength=256)``.
    """
    counts = [0] * 256
    for value in _checks.octets(data, "data").tolist():
        counts[value] += 1
    return np.array(counts, dtype=np.int64)


@kernel(
    _memory,
    make=_octets,
    size=4_000_000,
    python_size=50_000,
    unit="bytes",
    limit="latency of the cache",
    takes="bytes",
    nbytes=lambda n: n,
    plain=_plain.crc32,
)
def crc32(data: bytes) -> int:
    """Compute the CRC-32 checksum that zlib, gzip and PNG use.

    Limited by the latency of the first-level cache: eight bytes cost eight look-ups in tables of 8 kB, and
    wait for the eight before them.

    Parameters
    ----------
    data : (n,) buffer of bytes

    Returns
    -------
    int
        As ``zlib.crc32(data)``.

    Raises
    ------
    TypeError, ValueError
        If data is no C-contiguous 1-d buffer of bytes.

    Notes
    -----
    The reflected polynomial 0xEDB88320 of ISO 3309, a byte at a time by table (Sarwate, 1988); the compiled
    body takes eight at a time (slicing by 8: Kounavis and Berry, 2005).
    """
    return _plain.crc32(_checks.octets(data, "data").tobytes())
