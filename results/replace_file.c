// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "results/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_durably(const char *path, const struct results_text *text, int flags)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
    int error;

    if (fd < 0) {
        return errno;
    }
    error = results_text_write(text, fd);
    if (error == 0 && flags != 0 && fsync(fd) != 0) {
        error = errno;
    }
    if (close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

// A symbolic link keeps pointing to the file, which is replaced where it really is.
static int replace(const char *target, const struct results_text *text, uint64_t unique,
                   const struct stat *old)
{
    size_t size = strlen(target) + sizeof(".18446744073709551615.tmp");
    char *written = malloc(size);
    int error;

    if (written == NULL) {
        return ENOMEM;
    }
    (void)snprintf(written, size, "%s.%" PRIu64 ".tmp", target, unique);
    error = write_durably(written, text, O_CREAT | O_TRUNC);
    if (error == 0 && old != NULL && chmod(written, old->st_mode & 0777) != 0) {
        error = errno;
    }
    if (error == 0 && rename(written, target) != 0) {
        error = errno;
    }
    if (error != 0) {
        (void)unlink(written);
    }
    free(written);
    return error;
}

int results_replace_file(const char *path, const struct results_text *text, uint64_t unique)
{
    struct stat status;
    char *real;
    int error;

    if (text->failed) {
        return ENOMEM;
    }
    if (stat(path, &status) != 0) {
        return errno == ENOENT ? replace(path, text, unique, NULL) : errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return write_durably(path, text, 0);
    }
    real = realpath(path, NULL);
    if (real == NULL) {
        return errno;
    }
    error = replace(real, text, unique, &status);
    free(real);
    return error;
}
