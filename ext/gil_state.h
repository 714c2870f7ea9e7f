/* What the interpreter itself knows of its GIL, read without taking it. */
#ifndef GILKIT_GIL_STATE_H
#define GILKIT_GIL_STATE_H

#include <stddef.h>
#include <stdint.h>

/* Where an interpreter keeps the state of its GIL. Valid as long as the interpreter is. */
typedef struct {
    const void *gil;
    const void *threads_made;
    const void *interpreter;
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

/* Whether the interpreter runs with its GIL, and will. Where it runs without, the GIL is on for a moment while a module
   is being made; that is none for which anything here changes: who is attached has it then. */
int gilkit_enabled(const gilkit_view *view);

/* Whether the interpreter is about to end: the states of its threads are freed soon. */
int gilkit_ending(void);

/* Write down the thread states of the calling thread's interpreter, as many as there is room for, and how many
   were made so far; called as gilkit_open is. Returns how many there are. */
size_t gilkit_threads(gilkit_thread *found, size_t room, uint64_t *made);

/* How often the GIL went from one thread to another so far. */
unsigned long gilkit_switches(const gilkit_view *view);

/* After how many seconds of waiting a thread asks the holder to let go. */
double gilkit_switch_interval(const gilkit_view *view);

/* How many threads wait for the GIL; -1 where that cannot be read. */
int gilkit_waiting(const gilkit_view *view);

/* Where in memory those wait who want the GIL: so many bytes from there; 0 where that is not known. */
size_t gilkit_waiting_place(const gilkit_view *view, uintptr_t *from);

/* Whether somebody who waits has asked the holder to let go; -1 where that cannot be read. */
int gilkit_asked(const gilkit_view *view, uintptr_t holder);

/* The native id of the thread that has it; 0 where that cannot be read. */
unsigned long gilkit_native(uintptr_t holder);

/* Whether the interpreter collects garbage. */
int gilkit_collecting(const gilkit_view *view);

/* How a thread is to the interpreter on a free-threaded build: only who is attached may touch objects, and who is
   suspended may not attach before the world goes on. Newer interpreters have more states, of threads that wait. */
#define GILKIT_DETACHED 0
#define GILKIT_ATTACHED 1
#define GILKIT_SUSPENDED 2

/* Why the states of threads, and who stops the world, cannot be read, or NULL; called as gilkit_open is, which went
   before. What is read is checked against what is known of this moment. */
const char *gilkit_states_missing(const gilkit_view *view);

/* Why those of other threads cannot be read, which may end meanwhile, or NULL. */
const char *gilkit_others_missing(void);

/* The state of a thread that lives, from any thread. */
int gilkit_state(uintptr_t thread);

/* The same, whatever becomes of it meanwhile; -1 where it cannot be read. */
int gilkit_state_safely(uintptr_t thread);

/* A stop of the world: whether it is asked for, whether everybody has stopped, and the thread state that asked, as a
   number; 0 where none is known. */
typedef struct {
    int requested;
    int stopped;
    uintptr_t requester;
} gilkit_pause;

/* Read what stops this interpreter's threads, or those of all: from any thread, at any time. */
void gilkit_read_pause(const gilkit_view *view, gilkit_pause *pause);

/* A thread state, and its state. */
typedef struct {
    uintptr_t address;
    uint64_t unique;
    int state;
} gilkit_presence;

/* All thread states, as they were read last: their list is walked where it is another than before. */
typedef struct gilkit_roll {
    int count;
    int room;
    uint64_t made;
    gilkit_presence *threads;
} gilkit_roll;

/* Read the states of all threads, as many as there is room for. Returns 0 if they could not be read this time: the
   list changed meanwhile. From any thread, at any time: it takes no lock, and copies what may be freed meanwhile. */
int gilkit_read_roll(const gilkit_view *view, gilkit_roll *roll);

/* A frame of Python code: its code object, and how many bytes into its code it is. Numbers, not to be followed. */
typedef struct {
    uintptr_t code;
    int32_t offset;
} gilkit_frame;

#define GILKIT_LONGEST_FILE 1024 /* bytes that are kept of a name */
#define GILKIT_LONGEST_NAME 256

/* Where text of the interpreter's was copied to: bytes in units of one, two or four. */
typedef struct {
    int unit;
    uint32_t bytes;
} gilkit_text;

/* Why frames cannot be read, or NULL. With the GIL held. */
const char *gilkit_frames_missing(void);

/* Copy the frames of a thread state, the innermost first, and return how many there are, at most as many as there
   is room for; -1 if it cannot be read. From any thread, at any time: whatever is freed or changed meanwhile makes
   no harm, but what is returned is true only if the thread stood still, which the caller has to find out. */
int gilkit_frames(uintptr_t holder, gilkit_frame *found, int room);

/* Copy where a frame is: the ends of its file's name and of its function's, one after the other into `to`, and its
   line, 0 where it has none. Returns the bytes that were used, -1 if it cannot be read or there is no room. As safe
   as gilkit_frames, and as true. */
int gilkit_place(const gilkit_frame *frame, char *to, int room, gilkit_text *file, gilkit_text *function, int *line);

/* Whether an extension module makes a free-threaded interpreter turn its GIL on: it did not declare Py_mod_gil. 1 or 0;
   -1 where that cannot be read, or where there always is a GIL. Called with the module's object. */
int gilkit_needs_gil(const void *module);

#endif
