"""Samples the state of the GIL at random instants, from a thread that does not take it."""

from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from start cimport now, wait

cdef extern from "gil_state.h":
    ctypedef struct gilkit_view:
        pass
    ctypedef struct gilkit_thread:
        uintptr_t address
        uint64_t unique
        unsigned long ident
        unsigned long native
    const char *gilkit_open(gilkit_view *view)
    int gilkit_enabled(const gilkit_view *view) noexcept nogil
    int gilkit_locked(const gilkit_view *view) noexcept nogil
    uintptr_t gilkit_holder(const gilkit_view *view) noexcept nogil
    uint64_t gilkit_threads_made(const gilkit_view *view) noexcept nogil
    size_t gilkit_threads(gilkit_thread *found, size_t room, uint64_t *made)

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


cdef struct Hold:
    double start
    double end
    uintptr_t holder
    uint64_t made


cdef struct Gap:
    double start
    double end


def missing():
    """Return why the state of the GIL cannot be read here, or None."""
    cdef gilkit_view view
    cdef const char *why = gilkit_open(&view)
    if why != NULL:
        return why.decode()
    if not gilkit_enabled(&view):
        return "this interpreter runs without a GIL"
    return None


def own_state():
    """Return the address and the unique id of the calling thread's state."""
    cdef PyThreadState *state = PyThreadState_Get()
    return <uintptr_t> state, PyThreadState_GetID(state)


def thread_states():
    """Return every thread state of this interpreter: its address, its unique id, its thread's ident and native id.

    And how many were made so far. Addresses are for comparing only.
    """
    cdef gilkit_thread *found
    cdef size_t room = 64, count, i
    cdef uint64_t made = 0
    while True:
        found = <gilkit_thread *> calloc(room, sizeof(gilkit_thread))
        if found == NULL:
            raise MemoryError
        count = gilkit_threads(found, room, &made)
        if count <= room:
            break
        free(found)
        room = 2 * count
    try:
        return [(found[i].address, found[i].unique, found[i].ident, found[i].native) for i in range(count)], made
    finally:
        free(found)


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
    """

    cdef gilkit_view view
    cdef double interval
    cdef double bridge
    cdef bint light
    cdef int stopping
    cdef uint64_t state
    cdef int64_t samples
    cdef int64_t takes
    cdef double seconds  # that the samples stand for
    cdef double locked
    cdef double missed
    cdef Tally[TALLIES + 1] tallies  # the last: of holders beyond the others
    cdef int used
    cdef int slot  # in the tallies, of the last sample; -1 where it found the GIL free
    cdef Part[BATCHES] batches
    cdef int64_t batch_size
    cdef int64_t batch_samples
    cdef int batch
    cdef Hold *ring
    cdef int64_t room
    cdef int64_t holds
    cdef Hold current
    cdef Hold longest
    cdef double begin
    cdef double last  # the moment of the last sample
    cdef int running
    cdef Gap *unseen
    cdef int64_t gaps

    def __cinit__(self, double interval, bint light, int64_t room, double bridge, uint64_t seed):
        cdef const char *why = gilkit_open(&self.view)
        if why != NULL:
            raise RuntimeError(why.decode())
        self.interval = interval
        self.light = light
        self.room = room
        self.bridge = bridge
        self.state = seed | 1
        self.batch_size = 1
        self.slot = -1
        self.ring = <Hold *> calloc(room, sizeof(Hold))
        self.unseen = <Gap *> calloc(room, sizeof(Gap))
        if self.ring == NULL or self.unseen == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.ring)
        free(self.unseen)

    def run(self):
        """Sample until `stop`."""
        with nogil:
            self.sample()

    def stop(self):
        """Tell `run` to return."""
        self.stopping = 1

    cdef double chance(self) noexcept nogil:
        # Uniform on [0, 1); xorshift64* (Vigna, 2016).
        self.state ^= self.state >> 12
        self.state ^= self.state << 25
        self.state ^= self.state >> 27
        return (self.state * 0x2545F4914F6CDD1DULL >> 11) * (1.0 / 9007199254740992.0)

    cdef void sample(self) noexcept nogil:
        cdef double stratum = now(), due, moment
        cdef uintptr_t holder
        cdef uint64_t made
        cdef int locked
        self.begin = self.last = stratum
        self.running = 1
        while not read_int(&self.stopping):
            due = stratum + self.interval * self.chance()
            stratum += self.interval
            if self.light:
                while now() < due and not read_int(&self.stopping):
                    wait(min(due - now(), 0.02))
            else:
                while now() < due:
                    if read_int(&self.stopping):
                        break
            if read_int(&self.stopping):
                break
            locked = gilkit_locked(&self.view)
            holder = gilkit_holder(&self.view)
            made = gilkit_threads_made(&self.view)
            moment = now()
            if moment > due + 10 * self.interval:
                stratum = moment  # this thread was kept from running: no burst to make up for it
            self.count(locked, moment, holder, made)
        self.look(now())
        self.running = 0
        self.close()

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
        self.slot = self.tally(holder, made) if locked else -1
        if self.samples == 0:
            before = self.slot  # the first stands for all of the time before it, too
        elif locked and self.current.holder != holder:
            self.takes += 1  # once at the least, whatever went unseen: who takes it wakes, on this CPU too
        self.samples += 1
        self.stand(before, half)
        self.stand(self.slot, half)
        if locked:
            if self.current.holder != holder or moment > self.current.end + self.bridge:
                self.close()
                self.current.start, self.current.holder, self.current.made = moment, holder, made
            self.current.end = moment
        else:
            self.close()
        self.batch_samples += 1
        if self.batch_samples == self.batch_size:
            self.batch_samples = 0
            self.batch += 1
            if self.batch == BATCHES:
                self.merge()

    cdef void stand(self, int slot, double half) noexcept nogil:
        """Let a sample stand for so much more of the time."""
        self.seconds += half
        self.batches[self.batch].seconds += half
        if slot >= 0:
            self.locked += half
            self.batches[self.batch].locked += half
            self.tallies[slot].seconds += half

    cdef void merge(self) noexcept nogil:
        cdef int i
        for i in range(BATCHES // 2):
            self.batches[i].seconds = self.batches[2 * i].seconds + self.batches[2 * i + 1].seconds
            self.batches[i].locked = self.batches[2 * i].locked + self.batches[2 * i + 1].locked
        for i in range(BATCHES // 2, BATCHES):
            self.batches[i].seconds = self.batches[i].locked = 0.0
        self.batch = BATCHES // 2
        self.batch_size *= 2

    cdef int tally(self, uintptr_t holder, uint64_t made) noexcept nogil:
        """Return the place of a holder in the tallies."""
        cdef int i
        for i in range(self.used - 1, -1, -1):  # the newest first: it is the likeliest
            if self.tallies[i].holder == holder and self.tallies[i].made == made:
                return i
        if self.used == TALLIES:
            for i in range(self.used - 1, -1, -1):  # no room to tell the counts apart: the holder will do
                if self.tallies[i].holder == holder:
                    return i
            return TALLIES
        self.tallies[self.used].holder = holder
        self.tallies[self.used].made = made
        self.used += 1
        return self.used - 1

    cdef void close(self) noexcept nogil:
        """End the hold that is open, if one is."""
        if self.current.holder == 0:
            return
        self.ring[self.holds % self.room] = self.current
        self.holds += 1
        if self.current.end - self.current.start > self.longest.end - self.longest.start:
            self.longest = self.current
        self.current.holder = 0

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
        cdef double locked = read_seconds(&self.locked)
        if read_int(&self.running):
            end = max(last, now())
            if end > last + 3 * self.interval:
                missed += end - last
        return read_count(&self.samples), read_count(&self.takes), end - self.begin, missed, self.seconds, locked

    def parts(self):
        """Return (seconds, locked) of stretches one after another, for the error: samples are not independent."""
        cdef int i
        return [(self.batches[i].seconds, self.batches[i].locked) for i in range(self.batch)]

    def holders(self):
        """Return (address, thread states made, seconds) of every holder; and the seconds of those beyond."""
        cdef int i
        found = [(self.tallies[i].holder, self.tallies[i].made, self.tallies[i].seconds) for i in range(self.used)]
        return found, self.tallies[TALLIES].seconds

    def longest_hold(self):
        """Return (start, end, address, thread states made) of the longest hold, or None."""
        cdef Hold hold = self.longest
        if self.current.holder and self.current.end - self.current.start > hold.end - hold.start:
            hold = self.current
        return (hold.start, hold.end, hold.holder, hold.made) if hold.holder else None

    def kept_holds(self):
        """Return the newest holds, oldest first, as `longest_hold` does; and how many were dropped."""
        cdef int64_t i, first = max(0, self.holds - self.room)
        found = []
        for i in range(first, self.holds):
            hold = self.ring[i % self.room]
            found.append((hold.start, hold.end, hold.holder, hold.made))
        return found, first

    def kept_gaps(self):
        """Return the newest times without a sample, oldest first, as (start, end)."""
        cdef int64_t i
        return [
            (self.unseen[i % self.room].start, self.unseen[i % self.room].end)
            for i in range(max(0, self.gaps - self.room), self.gaps)
        ]
