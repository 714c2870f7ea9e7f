"""The threads of an interpreter without a GIL: which are attached, and who stops the world, for how long.

Whoever is attached runs, or may touch objects, and the world stops only when it has noticed: a call into C that stays
attached keeps all others waiting for so long. All of it is read without a lock, and memory that may be freed meanwhile
is copied.
"""

from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from gil_state cimport (
    GILKIT_ATTACHED,
    gilkit_collecting,
    gilkit_enabled,
    gilkit_open,
    gilkit_pause,
    gilkit_presence,
    gilkit_read_pause,
    gilkit_read_roll,
    gilkit_roll,
    gilkit_state,
    gilkit_states_missing,
    gilkit_threads_made,
    gilkit_view,
)

cdef enum:
    ROLL = 1 << 16  # threads that are looked at: memory is used for those that there are
    GOING = 0  # how the world is
    ASKED = 1
    STOPPED = 2


cdef struct Pause:
    double start  # when it was asked for
    double stopped  # until then somebody was seen who had not stopped; the start if nobody was
    double end
    uintptr_t requester
    uint64_t requester_made
    uintptr_t last  # who was seen attached last before everybody had stopped; 0 for nobody
    uint64_t last_made


cdef struct World:
    uintptr_t only  # the one thread that is looked at, which lives as long; 0 for all
    uint64_t only_made
    uintptr_t collector  # a thread of ours: that it waits does not count
    uintptr_t canary  # another, which waits for its turn at any time; 0 where there is none
    gilkit_roll roll
    uintptr_t *ran  # who was attached when the world went on, at the last sample
    int running
    int how  # GOING, ASKED or STOPPED, at the last sample
    int collecting
    int waiting  # those of them who did not stop the world, as the pause began
    double paused_seconds
    double collecting_seconds
    Pause now
    Pause *kept
    int64_t room
    int64_t closed


cdef inline const char *why_not(gilkit_view *view) noexcept:
    """Open a view; return why it cannot be read who has the GIL, or who is attached where there is none; or NULL."""
    cdef const char *why = gilkit_open(view)
    return gilkit_states_missing(view) if why == NULL and not gilkit_enabled(view) else why


cdef inline int open_world(World *world, uintptr_t only, uint64_t only_made, int64_t room) noexcept:
    """Make room; returns 0 where there is none. `close_world` gives it back."""
    world.only, world.only_made, world.room = only, only_made, room
    world.roll.room = 1 if only else ROLL
    world.roll.threads = <gilkit_presence *> calloc(world.roll.room, sizeof(gilkit_presence))
    world.ran = <uintptr_t *> calloc(world.roll.room, sizeof(uintptr_t))
    world.kept = <Pause *> calloc(room, sizeof(Pause))
    return world.roll.threads != NULL and world.ran != NULL and world.kept != NULL


cdef inline void close_world(World *world) noexcept:
    free(world.roll.threads)
    free(world.ran)
    free(world.kept)


cdef inline int read_world(World *world, const gilkit_view *view, double last, double moment) noexcept nogil:
    """Take a sample, after that of the moment `last`. Returns 0 where the threads could not be read."""
    cdef gilkit_pause before, pause
    gilkit_read_pause(view, &before)
    if world.only:
        world.roll.count = 1
        world.roll.threads[0].address, world.roll.threads[0].unique = world.only, world.only_made
        world.roll.threads[0].state = gilkit_state(world.only)
    elif not gilkit_read_roll(view, &world.roll):
        return 0
    gilkit_read_pause(view, &pause)
    follow_pause(world, &before, &pause, gilkit_collecting(view), gilkit_threads_made(view), last, moment)
    return 1


cdef inline void follow_pause(
    World *world, const gilkit_pause *before, const gilkit_pause *pause, int collecting, uint64_t made, double last,
    double moment
) noexcept nogil:
    """Take note of the roll, and of what was asked for before it was read and after; `made` states until now."""
    cdef double between = (last + moment) / 2, half = (moment - last) / 2
    cdef int how = GOING if pause.requester == 0 else STOPPED if pause.stopped else ASKED  # who asks says so first
    cdef gilkit_presence *late
    world.paused_seconds += half * ((world.how != GOING) + (how != GOING))
    world.collecting_seconds += half * (world.collecting + collecting)
    if world.how != GOING and (how < world.how or pause.requester != world.now.requester):
        end_pause(world, between)
        world.how = GOING
    if how == GOING:
        note_running(world)
    elif world.how == GOING:
        begin_pause(world, pause.requester, made, between)
    late = find_late(world) if how == ASKED and before.requested and not before.stopped else NULL
    if late != NULL:
        world.now.last, world.now.last_made, world.now.stopped = late.address, late.unique, moment
        world.waiting = max(world.waiting, 1)
    world.how, world.collecting = how, collecting


cdef inline void note_running(World *world) noexcept nogil:
    """Note who is attached while the world goes on: one of them may be about to stop it."""
    cdef int i
    cdef gilkit_presence *thread
    world.running = 0
    for i in range(world.roll.count):
        thread = &world.roll.threads[i]
        if thread.state == GILKIT_ATTACHED and thread.address != world.collector:
            world.ran[world.running] = thread.address
            world.running += 1


cdef inline void begin_pause(World *world, uintptr_t requester, uint64_t made, double start) noexcept nogil:
    cdef int i
    world.now.start = world.now.stopped = start
    world.now.last = world.now.last_made = 0
    world.now.requester, world.now.requester_made = requester, made
    for i in range(world.roll.count):
        if world.roll.threads[i].address == requester:
            world.now.requester_made = world.roll.threads[i].unique
    world.waiting = 0
    for i in range(world.running):
        world.waiting += world.ran[i] != requester


cdef inline gilkit_presence *find_late(World *world) noexcept nogil:
    """Return one who is attached, beside who asked and ours: the same as before, if that one still is; or NULL."""
    cdef gilkit_presence *found = NULL
    cdef gilkit_presence *thread
    cdef int i
    for i in range(world.roll.count):
        thread = &world.roll.threads[i]
        if thread.state != GILKIT_ATTACHED or thread.address in (world.now.requester, world.collector, world.canary):
            continue
        if found == NULL or thread.address == world.now.last:
            found = thread
    return found


cdef inline void end_pause(World *world, double end) noexcept nogil:
    world.now.end = end
    world.kept[world.closed % world.room] = world.now
    world.closed += 1


cdef inline void end_world(World *world, double end) noexcept nogil:
    """End the pause that goes on, if one does."""
    if world.how != GOING:
        end_pause(world, end)
        world.how = GOING


cdef inline unsigned long pause_number(const World *world) noexcept nogil:
    """Return a number for each pause: an even one before all have stopped."""
    return <unsigned long> (2 * world.closed + (world.how == STOPPED))


cdef inline uintptr_t blocker(const World *world, uint64_t *made) noexcept nogil:
    """Return the state of the thread for which others wait, and its unique id; 0 where nobody waits.

    Before all have stopped that is who has not, and then who stopped them, if any of them would run: the canary always
    would. Where it stops them itself, that is no doing of the program's.
    """
    if world.how == ASKED and world.now.last:
        made[0] = world.now.last_made
        return world.now.last
    if world.how == STOPPED and world.now.requester != world.canary and (world.waiting or world.canary):
        made[0] = world.now.requester_made
        return world.now.requester
    return 0


cdef inline tuple told_pauses(World *world):
    """Return pauses for Python; see `Sampler.kept_pauses`."""
    cdef int64_t i, last = world.closed, first = max(0, last - world.room)
    cdef Pause pause
    cdef list found = []
    for i in range(first, last):
        pause = world.kept[i % world.room]
        found.append((
            pause.start, pause.stopped, pause.end, pause.requester, pause.requester_made, pause.last, pause.last_made
        ))
    return found, first
