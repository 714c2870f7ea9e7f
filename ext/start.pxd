"""Time and place: the clock, waiting for it asleep and awake, the CPUs of a thread, and what it used of them."""

cdef extern from *:
    """
    #ifdef _WIN32
    #include <windows.h>
    static inline double gilkit_now(void) {
        LARGE_INTEGER count, frequency;
        QueryPerformanceCounter(&count);
        QueryPerformanceFrequency(&frequency);
        return (double)count.QuadPart / (double)frequency.QuadPart;
    }
    static inline void gilkit_wait(double seconds) {
        if (seconds > 0) Sleep((DWORD)(seconds * 1e3 + 0.5));
    }
    #else
    #include <errno.h>
    #include <time.h>
    static inline void gilkit_wait(double seconds) {
        struct timespec left;
        if (!(seconds > 0)) return;
        left.tv_sec = (time_t)seconds;
        left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
        while (nanosleep(&left, &left) == -1 && errno == EINTR) {}
    }
    static inline double gilkit_now(void) {  /* the clock of Python's time.perf_counter */
    #ifdef __APPLE__
        return 1e-9 * (double)clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
    #else
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    #endif
    }
    #endif

    #ifdef __linux__
    #include <sched.h>
    typedef cpu_set_t gilkit_cpus;
    static inline void gilkit_read_cpus(gilkit_cpus *cpus) {
        if (sched_getaffinity(0, sizeof(*cpus), cpus) != 0) CPU_ZERO(cpus);
    }
    static inline void gilkit_write_cpus(const gilkit_cpus *cpus) {
        if (CPU_COUNT(cpus)) sched_setaffinity(0, sizeof(*cpus), cpus);
    }
    static inline void gilkit_spread(int place) {
        cpu_set_t allowed, one;
        int cpu;
        if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) == 0) return;
        place %= CPU_COUNT(&allowed);
        for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (!CPU_ISSET(cpu, &allowed) || place-- > 0) continue;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            if (sched_setaffinity(0, sizeof(one), &one) == 0)
                sched_setaffinity(0, sizeof(allowed), &allowed);
            return;
        }
    }
    static inline void gilkit_pin(int cpu) {
        cpu_set_t one;
        CPU_ZERO(&one);
        if (cpu >= 0 && cpu < CPU_SETSIZE) {
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof(one), &one);
        }
    }
    #else
    typedef int gilkit_cpus;
    static inline void gilkit_pin(int cpu) { (void)cpu; }
    static inline void gilkit_read_cpus(gilkit_cpus *cpus) { *cpus = 0; }
    static inline void gilkit_write_cpus(const gilkit_cpus *cpus) { (void)cpus; }
    static inline void gilkit_spread(int place) { (void)place; }
    #endif

    #ifdef __linux__
    #include <fcntl.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    #include <sys/resource.h>
    #ifndef RUSAGE_THREAD
    #define RUSAGE_THREAD 1
    #endif
    static inline double gilkit_delay_in(int file) {
        char text[96], *end;
        ssize_t length = pread(file, text, sizeof(text) - 1, 0);
        if (length <= 0) return Py_NAN;
        text[length] = 0;
        strtoull(text, &end, 10);
        return end == text ? Py_NAN : 1e-9 * (double)strtoull(end, NULL, 10);
    }
    static inline double gilkit_delay_at(const char *path) {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        double found = Py_NAN;
        if (file >= 0) {
            found = gilkit_delay_in(file);
            close(file);
        }
        return found;
    }
    static inline double gilkit_delay_of(unsigned long thread) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/task/%lu/schedstat", thread);
        return gilkit_delay_at(path);
    }
    static inline void gilkit_usage(double out[6]) {
        struct timespec cpu;
        struct rusage used;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
        out[0] = (double)cpu.tv_sec + 1e-9 * (double)cpu.tv_nsec;
        out[1] = out[2] = out[3] = out[4] = out[5] = Py_NAN;
        if (getrusage(RUSAGE_THREAD, &used) == 0) {
            out[1] = (double)used.ru_nvcsw;
            out[2] = (double)used.ru_nivcsw;
            out[4] = (double)used.ru_stime.tv_sec + 1e-6 * (double)used.ru_stime.tv_usec;
            out[5] = (double)used.ru_minflt;
        }
        out[3] = gilkit_delay_at("/proc/thread-self/schedstat");
    }
    #else
    static inline double gilkit_delay_in(int file) { (void)file; return Py_NAN; }
    static inline double gilkit_delay_of(unsigned long thread) { (void)thread; return Py_NAN; }
    static inline void gilkit_usage(double out[6]) {
        out[0] = out[1] = out[2] = out[3] = out[4] = out[5] = Py_NAN;
    }
    #endif
    """
    double now "gilkit_now"() noexcept nogil
    void wait "gilkit_wait"(double seconds) noexcept nogil  # asleep; without the GIL if the caller has none

    # The CPUs that this thread may use.
    ctypedef struct cpus_t "gilkit_cpus":
        pass
    void read_cpus "gilkit_read_cpus"(cpus_t *cpus) noexcept nogil
    void write_cpus "gilkit_write_cpus"(const cpus_t *cpus) noexcept nogil

    # Move this thread to the CPU of worker ``place``, then leave it to the scheduler again: threads that wake
    # at one time often wake on one CPU, and a scheduler takes milliseconds to part them.
    void spread "gilkit_spread"(int place) noexcept nogil

    # Keep this thread on one CPU.
    void pin "gilkit_pin"(int cpu) noexcept nogil

    # Seconds of CPU that this thread used, how often it gave its CPU up and lost it, and the seconds that it was
    # ready to run and waited for one; nan for what the system does not tell.
    void usage "gilkit_usage"(double *out) noexcept nogil

    # For how many seconds a thread was ready to run and had no CPU: by its open ``schedstat``, by its native id.
    double delay_in "gilkit_delay_in"(int file) noexcept nogil
    double delay_of "gilkit_delay_of"(unsigned long thread) noexcept nogil


cdef inline void spin(double seconds) noexcept nogil:
    """Keep a CPU busy for so long."""
    cdef double end = now() + seconds
    while now() < end:
        pass
