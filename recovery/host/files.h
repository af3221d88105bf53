// SPDX-License-Identifier: Apache-2.0
//
// The file operations of one job's directory, blocking. They run in a thread of the pool, one at a
// time, and allocate with malloc only, since a job's allocator belongs to the loop's thread.
#ifndef RECOUP_HOST_FILES_H
#define RECOUP_HOST_FILES_H

#include "recovery/host/recoup_host.h"

struct recoup__files {
    char *directory; // without a slash at the end, unless it is the root
    enum recoup_host_durability durability;
    int directory_fd; // -1: not open
    int fd;           // the file that is being written, -1: none
    char name[32];    // of that file
    bool unsynced;    // it has bytes that no sync covers
};

struct recoup__file_names {
    char *text;    // each name with its NUL, one behind the other
    size_t used;
    size_t capacity;
    const char **names; // made when the listing is complete
    uint32_t n;
};

struct recoup__file_operation {
    enum recoup_action_type type; // one of the I/O operations
    char file[32];
    const void *data; // APPEND
    uint64_t offset;  // READ
    size_t size;      // APPEND, READ
    void *buffer;     // READ: room for `size` bytes

    int os_error;     // result: 0 or errno
    const char *call; // what failed
    size_t size_read;
    struct recoup__file_names names; // LIST; released by recoup__file_names_release()
};

// Copies the path. RECOUP_EINVAL for an empty or too long one, RECOUP_ENOMEM.
int recoup__files_init(struct recoup__files *files, const char *directory,
                       enum recoup_host_durability durability);
// Closes what is open. Nothing is made durable by it.
void recoup__files_release(struct recoup__files *files);

// Carries out `operation` and sets its result.
void recoup__files_perform(struct recoup__files *files, struct recoup__file_operation *operation);

// True if the operation needs no system call, and thus no thread.
bool recoup__files_is_immediate(const struct recoup__files *files,
                                const struct recoup__file_operation *operation);

void recoup__file_names_release(struct recoup__file_names *names);

#endif
