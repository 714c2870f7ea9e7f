"""The start of a worker, for Python threads: see start.pxd."""

cimport start


def take_place(int place, double seconds):
    """Move this thread to the CPU of worker ``place`` and stay awake there for ``seconds``, without the GIL."""
    with nogil:
        start.spread(place)
        start.spin(seconds)
