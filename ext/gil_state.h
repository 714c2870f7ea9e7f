/* What the interpreter itself knows of its GIL, read without taking it. */
#ifndef GILKIT_GIL_STATE_H
#define GILKIT_GIL_STATE_H

#include <stddef.h>
#include <stdint.h>

/* Where an interpreter keeps the state of its GIL. Valid as long as the interpreter is. */
typedef struct {
    const void *gil;
    const void *threads_made;
} gilkit_view;

/* A thread state: its address, its unique id, its thread's ident and native id. */
typedef struct {
    uintptr_t address;
    uint64_t unique;
    unsigned long ident;
    unsigned long native;
} gilkit_thread;

/* Fill in the view of the calling thread's interpreter; with the GIL held, or attached where there is none.
   Returns NULL, or why the state cannot be read: the view is checked against what is known of this moment. */
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

/* Write down the thread states of the calling thread's interpreter, as many as there is room for, and how many
   were made so far; called as gilkit_open is. Returns how many there are. */
size_t gilkit_threads(gilkit_thread *found, size_t room, uint64_t *made);

#endif
