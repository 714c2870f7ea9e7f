"""The checks of checks.pxd, for the pure-Python variants and for whoever takes a number."""

from libc.stdint cimport INT64_MAX

cimport checks
from numpy_later cimport np


def count(value, name, most=INT64_MAX):
    """Return an integer from 0 to ``most``."""
    return checks.count(value, name, most)


def vector(value, name):
    """Return an array over a buffer of float64."""
    return np().asarray(checks.vector_in(value, name))


def matrix(value, name):
    """Return an array over a 2-d buffer of float64."""
    return np().asarray(checks.matrix_in(value, name))


def integers(value, name):
    """Return an array over a buffer of int64."""
    return np().asarray(checks.integers_in(value, name))


def octets(value, name):
    """Return an array over a buffer of bytes."""
    return np().asarray(checks.octets_in(value, name))


def vector_out(value, name, length):
    """Return an array over a writable buffer of so many float64."""
    return np().asarray(checks.vector_out(value, name, length))


def matrix_out(value, name, rows, columns):
    """Return an array over a writable buffer of so many rows and columns of float64."""
    return np().asarray(checks.matrix_out(value, name, rows, columns))


def apart(given, out, name, itself):
    """Refuse an output that lies over an input; it may be the input itself where ``itself`` says so."""
    cdef const double[::1] x = given.reshape(-1), y = out.reshape(-1)
    checks.apart(&x[0], x.shape[0], &y[0], y.shape[0], name, itself)
