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
    (float, float, float, float)
        CPU seconds; how often it gave its CPU up, and how often it lost it; seconds that it was ready to run and
        waited for one. nan for what the system does not tell.
    """
    cdef double used[4]
    start.usage(used)
    return used[0], used[1], used[2], used[3]
