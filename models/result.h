// SPDX-License-Identifier: GPL-3.0-or-later
//
// What one run leaves: the integers of contract.md section 3, ready to be printed or stored.
// Definitions of the metrics stand there. All memory belongs to the result (model_result_release
// frees it).
#ifndef RECOUP_MODELS_RESULT_H
#define RECOUP_MODELS_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "models/config.h"

enum model_job_state {
    MODEL_JOB_RUNNING,
    MODEL_JOB_FINISHED,
    MODEL_JOB_FAILED,
    MODEL_JOB_SUSPENDED,
    MODEL_JOB_TIMEOUT
};

// Causes of lost work, in the order in which they are judged (contract.md section 3).
#define MODEL_CAUSES(X)                                                                            \
    X(MODEL_CAUSE_SPECULATION, "speculation")                                                      \
    X(MODEL_CAUSE_TASK_FAILURE, "task-failure")                                                    \
    X(MODEL_CAUSE_WORKER_FAILURE, "worker-failure")                                                \
    X(MODEL_CAUSE_RUNNING_AT_CRASH, "running-at-crash")                                            \
    X(MODEL_CAUSE_RECOVERY_DISABLED, "recovery-disabled")                                          \
    X(MODEL_CAUSE_RECOVERY_FAILED, "recovery-failed")                                              \
    X(MODEL_CAUSE_RECORDING_STOPPED, "recording-stopped")                                          \
    X(MODEL_CAUSE_NOT_RECORDED, "not-recorded")                                                    \
    X(MODEL_CAUSE_LOG_DAMAGED, "log-damaged")                                                      \
    X(MODEL_CAUSE_NOT_SNAPSHOTTED, "not-snapshotted")                                              \
    X(MODEL_CAUSE_COORDINATOR_UNSUPPORTED, "coordinator-unsupported")                              \
    X(MODEL_CAUSE_WORKER_LATE, "worker-late")                                                      \
    X(MODEL_CAUSE_PARTITION_RELEASED, "partition-released")                                        \
    X(MODEL_CAUSE_PARTITION_LOST, "partition-lost")                                                \
    X(MODEL_CAUSE_DOWNSTREAM_OF_RESET, "downstream-of-reset")                                      \
    X(MODEL_CAUSE_JOB_FAILED, "job-failed")

enum model_cause {
#define X(name, text) name,
    MODEL_CAUSES(X)
#undef X
        MODEL_CAUSE_COUNT
};

enum model_phase { // of an outage; they partition it
    MODEL_PHASE_DETECT,
    MODEL_PHASE_ELECT,
    MODEL_PHASE_START,
    MODEL_PHASE_REPLAY,
    MODEL_PHASE_WAIT_WORKERS,
    MODEL_PHASE_RECONCILE,
    MODEL_PHASE_REDEPLOY,
    MODEL_PHASE_COUNT
};

enum model_failover_result {
    MODEL_FAILOVER_RECOVERED,
    MODEL_FAILOVER_RESTARTED,
    MODEL_FAILOVER_FAILED
};

struct model_failover {
    int64_t at_ns;
    int64_t outage_ns;
    int64_t phase_ns[MODEL_PHASE_COUNT];
    enum model_failover_result result;
    uint64_t events_replayed;
    uint64_t finished_recovered;
    uint64_t finished_forgotten;
};

struct model_lost { // lost work of one stage by cause; index: stage * MODEL_CAUSE_COUNT + cause
    int64_t ns;
    uint64_t attempts;
};

struct model_fired {
    uint32_t fault; // index in the config
    bool fired;
    int64_t at_ns;   // when it first struck
    uint64_t times;  // how often it struck
    uint32_t worker; // what it first struck, RECOUP_NONE for the master
};

struct model_finding {
    const char *invariant; // "R2", static
    const char *hazard;    // "H19", static; NULL when no active policy explains it
    int64_t at_ns;
    uint64_t event; // sequence number of the simulation event
    bool without_faults; // event and time are of the run without faults beside this one
    char message[192];
};

// Kept in full; later ones are counted only, but the first of each invariant and hazard is kept.
#define MODEL_FINDINGS_MAX 256u

// Appends `finding` to a list of at most MODEL_FINDINGS_MAX. In a full one it takes the place of
// the last that is not the first of its invariant and hazard, if it is such a first itself; else
// the list stays as it is. Both names of a finding are compared as addresses: they are static.
void model_findings_keep(struct model_finding *list, uint32_t *n,
                         const struct model_finding *finding);

struct model_result {
    enum model_job_state state;
    int64_t makespan_ns;
    bool limited;    // ended by events_max
    uint64_t events; // simulation events dispatched
    uint8_t layers[6][16];
    uint8_t fingerprint[16];

    uint64_t tasks;    // subtasks of the initialized stages at the end
    uint64_t attempts; // attempts that started
    uint64_t tasks_rerun;
    uint64_t finished_forgotten;
    int64_t outage_ns;
    int64_t busy_ns;
    int64_t useful_ns;
    int64_t lost_ns;
    int64_t orphaned_ns;
    struct model_lost *lost; // n_stages * MODEL_CAUSE_COUNT
    uint32_t n_stages;
    uint32_t *stage_parallelism; // as run

    struct model_failover *failovers;
    uint32_t n_failovers;

    struct {
        uint64_t events, bytes, appends, flushes, syncs, files, snapshots, snapshot_bytes;
        uint64_t replay_bytes, replay_reads;
        uint64_t requests[MODEL_STORAGE_OPS];
        uint64_t cost_nanousd;
    } io;
    int64_t recording_ns;
    int64_t unprotected_ns;

    struct model_fired *fired;
    uint32_t n_fired;
    struct model_finding *findings;
    uint32_t n_findings; // kept
    uint64_t findings_total;

    uint64_t memory_bytes;       // of the run's arena
    uint64_t system_allocations; // made while the run was under way, after set-up
};

const char *model_cause_name(enum model_cause cause);
const char *model_phase_name(enum model_phase phase);                 // "wait_workers"
const char *model_job_state_name(enum model_job_state state);         // "FINISHED"
const char *model_failover_result_name(enum model_failover_result r); // "recovered"
const char *model_storage_op_name(enum model_storage_op op);          // "append"

void model_result_release(struct model_result *result); // accepts a zeroed result

#endif
