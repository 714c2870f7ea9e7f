/* What the interpreter itself knows of its GIL, read without taking it. */
#ifndef GILKIT_GIL_STATE_H
#define GILKIT_GIL_STATE_H

#include <stdint.h>

/* Where an interpreter keeps the state of its GIL. Valid as long as the interpreter is. */
typedef struct {
    const void *gil;
    const void *threads_made;
} gilkit_view;

/* Fill in the view of the calling thread's interpreter; with the GIL held, or attached where there is none.
   Returns NULL, or why the state cannot be read. */
const char *gilkit_open(gilkit_view *view);

/* From any thread, at any time: whether the GIL is locked; 0 where the interpreter runs without one. */
int gilkit_locked(const gilkit_view *view);

/* The thread state that holds the GIL or held it last, as a number: it may be freed, and must not be followed. */
uintptr_t gilkit_holder(const gilkit_view *view);

/* How many thread states the interpreter has made so far. Every one has the count that it made as its unique id,
   which tells it from an earlier one at the same address. */
uint64_t gilkit_threads_made(const gilkit_view *view);

/* Whether the interpreter runs with its GIL at this moment. */
int gilkit_enabled(const gilkit_view *view);

#endif
