/* The only file that touches CPython's internal headers; see gil_state.h.
   It is compiled against the interpreter's own, so offsets are the compiler's and fit this interpreter alone. */

#ifndef GILKIT_NO_GIL_STATE
#define Py_BUILD_CORE 1
#endif
#include <Python.h>

#include "gil_state.h"

#ifdef GILKIT_NO_GIL_STATE

const char *gilkit_open(gilkit_view *view) {
    view->gil = view->threads_made = NULL;
    return "gilkit was built without this interpreter's internal headers";
}
int gilkit_locked(const gilkit_view *view) { (void)view; return 0; }
uintptr_t gilkit_holder(const gilkit_view *view) { (void)view; return 0; }
uint64_t gilkit_threads_made(const gilkit_view *view) { (void)view; return 0; }
int gilkit_enabled(const gilkit_view *view) { (void)view; return 1; }

#else

#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"

#if defined(__GNUC__) || defined(__clang__)
#define RELAXED(type, address) __atomic_load_n((const type *)(address), __ATOMIC_RELAXED)
#else
#define RELAXED(type, address) (*(const volatile type *)(address))
#endif

typedef struct _gil_runtime_state gil_state;

const char *gilkit_open(gilkit_view *view) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
#if PY_VERSION_HEX < 0x030C0000
    view->gil = &_PyRuntime.ceval.gil;
#else
    view->gil = interpreter->ceval.gil;
#endif
    view->threads_made = &interpreter->threads.next_unique_id;
    return view->gil ? NULL : "this interpreter has no GIL state";
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

#endif
