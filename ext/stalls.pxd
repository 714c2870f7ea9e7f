"""Stalls: holds of the GIL that others wait for, and where they are; from the thread that samples the GIL.

How many threads wait is read with each sample, where the system counts them. Where it does not, whoever has waited
for one switch interval asks the holder to let go, and that can be read: somebody waits since one interval before.
A hold that nobody waits for is no stall. Neither is one that only the collector waits for, which is a thread of
ours: it says when it does.

The frames of the holder are copied while it has the GIL. They are true if nothing moved meanwhile: what is copied
twice is the same, and so are the holder and the count of switches.
"""

from libc.math cimport NAN
from libc.stdint cimport int64_t, uint64_t, uintptr_t

from gil_state cimport (
    gilkit_asked,
    gilkit_collecting,
    gilkit_frame,
    gilkit_frames,
    gilkit_holder,
    gilkit_locked,
    gilkit_native,
    GILKIT_ATTACHED,
    gilkit_pause,
    gilkit_place,
    gilkit_read_pause,
    gilkit_state_safely,
    gilkit_switch_interval,
    gilkit_switches,
    gilkit_text,
    gilkit_view,
    gilkit_waiting,
    gilkit_waiting_place,
)
from start cimport delay_of

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define gilkit_publish(to, value) __atomic_store_n(to, value, __ATOMIC_RELEASE)
    #define gilkit_read(from) __atomic_load_n(from, __ATOMIC_ACQUIRE)
    #define gilkit_exchange(to, value) __atomic_exchange_n(to, value, __ATOMIC_ACQ_REL)
    #else
    #define gilkit_publish(to, value) (*(volatile int64_t *)(to) = (value))
    #define gilkit_read(from) (*(const volatile int64_t *)(from))
    #define gilkit_exchange(to, value) InterlockedExchange64(to, value)
    #endif
    """
    void publish "gilkit_publish"(int64_t *to, int64_t value) noexcept nogil
    int64_t exchange "gilkit_exchange"(int64_t *to, int64_t value) noexcept nogil
    int64_t read "gilkit_read"(const int64_t *value) noexcept nogil

cdef extern from "waiters.h":
    int gilkit_waiters(uintptr_t place, size_t bytes, unsigned long *found, int room) noexcept nogil

cdef extern from "Python.h":
    ctypedef void *PyThread_type_lock
    int WAIT_LOCK
    PyThread_type_lock PyThread_allocate_lock() noexcept nogil
    void PyThread_free_lock(PyThread_type_lock lock) noexcept nogil
    int PyThread_acquire_lock(PyThread_type_lock lock, int wait) noexcept nogil
    int PyThread_acquire_lock_timed(PyThread_type_lock lock, long long microseconds, int interrupts) noexcept nogil
    str PyUnicode_DecodeLatin1(const char *text, Py_ssize_t size, const char *errors)
    str PyUnicode_DecodeUTF16(const char *text, Py_ssize_t size, const char *errors, int *order)
    str PyUnicode_DecodeUTF32(const char *text, Py_ssize_t size, const char *errors, int *order)
    void PyThread_release_lock(PyThread_type_lock lock) noexcept nogil

cdef enum:
    STALL_DEPTH = 96  # frames that are kept, the innermost ones
    STALL_TEXT = 16384  # bytes of their names
    STALLS_KEPT = 64  # until somebody collects them
    WAITERS_KEPT = 32  # of a stall
    UNCOUNTED = 5  # samples after which the count of those who wait is not believed any more
    TRIES = 12  # a sample's, to see a thread that runs Python code in one place
    LONGER_LOOKS = 8  # copies that show whether it is still there: a short loop is often where it was


cdef enum:
    NOBODY, COUNTED, ASKED  # who waits: by the count of those who do, by what the holder was asked


cdef struct Place:
    gilkit_frame frame
    gilkit_text file
    gilkit_text function
    int line


cdef struct Stall:
    double start  # of the waiting
    double end
    double asked  # when it was first seen that somebody waits; the end, if it never was
    uintptr_t holder
    uint64_t made
    unsigned long switches
    double aside  # seconds since then in which the holder was ready to run and had no CPU; nan if not known
    int64_t looks  # that found the holder in one place
    int64_t steady  # of them, in the place that is kept, and still there a moment later
    int64_t moving  # looks at a holder that went on meanwhile
    int64_t samples  # from when it was looked at
    int64_t collecting  # of them, that found it collecting garbage
    int waiters
    unsigned long who[WAITERS_KEPT]  # waits, by the system's number
    double seen[WAITERS_KEPT]  # waiting, from then on
    int depth
    Place places[STALL_DEPTH]
    char text[STALL_TEXT]


cdef struct Watch:
    double longer  # seconds from which on it is a stall; 0: nobody wants to know
    int look  # whether frames can be copied
    int world  # there is no GIL: others wait for who keeps the world from going on
    Stall now  # the hold that is open, if it is
    int is_open
    double began
    double since  # when somebody was first seen to wait who is not the collector; 0 if nobody was
    double asked  # when it was first seen that the holder was asked to let go; 0 if not
    double aside  # for how many seconds the holder had had no CPU until then; nan if that is not known
    double next_look
    double next_roll
    int votes  # by how many more looks found the holder where it is taken to be than elsewhere (Boyer and Moore, 1981)
    int uncounted  # samples in which somebody had asked and nobody was counted as waiting
    int64_t announced
    int64_t ended
    int eager  # each stall is wanted soon; otherwise nobody asks for the GIL before it has to be
    int canary  # somebody else asks for the GIL all the time
    int64_t collector  # the state of the thread that collects stalls
    int64_t busy  # it may wait for the GIL, since so many nanoseconds on the clock; 0 if not
    PyThread_type_lock bell  # locked while it is silent
    int64_t rung
    Stall *kept
    int64_t closed
    int64_t collected
    int64_t dropped
    int64_t tried  # looks, whatever came of them
    int64_t alone  # holds as long as a stall that nobody waited for
    double waited  # seconds in which somebody waited, that were seen


cdef inline void see(
    Watch *watch, const gilkit_view *view, int locked, uintptr_t holder, uint64_t made, unsigned long switches,
    double before, double moment
) noexcept nogil:
    """Take note of one sample, and of the moment of the one before.

    `switches` is the count of them; without a GIL, a number for every pause, even before all have stopped.
    """
    cdef double between = (before + moment) / 2
    if watch.is_open and not (locked and holder == watch.now.holder and switches == watch.now.switches):
        finish(watch, between)
    if not locked or holder == <uintptr_t> read(&watch.collector):
        return
    if not watch.is_open:
        watch.is_open = 1
        watch.began, watch.since, watch.asked, watch.aside = between, 0.0, 0.0, NAN
        watch.next_look = watch.next_roll = 0.0
        watch.now.holder, watch.now.made, watch.now.switches = holder, made, switches
        watch.now.looks = watch.now.steady = watch.now.moving = 0
        watch.now.samples = watch.now.collecting = 0
        watch.now.depth = watch.now.waiters = 0
        publish(&watch.announced, 0)
    follow(watch, view, between, moment)


cdef inline int others_wait(Watch *watch, const gilkit_view *view, double moment) noexcept nogil:
    """Return whether somebody waits for the hold that is open who is not the collector, and how that is known."""
    cdef int waiting = gilkit_waiting(view) if watch.uncounted < UNCOUNTED else -1
    cdef double busy = 1e-9 * <double> read(&watch.busy)
    cdef int asked = 1 if watch.world else gilkit_asked(view, watch.now.holder)
    if asked > 0 and watch.asked == 0:
        watch.asked = moment
        watch.aside = delay_of(gilkit_native(watch.now.holder))
    if watch.world:
        return COUNTED
    if waiting >= 0:
        watch.uncounted = watch.uncounted + 1 if asked > 0 and waiting == 0 and still(watch, view) else 0
        return COUNTED if waiting > (busy > 0) else NOBODY
    if asked > 0 and (watch.canary or busy == 0 or moment < busy + gilkit_switch_interval(view)):
        return ASKED
    return NOBODY


cdef inline void follow(Watch *watch, const gilkit_view *view, double between, double moment) noexcept nogil:
    """Go on with the hold that is open: who waits for it, and where it is."""
    cdef int known = others_wait(watch, view, moment)
    if known and watch.since == 0:
        watch.since = between
        if known == ASKED:  # that is done after so long
            watch.since = max(watch.began, moment - gilkit_switch_interval(view))
    if watch.since == 0 or moment - watch.since < watch.longer / 2:
        return
    # While somebody is late to stop for a collection, that one keeps the others waiting.
    if not (watch.world and late(&watch.now)):
        watch.now.collecting += gilkit_collecting(view)
    watch.now.samples += 1
    if watch.look and moment >= watch.next_look:
        watch.next_look = moment + watch.longer / 5
        look(watch, view)
    if moment >= watch.next_roll:
        roll_call(watch, view, moment)
        watch.next_roll = moment + (moment - watch.since)  # rarer and rarer: it takes time for every thread
    if not watch.announced and watch.now.depth == 0 and moment - watch.since > watch.longer:
        publish(&watch.announced, 1)  # the collector may see it just after
        ring(watch)


cdef inline void roll_call(Watch *watch, const gilkit_view *view, double moment) noexcept nogil:
    """Take note of who waits."""
    cdef unsigned long found[WAITERS_KEPT]
    cdef uintptr_t place = 0
    cdef uintptr_t collector = <uintptr_t> read(&watch.collector)
    cdef unsigned long ours = gilkit_native(collector) if collector else 0
    cdef size_t bytes = 0 if watch.world else gilkit_waiting_place(view, &place)
    cdef int i, count = gilkit_waiters(place, bytes, found, WAITERS_KEPT) if bytes else 0
    for i in range(count):
        if watch.now.waiters < WAITERS_KEPT and found[i] != ours and not is_known(&watch.now, found[i]):
            watch.now.who[watch.now.waiters] = found[i]
            watch.now.seen[watch.now.waiters] = moment if watch.next_roll else watch.since
            watch.now.waiters += 1


cdef inline int is_known(const Stall *now, unsigned long native) noexcept nogil:
    cdef int i
    for i in range(now.waiters):
        if now.who[i] == native:
            return 1
    return 0


cdef inline void ring(Watch *watch) noexcept nogil:
    """Wake the collector, now or when it comes to wait."""
    if not exchange(&watch.rung, 1):
        PyThread_release_lock(watch.bell)


cdef inline void hear(Watch *watch, double seconds) noexcept nogil:
    """Wait until it rings, for so long at the most."""
    if PyThread_acquire_lock_timed(watch.bell, <long long> (seconds * 1e6), 0):
        exchange(&watch.rung, 0)


cdef inline int late(const Stall *now) noexcept nogil:
    """Whether it is one of somebody who has not stopped yet, where there is no GIL."""
    return now.switches % 2 == 0


cdef inline int still(const Watch *watch, const gilkit_view *view) noexcept nogil:
    cdef const Stall *now = &watch.now
    cdef gilkit_pause pause
    if watch.world:
        gilkit_read_pause(view, &pause)
        if late(now):
            return pause.requested and not pause.stopped and gilkit_state_safely(now.holder) == GILKIT_ATTACHED
        return pause.stopped and pause.requester == now.holder
    return gilkit_locked(view) and gilkit_holder(view) == now.holder and gilkit_switches(view) == now.switches


cdef inline int same(const gilkit_frame *one, const gilkit_frame *other, int count) noexcept nogil:
    cdef int i
    for i in range(count):
        if one[i].code != other[i].code or one[i].offset != other[i].offset:
            return 0
    return 1


cdef inline int alike(const gilkit_frame *one, const gilkit_frame *other, int count) noexcept nogil:
    """Return whether both are the same but for how far the innermost frame is."""
    return one[0].code == other[0].code and same(&one[1], &other[1], count - 1)


cdef inline void look(Watch *watch, const gilkit_view *view) noexcept nogil:
    """Find out where the holder is, if it stands still. The whole stack is kept of where most looks find it."""
    cdef gilkit_frame first[STALL_DEPTH]
    cdef gilkit_frame again[STALL_DEPTH]
    cdef int known = watch.now.depth > 0 and watch.votes > 0, room = 1 if known else STALL_DEPTH, depth, tries
    watch.tried += 1
    for tries in range(TRIES):
        depth = gilkit_frames(watch.now.holder, first, room)
        if depth <= 0 or not still(watch, view):
            return
        if not known:
            watch.now.depth = 0
            if not name(watch, first, depth):
                continue
        if gilkit_frames(watch.now.holder, again, room) != depth or not same(first, again, depth):
            if tries < TRIES - 1 or not alike(first, again, depth):
                continue  # else it is in a loop, in which it was at that place
        if not still(watch, view):
            return
        watch.now.looks += 1
        if not known:
            watch.now.depth, watch.now.steady, watch.votes = depth, stays(watch, first), 1
        elif same(first, &watch.now.places[0].frame, 1):
            watch.now.steady += stays(watch, first)
            watch.votes += 1
        else:
            watch.votes -= 1  # with none left the place is that of the next look, if there is one
        return
    watch.now.moving += 1


cdef inline int stays(Watch *watch, const gilkit_frame *where) noexcept nogil:
    """Return whether the holder does not go on for a few microseconds."""
    cdef gilkit_frame now
    cdef int i
    for i in range(LONGER_LOOKS):
        if gilkit_frames(watch.now.holder, &now, 1) != 1 or not same(where, &now, 1):
            return 0
    return 1


cdef inline int name(Watch *watch, const gilkit_frame *frames, int depth) noexcept nogil:
    """Copy where the frames are. What does not fit is left out, but never the innermost."""
    cdef int i, bytes, used = 0
    cdef Place *place
    for i in range(depth):
        place = &watch.now.places[i]
        place.frame = frames[i]
        bytes = gilkit_place(
            &frames[i], &watch.now.text[used], STALL_TEXT - used, &place.file, &place.function, &place.line
        )
        if bytes < 0:
            place.file.bytes = place.function.bytes = 0
            place.file.unit = place.function.unit = 1
            place.line = -1
            if i == 0:
                return 0
            bytes = 0
        used += bytes
    return 1


cdef inline void finish(Watch *watch, double end) noexcept nogil:
    """End the hold that is open."""
    watch.is_open = 0
    if watch.since == 0:
        watch.alone += end - watch.began > watch.longer
        return
    watch.waited += end - watch.since
    if end - watch.since <= watch.longer:
        return
    if watch.closed - read(&watch.collected) == STALLS_KEPT:
        watch.dropped += 1
        return
    watch.now.start, watch.now.end, watch.now.asked = watch.since, end, watch.asked if watch.asked else end
    watch.now.aside = delay_of(gilkit_native(watch.now.holder)) - watch.aside
    watch.kept[watch.closed % STALLS_KEPT] = watch.now
    publish(&watch.closed, watch.closed + 1)
    if watch.eager or watch.closed - read(&watch.collected) >= STALLS_KEPT // 2:
        ring(watch)


cdef inline tuple told(Stall *stall):
    """Return a stall for Python; see `Sampler.stalls`."""
    cdef int i
    return (
        stall.start, stall.end, stall.asked, stall.holder, stall.made, stall.looks, stall.steady, stall.moving,
        stall.samples, stall.collecting, stall.aside, frames_of(stall),
        [(stall.who[i], stall.seen[i]) for i in range(stall.waiters)],
    )


cdef inline list frames_of(Stall *stall):
    cdef const char *text = stall.text
    cdef Place *place
    cdef list found = []
    cdef int i
    for i in range(stall.depth):
        place = &stall.places[i]
        file = text_of(text, place.file.unit, place.file.bytes)
        text += place.file.bytes
        found.append((file, text_of(text, place.function.unit, place.function.bytes), place.line))
        text += place.function.bytes
    return found


cdef inline str text_of(const char *text, int unit, int bytes):
    if unit == 1:
        return PyUnicode_DecodeLatin1(text, bytes, NULL)
    if unit == 2:
        return PyUnicode_DecodeUTF16(text, bytes, b"surrogatepass", NULL)
    return PyUnicode_DecodeUTF32(text, bytes, b"surrogatepass", NULL)
