"""What gil_state.h declares, for Cython."""

from libc.stdint cimport int32_t, uint32_t, uint64_t, uintptr_t

cdef extern from "gil_state.h" nogil:
    enum:
        GILKIT_LONGEST_FILE
        GILKIT_LONGEST_NAME
        GILKIT_ATTACHED
    ctypedef struct gilkit_view:
        pass
    ctypedef struct gilkit_thread:
        uintptr_t address
        uint64_t unique
        unsigned long ident
        unsigned long native
    ctypedef struct gilkit_pause:
        int requested
        int stopped
        uintptr_t requester
    ctypedef struct gilkit_presence:
        uintptr_t address
        uint64_t unique
        int state
    ctypedef struct gilkit_roll:
        int count
        int room
        gilkit_presence *threads
    ctypedef struct gilkit_frame:
        uintptr_t code
        int32_t offset
    ctypedef struct gilkit_text:
        int unit
        uint32_t bytes
    const char *gilkit_open(gilkit_view *view) noexcept
    int gilkit_enabled(const gilkit_view *view) noexcept
    int gilkit_ending() noexcept
    int gilkit_locked(const gilkit_view *view) noexcept
    uintptr_t gilkit_holder(const gilkit_view *view) noexcept
    uint64_t gilkit_threads_made(const gilkit_view *view) noexcept
    size_t gilkit_threads(gilkit_thread *found, size_t room, uint64_t *made) noexcept
    unsigned long gilkit_switches(const gilkit_view *view) noexcept
    double gilkit_switch_interval(const gilkit_view *view) noexcept
    int gilkit_waiting(const gilkit_view *view) noexcept
    size_t gilkit_waiting_place(const gilkit_view *view, uintptr_t *place) noexcept
    int gilkit_asked(const gilkit_view *view, uintptr_t holder) noexcept
    unsigned long gilkit_native(uintptr_t holder) noexcept
    int gilkit_collecting(const gilkit_view *view) noexcept
    const char *gilkit_states_missing(const gilkit_view *view) noexcept
    const char *gilkit_others_missing() noexcept
    int gilkit_state(uintptr_t thread) noexcept
    int gilkit_state_safely(uintptr_t thread) noexcept
    void gilkit_read_pause(const gilkit_view *view, gilkit_pause *pause) noexcept
    int gilkit_read_roll(const gilkit_view *view, gilkit_roll *roll) noexcept
    const char *gilkit_frames_missing() noexcept
    int gilkit_frames(uintptr_t holder, gilkit_frame *found, int room) noexcept
    int gilkit_place(
        const gilkit_frame *frame, char *to, int room, gilkit_text *file, gilkit_text *function, int *line
    ) noexcept
    int gilkit_needs_gil(const void *module) noexcept
