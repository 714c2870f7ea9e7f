"""The native variant: one call on each of W OpenMP threads at once, without Python in the loop."""

from cython.parallel cimport parallel, threadid
from libc.stdint cimport int64_t

from checks cimport FLOAT64, count, fits, integers_in, number
from start cimport cpus_t, now, pin, read_cpus, spin, spread, usage, write_cpus

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define GILKIT_OPENMP 1
    static inline void gilkit_barrier(void) {
    #pragma omp barrier
    }
    #else
    #define GILKIT_OPENMP 0
    #define omp_get_num_threads() 1
    static inline void gilkit_barrier(void) {}
    #endif

    /* Threads of a finished team spin for milliseconds before they sleep, on CPUs that the next
       measurement needs; pausing ends them. GCC has the call since 9, before it says OpenMP 5.0. */
    static inline void gilkit_dismiss(void) {
    #if GILKIT_OPENMP && (_OPENMP >= 201811 || (defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 9))
        omp_pause_resource_all(omp_pause_soft);
    #endif
    }
    """
    const bint OPENMP "GILKIT_OPENMP"
    void barrier "gilkit_barrier"() noexcept nogil
    void dismiss "gilkit_dismiss"() noexcept nogil
    int omp_get_num_threads() noexcept nogil


cdef struct Call:
    # One worker's call: its inputs, its output, and two cache lines to itself.
    const void *x
    const void *y
    void *out
    int64_t n
    int64_t m
    double s
    int64_t result
    double start
    double end
    int team
    char[128 - 9 * 8 - 4] padding


cdef struct Course:
    # Until when every worker repeats its call, the CPU of each, and where each leaves its stamps.
    double until
    const int64_t *cpus
    double *rows
    int64_t room


cdef enum:
    USED = 6  # figures of a row before its stamps: what `usage` tells


ctypedef void (*body_t)(Call *call) noexcept nogil


cdef inline void repeat(body_t body, Call *call, int64_t loops) noexcept nogil:
    cdef int64_t i
    call.start = now()
    for i in range(loops):
        body(call)  # through a pointer: a pure body cannot be hoisted out of the loop
    call.end = now()


cdef inline void stamp(body_t body, Call *call, int64_t loops, const Course *course, int w) noexcept nogil:
    """Repeat a call in batches of ``loops``; stamp the time after each, until a stamp is late enough."""
    cdef double *row = course.rows + w * course.room
    cdef double before[USED]
    cdef double after[USED]
    cdef int64_t i, k = USED
    usage(before)
    row[k] = call.start = now()
    while row[k] < course.until and k + 1 < course.room:
        for i in range(loops):
            body(call)
        k += 1
        row[k] = now()
    call.end = row[k]
    usage(after)
    for i in range(USED):
        row[i] = after[i] - before[i]


cdef inline void run_team(body_t body, Call *calls, int workers, int64_t loops, const Course *course) noexcept nogil:
    cdef int w = 0
    cdef cpus_t cpus
    read_cpus(&cpus)
    with parallel(num_threads=workers):
        w = threadid()
        calls[w].team = omp_get_num_threads()
        if course.room and course.cpus:
            pin(<int> course.cpus[w])
        else:
            spread(w)
        spin(2e-4)
        barrier()
        if course.room:
            stamp(body, calls + w, loops, course, w)
        else:
            repeat(body, calls + w, loops)
    dismiss()
    write_cpus(&cpus)  # with OMP_PROC_BIND, OpenMP has bound this thread to one CPU


cdef inline tuple arguments(object call, tuple defaults, int required=1):
    """The arguments of one call: ``required`` of them at least, and then defaults where it leaves them out."""
    given = tuple(call)
    if not required <= len(given) <= required + len(defaults):
        raise TypeError(f"each of calls must have {required} to {required + len(defaults)} arguments, not {len(given)}")
    return given + defaults[len(given) - required:]


cdef inline Call *new_calls(bytearray storage, object calls) except NULL:
    """Make room in ``storage`` for one Call for each of ``calls``, zeroed."""
    if not OPENMP:
        raise RuntimeError("gilkit was built without OpenMP: the native variant is missing")
    if not calls:
        raise ValueError("calls must name at least one call")
    storage.extend(bytes(len(calls) * sizeof(Call)))
    return <Call *> <char *> storage


cdef inline int run_calls(
    body_t body, Call *calls, int workers, object loops, object spans, object until, object cpus
) except -1:
    """Run every call ``loops`` times, all at once; ``spans`` takes each one's start and end.

    With ``until``, on the same clock, batches of ``loops`` calls are repeated until then, each worker on its own
    of the ``cpus`` if they are given, and a row of ``spans`` takes what `start.usage` tells of its thread, the
    start, and the end of every batch; what it has no room for is not run.
    """
    cdef int w
    cdef int64_t n = count(loops, "loops")
    cdef Py_ssize_t columns = 2 if until is None else USED + 2
    cdef Course course
    cdef double[:, ::1] rows
    cdef const int64_t[::1] places
    course.room, course.until, course.cpus, course.rows = 0, 0.0, NULL, NULL
    if n < 1:
        raise ValueError("loops must be at least 1")
    if spans is not None or until is not None:
        fits(spans, "spans", FLOAT64, 2, True)
        rows = spans
        if rows.shape[0] != workers:
            raise ValueError(f"spans must have a row for each of {workers} calls, not {rows.shape[0]}")
        if rows.shape[1] < columns:
            raise ValueError(f"spans must have at least {columns} columns, not {rows.shape[1]}")
    if until is not None:
        course.until, course.room, course.rows = number(until, "until"), rows.shape[1], &rows[0, 0]
        if cpus is not None:
            places = integers_in(cpus, "cpus")
            if places.shape[0] != workers:
                raise ValueError(f"cpus must name one for each of {workers} calls, not {places.shape[0]}")
            course.cpus = &places[0]
    with nogil:
        run_team(body, calls, workers, n, &course)
    if calls[0].team != workers:
        raise RuntimeError(
            f"OpenMP gave {calls[0].team} of {workers} threads: see OMP_THREAD_LIMIT and OMP_DYNAMIC"
        )
    if spans is not None and until is None:
        for w in range(workers):
            rows[w, 0], rows[w, 1] = calls[w].start, calls[w].end
    return 0
