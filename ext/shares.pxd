"""For how long each thread was seen with the GIL, and all of them, in stretches of time one after another."""

from libc.stdint cimport int64_t, uint64_t, uintptr_t

cdef enum:
    TALLIES = 512  # holders that are told apart; what the rest hold is counted as one
    BATCHES = 64  # of which half are full at least, once there are enough samples


cdef struct Tally:
    uintptr_t holder
    uint64_t made
    double seconds


cdef struct Part:
    double seconds
    double locked


cdef struct Shares:
    int64_t samples
    double seconds  # that the samples stand for
    double locked
    Tally tallies[TALLIES + 1]  # the last: of holders beyond the others
    int used
    Part batches[BATCHES]
    int64_t batch_size
    int64_t batch_samples
    int batch


cdef inline void stand(Shares *shares, int slot, double half) noexcept nogil:
    """Let a sample stand for so much more of the time."""
    shares.seconds += half
    shares.batches[shares.batch].seconds += half
    if slot >= 0:
        shares.locked += half
        shares.batches[shares.batch].locked += half
        shares.tallies[slot].seconds += half


cdef inline void stand_also(Shares *shares, int slot, double half) noexcept nogil:
    """Let it stand for one more holder at the same time."""
    shares.tallies[slot].seconds += half


cdef inline void merge(Shares *shares) noexcept nogil:
    cdef int i
    for i in range(BATCHES // 2):
        shares.batches[i].seconds = shares.batches[2 * i].seconds + shares.batches[2 * i + 1].seconds
        shares.batches[i].locked = shares.batches[2 * i].locked + shares.batches[2 * i + 1].locked
    for i in range(BATCHES // 2, BATCHES):
        shares.batches[i].seconds = shares.batches[i].locked = 0.0
    shares.batch = BATCHES // 2
    shares.batch_size *= 2


cdef inline int tally_of(Shares *shares, uintptr_t holder, uint64_t made) noexcept nogil:
    """Return the place of just this holder in the tallies; the last, of the rest, where there is no room."""
    cdef int i
    for i in range(shares.used - 1, -1, -1):  # the newest first: it is the likeliest
        if shares.tallies[i].holder == holder and shares.tallies[i].made == made:
            return i
    if shares.used == TALLIES:
        return TALLIES
    shares.tallies[shares.used].holder = holder
    shares.tallies[shares.used].made = made
    shares.used += 1
    return shares.used - 1


cdef inline int tally(Shares *shares, uintptr_t holder, uint64_t made) noexcept nogil:
    """Return the place of a holder that is known by how many had been made: those counts may differ, for one holder."""
    cdef int i, found = tally_of(shares, holder, made)
    if found == TALLIES:
        for i in range(shares.used - 1, -1, -1):  # no room to tell the counts apart: the holder will do
            if shares.tallies[i].holder == holder:
                return i
    return found


cdef inline void count_sample(Shares *shares) noexcept nogil:
    """End the batch if it is full."""
    shares.samples += 1
    shares.batch_samples += 1
    if shares.batch_samples == shares.batch_size:
        shares.batch_samples = 0
        shares.batch += 1
        if shares.batch == BATCHES:
            merge(shares)


cdef inline list told_parts(const Shares *shares):
    """Return the full batches for Python; see `Sampler.parts`."""
    cdef int i
    return [(shares.batches[i].seconds, shares.batches[i].locked) for i in range(shares.batch)]


cdef inline tuple told_tallies(const Shares *shares):
    """Return the tallies for Python; see `Sampler.holders`."""
    cdef int i
    found = [(shares.tallies[i].holder, shares.tallies[i].made, shares.tallies[i].seconds) for i in range(shares.used)]
    return found, shares.tallies[TALLIES].seconds
