// SPDX-License-Identifier: GPL-3.0-or-later
//
// The scalars of a run's result as columns of the table `run`: every number of contract.md section
// 3, its path joined by `_`. One list, from which the table, its rows and its tests come.
#ifndef RECOUP_RESULTS_COLUMNS_H
#define RECOUP_RESULTS_COLUMNS_H

#include "results/run.h"

// X(column, nullable, expression) with `run` (struct results_run) and `r` (struct model_result) in
// scope.
#define RESULTS_COLUMNS(X)                                                                         \
    X(events, 0, r->events)                                                                        \
    X(job_makespan_ns, 0, r->makespan_ns)                                                          \
    X(job_faultless_makespan_ns, 1, run->faultless_makespan_ns)                                    \
    X(job_delay_ns, 1, r->makespan_ns - run->faultless_makespan_ns)                                \
    X(job_tasks, 0, r->tasks)                                                                      \
    X(job_attempts, 0, r->attempts)                                                                \
    X(job_tasks_rerun, 0, r->tasks_rerun)                                                          \
    X(job_failovers, 0, r->n_failovers)                                                            \
    X(job_outage_ns, 0, r->outage_ns)                                                              \
    X(job_finished_forgotten, 0, r->finished_forgotten)                                            \
    X(job_busy_ns, 0, r->busy_ns)                                                                  \
    X(job_useful_ns, 0, r->useful_ns)                                                              \
    X(job_lost_work_ns, 0, r->lost_ns)                                                             \
    X(job_orphaned_ns, 0, r->orphaned_ns)                                                          \
    X(io_event_store_events, 0, r->io.events)                                                      \
    X(io_event_store_bytes, 0, r->io.bytes)                                                        \
    X(io_event_store_appends, 0, r->io.appends)                                                    \
    X(io_event_store_flushes, 0, r->io.flushes)                                                    \
    X(io_event_store_syncs, 0, r->io.syncs)                                                        \
    X(io_event_store_files, 0, r->io.files)                                                        \
    X(io_event_store_snapshots, 0, r->io.snapshots)                                                \
    X(io_event_store_snapshot_bytes, 0, r->io.snapshot_bytes)                                      \
    X(io_replay_bytes, 0, r->io.replay_bytes)                                                      \
    X(io_replay_reads, 0, r->io.replay_reads)                                                      \
    X(io_requests_create, 0, r->io.requests[MODEL_STORAGE_CREATE])                                 \
    X(io_requests_append, 0, r->io.requests[MODEL_STORAGE_APPEND])                                 \
    X(io_requests_flush, 0, r->io.requests[MODEL_STORAGE_FLUSH])                                   \
    X(io_requests_sync, 0, r->io.requests[MODEL_STORAGE_SYNC])                                     \
    X(io_requests_close, 0, r->io.requests[MODEL_STORAGE_CLOSE])                                   \
    X(io_requests_read, 0, r->io.requests[MODEL_STORAGE_READ])                                     \
    X(io_requests_list, 0, r->io.requests[MODEL_STORAGE_LIST])                                     \
    X(io_requests_remove, 0, r->io.requests[MODEL_STORAGE_REMOVE])                                 \
    X(io_requests_mkdir, 0, r->io.requests[MODEL_STORAGE_MKDIR])                                   \
    X(io_cost_nanousd, 0, r->io.cost_nanousd)                                                      \
    X(protection_recording_ns, 0, r->recording_ns)                                                 \
    X(protection_unprotected_ns, 0, r->unprotected_ns)

enum results_column_id {
#define X(column, nullable, expression) RESULTS_COLUMN_##column,
    RESULTS_COLUMNS(X)
#undef X
        RESULTS_COLUMN_COUNT
};

struct results_column {
    const char *name; // "job_makespan_ns"
    bool nullable;    // null where the twin without faults was not computed
};

struct results_value {
    bool null;
    int64_t value; // counts and bytes above INT64_MAX are clamped to it
};

// The row of one column (id < RESULTS_COLUMN_COUNT); never NULL.
const struct results_column *results_column(uint32_t id);
// The values of a run, in the order of the columns.
void results_columns_fill(const struct results_run *run,
                          struct results_value values[RESULTS_COLUMN_COUNT]);

#endif
