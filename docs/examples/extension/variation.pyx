# cython: language_level=3, boundscheck=False, wraparound=False
"""The total variation of a series: one body, with the GIL held and with the GIL released."""

from libc.math cimport fabs


cdef double _variation(const double[::1] series) noexcept nogil:
    cdef Py_ssize_t i
    cdef double total = 0.0
    for i in range(1, series.shape[0]):
        total += fabs(series[i] - series[i - 1])
    return total


def holding(const double[::1] series):
    """Hold the GIL throughout, as Cython does by default."""
    return _variation(series)


def releasing(const double[::1] series):
    """Release the GIL around the loop."""
    cdef double total
    with nogil:
        total = _variation(series)
    return total
