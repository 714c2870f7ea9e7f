"""What the interpreter noted of an extension module when it made it."""

from gil_state cimport gilkit_needs_gil


def needs_gil(module):
    """Return whether a free-threaded interpreter turned its GIL on for a module, or would have.

    Parameters
    ----------
    module : object
        What an extension made: mostly a module. It must come from an extension.

    Returns
    -------
    bool or None
        None where that cannot be told, or where there always is a GIL.
    """
    cdef int found = gilkit_needs_gil(<const void *>module)
    return None if found < 0 else bool(found)
