"""The end by a signal of a program that is inside a long call into C, where no handler of Python's is called."""

cdef extern from *:
    """
    #include <signal.h>
    #ifdef _WIN32
    static int gilkit_heed(int number) { return -1; }
    static int gilkit_asked(double patience) { return 0; }
    static int gilkit_heard(void) { return 0; }
    static void gilkit_end(int number) { signal(number, SIG_DFL); raise(number); }
    #else
    #include <pthread.h>
    #include <time.h>
    #include <unistd.h>

    enum { SIGNALS = 65, TICKS = 10 };  /* looks a second: it takes no descriptor that the program might close */
    static const char SAID[] = "gilkit: ended inside a call into C: no report could be made\\n";
    static struct sigaction of_python[SIGNALS];
    static volatile sig_atomic_t asked, heard_by_python;
    static int began;

    static void on_signal(int number)
    {
        asked = number;
        of_python[number].sa_handler(number);
    }

    static void rest(void)
    {
        struct timespec tick = {0, 1000000000 / TICKS};
        nanosleep(&tick, NULL);
    }

    /* Wait until a signal has come, and so many seconds more; returns its number. */
    static int gilkit_asked(double patience)
    {
        while (!asked)
            rest();
        for (int left = (int)(patience * TICKS); left > 0; left--)
            rest();
        return asked;
    }

    /* Whether nobody has heard of it before. */
    static int gilkit_heard(void)
    {
        return !__sync_lock_test_and_set(&heard_by_python, 1);
    }

    static void gilkit_end(int number)
    {
        signal(number, SIG_DFL);
        kill(getpid(), number);
    }

    static void *last(void *nothing)
    {
        int number = gilkit_asked(1.0);
        struct sigaction now;
        if (sigaction(number, NULL, &now) || now.sa_handler != on_signal || !gilkit_heard())
            return nothing;  /* the program has put a handler of its own there, or Python's was called */
        if (write(2, SAID, sizeof SAID - 1) < 0) {
        }
        gilkit_end(number);
        return nothing;
    }

    static int gilkit_heed(int number)
    {
        struct sigaction ours;
        if (!began) {
            pthread_t thread;
            sigset_t all, before;
            sigfillset(&all);
            pthread_sigmask(SIG_SETMASK, &all, &before);  /* the program's signals are not for that thread */
            began = !pthread_create(&thread, NULL, last, NULL) && !pthread_detach(thread);
            pthread_sigmask(SIG_SETMASK, &before, NULL);
        }
        if (!began || number < 1 || number >= SIGNALS || sigaction(number, NULL, &of_python[number]))
            return -1;
        ours = of_python[number];
        ours.sa_handler = on_signal;
        return sigaction(number, &ours, NULL);
    }
    #endif
    """
    int gilkit_heed(int number)
    int gilkit_asked(double patience) nogil
    int gilkit_heard()
    void gilkit_end(int number) nogil


def heed(int number):
    """Let a signal that Python has a handler for end the process after a second, if that handler is not called.

    It holds until another handler is set.
    """
    return gilkit_heed(number) == 0


def asked(double patience):
    """Wait without the GIL until such a signal has come, and ``patience`` seconds more; return its number."""
    cdef int number
    with nogil:
        number = gilkit_asked(patience)
    return number


def heard():
    """Say that the end is being made; return whether nobody has said so before."""
    return bool(gilkit_heard())


def end(int number):
    """End the process by a signal, from any thread."""
    with nogil:
        gilkit_end(number)
