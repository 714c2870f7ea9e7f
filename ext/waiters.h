/* Which threads of this process wait at a place in memory, as the system tells: Linux, where /proc is mounted. */
#ifndef GILKIT_WAITERS_H
#define GILKIT_WAITERS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __linux__
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define GILKIT_LISTED 512 /* threads that are looked at: each takes some ten microseconds */

/* Write down the native ids of threads that are in a futex call on one of so many bytes, as many as there is room
   for. Returns how many there are; -1 where that is not told. Called with or without the GIL. */
static inline int gilkit_waiters(uintptr_t from, size_t bytes, unsigned long *found, int room) {
#if defined(__linux__) && defined(SYS_futex)
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    int count = 0, told = 0, listed = 0;
    if (tasks == NULL)
        return -1;
    while ((task = readdir(tasks)) != NULL && count < room && listed < GILKIT_LISTED) {
        unsigned long native = strtoul(task->d_name, NULL, 10);
        char path[64], text[64], *end;
        ssize_t length;
        int file;
        if (native == 0)
            continue;
        listed++;
        snprintf(path, sizeof(path), "/proc/self/task/%lu/syscall", native);
        if ((file = open(path, O_RDONLY | O_CLOEXEC)) < 0)
            continue; /* it has ended */
        length = read(file, text, sizeof(text) - 1);
        close(file);
        if (length <= 0)
            continue;
        told++;
        text[length] = '\0'; /* "running", or the call's number and its arguments */
        if (strtol(text, &end, 10) == SYS_futex && end != text) {
            uintptr_t at = (uintptr_t)strtoull(end, NULL, 16);
            if (at >= from && at - from < bytes)
                found[count++] = native;
        }
    }
    closedir(tasks);
    return told ? count : -1;
#else
    (void)from; (void)bytes; (void)found; (void)room;
    return -1;
#endif
}

#endif
