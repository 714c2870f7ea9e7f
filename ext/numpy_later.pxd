"""NumPy, loaded by the first call that needs it: whoever only asks what kernels there are goes without."""

from cpython.ref cimport Py_INCREF, PyObject

cdef extern from *:
    """
    /* NULL before that call: to look it up again would be a tenth of a short call. Threads without a GIL may write
       the same there at once. */
    static PyObject *gilkit_numpy;
    """
    PyObject *gilkit_numpy


cdef inline object np():
    global gilkit_numpy
    if gilkit_numpy == NULL:
        import numpy
        Py_INCREF(numpy)
        gilkit_numpy = <PyObject *> numpy
    return <object> gilkit_numpy
