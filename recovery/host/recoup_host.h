// SPDX-License-Identifier: Apache-2.0
//
// A host of librecoup for real files and a real clock, on a libuv loop of the engine.
//
// It does what recoup.h asks of a host: it carries out I/O operations in one directory, one at a
// time, in a thread of libuv's pool; it steps TIMER at recoup_deadline(); and it hands every
// command of an update to the engine, in order. What remains for the engine are the duties that
// only it can fulfil: D6 to D11 and D13 of recoup.h.
//
//   recoup_host_create, recoup_host_step(START), [events ...], recoup_host_step(STOP), the loop
//   runs until `stopped`, recoup_host_destroy, the loop runs until `destroyed`.
//
// THREADS. All calls and all callbacks happen on the loop's thread. The pool's threads only perform
// file operations, and touch nothing of the engine.
//
// RE-ENTRY. A command must not call recoup_host_step(): steps never overlap (D1), and what a
// command points to lives until the next step only. What a command is answered with (a snapshot,
// RESETS_DONE, a worker's report) is kept by the engine and given out by `next_event`, which is
// asked for more after every update, or stepped from another callback of the loop.
//
// A PROCESS that limits its file sizes (RLIMIT_FSIZE) has to ignore SIGXFSZ; the limit is then
// reported as RECOUP_ENOSPC.
#ifndef RECOUP_HOST_H
#define RECOUP_HOST_H

#include "recovery/recoup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s; // uv_loop_t of libuv
struct recoup_host;

#define RECOUP_HOST_PATH_MAX 4000u     // bytes of the directory's path
#define RECOUP_HOST_NAMES_MAX 4000000u // names in the directory: beyond it LIST is RECOUP_ELIMIT

// When the host calls bytes durable, which decides what DURABLE is worth, and its price.
enum recoup_host_durability {
    // They survive the death of the process (also SIGKILL), not that of the machine: the kernel has
    // them. Nothing is ever synced.
    RECOUP_HOST_PROCESS,
    // They survive the death of the machine after a sync. The library syncs at recovery points and
    // at stage ends, so DURABLE moves in these steps.
    RECOUP_HOST_MACHINE_AT_SYNC,
    // They survive the death of the machine after each flush, so DURABLE moves with the flush
    // interval; costs one fdatasync per flush.
    RECOUP_HOST_MACHINE_AT_FLUSH,
};

// What storage the host is, for a recoup_config of one's own.
void recoup_host_storage(enum recoup_host_durability durability, struct recoup_storage *storage);

// The code for an errno value (positive). Total: what has no code of its own is RECOUP_EIO.
int recoup_host_error(int os_error);

// A file operation that failed. It has been, or is about to be, told to the library, which decides
// what follows; this is for the log that a person reads.
struct recoup_host_failure {
    enum recoup_action_type operation;
    const char *call;      // what was tried: "write", "fsync of the directory"
    const char *directory; // valid during the call, as everything here
    const char *file;      // "" for the directory itself
    int os_error;          // errno
    int error;             // the code that the library gets
};

// The engine, as the host sees it: embed this struct and set every member (NULL is RECOUP_EINVAL,
// but for the last two).
// Each function is given `self` first. Arguments are those of the actions in recoup.h and live
// until the function returns.
struct recoup_host_engine {
    // The engine's next event, if it has one: fills *event and returns true. Data that the event
    // points to must live until `stepped`. Asked after each update until it returns false.
    bool (*next_event)(struct recoup_host_engine *self, struct recoup_event *event);
    // An event of next_event has been stepped, with this result and number (recoup_update.event).
    // Comes before the commands that follow from it. After RECOUP_ENOMEM it may be given again.
    void (*stepped)(struct recoup_host_engine *self, const struct recoup_event *event, int error,
                    uint64_t number);

    void (*take_snapshot)(struct recoup_host_engine *self, uint32_t snapshot, uint32_t coordinator);
    void (*initialize_stage)(struct recoup_host_engine *self, uint32_t stage, uint32_t parallelism);
    void (*mark_finished)(struct recoup_host_engine *self, const struct recoup_range *range);
    void (*restore_coordinator)(struct recoup_host_engine *self, uint32_t coordinator,
                                const void *data, size_t size);
    void (*reset_subtasks)(struct recoup_host_engine *self, uint32_t reset, bool confirm,
                           const struct recoup_reset_range *ranges, uint32_t n_ranges);
    void (*ask_workers)(struct recoup_host_engine *self, bool on);
    void (*track)(struct recoup_host_engine *self, const struct recoup_partition *partitions,
                  uint32_t n_partitions);
    void (*release)(struct recoup_host_engine *self, const struct recoup_partition *partitions,
                    uint32_t n_partitions);
    void (*durable)(struct recoup_host_engine *self, uint64_t event);
    void (*throttle)(struct recoup_host_engine *self, bool on);
    void (*protection_lost)(struct recoup_host_engine *self, int error);
    void (*protection_restored)(struct recoup_host_engine *self);
    void (*recovered)(struct recoup_host_engine *self, enum recoup_recovered_kind kind,
                      bool initialize_possible, bool check_completion);
    void (*recovery_failed)(struct recoup_host_engine *self, int error);
    // An earlier master ended the job: nothing is to be scheduled; `stopped` follows.
    void (*job_ended)(struct recoup_host_engine *self);
    // STOP is complete; `error` says why not all of it was done, see recoup.h.
    void (*stopped)(struct recoup_host_engine *self, int error);

    void (*storage_error)(struct recoup_host_engine *self,
                          const struct recoup_host_failure *failure);

    // Both or none: an engine without them makes anew what comes back late (D14). The answer to
    // ask_adoption is an event, like every other.
    void (*ask_adoption)(struct recoup_host_engine *self, uint32_t adoption,
                         const struct recoup_range *ranges, uint32_t n_ranges);
    void (*adopt_subtasks)(struct recoup_host_engine *self, const struct recoup_range *ranges,
                           uint32_t n_ranges);
};

struct recoup_host_config {
    struct uv_loop_s *loop;
    const char *directory; // of this job's log alone; made with its parents; copied
    enum recoup_host_durability durability;
    const struct recoup_graph *graph;
    const struct recoup_options *options;
    struct recoup_limits limits;
    struct recoup_allocator allocator; // of the job; zeroes: malloc and free
    struct recoup_host_engine *engine; // must outlive the host
    // A file that takes a recording of all events (recorder.h), to be looked into with `recoup
    // store replay`; NULL: none. It is made anew, holds all payloads and snapshots, and survives
    // the death of the process up to the last event. Each step costs a few writes of the calling
    // thread more. At recording_bytes_max (0: 1 GiB), and if it cannot be written, recording ends
    // and the job goes on: see recoup_host_recording(). If it cannot be made: RECOUP_EACCES.
    const char *recording;
    uint64_t recording_bytes_max;
};

// Creates a host and its job; touches no file yet. RECOUP_EINVAL for a member that is missing or
// out of range (a relative directory is taken from the working directory of each call), and what
// recoup_create() returns.
int recoup_host_create(const struct recoup_host_config *config, struct recoup_host **host);

// Steps an event of the engine (any but TIMER and IO) at the time of now, and carries out what
// follows. *number, which may be NULL, gets recoup_update.event before any command is given.
// Returns what recoup_step() returns; RECOUP_EMISUSE from within a command, for a TIMER or IO
// event, and after recoup_host_destroy().
int recoup_host_step(struct recoup_host *host, const struct recoup_event *event, uint64_t *number);

// The same for STOP: ends with `stopped`. With `clear` the log is removed, since the job has ended.
int recoup_host_stop(struct recoup_host *host, bool clear);

// Ends the host without stopping the job, as a crash would. No command is given any more, a file
// operation that waits is cancelled, and one under way is waited for: the memory is freed, and
// `destroyed` (may be NULL) called, from the loop, which must run until then. May be called from a
// command. Accepts NULL, and then calls nothing.
void recoup_host_destroy(struct recoup_host *host, void (*destroyed)(void *context), void *context);

// The job, for recoup_subtask(), recoup_stage(), recoup_stats(), recoup_state_hash() and
// recoup_phase(). Stepping it directly breaks the host.
const struct recoup_job *recoup_host_job(const struct recoup_host *host);

// 0 while events are recorded; else why not: RECOUP_ENOENT if it was not asked for, RECOUP_ELIMIT
// at its limit, or what the storage of the recording said.
int recoup_host_recording(const struct recoup_host *host);

int64_t recoup_host_now_ns(void); // the clock of the host's steps: CLOCK_MONOTONIC

#ifdef __cplusplus
}
#endif

#endif
