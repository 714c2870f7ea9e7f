"""The arithmetic of lcg, shared by every kernel that spends time in it."""

from libc.stdint cimport int64_t, uint64_t


cdef inline uint64_t lcg_step(uint64_t result, uint64_t i) noexcept nogil:
    # (r*r*i + 2*r*i*i + 3) mod M = ((r*i mod M) * (r + 2*i) + 3) mod M: with r, i < M = 10**7 every
    # intermediate stays below 2**49.
    return (result * i % 10_000_000 * (result + 2 * i) + 3) % 10_000_000


cdef inline int64_t lcg_body(int64_t n) noexcept nogil:
    cdef uint64_t result = 1
    cdef uint64_t reduced = 0  # i mod 10**7, kept by counting
    cdef int64_t i
    for i in range(n):
        result = lcg_step(result, reduced)
        reduced += 1
        if reduced == 10_000_000:
            reduced = 0
    return <int64_t> result
