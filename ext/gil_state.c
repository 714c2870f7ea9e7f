/* The only file that touches CPython's internal headers; see gil_state.h.
   It is compiled against the interpreter's own, so offsets are the compiler's. Whether they fit the interpreter that
   runs is checked before anything is read through them. */

#ifndef GILKIT_NO_GIL_STATE
#define Py_BUILD_CORE 1
#endif
#include <Python.h>

#include "gil_state.h"

/* With what keeps threads from ending meanwhile; nothing is allocated here, and no Python code runs. */
static size_t walk(PyThreadState *state, gilkit_thread *found, size_t room) {
    size_t n = 0;
    for (; state != NULL; state = PyThreadState_Next(state), n++) {
        if (n >= room)
            continue;
        found[n].address = (uintptr_t)state;
        found[n].unique = PyThreadState_GetID(state);
        found[n].ident = state->thread_id;
#if PY_VERSION_HEX < 0x030B0000
        found[n].native = 0;
#else
        found[n].native = state->native_thread_id;
#endif
    }
    return n;
}

#ifdef GILKIT_NO_GIL_STATE

const char *gilkit_open(gilkit_view *view) {
    view->gil = view->threads_made = NULL;
    return "gilkit was built without this interpreter's internal headers";
}
int gilkit_locked(const gilkit_view *view) { (void)view; return 0; }
uintptr_t gilkit_holder(const gilkit_view *view) { (void)view; return 0; }
uint64_t gilkit_threads_made(const gilkit_view *view) { (void)view; return 0; }
int gilkit_enabled(const gilkit_view *view) { (void)view; return 1; }

/* The GIL alone keeps other threads from ending here. */
size_t gilkit_threads(gilkit_thread *found, size_t room, uint64_t *made) {
    *made = 0;
    return walk(PyInterpreterState_ThreadHead(PyInterpreterState_Get()), found, room);
}

#else

#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"

#if PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000 && !defined(_WIN32)
#include <sched.h>
#endif

#if defined(__GNUC__) || defined(__clang__)
#define RELAXED(type, address) __atomic_load_n((const type *)(address), __ATOMIC_RELAXED)
#else
#define RELAXED(type, address) (*(const volatile type *)(address))
#endif

#define ANOTHER "gilkit was built for CPython " PY_VERSION ", and this is another"
#define AGAIN ": install gilkit again, from source"

typedef struct _gil_runtime_state gil_state;

/* Return whether what is read here lies where the compiler took it to be. */
static int fits(void) {
#if PY_VERSION_HEX >= 0x030D0000
    /* The interpreter tells where its fields are, for debuggers. */
    const _Py_DebugOffsets *told = &_PyRuntime.debug_offsets;
    const struct _interpreter_state *i = &told->interpreter_state;
#ifdef Py_GIL_DISABLED
    const uint64_t free_threaded = 1;
#else
    const uint64_t free_threaded = 0;
#endif
    return memcmp(told->cookie, "xdebugpy", 8) == 0 && told->version >> 16 == PY_VERSION_HEX >> 16 &&
           told->free_threaded == free_threaded &&
           i->threads_head == offsetof(PyInterpreterState, threads.head) &&
           i->ceval_gil == offsetof(PyInterpreterState, ceval.gil) &&
           i->gil_runtime_state_locked - i->gil_runtime_state == offsetof(gil_state, locked) &&
           i->gil_runtime_state_holder - i->gil_runtime_state == offsetof(gil_state, last_holder) &&
#ifdef Py_GIL_DISABLED
           i->gil_runtime_state_enabled == offsetof(gil_state, enabled) &&
#endif
           told->thread_state.thread_id == offsetof(PyThreadState, thread_id) &&
           told->thread_state.native_thread_id == offsetof(PyThreadState, native_thread_id);
#else
    return Py_Version >> 8 == PY_VERSION_HEX >> 8; /* nothing tells, but the patch release */
#endif
}

/* The caller has the GIL, if there is one: that must be what is read. */
static int true_now(const gilkit_view *view) {
    PyThreadState *own = PyThreadState_Get();
    if (gilkit_threads_made(view) < PyThreadState_GetID(own))
        return 0;
    return !gilkit_enabled(view) || (gilkit_locked(view) && gilkit_holder(view) == (uintptr_t)own);
}

const char *gilkit_open(gilkit_view *view) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    view->gil = view->threads_made = NULL;
    if (!fits()) /* before any pointer is followed */
        return ANOTHER AGAIN;
#if PY_VERSION_HEX < 0x030C0000
    view->gil = &_PyRuntime.ceval.gil;
#else
    view->gil = interpreter->ceval.gil;
#endif
    if (view->gil == NULL)
        return "this interpreter has no GIL state";
    view->threads_made = &interpreter->threads.next_unique_id;
    return true_now(view) ? NULL : "what is read of this interpreter's GIL is not so" AGAIN;
}

int gilkit_enabled(const gilkit_view *view) {
#ifdef Py_GIL_DISABLED
    return RELAXED(int, &((const gil_state *)view->gil)->enabled) != 0;
#else
    (void)view;
    return 1;
#endif
}

/* On 3.11 and 3.12 the fields are structs of one atomic value, later they are plain: at the same place. */
int gilkit_locked(const gilkit_view *view) {
    return RELAXED(int, &((const gil_state *)view->gil)->locked) == 1 && gilkit_enabled(view);
}

uintptr_t gilkit_holder(const gilkit_view *view) {
    return RELAXED(uintptr_t, &((const gil_state *)view->gil)->last_holder);
}

uint64_t gilkit_threads_made(const gilkit_view *view) { return RELAXED(uint64_t, view->threads_made); }

/* The runtime's lock on its lists. Nobody who has it waits for the GIL, so it may be waited for with the GIL held. */
static void lock_lists(void) {
#if PY_VERSION_HEX >= 0x030E0000
    PyMutex_LockFlags(&_PyRuntime.interpreters.mutex, _Py_LOCK_DONT_DETACH);
#elif PY_VERSION_HEX >= 0x030D0000
    /* 3.13 exports no way to wait for it that keeps the GIL, and with one that lets go of it, two may wait for each
       other. */
    uint8_t expected = 0;
    while (!_Py_atomic_compare_exchange_uint8(&_PyRuntime.interpreters.mutex._bits, &expected, 1)) {
        expected = 0;
#ifdef _WIN32
        Sleep(0);
#else
        sched_yield();
#endif
    }
#else
    PyThread_acquire_lock(_PyRuntime.interpreters.mutex, WAIT_LOCK);
#endif
}

static void unlock_lists(void) {
#if PY_VERSION_HEX >= 0x030D0000
    PyMutex_Unlock(&_PyRuntime.interpreters.mutex);
#else
    PyThread_release_lock(_PyRuntime.interpreters.mutex);
#endif
}

size_t gilkit_threads(gilkit_thread *found, size_t room, uint64_t *made) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    size_t n;
    lock_lists();
    n = walk(interpreter->threads.head, found, room);
    *made = RELAXED(uint64_t, &interpreter->threads.next_unique_id);
    unlock_lists();
    return n;
}

#endif
