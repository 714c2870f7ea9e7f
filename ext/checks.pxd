"""Argument checks that every kernel shares: each refusal names the argument and says what is allowed."""

from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.number cimport PyNumber_Index
from libc.stdint cimport int64_t, uint8_t


cdef inline int64_t count(object value, str name) except? -1:
    """Return ``value`` as an integer in 0 ... 2**63 - 1."""
    cdef int overflow = 0
    cdef int64_t number
    try:
        value = PyNumber_Index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None
    number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow > 0:
        raise ValueError(f"{name} is too large: at most 2**63 - 1 is allowed")
    if overflow < 0 or number < 0:
        raise ValueError(f"{name} must not be negative")
    return number


cdef inline object refusal(object error, object value, str name, str expected):
    """The TypeError or ValueError to raise for a buffer that does not fit."""
    if value is None:
        return TypeError(f"{name} must be {expected}, not None")
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{name} must be {expected}: {error}")


ctypedef fused Input:
    const double[::1]
    const double[:, ::1]
    const int64_t[::1]
    const uint8_t[::1]


ctypedef fused Output:  # apart: Cython takes a type and its const for one in a fused type
    double[::1]
    double[:, ::1]


cdef inline Input taken(Input none, object value, str name, str expected):
    """``value`` as a buffer of the kind that ``none`` is: its type tells which."""
    cdef Input view
    try:
        view = value
        if view is None:
            raise TypeError
    except (TypeError, ValueError, BufferError) as error:
        raise refusal(error, value, name, expected) from None
    return view


cdef inline Output filled(Output none, object value, str name, str expected):
    """``value`` as a buffer of the kind that ``none`` is: its type tells which."""
    cdef Output view
    try:
        view = value
        if view is None:
            raise TypeError
    except (TypeError, ValueError, BufferError) as error:
        raise refusal(error, value, name, expected) from None
    return view


cdef inline const double[::1] vector_in(object value, str name):
    cdef const double[::1] none = None
    return taken(none, value, name, "a C-contiguous 1-d float64 buffer")


cdef inline const double[:, ::1] matrix_in(object value, str name):
    cdef const double[:, ::1] none = None
    return taken(none, value, name, "a C-contiguous 2-d float64 buffer")


cdef inline const int64_t[::1] integers_in(object value, str name):
    cdef const int64_t[::1] none = None
    return taken(none, value, name, "a C-contiguous 1-d int64 buffer")


cdef inline const uint8_t[::1] octets_in(object value, str name):
    cdef const uint8_t[::1] none = None
    return taken(none, value, name, "a C-contiguous 1-d buffer of bytes")


cdef inline double[::1] vector_out(object value, str name, Py_ssize_t length):
    """``value`` as a writable buffer of ``length`` float64."""
    cdef double[::1] none = None
    cdef double[::1] view = filled(none, value, name, "a writable C-contiguous 1-d float64 buffer")
    if view.shape[0] != length:
        raise ValueError(f"{name} must have shape ({length},), not ({view.shape[0]},)")
    return view


cdef inline double[:, ::1] matrix_out(object value, str name, Py_ssize_t rows, Py_ssize_t columns):
    """``value`` as a writable buffer of ``rows`` x ``columns`` float64."""
    cdef double[:, ::1] none = None
    cdef double[:, ::1] view = filled(none, value, name, "a writable C-contiguous 2-d float64 buffer")
    if view.shape[0] != rows or view.shape[1] != columns:
        raise ValueError(
            f"{name} must have shape ({rows}, {columns}), not ({view.shape[0]}, {view.shape[1]})"
        )
    return view
