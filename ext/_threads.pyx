"""The threads of this interpreter, and where they are."""

from libc.stdint cimport int32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from gil_state cimport (
    gilkit_enabled,
    gilkit_frame,
    gilkit_frames,
    gilkit_frames_missing,
    gilkit_open,
    gilkit_others_missing,
    gilkit_place,
    gilkit_text,
    gilkit_thread,
    gilkit_threads,
    gilkit_view,
    gilkit_waiting,
)
from stalls cimport text_of

cimport cython

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    ctypedef struct PyThreadState:
        pass
    ctypedef struct PyInterpreterState:
        pass
    PyThreadState *PyThreadState_Get()
    PyInterpreterState *PyInterpreterState_Head()
    PyInterpreterState *PyInterpreterState_Next(PyInterpreterState *interpreter)
    uint64_t PyThreadState_GetID(PyThreadState *state)

cdef extern from *:
    """
    #if defined(__GLIBC__) && PY_VERSION_HEX < 0x030E0000
    #include <dlfcn.h>
    static void gilkit_load_ends(void)
    {
        static void *kept;
        if (!kept)
            kept = dlopen("libgcc_s.so.1", RTLD_NOW);
    }
    #else
    static void gilkit_load_ends(void) {}
    #endif
    """
    void gilkit_load_ends() nogil

cdef enum:
    DEEPEST = 1000
    ROOM = 4096
    LONGEST_NAME = 96  # bytes that are kept of a thread's name


cdef struct Note:
    uintptr_t address
    uint64_t unique
    unsigned long native  # 0 where it is not known
    Py_ssize_t length
    char name[LONGEST_NAME]


@cython.final
cdef class NewestThreads:
    """What threads said of themselves when they began, the newest of them.

    No Python object is kept of a note: such that live a little longer than those around them lie between these in
    memory, and cost programs whose threads come and go several times what it takes to make them.

    Parameters
    ----------
    room : int
    """

    cdef Note *kept
    cdef Py_ssize_t room
    cdef Py_ssize_t taken

    def __cinit__(self, Py_ssize_t room):
        self.room = room
        self.kept = <Note *> calloc(room, sizeof(Note))
        if self.kept == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.kept)

    cpdef take(self, thread):
        """Note the calling thread, of which this is the object; but not if its name is none."""
        cdef PyThreadState *state = PyThreadState_Get()
        cdef Py_ssize_t size = 0
        cdef const char *text
        cdef unsigned long native
        cdef Note *note
        try:
            name = str(thread.name)
            native = thread.native_id or 0
            text = PyUnicode_AsUTF8AndSize(name, &size)
        except Exception:  # theirs: a name may be made when it is asked for
            return
        with cython.critical_section(self):
            note = &self.kept[self.taken % self.room]
            self.taken += 1
            note.address, note.unique, note.native = <uintptr_t> state, PyThreadState_GetID(state), native
            note.length = min(size, LONGEST_NAME)
            memcpy(note.name, text, note.length)

    def all(self):
        """Return every note, the oldest first: address, unique id, name, native id or None."""
        cdef list found = []
        cdef Py_ssize_t i
        cdef Note *note
        with cython.critical_section(self):
            for i in range(max(0, self.taken - self.room), self.taken):
                note = &self.kept[i % self.room]
                name = note.name[:note.length].decode("utf-8", "ignore")
                found.append((note.address, note.unique, name, note.native or None))
        return found


cdef class Asked:
    """What `threading` finds in every new thread where it looks for a profiler, and asks whether there is one.

    It notes the thread when it is asked, and that in C: the stack of a thread that has just begun is not in memory
    yet, and to wait for another page of it cost programs whose threads come and go 3 % of their speed.

    Parameters
    ----------
    notes : NewestThreads
    current : callable
        Returns the calling thread's object.
    before : object
        The profiler that was there before. It is what is answered, too: true if there was one.
    """

    cdef NewestThreads notes
    cdef object current
    cdef readonly object before
    cdef public bint ended  # no more notes are taken

    def __init__(self, NewestThreads notes not None, current, before):
        self.notes, self.current, self.before = notes, current, before

    def __bool__(self):
        self.take()
        return bool(self.before)

    def note(self):
        """Note the calling thread."""
        self.take()

    cdef take(self):
        if not self.ended and self.notes is not None:
            self.notes.take(self.current())


def frames_missing():
    """Return why it cannot be read where another thread is, or None."""
    cdef const char *why = gilkit_frames_missing()
    return None if why == NULL else why.decode()


def counts_waiting():
    """Return whether it can be read how many threads wait for the GIL."""
    cdef gilkit_view view
    return gilkit_open(&view) == NULL and gilkit_waiting(&view) >= 0


def has_gil():
    """Return whether the interpreter runs with its GIL now, as far as that can be read."""
    cdef gilkit_view view
    return gilkit_open(&view) != NULL or bool(gilkit_enabled(&view))


def others_missing():
    """Return why, where there is no GIL, it cannot be read which of the other threads are attached; or None."""
    cdef gilkit_view view
    cdef const char *why = NULL
    if gilkit_open(&view) == NULL and not gilkit_enabled(&view):
        why = gilkit_others_missing()
    return None if why == NULL else why.decode()


def own_state():
    """Return the address and the unique id of the calling thread's state."""
    cdef PyThreadState *state = PyThreadState_Get()
    return <uintptr_t> state, PyThreadState_GetID(state)


def thread_states():
    """Return every thread state of this interpreter: its address, its unique id, its thread's ident and native id.

    And how many were made so far. Addresses are for comparing only.
    """
    cdef gilkit_thread *found
    cdef size_t room = 64, count, i
    cdef uint64_t made = 0
    while True:
        found = <gilkit_thread *> calloc(room, sizeof(gilkit_thread))
        if found == NULL:
            raise MemoryError
        count = gilkit_threads(found, room, &made)
        if count <= room:
            break
        free(found)
        room = 2 * count
    try:
        return [(found[i].address, found[i].unique, found[i].ident, found[i].native) for i in range(count)], made
    finally:
        free(found)


def one_interpreter():
    """Return whether this process has one interpreter only."""
    return PyInterpreterState_Next(PyInterpreterState_Head()) == NULL


def load_ends():
    """Load what a thread needs that Python ends, while there is a file descriptor left to read it from.

    Before 3.14, Python ends a thread that wants the GIL while the interpreter ends, by pthread_exit. When that is
    called first, glibc reads libgcc_s; where it cannot, it aborts the process.
    """
    with nogil:
        gilkit_load_ends()


def place(uintptr_t code, int32_t offset):
    """Return the file, the function and the line of an offset into a code object's code, copied as a sampler does.

    Parameters
    ----------
    code : int
        Its address.
    offset : int
        In bytes.

    Returns
    -------
    tuple or None
        None if it cannot be read. The line is 0 where there is none. Of long names the ends.
    """
    cdef gilkit_frame frame
    cdef gilkit_text file, function
    cdef char text[ROOM]
    cdef int line = 0
    frame.code, frame.offset = code, offset
    if gilkit_place(&frame, text, ROOM, &file, &function, &line) < 0:
        return None
    return text_of(text, file.unit, file.bytes), text_of(text + file.bytes, function.unit, function.bytes), line


def frames(uintptr_t state):
    """Return where the thread of a state is, as `place` does, the innermost frame first: true if it stands still."""
    cdef gilkit_frame found[DEEPEST]
    cdef int depth = gilkit_frames(state, found, DEEPEST), i
    return [place(found[i].code, found[i].offset) for i in range(depth)]
