// SPDX-License-Identifier: Apache-2.0
//
// The state of the host in memory, shared by host.c (operations) and crash.c (crash states).
#ifndef RECOUP_RECOVERY_TESTING_HOST_INTERNAL_H
#define RECOUP_RECOVERY_TESTING_HOST_INTERNAL_H

#include "recovery/memory.h"
#include "recovery/testing/host.h"

#define TESTING_NAME_MAX 32u // as in struct recoup_action

struct testing_file {
    char name[TESTING_NAME_MAX];
    uint8_t *bytes;
    uint64_t size; // all that was appended
    uint32_t capacity;
    uint64_t durable; // of them: survive a power loss
    uint64_t kept;    // of them: survive the death of the process
    bool used;        // else the slot is free
    bool linked;      // a client finds the name
    bool linked_durably;
    bool open;
};

enum testing_write_kind {
    TESTING_WRITE_CREATE,
    TESTING_WRITE_APPEND,
    TESTING_WRITE_REMOVE,
    TESTING_WRITE_PUBLISH, // the close of an object, under way at the crash
    TESTING_WRITE_KEEP,    // a flush, sync or close under way, seen by the death of the process
};

struct testing_write { // not durable yet
    enum testing_write_kind kind;
    uint32_t file;
    uint64_t offset; // APPEND
    uint64_t size;   // APPEND
};

struct recoup_testing_host {
    struct recoup__memory memory;
    struct recoup_testing_device device;
    bool directory;
    struct testing_file *files; // slots; indices never move
    uint32_t n_files;
    uint32_t files_capacity;
    struct testing_write *writes;
    uint32_t n_writes;
    uint32_t writes_capacity;
    const char **names; // of the last listing
    uint32_t names_capacity;
    struct recoup_testing_fault fault;
    uint32_t fired;
    uint64_t operations[RECOUP_ACTION_REMOVE + 1];
    bool interrupted;            // an operation was under way; nothing but a crash may follow
    struct testing_write flight; // what it would have done, if n_flight
    uint32_t n_flight;           // 0 or 1
};

// Appends `size` bytes to a file's content. RECOUP_ENOMEM or RECOUP_ELIMIT: unchanged.
int testing_file_append(struct recoup_testing_host *host, struct testing_file *file,
                        const void *bytes, uint64_t size);
// Gives a slot back.
void testing_file_release(struct recoup_testing_host *host, struct testing_file *file);
// Notes a write that is not durable. RECOUP_ENOMEM.
int testing_write_note(struct recoup_testing_host *host, enum testing_write_kind kind,
                       uint32_t file, uint64_t offset, uint64_t size);
// A file by the name that a client finds, or that it has open (an object's name is not there yet);
// NULL if there is none.
struct testing_file *testing_find(struct recoup_testing_host *host, const char *name);
struct testing_file *testing_find_open(struct recoup_testing_host *host, const char *name);
uint32_t testing_index(const struct recoup_testing_host *host, const struct testing_file *file);
// The effect of CREATE.
int testing_create(struct recoup_testing_host *host, const char *name);
// Frees slots that nobody can see any more.
void testing_collect(struct recoup_testing_host *host);

#endif
