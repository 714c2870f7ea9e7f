"""Argument checks that every kernel shares: each refusal names the argument and says what is allowed."""

from cpython.buffer cimport PyBUF_FULL_RO, PyBuffer_IsContiguous, PyBuffer_Release, PyObject_GetBuffer
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.number cimport PyNumber_Index
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uintptr_t

cdef extern from *:
    const bint BIG_ENDIAN "PY_BIG_ENDIAN"


cdef inline int64_t count(object value, str name, int64_t most=INT64_MAX) except? -1:
    """Return ``value`` as an integer in 0 ... ``most``."""
    cdef int overflow = 0
    cdef int64_t number
    try:
        value = PyNumber_Index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None
    number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow < 0 or number < 0 and not overflow:
        raise ValueError(f"{name} must not be negative")
    if overflow or number > most:
        raise ValueError(f"{name} is too large: at most {most} is allowed")
    return number


cdef inline double number(object value, str name) except? -1:
    """Return ``value`` as a float64. Of a float subclass its own value counts, not what its methods say."""
    try:
        return value
    except TypeError:
        raise TypeError(f"{name} must be a number, not {type(value).__name__}") from None
    except OverflowError:
        raise ValueError(f"{name} is too large for a float64") from None


ctypedef enum Kind:
    FLOAT64
    INT64
    OCTET


cdef inline bint holds(const Py_buffer *buffer, Kind kind) noexcept:
    """Whether the items are of such a kind, in the byte order of this machine and where it expects them."""
    cdef const char *letter = "B"
    if buffer.format:
        letter = buffer.format
    if letter[0] in (c"@", c"=", c">" if BIG_ENDIAN else c"<"):
        letter += 1
    if letter[0] == 0 or letter[1] != 0:
        return False  # a structure, or several
    if kind == OCTET:
        return letter[0] == c"B"
    if buffer.itemsize != 8 or buffer.len and <uintptr_t> buffer.buf % 8:
        return False  # an empty one that was pickled may point anywhere
    return letter[0] == c"d" if kind == FLOAT64 else letter[0] in (c"l", c"q")


cdef inline int fits(object value, str name, Kind kind, int dimensions, bint written) except -1:
    """Refuse what is no buffer of such items, C-contiguous and aligned: views of Cython let more through."""
    cdef Py_buffer buffer
    cdef str items = ("float64", "int64", "bytes")[<int> kind]
    cdef str expected = f"{'a writable' if written else 'a'} C-contiguous {dimensions}-d buffer of {items}"
    try:
        PyObject_GetBuffer(value, &buffer, PyBUF_FULL_RO)
    except TypeError:
        raise TypeError(f"{name} must be {expected}, not {type(value).__name__}") from None
    except (ValueError, BufferError) as error:
        raise ValueError(f"{name} must be {expected}: {error}") from None
    try:
        if not holds(&buffer, kind) or buffer.ndim != dimensions or not PyBuffer_IsContiguous(&buffer, c"C"):
            raise ValueError(f"{name} must be {expected}")
        if written and buffer.readonly:
            raise ValueError(f"{name} must be {expected}, not read-only")
    finally:
        PyBuffer_Release(&buffer)
    return 0


cdef inline const double[::1] vector_in(object value, str name):
    fits(value, name, FLOAT64, 1, False)
    return value


cdef inline const double[:, ::1] matrix_in(object value, str name):
    fits(value, name, FLOAT64, 2, False)
    return value


cdef inline const int64_t[::1] integers_in(object value, str name):
    fits(value, name, INT64, 1, False)
    return value


cdef inline const uint8_t[::1] octets_in(object value, str name):
    fits(value, name, OCTET, 1, False)
    return value


cdef inline double[::1] vector_out(object value, str name, Py_ssize_t length):
    """``value`` as a writable buffer of ``length`` float64."""
    fits(value, name, FLOAT64, 1, True)
    cdef double[::1] view = value
    if view.shape[0] != length:
        raise ValueError(f"{name} must have shape ({length},), not ({view.shape[0]},)")
    return view


cdef inline double[:, ::1] matrix_out(object value, str name, Py_ssize_t rows, Py_ssize_t columns):
    """``value`` as a writable buffer of ``rows`` x ``columns`` float64."""
    fits(value, name, FLOAT64, 2, True)
    cdef double[:, ::1] view = value
    if view.shape[0] != rows or view.shape[1] != columns:
        raise ValueError(
            f"{name} must have shape ({rows}, {columns}), not ({view.shape[0]}, {view.shape[1]})"
        )
    return view


cdef inline int apart(
    const double *given, Py_ssize_t n, const double *out, Py_ssize_t m, str name, bint itself
) except -1:
    """Refuse an output over a part of an input. It may be the input itself where all is read before it is written."""
    if n and m and given < out + m and out < given + n and not (itself and given == out and n == m):
        raise ValueError(f"out must not overlap {name}")
    return 0


cdef inline int matrix_apart(const double[:, ::1] given, double[:, ::1] out, str name, bint itself) except -1:
    """The same for matrices."""
    return apart(
        &given[0, 0], given.shape[0] * given.shape[1], &out[0, 0], out.shape[0] * out.shape[1], name, itself
    )
