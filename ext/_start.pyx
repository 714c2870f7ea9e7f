"""The start of a worker, for Python threads: see start.pxd."""

cimport start


def spin(double seconds):
    """Keep a CPU busy for so many ``seconds``, without the GIL."""
    with nogil:
        start.spin(seconds)


def usage():
    """Return what this thread used so far.

    Returns
    -------
    (float, float, float, float, float, float)
        CPU seconds; how often it gave its CPU up, and how often it lost it; seconds that it was ready to run and
        waited for one; CPU seconds of the system for it; page faults that needed no disk. nan for what the
        system does not tell.
    """
    cdef double used[6]
    start.usage(used)
    return used[0], used[1], used[2], used[3], used[4], used[5]
