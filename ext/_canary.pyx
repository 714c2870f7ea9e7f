"""One lap of a thread that asks for the GIL as any other would; see `gilkit.gil.canary`."""

from libc.math cimport isnan

from start cimport delay_in, now, wait

cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    static int gilkit_enough(PyObject *object, void *found) { (void)object; (void)found; return 0; }
    static void gilkit_stop_all(void) { PyUnstable_GC_VisitObjects(gilkit_enough, NULL); }
    #else
    static void gilkit_stop_all(void) {}
    #endif
    """
    # Stop all threads, look at the first of all objects, and let them go on: the least that does so.
    void stop_all "gilkit_stop_all"()


def clock():
    """Return the time of `time.perf_counter`, whatever tests have put in that one's place."""
    return now()


def lap(double seconds, int file, bint stopping):
    """Sleep without the GIL, then ask for it; or, where there is none, for all threads to stop for a moment.

    Parameters
    ----------
    seconds : float
        How long to sleep.
    file : int
        Of a thread's ``schedstat``; -1 for none.
    stopping : bool
        Whether to stop all threads.

    Returns
    -------
    (float, float, float, float)
        When it began, when it asked, when it had the GIL, or all had stopped; and for how many seconds of that the thread was ready
        to run and had no CPU, -1 if that is not told.
    """
    cdef double begun = now(), asked, had, before, after
    with nogil:
        before = delay_in(file)
        wait(seconds)
        asked = now()
    if stopping:
        stop_all()
    had = now()
    after = delay_in(file)
    return begun, asked, had, -1.0 if isnan(after - before) else after - before
