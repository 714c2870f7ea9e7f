"""The newest holds, and the longest."""

from libc.stdint cimport int64_t, uint64_t, uintptr_t


cdef struct Hold:
    double start
    double end
    uintptr_t holder
    uint64_t made


cdef struct Holds:
    Hold *ring
    int64_t room
    int64_t count
    Hold longest


cdef inline double length_of(const Hold *hold) noexcept nogil:
    return hold.end - hold.start


cdef inline void keep_hold(Holds *holds, Hold *hold) noexcept nogil:
    """End a hold, if it is open."""
    if hold.holder == 0:
        return
    holds.ring[holds.count % holds.room] = hold[0]
    holds.count += 1
    if length_of(hold) > length_of(&holds.longest):
        holds.longest = hold[0]
    hold.holder = 0


cdef inline tuple told_holds(const Holds *holds):
    """Return holds for Python; see `Sampler.kept_holds`."""
    cdef int64_t i, first = max(0, holds.count - holds.room)
    cdef Hold hold
    cdef list found = []
    for i in range(first, holds.count):
        hold = holds.ring[i % holds.room]
        found.append((hold.start, hold.end, hold.holder, hold.made))
    return found, first
