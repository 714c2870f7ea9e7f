"""Kernels that wait: they need no CPU, so only the GIL can keep them from overlapping."""

from libc.math cimport isfinite

from checks cimport number
from native cimport Call, arguments, new_calls, run_calls
from start cimport wait


cdef double duration(object seconds) except? -1:
    cdef double value = number(seconds, "seconds")
    if not isfinite(value) or value < 0 or value > 1e6:
        raise ValueError("seconds must be between 0 and 1e6")
    return value


def sleep_gil(seconds):
    """Run `gilkit.kernels.sleep` with the GIL held."""
    cdef double length = duration(seconds)
    wait(length)


def sleep_nogil(seconds):
    """Run `gilkit.kernels.sleep` with the GIL released."""
    cdef double length = duration(seconds)
    with nogil:
        wait(length)


cdef void sleep_call(Call *call) noexcept nogil:
    wait(call.s)


def sleep_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.sleep` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef int w
    for w in range(len(calls)):
        seconds, = arguments(calls[w], ())
        call[w].s = duration(seconds)
    run_calls(sleep_call, call, len(calls), loops, spans, until, cpus)
    return [None] * len(calls)
