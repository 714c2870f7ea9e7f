"""Work on Python objects, which needs the GIL: the control that no `nogil` can save."""


cdef dict tally(list words):
    cdef dict counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def objects_gil(words):
    """Run `gilkit.kernels.objects` with the GIL held."""
    if not isinstance(words, list):
        raise TypeError(f"words must be a list, not {type(words).__name__}")
    return tally(words)
