"""What the sampler makes of the states of threads, where there is no GIL: of made-up ones, on any interpreter."""

from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from attached cimport Attached, attach, close_attached, end_all, longest_of, open_attached
from gil_state cimport GILKIT_ATTACHED, gilkit_pause
from holds cimport Hold, Holds, told_holds
from shares cimport Shares, told_tallies
from world cimport World, blocker, close_world, end_world, follow_pause, open_world, told_pauses


cdef class MadeUpSamples:
    """Takes samples that tests make up, as `Sampler` takes those of the interpreter.

    Parameters
    ----------
    bridge : float
        As of `Sampler`; and so below.
    collector, canary : int
        The states of those threads, or 0.
    """

    cdef World world
    cdef Attached attached
    cdef Shares shares
    cdef Holds holds
    cdef double bridge
    cdef double last

    def __cinit__(self, double bridge, uintptr_t collector, uintptr_t canary):
        self.bridge = bridge
        self.shares.batch_size = 1
        self.holds.room = 1000
        self.holds.ring = <Hold *> calloc(self.holds.room, sizeof(Hold))
        if (
            self.holds.ring == NULL
            or not open_world(&self.world, 0, 0, self.holds.room)
            or not open_attached(&self.attached, self.world.roll.room)
        ):
            raise MemoryError
        self.world.collector, self.world.canary = collector, canary

    def __dealloc__(self):
        free(self.holds.ring)
        close_world(&self.world)
        close_attached(&self.attached)

    def take(self, double moment, list threads, tuple before, tuple after, int collecting):
        """Take a sample, and return whether it is the first of a time in which somebody is attached.

        Parameters
        ----------
        moment : float
        threads : list of (int, int, bool)
            The address, the unique id and whether it is attached of each thread, the newest first.
        before, after : (bool, bool, int)
            Whether all were to stop, whether they had, and who asked, before the threads were looked at and then.
        collecting : int
        """
        cdef gilkit_pause asked, now
        cdef int i, first
        self.world.roll.count = len(threads)
        for i in range(self.world.roll.count):
            self.world.roll.threads[i].address, self.world.roll.threads[i].unique = threads[i][0], threads[i][1]
            self.world.roll.threads[i].state = GILKIT_ATTACHED if threads[i][2] else 0
        asked.requested, asked.stopped, asked.requester = before
        now.requested, now.stopped, now.requester = after
        follow_pause(&self.world, &asked, &now, collecting, 1000, self.last, moment)
        first = attach(
            &self.attached, &self.shares, &self.holds, &self.world.roll, moment, (moment - self.last) / 2, self.bridge
        )
        self.last = moment
        return bool(first)

    def blocker(self):
        """Return the state of the thread for which others wait, and its unique id; (0, 0) where nobody waits."""
        cdef uint64_t made = 0
        cdef uintptr_t found = blocker(&self.world, &made)
        return found, made

    def longest_hold(self):
        """Return (start, end, address, unique id) of the longest time in which a thread was attached."""
        cdef Hold hold = longest_of(&self.attached, &self.holds.longest)
        return hold.start, hold.end, hold.holder, hold.made

    def holders(self):
        """Return what `Sampler.holders` does."""
        return told_tallies(&self.shares)

    def end(self):
        """Return what `Sampler.kept_holds` and `Sampler.kept_pauses` do when it has ended."""
        end_world(&self.world, self.last)
        end_all(&self.attached, &self.holds)
        return told_holds(&self.holds)[0], told_pauses(&self.world)[0]
