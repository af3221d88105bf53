// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "results/store_export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/text.h"

static int check_empty(int directory)
{
    int copy = dup(directory);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    int error = 0;

    if (stream == NULL) {
        error = errno;
        if (copy >= 0) {
            (void)close(copy);
        }
        return error;
    }
    do {
        errno = 0;
        entry = readdir(stream);
        error = entry == NULL ? errno : 0;
    } while (entry != NULL &&
             (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    (void)closedir(stream);
    return entry != NULL ? ENOTEMPTY : error;
}

int results_store_export_open(struct results_store_export *out, const char *directory)
{
    out->directory = -1;
    out->fd = -1;
    out->error = 0;
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        return errno;
    }
    out->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->directory < 0) {
        return errno;
    }
    return check_empty(out->directory);
}

static void close_file(struct results_store_export *out)
{
    if (out->fd >= 0 && close(out->fd) != 0 && out->error == 0) {
        out->error = errno;
    }
    out->fd = -1;
}

void results_store_export_piece(void *context, const char *name, uint64_t offset,
                                const void *bytes, size_t size)
{
    struct results_store_export *out = context;

    if (out->error != 0) {
        return;
    }
    if (offset == 0) {
        close_file(out);
        out->fd = openat(out->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (out->fd < 0) {
            out->error = errno;
            return;
        }
    }
    if (size > 0 && out->error == 0) {
        out->error = results_write_bytes(out->fd, bytes, size);
    }
}

int results_store_export_close(struct results_store_export *out)
{
    close_file(out);
    if (out->directory >= 0) {
        (void)close(out->directory);
    }
    out->directory = -1;
    return out->error;
}
