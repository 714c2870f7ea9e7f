"""Samples the state of the GIL at random instants, from a thread that does not take it.

Where there is none, it samples which threads are attached, and who stops the world.
"""

from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from attached cimport Attached, attach, close_attached, end_all, longest_of, open_attached
from chance cimport chance
from gil_state cimport (
    gilkit_collecting, gilkit_enabled, gilkit_ending, gilkit_frames_missing, gilkit_holder, gilkit_locked,
    gilkit_switches, gilkit_threads_made, gilkit_view,
)
from holds cimport Hold, Holds, keep_hold, length_of, told_holds
from shares cimport Shares, count_sample, stand, tally, told_parts, told_tallies
from stalls cimport (
    STALLS_KEPT, WAIT_LOCK, PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, Stall, Watch, exchange,
    finish, hear, publish, read, ring, see, told,
)
from start cimport now, wait
from world cimport World, blocker, close_world, end_world, open_world, pause_number, read_world, told_pauses, why_not

cdef extern from *:
    """
    static int gilkit_read_int(const volatile int *value) { return *value; }
    static int64_t gilkit_read_count(const volatile int64_t *value) { return *value; }
    static double gilkit_read_seconds(const volatile double *value) { return *value; }
    """
    int read_int "gilkit_read_int"(const int *value) noexcept nogil
    int64_t read_count "gilkit_read_count"(const int64_t *value) noexcept nogil
    double read_seconds "gilkit_read_seconds"(const double *value) noexcept nogil

cdef extern from "Python.h":
    ctypedef struct PyThreadState:
        pass
    PyThreadState *PyThreadState_Get()
    uint64_t PyThreadState_GetID(PyThreadState *state)


cdef struct Gap:
    double start
    double end


def missing():
    """Return why it cannot be read here who has the GIL, or who is attached where there is none; or None."""
    cdef gilkit_view view
    cdef const char *why = why_not(&view)
    return None if why == NULL else why.decode()


cdef class Sampler:
    """Samples until it is told to stop.

    `run` belongs to one thread, which needs no GIL for it. Every other method may be called from any thread
    that has the GIL, while it runs: they read what only `run` writes, and may be a sample behind or, where they
    return several figures, between two samples. After `run` has returned they are exact.
    Time is cut into strata of one interval each, and each has one sample, at an instant of uniform chance: no
    rhythm of what is watched can fall into step with them, and every instant is as likely as any other.
    A sample stands for the time half the way to its neighbours: where this thread was kept from running, those at
    both ends stand for what it did not see.

    Parameters
    ----------
    interval : float
        Seconds of a stratum.
    light : bool
        Sleep between samples. Otherwise a CPU spins on the clock, and the GIL's own memory is read at the
        samples only, for every read takes a cache line from whoever works with the GIL.
    room : int
        Holds and gaps that are kept, the newest ones.
    bridge : float
        Seconds without a sample over which a hold goes on.
    longer : float
        Seconds from which on a hold that others wait for is kept as a stall; 0 for none.
    caller : bool
        Where there is no GIL: look at the calling thread only, which has to live as long, and not at all of them.
    """

    cdef gilkit_view view
    cdef double interval
    cdef double bridge
    cdef bint light
    cdef int stopping
    cdef uint64_t state
    cdef Shares shares
    cdef int64_t takes
    cdef double missed
    cdef int slot  # in the tallies, of the last sample; -1 where it found the GIL free
    cdef int64_t room
    cdef Holds holds
    cdef Hold current
    cdef double begin
    cdef double last  # the moment of the last sample
    cdef int running
    cdef Gap *unseen
    cdef int64_t gaps
    cdef Watch watch
    cdef int64_t gathering
    cdef readonly bint free  # there is no GIL
    cdef readonly bint turned_on  # but then it was turned on for good: who is attached has it
    cdef World world
    cdef Attached attached

    def __cinit__(
        self, double interval, bint light, int64_t room, double bridge, uint64_t seed, double longer, bint caller
    ):
        cdef PyThreadState *own = PyThreadState_Get()
        cdef const char *why = why_not(&self.view)
        if why != NULL:
            raise RuntimeError(why.decode())
        self.interval = interval
        self.light = light
        self.room = room
        self.bridge = bridge
        self.state = seed | 1
        self.shares.batch_size = 1
        self.slot = -1
        self.holds.room = room
        self.holds.ring = <Hold *> calloc(room, sizeof(Hold))
        self.unseen = <Gap *> calloc(room, sizeof(Gap))
        if self.holds.ring == NULL or self.unseen == NULL:
            raise MemoryError
        self.free = not gilkit_enabled(&self.view)
        if self.free and not (
            open_world(&self.world, <uintptr_t> own if caller else 0, PyThreadState_GetID(own), room)
            and open_attached(&self.attached, self.world.roll.room)
        ):
            raise MemoryError
        if longer > 0:
            self.watch.longer = longer
            self.watch.world = self.free
            self.watch.look = gilkit_frames_missing() == NULL
            self.watch.kept = <Stall *> calloc(STALLS_KEPT, sizeof(Stall))
            self.watch.bell = PyThread_allocate_lock()
            if self.watch.kept == NULL or self.watch.bell == NULL:
                raise MemoryError
            PyThread_acquire_lock(self.watch.bell, WAIT_LOCK)

    def __dealloc__(self):
        free(self.holds.ring)
        free(self.unseen)
        free(self.watch.kept)
        close_world(&self.world)
        close_attached(&self.attached)
        if self.watch.bell != NULL:
            PyThread_free_lock(self.watch.bell)

    def run(self):
        """Sample until `stop`."""
        with nogil:
            self.sample()

    def stop(self):
        """Tell `run` to return."""
        self.stopping = 1

    cdef void sample(self) noexcept nogil:
        cdef double stratum = now(), due, moment, before, step
        cdef uintptr_t holder
        cdef uint64_t made
        cdef int locked, collecting
        self.begin = self.last = stratum
        self.running = 1
        while not read_int(&self.stopping):
            step = self.interval
            if self.watch.is_open and self.watch.since and self.last - self.watch.since > self.watch.longer / 2:
                step = min(step, max(self.watch.longer / 20, 2.5e-4))  # its end is to be known, too
            elif self.world.how:
                step = min(step, 5e-4)  # and when all have stopped
            due = stratum + step * chance(&self.state)
            stratum += step
            if self.light:
                while now() < due and not read_int(&self.stopping):
                    wait(min(due - now(), 0.02))
            else:
                while now() < due:
                    if read_int(&self.stopping):
                        break
            if read_int(&self.stopping) or gilkit_ending():
                break
            if self.free:
                self.turned_on = self.turned_on or gilkit_enabled(&self.view)
                moment = now()
                if self.count_world(moment) and moment > due + 10 * self.interval:
                    stratum = moment
                continue
            locked = gilkit_locked(&self.view)
            holder = gilkit_holder(&self.view)
            made = gilkit_threads_made(&self.view)
            collecting = gilkit_collecting(&self.view)
            moment = now()
            if moment > due + 10 * self.interval:
                stratum = moment  # this thread was kept from running: no burst to make up for it
            before = self.last
            self.world.collecting_seconds += (moment - before) / 2 * (self.world.collecting + collecting)
            self.world.collecting = collecting
            self.count(locked, moment, holder, made)
            if self.watch.longer:
                see(&self.watch, &self.view, locked, holder, made, gilkit_switches(&self.view), before, moment)
        self.look(now())
        end_world(&self.world, self.last)
        end_all(&self.attached, &self.holds)
        if self.watch.is_open:
            finish(&self.watch, self.last)
        self.running = 0
        self.close()
        publish(&self.watch.ended, 1)
        if self.watch.bell != NULL:
            ring(&self.watch)

    cdef void look(self, double moment) noexcept nogil:
        """Note the time since the last sample, if that is longer than two strata can be apart."""
        if moment > self.last + 3 * self.interval:
            self.unseen[self.gaps % self.room].start = self.last
            self.unseen[self.gaps % self.room].end = moment
            self.gaps += 1
            self.missed += moment - self.last
        self.last = moment

    cdef void count(self, int locked, double moment, uintptr_t holder, uint64_t made) noexcept nogil:
        cdef double half = (moment - self.last) / 2
        self.look(moment)
        cdef int before = self.slot
        self.slot = tally(&self.shares, holder, made) if locked else -1
        if self.shares.samples == 0:
            before = self.slot  # the first stands for all of the time before it, too
        elif locked and self.current.holder != holder:
            self.takes += 1  # once at the least, whatever went unseen: who takes it wakes, on this CPU too
        stand(&self.shares, before, half)
        stand(&self.shares, self.slot, half)
        if locked:
            if self.current.holder != holder or moment > self.current.end + self.bridge:
                self.close()
                self.current.start, self.current.holder, self.current.made = moment, holder, made
            self.current.end = moment
        else:
            self.close()
        count_sample(&self.shares)

    cdef void close(self) noexcept nogil:
        """End the hold that is open, if one is."""
        keep_hold(&self.holds, &self.current)

    cdef int count_world(self, double moment) noexcept nogil:
        """Take a sample of who is attached. Returns 0 where that could not be read: it is as if there was none."""
        cdef double before = self.last
        cdef uintptr_t holder
        cdef uint64_t made = 0
        if not read_world(&self.world, &self.view, before, moment):
            return 0
        self.look(moment)
        self.takes += attach(
            &self.attached, &self.shares, &self.holds, &self.world.roll, moment, (moment - before) / 2, self.bridge
        )
        if self.watch.longer:
            holder = blocker(&self.world, &made)
            see(&self.watch, &self.view, holder != 0, holder, made, pause_number(&self.world), before, moment)
        return 1

    def begun(self):
        """Return whether `run` has begun."""
        return self.begin > 0

    def forked(self):
        """Take note, in a child, that the thread of `run` is none of its own."""
        self.running = 0

    def sums(self):
        """Return what there was so far: samples, times that the GIL was seen to be taken, and in seconds all of
        the time, the part that was not seen, what the samples stand for, and what of it was locked.

        It is taken where two samples next to each other differ: once, however much lies between them unseen.
        """
        cdef double missed = read_seconds(&self.missed)  # first: the last sample must not be before this gap
        cdef double last = read_seconds(&self.last), end = last
        cdef double locked = read_seconds(&self.shares.locked)
        if read_int(&self.running):
            end = max(last, now())
            if end > last + 3 * self.interval:
                missed += end - last
        return read_count(&self.shares.samples), read_count(&self.takes), end - self.begin, missed, self.shares.seconds, locked

    def parts(self):
        """Return (seconds, locked) of stretches one after another, for the error: samples are not independent."""
        return told_parts(&self.shares)

    def holders(self):
        """Return (address, thread states made, seconds) of every holder; and the seconds of those beyond."""
        return told_tallies(&self.shares)

    def longest_hold(self):
        """Return (start, end, address, thread states made) of the longest hold, or None."""
        cdef Hold hold = longest_of(&self.attached, &self.holds.longest)
        if self.current.holder and length_of(&self.current) > length_of(&hold):
            hold = self.current
        return (hold.start, hold.end, hold.holder, hold.made) if hold.holder else None

    def kept_holds(self):
        """Return the newest holds, oldest first, as `longest_hold` does; and how many were dropped."""
        return told_holds(&self.holds)

    def world_sums(self):
        """Return for how many seconds the world was stopped or to stop, and how many went by while it was collected."""
        return read_seconds(&self.world.paused_seconds), read_seconds(&self.world.collecting_seconds)

    def kept_pauses(self):
        """Return the newest times in which the world was to stop, oldest first, and how many were dropped.

        Each is (asked for, last time that somebody had not stopped, end, address of who asked, thread states made,
        address of who stopped last or 0, thread states made).
        """
        return told_pauses(&self.world)

    def kept_gaps(self):
        """Return the newest times without a sample, oldest first, as (start, end)."""
        cdef int64_t i
        return [
            (self.unseen[i % self.room].start, self.unseen[i % self.room].end)
            for i in range(max(0, self.gaps - self.room), self.gaps)
        ]

    def collect_here(self, bint eager, uintptr_t canary):
        """Let the calling thread be the one that collects stalls: that it waits is none of theirs.

        Say if each is wanted soon, and the address of who asks for the GIL all the time, if somebody does.
        """
        self.watch.eager = eager
        self.watch.canary = canary != 0
        self.world.collector, self.world.canary = <uintptr_t> PyThreadState_Get(), canary
        publish(&self.watch.collector, <int64_t> <uintptr_t> PyThreadState_Get())
        publish(&self.watch.busy, 0)

    def look_only_after(self):
        """Copy no frames of stalls: it may be forbidden here, or somebody tries how that would be."""
        self.watch.look = 0

    def wait_for_stall(self, double seconds):
        """Wait without the GIL until there is a stall, for so long at the most.

        Returns
        -------
        bool
            Whether there is one that nobody has collected, or one that goes on.
        """
        with nogil:
            hear(&self.watch, seconds)
            publish(&self.watch.busy, <int64_t> (now() * 1e9))
        publish(&self.watch.busy, 0)
        return bool(read(&self.watch.announced)) or read(&self.watch.closed) > self.watch.collected

    def ended(self):
        """Return whether `run` has returned or is about to: no stall comes any more."""
        return bool(read(&self.watch.ended))

    def rest(self, double seconds):
        """Sleep without the GIL, on no clock of Python's."""
        with nogil:
            wait(seconds)

    def may_wait(self, bint busy):
        """Say whether the thread that collects stalls may let the GIL go, and then wait for it."""
        publish(&self.watch.busy, <int64_t> (now() * 1e9) if busy else 0)

    def just_let_go(self):
        """Return the address of the state of the thread that had the GIL just before the calling one.

        It is that of a stall which has been announced, and none had it in between; 0 otherwise.
        """
        if not self.free and read(&self.watch.announced) and gilkit_switches(&self.view) == self.watch.now.switches + 1:
            return <uintptr_t> self.watch.now.holder
        return 0

    def stalls(self):
        """Return the stalls that nobody has collected, oldest first.

        Returns
        -------
        list of tuple
            (start, end, when it was first seen that somebody waits, address, thread states made, looks, of them
            in the place that is kept, moving looks, samples, of them that found it collecting garbage, seconds in
            which it was ready to run and had no CPU, frames, who waited). A frame: (file, function, line), the
            innermost first; the line is -1 where its place could not be read. Who waited: native id, since when.
        """
        cdef list found = []
        if exchange(&self.gathering, 1):  # a finalizer asks in the middle of it
            return found
        try:
            while self.watch.collected < read(&self.watch.closed):
                found.append(told(&self.watch.kept[self.watch.collected % STALLS_KEPT]))
                publish(&self.watch.collected, self.watch.collected + 1)
        finally:
            exchange(&self.gathering, 0)
        return found

    def stall_sums(self):
        """Return dropped stalls, long holds that nobody waited for, seconds of waiting, looks, and kept stalls."""
        return self.watch.dropped, self.watch.alone, self.watch.waited, self.watch.tried, read(&self.watch.closed)
