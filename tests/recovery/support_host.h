// SPDX-License-Identifier: GPL-3.0-or-later
//
// A small host in memory for tests of the event store: a directory of files, an allocator that can
// fail, a fault for one operation, virtual time, and a log of what the store asked for that reads
// as a story.
#ifndef TESTS_RECOVERY_SUPPORT_HOST_H
#define TESTS_RECOVERY_SUPPORT_HOST_H

#include "check.h"
#include "recovery/format.h"
#include "recovery/store.h"

#define SECOND INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)
#define HOST_FILES 64
#define HOST_RECORDS 8192
#define HOST_SETTLED 128

struct host_file {
    char name[32];
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    bool exists;
};

struct host_record {  // as delivered by on_record
    enum recoup__record_type type;
    struct recoup__position position;
    uint32_t stage;
    uint32_t subtask;
    uint32_t n_snapshots;
    bool replaces;
    uint32_t shuffle_size;  // UINT32_MAX: none
};

struct host_fault {
    bool armed;
    enum recoup_action_type type;
    unsigned nth;  // from 1: the n-th operation of this type from now on
    int error;
    bool forever;
};

struct host {
    // Memory
    uint64_t allocations;
    uint64_t fail_at;  // the allocation with this number fails; 0: none
    uint64_t live_blocks;
    uint64_t largest;

    // Storage
    bool directory;
    struct host_file files[HOST_FILES];
    struct host_fault fault;
    bool fault_lands;  // the operation that it strikes takes effect all the same
    unsigned fired;  // how often it struck
    bool manual;     // operations wait for host_complete()
    bool lists_twice;  // each name, as readdir may while a directory changes

    // The store
    struct recoup_options options;
    struct recoup_storage storage;
    struct recoup_limits limits;
    uint8_t digest[16];
    struct recoup__memory memory;
    struct recoup__actions actions;
    struct recoup__store *store;
    int64_t now_ns;
    uint64_t epoch;
    bool first;  // no master came before
    bool busy;
    struct recoup_action operation;
    uint8_t copy[4096];  // of the data of the append under way, to see that it stays unchanged

    // What the store said
    char log[65536];
    size_t log_size;
    bool quiet;  // nothing goes into the log
    uint64_t operations[RECOUP_ACTION_REMOVE + 1];
    unsigned in_flight_max;
    uint64_t durable;
    bool throttled;
    unsigned lost;
    int lost_error;
    unsigned restored;
    struct host_record records[HOST_RECORDS];
    uint32_t n_records;
    uint32_t settled[HOST_SETTLED];
    uint64_t carriers[HOST_SETTLED];
    uint32_t n_settled;

    // What the job does
    uint32_t checkpoint_records;  // of a checkpoint
    uint32_t checkpoint_next;
    unsigned checkpoints;  // started
    unsigned checkpoint_calls;
    int on_record_error;   // returned once for record number on_record_at (from 1)
    uint32_t on_record_at;
};

// A host with an empty directory and the options of a profile; durable at flush.
struct host *host_create(enum recoup_profile profile);
void host_destroy(struct host *host);  // checks that the store has given back all memory

// A new master: creates the store and opens it with the next epoch. host_start leaves the
// operations to host_run; host_open runs them and checks that the store is OPEN.
int host_start(struct host *host);
void host_open(struct host *host);
// The process dies: the store is destroyed, the files stay.
void host_crash(struct host *host);
// Orderly end, then the store is destroyed.
void host_stop(struct host *host, bool clear);

void host_run(struct host *host);                  // completes operations until none is under way
void host_complete(struct host *host, int error);  // completes the one under way
int host_step_io(struct host *host, int error);    // the same, with the store's answer
void host_advance(struct host *host,
                  int64_t to_ns);  // time passes; timers fire; operations complete

// A FINISHED record of stage 1; returns its number.
uint64_t host_finish(struct host *host, uint32_t subtask, uint32_t flags);
uint64_t host_finish_waiting(struct host *host, uint32_t subtask, uint32_t flags,
                             uint32_t snapshot);
void host_snapshot(struct host *host, uint32_t snapshot, uint32_t coordinator, bool failed);
uint64_t host_write(struct host *host, const struct recoup__record *record, uint32_t flags);
struct recoup__record host_finished(uint32_t subtask);
uint64_t host_incarnation(struct host *host);  // with flag DURABLE

struct host_file *host_file(struct host *host, const char *name);  // NULL if it does not exist
struct host_file *host_put(struct host *host, const char *name, const void *bytes, size_t size);
uint32_t host_n_files(const struct host *host);
void host_clear_log(struct host *host);

#endif
