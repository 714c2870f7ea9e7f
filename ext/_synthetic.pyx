"""A call whose held share is known: so many iterations of lcg with the GIL, then so many without."""

from libc.stdint cimport int64_t

from checks cimport count
from lcg cimport lcg_body
from native cimport Call, arguments, new_calls, run_calls


def synthetic_gil(held, released):
    """Run `gilkit.kernels.synthetic` with the GIL held throughout."""
    cdef int64_t with_gil = count(held, "held"), without = count(released, "released")
    cdef int64_t first, second
    first = lcg_body(with_gil)
    second = lcg_body(without)
    return first, second


def synthetic_nogil(held, released):
    """Run `gilkit.kernels.synthetic` with the GIL released for its second part."""
    cdef int64_t with_gil = count(held, "held"), without = count(released, "released")
    cdef int64_t first, second
    first = lcg_body(with_gil)
    with nogil:
        second = lcg_body(without)
    return first, second


cdef void synthetic_call(Call *call) noexcept nogil:
    call.result = lcg_body(call.n)
    call.s = <double> lcg_body(call.m)  # below 10**7, so exact


def synthetic_native(calls, loops=1, spans=None):
    """Run `gilkit.kernels.synthetic` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef int w
    for w in range(len(calls)):
        held, released = arguments(calls[w], (), 2)
        call[w].n = count(held, "held")
        call[w].m = count(released, "released")
    run_calls(synthetic_call, call, len(calls), loops, spans)
    return [(call[w].result, <int64_t> call[w].s) for w in range(len(calls))]
