"""The start of a worker, for Python threads: see start.pxd."""

cimport start


def spin(double seconds):
    """Keep a CPU busy for so many ``seconds``, without the GIL."""
    with nogil:
        start.spin(seconds)
