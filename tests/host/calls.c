// SPDX-License-Identifier: GPL-3.0-or-later
//
// The wrapped system calls. They have no context, so what they do is told by the one object of this
// file; the host makes them in threads of the pool, one at a time, the test sets it in between.
#define _GNU_SOURCE
#include "host/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t let_go;
    enum calls_fault fault;
    unsigned nth;
    const char *only;
    int os_error;
    int64_t stall_ns; // 0: until it is let go
    unsigned count;
    const char *name; // of the call that met it
    bool over;
} calls = {.mutex = PTHREAD_MUTEX_INITIALIZER, .let_go = PTHREAD_COND_INITIALIZER};

static void arm(enum calls_fault fault, unsigned nth, const char *only, int os_error,
                int64_t stall_ns)
{
    pthread_mutex_lock(&calls.mutex);
    calls.fault = fault;
    calls.nth = nth;
    calls.only = only;
    calls.os_error = os_error;
    calls.stall_ns = stall_ns;
    calls.count = 0;
    calls.name = NULL;
    calls.over = false;
    pthread_mutex_unlock(&calls.mutex);
}

void calls_fail(unsigned nth, int os_error)
{
    arm(CALLS_FAIL, nth, NULL, os_error, 0);
}

void calls_stall(unsigned nth, const char *only, int64_t stall_ns)
{
    arm(CALLS_STALL, nth, only, 0, stall_ns);
}

void calls_stop(unsigned nth)
{
    arm(CALLS_STOP, nth, NULL, 0, 0);
}

void calls_hold(unsigned nth, const char *only)
{
    arm(CALLS_STALL, nth, only, 0, 0);
}

void calls_let_go(void)
{
    pthread_mutex_lock(&calls.mutex);
    calls.over = true;
    pthread_cond_signal(&calls.let_go);
    pthread_mutex_unlock(&calls.mutex);
}

bool calls_met(void)
{
    return calls_name()[0] != '\0';
}

bool calls_over(void)
{
    pthread_mutex_lock(&calls.mutex);
    bool over = calls.over;
    pthread_mutex_unlock(&calls.mutex);
    return over;
}

const char *calls_name(void)
{
    pthread_mutex_lock(&calls.mutex);
    const char *name = calls.name != NULL ? calls.name : "";
    pthread_mutex_unlock(&calls.mutex);
    return name;
}

// Lasts until it is let go, or over.
static void stall(void)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (time_t)((end.tv_nsec + calls.stall_ns) / 1000000000);
    end.tv_nsec = (long)((end.tv_nsec + calls.stall_ns) % 1000000000);
    while (!calls.over) {
        if (calls.stall_ns == 0) {
            pthread_cond_wait(&calls.let_go, &calls.mutex);
        } else if (pthread_cond_timedwait(&calls.let_go, &calls.mutex, &end) == ETIMEDOUT) {
            calls.over = true;
        }
    }
}

// True if this call is the one that fails; errno is set. A stall ends in here.
static bool meets(const char *name)
{
    bool fails = false;

    pthread_mutex_lock(&calls.mutex);
    if (calls.fault != CALLS_NONE && (calls.only == NULL || strcmp(calls.only, name) == 0)) {
        calls.count++;
        if (calls.count == calls.nth) {
            calls.name = name;
            fails = calls.fault == CALLS_FAIL;
            if (calls.fault == CALLS_STALL) {
                stall();
            } else if (calls.fault == CALLS_STOP) {
                (void)raise(SIGSTOP);
            }
        }
    }
    int os_error = calls.os_error;
    pthread_mutex_unlock(&calls.mutex);
    if (fails) {
        errno = os_error;
    }
    return fails;
}

// --- the calls ----------------------------------------------------------------------------------

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
struct dirent *__real_readdir(DIR *stream);
struct dirent *__wrap_readdir(DIR *stream);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_rmdir(const char *path);
int __wrap_rmdir(const char *path);
int __real_unlinkat(int directory, const char *path, int flags);
int __wrap_unlinkat(int directory, const char *path, int flags);
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __real_pread(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_close(int fd);
int __wrap_close(int fd);

static mode_t mode_of(int flags, va_list list)
{
    return (flags & O_CREAT) != 0 ? (mode_t)va_arg(list, unsigned) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list list;

    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return meets("open") ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int directory, const char *path, int flags, ...)
{
    va_list list;

    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return meets("openat") ? -1 : __real_openat(directory, path, flags, mode);
}

DIR *__wrap_fdopendir(int fd)
{
    return meets("fdopendir") ? NULL : __real_fdopendir(fd);
}

struct dirent *__wrap_readdir(DIR *stream)
{
    return meets("readdir") ? NULL : __real_readdir(stream);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return meets("mkdir") ? -1 : __real_mkdir(path, mode);
}

int __wrap_rmdir(const char *path)
{
    return meets("rmdir") ? -1 : __real_rmdir(path);
}

int __wrap_unlinkat(int directory, const char *path, int flags)
{
    return meets("unlinkat") ? -1 : __real_unlinkat(directory, path, flags);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    if (meets("write")) {
        int os_error = errno;
        ssize_t n = __real_write(fd, bytes, size / 2);

        errno = n >= 0 ? os_error : errno;
        return -1;
    }
    return __real_write(fd, bytes, size);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset)
{
    return meets("pread") ? -1 : __real_pread(fd, bytes, size, offset);
}

int __wrap_fsync(int fd)
{
    return meets("fsync") ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
    return meets("fdatasync") ? -1 : __real_fdatasync(fd);
}

int __wrap_close(int fd)
{
    bool fails = meets("close");
    int os_error = errno;
    int result = __real_close(fd);

    errno = fails ? os_error : errno;
    return fails ? -1 : result;
}
