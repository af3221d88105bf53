// SPDX-License-Identifier: Apache-2.0
//
// One job: the phases, what recovery still has to do, and the parts that do it. Internal to
// recovery/.
//
// Phases and their successors (the table is in job.c; an invariant is checked after each move):
//
//   created -> opening -> replaying -> waiting -> reconciling -> running -> stopping -> stopped
//
//   created -> running       recovery is disabled
//   opening -> running       nothing to recover, or the store cannot be opened
//   replaying -> opening     recovery failed, the log is being removed
//   replaying -> running     recovery failed, the log is left alone
//   any -> stopping, stopped STOP, LEADERSHIP_LOST, a fenced master
#ifndef RECOUP_RECOVERY_JOB_H
#define RECOUP_RECOVERY_JOB_H

#include "recovery/closure.h"
#include "recovery/release.h"
#include "recovery/replay.h"
#include "recovery/reports.h"
#include "recovery/snapshot.h"
#include "recovery/state.h"
#include "recovery/store.h"

// What recovery does next, in this order. Each part is done as a whole or, without memory, not at
// all; it is then tried again with the next step.
enum recoup__work {
    RECOUP__WORK_NONE,
    RECOUP__WORK_WIPE,         // recovery failed: the log is removed
    RECOUP__WORK_INCARNATION,  // opens this master's log
    RECOUP__WORK_APPLY,        // the picture of the log becomes the job's state
    RECOUP__WORK_COORDINATORS, // resets caused by coordinators
    RECOUP__WORK_CLASSIFY,     // what must be reported; then WAITING
    RECOUP__WORK_CONCLUDE,     // the wait is over: track and release
    RECOUP__WORK_MISSING,      // resets of producers of missing partitions
    RECOUP__WORK_LOG_RESETS,   // they, and the trim, are recorded
    RECOUP__WORK_DURABLE,      // waits until that is durable
    RECOUP__WORK_RECOVERED,
    RECOUP__WORK_LOSSES, // running again: losses since the wait are reset
};

struct recoup__reset { // a reset that the host has not confirmed yet
    uint32_t id;
    struct recoup_range *ranges;
    uint32_t n_ranges;
};

struct recoup__worker { // recovery.wait = extend: a former worker with needed partitions
    uint32_t worker;
    bool used;
    bool reported;
};

struct recoup_job {
    struct recoup__memory memory;
    struct recoup_options options;
    struct recoup__graph graph;
    struct recoup__state state;
    struct recoup__closure closure;
    struct recoup__snapshots snapshots;
    struct recoup__releases releases;
    struct recoup__actions actions;
    struct recoup__store *store; // NULL while recovery is disabled

    enum recoup_phase phase;
    int64_t now_ns;
    uint64_t epoch;
    int64_t start_ns;

    // Resets that wait for RESETS_DONE, in the order of their ids.
    struct recoup__reset *resets;
    uint32_t n_resets;
    uint32_t resets_capacity;
    uint32_t reset_id;

    // Recovery.
    enum recoup__work work;
    struct recoup__replay replay;
    bool has_replay;
    bool nothing;   // the store holds nothing to recover
    bool no_point;  // trim = all found no recovery point: nothing is restored or reset
    bool timed_out; // the wait has run into its end
    bool losses;    // something was lost after the wait and before RUNNING
    bool asking;    // ASK_WORKERS is on
    bool failing;   // the log is being removed after a failure
    int failure;    // its code
    struct recoup__reports reports; // before CLASSIFY: all that was reported; then: what is to go
    uint64_t in_log;  // subtasks that the log holds as finished, before trim and resets
    uint64_t missing; // needed partitions that nobody has reported yet
    int64_t wait_end_ns;
    struct recoup__worker *workers; // open addressing; size is a power of two
    uint32_t workers_size;
    uint32_t workers_silent; // of them, without a report
    uint64_t durable_wait;   // event that must be durable before RECOVERED, 0: none
    int64_t accept_ns;       // limit of that wait
    int64_t accept_end_ns;   // its end
    int store_error;         // why the store has been given up
    int64_t store_error_ns;  // when, if it was what ended protection
    uint64_t finished_recovered;

    // Adoption of late outputs: see adopt.h.
    uint64_t n_withdrawn; // subtasks
    uint32_t adoption;    // id of the last question
    bool adoption_due;    // something has come back since then
    struct recoup_partition replaced; // RELEASE of this step: the output of a withdrawn subtask

    // Checkpoint under way.
    uint32_t checkpoint_stage;
    uint32_t checkpoint_subtask;
    unsigned checkpoint_part;

    uint64_t recovery_point_event;
    bool broken_reported;
};

// job.c
void recoup__job_move(struct recoup_job *job, enum recoup_phase phase);
int64_t recoup__job_policy(const struct recoup_job *job, enum recoup_policy policy);
// True if the log can be written to.
bool recoup__job_records(const struct recoup_job *job);
// Writes a record, or drops it (number 0) while nothing can be recorded.
int recoup__job_write(struct recoup_job *job, const struct recoup__record *record, unsigned flags,
                      uint64_t *sequence);
// Frees what only recovery needs.
void recoup__job_forget_recovery(struct recoup_job *job);

// reset.c: applies the set in job->closure, if it is not empty, and clears it, whatever happens.
// With `confirm` the host is to answer. RECOUP_ENOMEM: the state is unchanged.
int recoup__job_reset(struct recoup_job *job, bool confirm, uint64_t *sequence);
int recoup__job_resets_done(struct recoup_job *job, uint32_t id, uint64_t *sequence);
int recoup__job_global_failure(struct recoup_job *job, uint64_t *sequence);
void recoup__job_forget_resets(struct recoup_job *job);
// Records that the ranges were taken back, in as many records as it takes. Room has been reserved
// with recoup__job_reserve_reset. *sequence is the number of the last one.
int recoup__job_reserve_reset(struct recoup_job *job, uint32_t n_ranges);
int recoup__job_record_reset(struct recoup_job *job, const struct recoup_range *ranges,
                             uint32_t n_ranges, unsigned flags, uint64_t *sequence);

// running.c: events of normal running.
int recoup__job_stage_initialized(struct recoup_job *job, const struct recoup_event *event,
                                  uint64_t *sequence);
int recoup__job_subtask_finished(struct recoup_job *job, const struct recoup_event *event,
                                 uint64_t *sequence);
int recoup__job_subtasks_failed(struct recoup_job *job, const struct recoup_event *event,
                                uint64_t *sequence);
int recoup__job_snapshot(struct recoup_job *job, const struct recoup_event *event);
int recoup__job_worker_lost(struct recoup_job *job, uint32_t worker, uint64_t *sequence);
// Resets the producers of all lost partitions that are needed, with all that follows.
int recoup__job_reset_missing(struct recoup_job *job, uint64_t *sequence);
int recoup__job_partition_lost(struct recoup_job *job, const struct recoup_partition *partition,
                               uint64_t *sequence);

// Starts the picture of the log, if there is none yet.
int recoup__job_begin_replay(struct recoup_job *job);

// apply.c: from the picture of the log to the state.
int recoup__job_apply(struct recoup_job *job);
int recoup__job_coordinator_resets(struct recoup_job *job);

// reconcile.c: the wait for partitions (specification 4.7).
int recoup__job_report(struct recoup_job *job, uint32_t worker,
                       const struct recoup_partition *partitions, uint32_t n);
int recoup__job_classify(struct recoup_job *job);
int recoup__job_conclude(struct recoup_job *job);
int recoup__job_missing(struct recoup_job *job);
int recoup__job_log_resets(struct recoup_job *job);
// A worker is lost before RUNNING: what it reported does not count.
void recoup__job_forget_worker(struct recoup_job *job, uint32_t worker);
void recoup__job_forget_partition(struct recoup_job *job, const struct recoup_partition *partition);
bool recoup__job_wait_over(const struct recoup_job *job);
int64_t recoup__job_wait_deadline(const struct recoup_job *job);

// recover.c: the sequence of works.
// Does what recovery can do now. RECOUP_ENOMEM: the rest is tried again later.
int recoup__job_continue(struct recoup_job *job);
// The store has opened, or failed to.
void recoup__job_opened(struct recoup_job *job);

// checkpoint.c: see the callback of store.h.
int recoup__job_checkpoint(void *context, bool first, bool *done);
// True while a finish that is recorded now stands behind the boundary of a checkpoint under way.
bool recoup__job_behind_boundary(const struct recoup_job *job);

#endif
