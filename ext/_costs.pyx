"""What the GIL itself costs: released and taken again, alone and against others, and handed over."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from start cimport now, spin, spread, wait

cdef extern from *:
    """
    static volatile int gilkit_touched;
    static void gilkit_touch(void) { gilkit_touched = 1; }
    static int gilkit_peek(const volatile int *value) { return *value; }
    """
    void touch "gilkit_touch"() noexcept nogil  # what no compiler leaves out
    int peek "gilkit_peek"(const int *value) noexcept nogil

cdef enum:
    MOST = 1024  # threads

cdef double GATHER = 10.0  # seconds for all threads to be there
cdef double PATIENCE = 0.05  # seconds for the others to wait for the GIL, or for one of them to take it
cdef double SETTLE = 3e-5  # seconds from a thread's word that it takes the GIL until it surely waits for it


def release(int64_t loops):
    """Release the GIL and take it again ``loops`` times.

    Returns
    -------
    (float, float)
        Seconds of that; and of the same loop without it.
    """
    cdef double begin, middle, end
    cdef int64_t i
    begin = now()
    for i in range(loops):
        with nogil:
            touch()
    middle = now()
    for i in range(loops):
        touch()
    end = now()
    return middle - begin, end - middle


cdef class Gathering:
    """Threads that begin together: each calls `run` with its own number."""

    cdef int workers
    cdef int[MOST] there

    def __cinit__(self, int workers, *_):
        if not 1 <= workers <= MOST:
            raise ValueError(f"workers must be between 1 and {MOST}, not {workers}")
        self.workers = workers

    cdef int gather(self, int place, int *waiting=NULL) except -1:
        """Wait without the GIL until every thread has come here; each is then on a CPU of its own.

        A flag of ``waiting`` is set once all are there: this thread is then about to wait for the GIL.
        """
        cdef double late = now() + GATHER
        cdef bint complete = False
        if not 0 <= place < self.workers:
            raise ValueError(f"place must be between 0 and {self.workers - 1}, not {place}")
        with nogil:
            spread(place)
            self.there[place] = 1
            while now() < late:
                complete = self.all(self.there, -1)
                if complete:
                    break
                wait(2e-5)
            if waiting != NULL:
                waiting[place] = 1
        if not complete:
            raise TimeoutError("the threads never were there at one time")
        return 0

    cdef bint all(self, const int *flags, int but) noexcept nogil:
        """Whether the flags of all threads are set, but for the one of thread ``but``."""
        cdef int i
        for i in range(self.workers):
            if i != but and not peek(&flags[i]):
                return False
        return True


cdef class Contention(Gathering):
    """Threads that release the GIL and take it again, all at once, until they have done so ``calls`` times together.

    Parameters
    ----------
    workers : int
    calls : int
    """

    cdef int64_t left  # guarded by the GIL, as what follows
    cdef double begin
    cdef double end
    cdef int64_t[MOST] made

    def __cinit__(self, int workers, int64_t calls):
        self.left = calls

    def run(self, int place):
        """Take part as thread number ``place``."""
        self.gather(place)
        if self.begin == 0:
            self.begin = now()
        while self.left > 0:
            self.left -= 1
            self.made[place] += 1
            with nogil:
                touch()
            self.end = now() if self.left == 0 and self.end == 0 else self.end

    def seconds(self):
        """Return the seconds from the first call to the last."""
        return self.end - self.begin

    def calls(self):
        """Return how many calls every thread made."""
        return [self.made[i] for i in range(self.workers)]


cdef struct Handover:
    double released
    double taken
    int giver
    int taker


cdef class Relay(Gathering):
    """Threads that hand the GIL on, until it has changed hands ``count`` times.

    Who has it holds it until all the others wait for it. Then it stamps the time, releases it and stays away,
    running without it, until another has it; that one stamps the time first of all.

    Parameters
    ----------
    workers : int
        At least 2.
    count : int
    seconds : float
        After which it ends in any case.
    """

    cdef int owner
    cdef int[MOST] waiting  # or about to: each is set without the GIL, by its own thread
    cdef Handover *log  # guarded by the GIL, as what follows
    cdef int64_t room
    cdef int64_t count
    cdef double seconds
    cdef double released
    cdef bint valid  # whether all others waited when the GIL was released

    def __cinit__(self, int workers, int64_t count, double seconds):
        if workers < 2 or count < 1:
            raise ValueError("workers must be at least 2, and count at least 1")
        self.log = <Handover *> calloc(count, sizeof(Handover))
        if self.log == NULL:
            raise MemoryError
        self.room = count
        self.owner = -1
        self.seconds = seconds

    def __dealloc__(self):
        free(self.log)

    def run(self, int place):
        """Take part as thread number ``place``."""
        cdef double taken, late, end
        self.gather(place, self.waiting)  # or the first would hold the GIL and wait for them in vain
        end = now() + self.seconds
        while True:
            taken = now()
            if self.count == self.room or taken > end:
                return
            if self.valid and self.owner != place:
                self.log[self.count] = Handover(self.released, taken, self.owner, place)
                self.count += 1
                if self.count == self.room:
                    self.owner = place
                    return
            self.owner = place
            self.waiting[place] = 0
            late = taken + PATIENCE
            while not self.all(self.waiting, place) and now() < late:
                pass
            self.valid = self.all(self.waiting, place)
            spin(SETTLE)
            self.released = now()
            with nogil:
                late = self.released + PATIENCE
                while peek(&self.owner) == place and now() < late:
                    pass
                self.waiting[place] = 1

    def handovers(self):
        """Return (released, taken, giver, taker) of each: seconds of the clock, and the threads' numbers."""
        cdef int64_t i
        found = []
        for i in range(self.count):
            item = self.log[i]
            found.append((item.released, item.taken, item.giver, item.taker))
        return found
