"""A call whose held share is known: so many iterations of lcg with the GIL, then so many without."""

from libc.stdint cimport int64_t

from checks cimport count
from lcg cimport lcg_body
from native cimport Call, arguments, new_calls, run_calls
from start cimport now


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


def synthetic_clocked(held, released, double[::1] log not None):
    """Do as `synthetic_nogil` does, and write down how long the GIL was released.

    Both stamps are taken just after the lock was touched: what comes between its flag and the stamp falls out of
    their difference, and so does what comes before the flag, which may have to be fetched from another CPU.

    Parameters
    ----------
    held, released : int
        Iterations.
    log : buffer of float64
        ``log[0]`` counts calls; the seconds of call i are put into ``log[1 + i]`` while there is room.
    """
    cdef int64_t with_gil = count(held, "held"), without = count(released, "released")
    cdef int64_t first, second, place
    cdef double dropped, taken
    if log.shape[0] < 1:
        raise ValueError("log must not be empty")
    first = lcg_body(with_gil)
    with nogil:
        dropped = now()
        second = lcg_body(without)
    taken = now()
    place = <int64_t> log[0]
    if 0 <= place < log.shape[0] - 1:
        log[1 + place] = taken - dropped
    log[0] = place + 1
    return first, second


cdef void synthetic_call(Call *call) noexcept nogil:
    call.result = lcg_body(call.n)
    call.s = <double> lcg_body(call.m)  # below 10**7, so exact


def synthetic_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.synthetic` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef int w
    for w in range(len(calls)):
        held, released = arguments(calls[w], (), 2)
        call[w].n = count(held, "held")
        call[w].m = count(released, "released")
    run_calls(synthetic_call, call, len(calls), loops, spans, until, cpus)
    return [(call[w].result, <int64_t> call[w].s) for w in range(len(calls))]
