/* The only file that touches CPython's internal headers; see gil_state.h.
   It is compiled against the interpreter's own, so offsets are the compiler's. Whether they fit the interpreter that
   runs is checked before anything is read through them. */

#ifndef GILKIT_NO_GIL_STATE
#define Py_BUILD_CORE 1
#ifdef __linux__
#define _GNU_SOURCE 1 /* for process_vm_readv */
#endif
#endif
#include <Python.h>

#include "gil_state.h"

int gilkit_ending(void) {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

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
unsigned long gilkit_switches(const gilkit_view *view) { (void)view; return 0; }
double gilkit_switch_interval(const gilkit_view *view) { (void)view; return 0; }
int gilkit_waiting(const gilkit_view *view) { (void)view; return -1; }
size_t gilkit_waiting_place(const gilkit_view *view, uintptr_t *from) { (void)view; *from = 0; return 0; }
int gilkit_asked(const gilkit_view *view, uintptr_t holder) { (void)view; (void)holder; return -1; }
unsigned long gilkit_native(uintptr_t holder) { (void)holder; return 0; }
int gilkit_collecting(const gilkit_view *view) { (void)view; return 0; }
const char *gilkit_states_missing(const gilkit_view *view) { (void)view; return gilkit_others_missing(); }
const char *gilkit_others_missing(void) { return "gilkit was built without this interpreter's internal headers"; }
int gilkit_state(uintptr_t thread) { (void)thread; return -1; }
int gilkit_state_safely(uintptr_t thread) { (void)thread; return -1; }
void gilkit_read_pause(const gilkit_view *view, gilkit_pause *pause) { (void)view; memset(pause, 0, sizeof(*pause)); }
int gilkit_read_roll(const gilkit_view *view, gilkit_roll *roll) { (void)view; (void)roll; return 0; }
const char *gilkit_frames_missing(void) { return "gilkit was built without this interpreter's internal headers"; }
int gilkit_frames(uintptr_t holder, gilkit_frame *found, int room) {
    (void)holder; (void)found; (void)room;
    return -1;
}
int gilkit_place(const gilkit_frame *frame, char *to, int room, gilkit_text *file, gilkit_text *function, int *line) {
    (void)frame; (void)to; (void)room; (void)file; (void)function; (void)line;
    return -1;
}

int gilkit_needs_gil(const void *module) { (void)module; return -1; }

/* The GIL alone keeps other threads from ending here. */
size_t gilkit_threads(gilkit_thread *found, size_t room, uint64_t *made) {
    *made = 0;
    return walk(PyInterpreterState_ThreadHead(PyInterpreterState_Get()), found, room);
}

#else

#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_runtime.h"
#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_ceval.h"
#endif
#if PY_VERSION_HEX >= 0x030E0000
#include "internal/pycore_interpframe_structs.h"
#endif

#include <limits.h>
#ifdef __linux__
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>
#endif

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
    view->interpreter = interpreter;
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
    return RELAXED(int, &((const gil_state *)view->gil)->enabled) == INT_MAX;
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

unsigned long gilkit_switches(const gilkit_view *view) {
    return RELAXED(unsigned long, &((const gil_state *)view->gil)->switch_number);
}

double gilkit_switch_interval(const gilkit_view *view) {
    return 1e-6 * (double)RELAXED(unsigned long, &((const gil_state *)view->gil)->interval);
}

/* Who waits for the GIL waits for its condition variable, and glibc counts those: above three bits for other ends. */
int gilkit_waiting(const gilkit_view *view) {
#if defined(__GLIBC__) && defined(_POSIX_THREADS)
    return (int)(RELAXED(unsigned int, &((const gil_state *)view->gil)->cond.__data.__wrefs) >> 3);
#else
    (void)view;
    return -1;
#endif
}

size_t gilkit_waiting_place(const gilkit_view *view, uintptr_t *from) {
#ifdef _POSIX_THREADS
    *from = (uintptr_t) & ((const gil_state *)view->gil)->cond;
    return sizeof(((const gil_state *)view->gil)->cond);
#else
    (void)view;
    *from = 0;
    return 0;
#endif
}

int gilkit_collecting(const gilkit_view *view) {
    return RELAXED(int, &((const PyInterpreterState *)view->interpreter)->gc.collecting) != 0;
}

/* Copy memory of this process that may be freed meanwhile: the system says so, where reading it would crash.
   Returns whether all of it could be copied. */
static int copy(void *to, uintptr_t from, size_t bytes) {
#ifdef __linux__
    struct iovec local = {to, bytes}, remote = {(void *)from, bytes};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)bytes;
#else
    (void)to; (void)from; (void)bytes;
    return 0;
#endif
}

#define COPY(to, from) copy(&(to), (uintptr_t)(from), sizeof(to))

/* Why memory that may be freed meanwhile cannot be read, or NULL. */
static const char *no_copies(void) {
    int known = 0, seen = 1;
    if (COPY(seen, &known) && seen == known)
        return NULL;
#ifdef __linux__
    return "this process may not copy its own memory by process_vm_readv: a sandbox forbids it";
#else
    return "on this system gilkit has no way to copy memory that may be freed meanwhile";
#endif
}

#ifdef Py_GIL_DISABLED

#define OURS(view) ((PyInterpreterState *)(view)->interpreter)
#define FLAG(world, name) (RELAXED(unsigned char, &(world)->name) != 0)

typedef struct _stoptheworld_state world_state;

const char *gilkit_states_missing(const gilkit_view *view) {
    const _Py_DebugOffsets *told = &_PyRuntime.debug_offsets;
    const world_state *own = &OURS(view)->stoptheworld, *all = &_PyRuntime.stoptheworld;
    PyThreadState *caller = PyThreadState_Get();
    if (!fits() || told->interpreter_state.gc != offsetof(PyInterpreterState, gc) ||
        told->gc.collecting != offsetof(struct _gc_runtime_state, collecting) ||
        told->thread_state.prev != offsetof(PyThreadState, prev) ||
        told->thread_state.next != offsetof(PyThreadState, next) ||
        told->thread_state.interp != offsetof(PyThreadState, interp) ||
        told->thread_state.status != offsetof(PyThreadState, _status))
        return ANOTHER AGAIN;
    /* Nothing tells where the rest lies. But the caller is attached, and so the world goes on; and each of the two
       knows whether it is that of all interpreters. */
    if (gilkit_state((uintptr_t)caller) != GILKIT_ATTACHED || FLAG(own, world_stopped) || FLAG(all, world_stopped) ||
        RELAXED(unsigned char, &own->is_global) != 0 || RELAXED(unsigned char, &all->is_global) != 1 ||
        RELAXED(unsigned char, &own->requested) > 1 || RELAXED(unsigned char, &all->requested) > 1)
        return "what is read of this interpreter's threads is not so" AGAIN;
    return NULL;
}

const char *gilkit_others_missing(void) { return no_copies(); }

int gilkit_state(uintptr_t thread) { return RELAXED(int, &((PyThreadState *)thread)->state); }

int gilkit_state_safely(uintptr_t thread) {
    int state;
    return COPY(state, &((PyThreadState *)thread)->state) ? state : -1;
}

void gilkit_read_pause(const gilkit_view *view, gilkit_pause *pause) {
    const world_state *world = &_PyRuntime.stoptheworld;
    if (!FLAG(world, requested))
        world = &OURS(view)->stoptheworld;
    pause->requested = FLAG(world, requested);
    pause->stopped = pause->requested && FLAG(world, world_stopped);
    pause->requester = pause->requested ? RELAXED(uintptr_t, &world->requester) : 0;
}

/* What is copied of a thread state each time: its beginning. */
#define HEAD (offsetof(PyThreadState, state) + sizeof(int))
#define AT_ONCE 32 /* thread states that one call copies */
#define AGAIN_WALKED 3

typedef unsigned char thread_head[HEAD];

/* Take over a thread's state from its copied beginning. Returns whether it is where it is taken to be in the list;
   `next` is set to the one behind it. */
static int enter(gilkit_presence *thread, const thread_head *head, const gilkit_view *view, uintptr_t previous,
                 uintptr_t *next) {
    uintptr_t before, owner;
    memcpy(&before, *head + offsetof(PyThreadState, prev), sizeof(before));
    memcpy(&owner, *head + offsetof(PyThreadState, interp), sizeof(owner));
    memcpy(next, *head + offsetof(PyThreadState, next), sizeof(*next));
    memcpy(&thread->state, *head + offsetof(PyThreadState, state), sizeof(thread->state));
    return owner == (uintptr_t)view->interpreter && before == previous;
}

/* Copy the beginnings of thread states that are known. Returns whether all could be. */
static int copy_heads(thread_head *heads, const gilkit_presence *threads, int count) {
#ifdef __linux__
    struct iovec local = {heads, (size_t)count * HEAD}, remote[AT_ONCE];
    int i;
    for (i = 0; i < count; i++) {
        remote[i].iov_base = (void *)threads[i].address;
        remote[i].iov_len = HEAD;
    }
    return process_vm_readv(getpid(), &local, 1, remote, (unsigned long)count, 0) == (ssize_t)(count * HEAD);
#else
    (void)heads; (void)threads; (void)count;
    return 0;
#endif
}

/* Read the states of the threads that are known. Returns whether they still are all that there are. */
static int read_known(const gilkit_view *view, gilkit_roll *roll) {
    thread_head heads[AT_ONCE];
    uintptr_t previous = 0, next = roll->threads[0].address;
    int done = 0, some, i;
    for (; done < roll->count; done += some) {
        some = roll->count - done < AT_ONCE ? roll->count - done : AT_ONCE;
        if (!copy_heads(heads, roll->threads + done, some))
            return 0;
        for (i = 0; i < some; i++) {
            gilkit_presence *thread = &roll->threads[done + i];
            if (thread->address != next || !enter(thread, &heads[i], view, previous, &next))
                return 0;
            previous = thread->address;
        }
    }
    return next == 0 || roll->count == roll->room;
}

/* Find out which threads there are, and read their states. Returns 0 if the list changed meanwhile. */
static int walk_safely(const gilkit_view *view, gilkit_roll *roll) {
    uintptr_t previous = 0, next = RELAXED(uintptr_t, &OURS(view)->threads.head);
    roll->made = gilkit_threads_made(view);
    for (roll->count = 0; next != 0 && roll->count < roll->room; roll->count++) {
        gilkit_presence *thread = &roll->threads[roll->count];
        thread_head head;
        thread->address = next;
        if (!copy_heads(&head, thread, 1) || !COPY(thread->unique, &((PyThreadState *)next)->id) ||
            !enter(thread, &head, view, previous, &next) || thread->unique > gilkit_threads_made(view))
            return roll->count = 0;
        previous = thread->address;
    }
    return roll->count > 0;
}

int gilkit_read_roll(const gilkit_view *view, gilkit_roll *roll) {
    int tries;
    if (roll->count && roll->made == gilkit_threads_made(view) &&
        roll->threads[0].address == RELAXED(uintptr_t, &OURS(view)->threads.head) && read_known(view, roll))
        return 1;
    for (tries = 0; tries < AGAIN_WALKED; tries++)
        if (walk_safely(view, roll))
            return 1;
    return 0;
}

#else

#define HAS_A_GIL "this interpreter has a GIL: its threads are not stopped"

const char *gilkit_states_missing(const gilkit_view *view) { (void)view; return HAS_A_GIL; }
const char *gilkit_others_missing(void) { return HAS_A_GIL; }
int gilkit_state(uintptr_t thread) { (void)thread; return -1; }
int gilkit_state_safely(uintptr_t thread) { (void)thread; return -1; }
void gilkit_read_pause(const gilkit_view *view, gilkit_pause *pause) { (void)view; memset(pause, 0, sizeof(*pause)); }
int gilkit_read_roll(const gilkit_view *view, gilkit_roll *roll) { (void)view; (void)roll; return 0; }

#endif

int gilkit_asked(const gilkit_view *view, uintptr_t holder) {
#if PY_VERSION_HEX < 0x030D0000
    (void)holder;
    return RELAXED(int, &((const PyInterpreterState *)view->interpreter)->ceval.gil_drop_request) != 0;
#else
    uintptr_t breaker;
    (void)view;
    if (!COPY(breaker, &((PyThreadState *)holder)->eval_breaker))
        return -1;
    return (breaker & _PY_GIL_DROP_REQUEST_BIT) != 0;
#endif
}

unsigned long gilkit_native(uintptr_t holder) {
    unsigned long native;
    return COPY(native, &((PyThreadState *)holder)->native_thread_id) ? native : 0;
}

const char *gilkit_frames_missing(void) {
#if PY_VERSION_HEX >= 0x030D0000
    const _Py_DebugOffsets *told = &_PyRuntime.debug_offsets;
    if (!fits() || told->thread_state.current_frame != offsetof(PyThreadState, current_frame) ||
        told->interpreter_frame.previous != offsetof(_PyInterpreterFrame, previous) ||
        told->interpreter_frame.executable != offsetof(_PyInterpreterFrame, f_executable) ||
        told->interpreter_frame.instr_ptr != offsetof(_PyInterpreterFrame, instr_ptr) ||
        told->interpreter_frame.owner != offsetof(_PyInterpreterFrame, owner) ||
        told->code_object.filename != offsetof(PyCodeObject, co_filename) ||
        told->code_object.qualname != offsetof(PyCodeObject, co_qualname) ||
        told->code_object.linetable != offsetof(PyCodeObject, co_linetable) ||
        told->code_object.firstlineno != offsetof(PyCodeObject, co_firstlineno) ||
        told->code_object.co_code_adaptive != offsetof(PyCodeObject, co_code_adaptive))
        return ANOTHER AGAIN;
#else
    if (!fits())
        return ANOTHER AGAIN;
#endif
#ifdef Py_STACKREF_DEBUG
    return "this interpreter counts its references to frames";
#endif
    return no_copies();
}

/* The code object of a frame that runs Python code; 0 for what stands for C. */
static uintptr_t code_of(const _PyInterpreterFrame *frame) {
#if PY_VERSION_HEX < 0x030C0000
    return (uintptr_t)frame->f_code;
#elif PY_VERSION_HEX < 0x030D0000
    return frame->owner == FRAME_OWNED_BY_CSTACK ? 0 : (uintptr_t)frame->f_code;
#elif PY_VERSION_HEX < 0x030E0000
    return frame->owner == FRAME_OWNED_BY_CSTACK ? 0 : (uintptr_t)frame->f_executable;
#elif defined(Py_STACKREF_DEBUG)
    return 0;
#else
    return frame->owner >= FRAME_OWNED_BY_INTERPRETER ? 0 : (uintptr_t)frame->f_executable.bits & ~(uintptr_t)3;
#endif
}

static uintptr_t instruction_of(const _PyInterpreterFrame *frame) {
#if PY_VERSION_HEX < 0x030D0000
    return (uintptr_t)frame->prev_instr;
#else
    return (uintptr_t)frame->instr_ptr;
#endif
}

/* Where a frame's instructions begin: without a GIL every thread has a copy of a code object's for itself. Returns 0
   where that cannot be read. */
static uintptr_t instructions_of(const _PyInterpreterFrame *frame, uintptr_t code) {
#if defined(Py_GIL_DISABLED) && PY_VERSION_HEX >= 0x030E0000
    uintptr_t copies, own;
    if (frame->tlbc_index > 0)
        return COPY(copies, &((PyCodeObject *)code)->co_tlbc) &&
                       COPY(own, &((_PyCodeArray *)copies)->entries[frame->tlbc_index])
                   ? own
                   : 0;
#endif
    (void)frame;
    return code + offsetof(PyCodeObject, co_code_adaptive);
}

int gilkit_frames(uintptr_t holder, gilkit_frame *found, int room) {
    _PyInterpreterFrame frame;
    uintptr_t next;
    int depth = 0, steps;
#if PY_VERSION_HEX < 0x030D0000
    if (!COPY(next, &((PyThreadState *)holder)->cframe) || !COPY(next, &((_PyCFrame *)next)->current_frame))
        return -1;
#else
    if (!COPY(next, &((PyThreadState *)holder)->current_frame))
        return -1;
#endif
    for (steps = 0; next != 0 && depth < room && steps < 4 * room; steps++) {
        uintptr_t code, begin;
        if (!copy(&frame, next, offsetof(_PyInterpreterFrame, localsplus)))
            return -1;
        if ((code = code_of(&frame)) != 0) {
            if ((begin = instructions_of(&frame, code)) == 0)
                return -1;
            found[depth].code = code;
            found[depth].offset = (int32_t)(instruction_of(&frame) - begin);
            depth++;
        }
        next = (uintptr_t)frame.previous;
    }
    return depth;
}

/* Copy the end of a string. Returns its bytes, -1 where there is none or no room. */
static int copy_text(uintptr_t string, char *to, int room, int longest, gilkit_text *text) {
    PyASCIIObject head;
    uintptr_t data;
    size_t bytes;
    if (!COPY(head, string) || head.ob_base.ob_type != &PyUnicode_Type || !head.state.compact || head.length < 0)
        return -1;
    text->unit = head.state.kind;
    if ((text->unit != 1 && text->unit != 2 && text->unit != 4) || (size_t)head.length > SIZE_MAX / 8)
        return -1;
    data = string + (head.state.ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject));
    bytes = (size_t)head.length * (size_t)text->unit;
    if (bytes > (size_t)longest) {
        data += bytes - (size_t)longest;
        bytes = (size_t)longest;
    }
    if (bytes > (size_t)room || (bytes && !copy(to, data, bytes)))
        return -1;
    text->bytes = (uint32_t)bytes;
    return (int)bytes;
}

/* Reads the bytes of a code object's table of lines, some at a time. */
typedef struct {
    uintptr_t next;
    size_t left;
    int have, at;
    unsigned char some[256];
} table_reader;

static int next_byte(table_reader *reader) {
    if (reader->at == reader->have) {
        size_t want = reader->left < sizeof(reader->some) ? reader->left : sizeof(reader->some);
        if (want == 0 || !copy(reader->some, reader->next, want))
            return -1;
        reader->next += want;
        reader->left -= want;
        reader->have = (int)want;
        reader->at = 0;
    }
    return reader->some[reader->at++];
}

static int next_number(table_reader *reader, unsigned int *number) {
    int byte = next_byte(reader), shift = 6;
    *number = byte & 63;
    while (byte >= 0 && byte & 64 && shift < 31) {
        byte = next_byte(reader);
        *number |= (unsigned int)(byte & 63) << shift;
        shift += 6;
    }
    return byte >= 0;
}

/* The line of an offset into the code, 0 where it has none, -1 where it cannot be read. The format of the table:
   CPython's "Description of the locations table". */
static int line_of(const PyCodeObject *code, int32_t offset) {
    PyVarObject head;
    table_reader reader = {0};
    int line = code->co_firstlineno;
    int64_t end = 0;
    if (offset < 0)
        return line;
    if (!COPY(head, code->co_linetable) || head.ob_size < 0)
        return -1;
    reader.next = (uintptr_t)code->co_linetable + offsetof(PyBytesObject, ob_sval);
    reader.left = (size_t)head.ob_size;
    for (;;) {
        int first = next_byte(&reader), kind, known = 1, skipped = 0;
        unsigned int number = 0;
        if (first < 0 || !(first & 128))
            return -1;
        end += ((first & 7) + 1) * (int64_t)sizeof(_Py_CODEUNIT);
        kind = first >> 3 & 15;
        if (kind == 15)
            known = 0;
        else if (kind >= 13) { /* with a difference of lines, and the long form with three numbers behind it */
            if (!next_number(&reader, &number))
                return -1;
            line += number & 1 ? -(int)(number >> 1) : (int)(number >> 1);
            for (; kind == 14 && skipped < 3; skipped++)
                if (!next_number(&reader, &number))
                    return -1;
        } else if (kind >= 10) {
            line += kind - 10;
            skipped = 2;
        } else
            skipped = 1;
        for (; kind < 13 && skipped > 0; skipped--)
            if (next_byte(&reader) < 0)
                return -1;
        if (offset < end)
            return known ? line : 0;
    }
}

int gilkit_place(const gilkit_frame *frame, char *to, int room, gilkit_text *file, gilkit_text *function, int *line) {
    PyCodeObject code;
    int used, more;
    if (!copy(&code, frame->code, offsetof(PyCodeObject, co_code_adaptive)) || code.ob_base.ob_base.ob_type != &PyCode_Type)
        return -1;
    if ((*line = line_of(&code, frame->offset)) < 0)
        return -1;
    if ((used = copy_text((uintptr_t)code.co_filename, to, room, GILKIT_LONGEST_FILE, file)) < 0)
        return -1;
    if ((more = copy_text((uintptr_t)code.co_qualname, to + used, room - used, GILKIT_LONGEST_NAME, function)) < 0)
        return -1;
    return used + more;
}

int gilkit_needs_gil(const void *module) {
#ifdef Py_GIL_DISABLED
    if (!fits())
        return -1;
    if (!PyModule_Check((PyObject *)module))
        return 1; /* nothing that an extension makes in a module's place can declare anything */
#if PY_VERSION_HEX >= 0x030F0000
    return ((const PyModuleObject *)module)->md_requires_gil;
#else
    return ((const PyModuleObject *)module)->md_gil == Py_MOD_GIL_USED;
#endif
#else
    (void)module;
    return -1;
#endif
}

#endif
