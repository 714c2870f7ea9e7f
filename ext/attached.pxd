"""Which threads are attached, for how long each, and all of them: where there is no GIL."""

from libc.stdint cimport uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from gil_state cimport GILKIT_ATTACHED, gilkit_presence, gilkit_roll
from holds cimport Hold, Holds, keep_hold, length_of
from shares cimport TALLIES, Shares, count_sample, stand, stand_also, tally_of


cdef struct Here:
    uintptr_t address
    uint64_t unique
    int slot  # in the tallies; -1 for one that was not seen attached yet
    Hold hold  # since when it is attached, if it is


cdef struct Attached:
    Here *here  # the threads, at their places in the roll
    Here *spare
    int count
    int open  # how many of them are attached


cdef inline int open_attached(Attached *attached, int room) noexcept:
    """Make room; returns 0 where there is none. `close_attached` gives it back."""
    attached.here = <Here *> calloc(room, sizeof(Here))
    attached.spare = <Here *> calloc(room, sizeof(Here))
    return attached.here != NULL and attached.spare != NULL


cdef inline void close_attached(Attached *attached) noexcept:
    free(attached.here)
    free(attached.spare)


cdef inline int attach(
    Attached *attached, Shares *shares, Holds *holds, const gilkit_roll *roll, double moment, double half, double bridge
) noexcept nogil:
    """Take a sample, which stands for the time half the way to the one before. Returns whether it is the first of a
    time in which somebody is attached."""
    cdef int was = attached.open, first = shares.samples == 0
    stand_for(attached, shares, 0.0 if first else half)
    if not in_place(attached, roll):
        put_in_place(attached, holds, roll)
    enter(attached, shares, holds, roll, moment, bridge)
    stand_for(attached, shares, 2 * half if first else half)  # the first stands for all of the time before it, too
    count_sample(shares)
    return attached.open > 0 and was == 0 and not first


cdef inline void stand_for(Attached *attached, Shares *shares, double half) noexcept nogil:
    """Let the threads that are attached be so for so much more of the time."""
    cdef int i, some = 0, crowd = 0
    cdef const Here *thread
    for i in range(attached.count):
        thread = &attached.here[i]
        if thread.hold.holder == 0 or (crowd and thread.slot == TALLIES):
            continue  # those beyond the room are counted as one
        if some:
            stand_also(shares, thread.slot, half)
        else:
            stand(shares, thread.slot, half)
        some = 1
        crowd = crowd or thread.slot == TALLIES
    if not some:
        stand(shares, -1, half)


cdef inline int in_place(const Attached *attached, const gilkit_roll *roll) noexcept nogil:
    """Return whether the threads are the same as before."""
    cdef int i
    if attached.count != roll.count:
        return 0
    for i in range(roll.count):
        if not same_thread(&attached.here[i], &roll.threads[i]):
            return 0
    return 1


cdef inline int same_thread(const Here *here, const gilkit_presence *thread) noexcept nogil:
    return here.unique == thread.unique and here.address == thread.address


cdef inline void put_in_place(Attached *attached, Holds *holds, const gilkit_roll *roll) noexcept nogil:
    """Put what is known of threads at their places in another roll, and end the holds of those that are gone.

    Whoever comes is the first in it: the ids of those behind are lower and lower.
    """
    cdef int i, old = 0
    cdef Here *to
    for i in range(roll.count):
        while old < attached.count and attached.here[old].unique > roll.threads[i].unique:
            keep_hold(holds, &attached.here[old].hold)
            old += 1
        to = &attached.spare[i]
        if old < attached.count and same_thread(&attached.here[old], &roll.threads[i]):
            to[0] = attached.here[old]
            old += 1
        else:
            to.address, to.unique, to.slot, to.hold.holder = roll.threads[i].address, roll.threads[i].unique, -1, 0
    for i in range(old, attached.count):
        keep_hold(holds, &attached.here[i].hold)
    attached.here, attached.spare = attached.spare, attached.here
    attached.count = roll.count


cdef inline void enter(
    Attached *attached, Shares *shares, Holds *holds, const gilkit_roll *roll, double moment, double bridge
) noexcept nogil:
    """Note which threads are attached, and since when; end the holds of those that are not any more."""
    cdef int i
    cdef Here *thread
    attached.open = 0
    for i in range(roll.count):
        thread = &attached.here[i]
        if roll.threads[i].state != GILKIT_ATTACHED:
            keep_hold(holds, &thread.hold)
            continue
        if thread.slot < 0:
            thread.slot = tally_of(shares, thread.address, thread.unique)
        if thread.hold.holder == 0 or moment > thread.hold.end + bridge:
            keep_hold(holds, &thread.hold)
            thread.hold.start, thread.hold.holder, thread.hold.made = moment, thread.address, thread.unique
        thread.hold.end = moment
        attached.open += 1


cdef inline void end_all(Attached *attached, Holds *holds) noexcept nogil:
    """End all holds."""
    cdef int i
    for i in range(attached.count):
        keep_hold(holds, &attached.here[i].hold)
    attached.open = 0


cdef inline Hold longest_of(const Attached *attached, const Hold *than) noexcept nogil:
    """Return the longest of the holds that are open, and of that one."""
    cdef Hold found = than[0]
    cdef int i
    for i in range(attached.count):
        if attached.here[i].hold.holder and length_of(&attached.here[i].hold) > length_of(&found):
            found = attached.here[i].hold
    return found
