// SPDX-License-Identifier: GPL-3.0-or-later
//
// A small in-memory master for tests of the job: a disk that outlives it, commands as a readable
// trace, faults at the n-th storage operation or allocation. It carries out what the library says
// and decides nothing itself.
#ifndef RECOUP_TESTS_RECOVERY_SUPPORT_JOB_H
#define RECOUP_TESTS_RECOVERY_SUPPORT_JOB_H

#include <stdio.h>

#include "recovery/recoup.h"

#define SECOND INT64_C(1000000000)

enum {
    DISK_FILES_MAX = 128,
    MASTER_TRACE_MAX = 1 << 16,
    MASTER_LIST_MAX = 4096,
};

struct disk_file {
    char name[32];
    uint8_t *data;
    size_t size;
    size_t durable;      // bytes that survive a crash
    uint64_t event_last; // of what is appended, of this incarnation
};

struct disk {
    struct disk_file files[DISK_FILES_MAX];
    unsigned n;
    bool made;
};

void disk_init(struct disk *disk);
void disk_release(struct disk *disk);
void disk_copy(struct disk *to, const struct disk *from);
// Forgets what no durable operation has covered.
void disk_crash(struct disk *disk);
size_t disk_bytes(const struct disk *disk);

enum moment { MOMENT_BEFORE, MOMENT_MID, MOMENT_AFTER };

struct asked {
    uint32_t snapshot;
    uint32_t coordinator;
};

struct master {
    struct recoup_job *job;
    struct disk *disk;
    struct recoup_graph graph;
    struct recoup_options options;
    struct recoup_storage storage;
    struct recoup_limits limits;
    int64_t now_ns;
    uint64_t epoch;
    uint32_t attempts; // given out in this incarnation

    bool busy; // an I/O operation is under way
    struct recoup_action io;
    bool hold_io;        // the test steps I/O itself
    bool hold_snapshots; // the test answers snapshots itself
    bool hold_resets;    // the test confirms resets itself
    bool hold_adoptions; // the test answers questions about late outputs itself; else all is agreed
    uint32_t adoption;   // the question that is not answered, 0: none
    struct recoup_range offered[MASTER_LIST_MAX]; // by it
    unsigned n_offered;
    struct asked asked[MASTER_LIST_MAX];
    unsigned n_asked;
    uint32_t resets[MASTER_LIST_MAX];
    unsigned n_resets;

    unsigned operations; // storage operations so far
    unsigned fail_from;  // operations fail_from .. fail_to - 1 fail with fail_error
    unsigned fail_to;
    int fail_error;
    unsigned crash_at; // operation at which the master dies, UINT32_MAX: never
    enum moment crash_moment;
    bool crashed;

    unsigned allocations;      // so far
    unsigned allocation_fails; // the one that fails, UINT32_MAX: none
    int64_t bytes;             // allocated now

    bool asking;
    bool recovered;
    bool stopped;
    enum recoup_recovered_kind kind;
    bool initialize_possible;
    bool check_completion;
    int recovery_error; // of RECOVERY_FAILED
    int stop_error;     // of STOPPED
    bool job_ended;
    int protection_error;
    unsigned n_lost;
    unsigned n_restored;
    unsigned n_ended; // RECOVERED and RECOVERY_FAILED
    uint64_t durable; // the DURABLE watermark
    uint64_t on_disk; // last event that survives a crash: while recording is off it stands still
    uint64_t covered; // last event whose bytes a durable operation covered
    uint64_t event;   // number of the last event
    struct recoup_partition tracked[MASTER_LIST_MAX];
    unsigned n_tracked;
    struct recoup_partition released[MASTER_LIST_MAX];
    unsigned n_released;
    struct recoup_reset_range reset[MASTER_LIST_MAX]; // all ranges so far
    unsigned n_reset;
    char trace[MASTER_TRACE_MAX];
    size_t trace_length;
    bool trace_io; // I/O operations and DURABLE too

    // What the workers hold. It outlives masters; RELEASE and lost workers empty it.
    struct recoup_partition held[MASTER_LIST_MAX];
    unsigned n_held;
    void (*on_event)(void *context, const struct recoup_event *event, uint64_t number);
    void *context;
};

// A master without a job: storage durable at flush, snapshots and resets answered at once.
void master_init(struct master *master, struct disk *disk, const struct recoup_graph *graph,
                 enum recoup_profile profile);
// Creates the job and steps START.
int master_start(struct master *master, uint64_t epoch);
int master_create(struct master *master);
// The master dies (or is put away); the disk keeps what is durable.
void master_crash(struct master *master);
// The next master on the same disk.
void master_restart(struct master *master, uint64_t epoch);

// Steps `event`, repeated once after RECOUP_ENOMEM, and all that follows at this instant.
int master_step(struct master *master, const struct recoup_event *event);
// Only the one step.
int master_step_once(struct master *master, const struct recoup_event *event);
// Storage, snapshots and resets, until nothing is left to do at this instant.
void master_settle(struct master *master);
// Carries out the operation under way, and steps its end.
void master_io(struct master *master);
// Goes on to `now_ns`, with every timer on the way.
void master_advance(struct master *master, int64_t now_ns);

int master_initialize(struct master *master, uint32_t stage, uint32_t parallelism);
// A new attempt of the subtask finished, on worker `subtask % 4`, its partition kept there.
int master_finish(struct master *master, uint32_t stage, uint32_t subtask);
int master_finish_on(struct master *master, uint32_t stage, uint32_t subtask, uint32_t worker,
                     bool has_partition);
int master_fail(struct master *master, uint32_t stage, uint32_t first, uint32_t count);
int master_report(struct master *master, uint32_t worker, const struct recoup_partition *partitions,
                  uint32_t n);
// Every worker 0 .. 3 reports what it holds.
void master_report_held(struct master *master);
// Answers the question about late outputs with these ranges; only the one step.
int master_adopt(struct master *master, const struct recoup_range *ranges, uint32_t n);
int master_lose_worker(struct master *master, uint32_t worker);
int master_lose_partition(struct master *master, uint32_t stage, uint32_t subtask);
int master_snapshot(struct master *master, uint32_t snapshot, uint32_t coordinator, bool failed,
                    const void *data, size_t size);
int master_timer(struct master *master);

bool master_finished(const struct master *master, uint32_t stage, uint32_t subtask);
uint64_t master_attempt(const struct master *master, uint32_t stage, uint32_t subtask);
// All partitions of finished subtasks, as workers hold them. Returns how many.
unsigned master_partitions(const struct master *master, struct recoup_partition *partitions);
void master_hash(const struct master *master, uint8_t hash[16]);
void master_clear_trace(struct master *master);

#endif
