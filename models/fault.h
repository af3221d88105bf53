// SPDX-License-Identifier: GPL-3.0-or-later
//
// Faults: triggers (time, share of the makespan, law, progress, store operation) and targets
// (contract.md section 2, "Faults").
//
// A fault strikes a process that is alive: a master from leadership granted to its death, a worker
// from its start to its death. One that finds its target dead does not fire. Whatever triggers a
// fault, it strikes as an event of class FAULT: one triggered by progress or by a store operation
// (before, mid) as the next event of that instant. Only `after` strikes within IO_DONE.
#ifndef RECOUP_MODELS_FAULT_H
#define RECOUP_MODELS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "models/config.h"

struct model_world;
struct model_result;

struct model_fault_state {
    bool fired;
    bool spent;          // progress: it has been triggered, whether or not it found its target
    int64_t at_ns;       // when it first struck
    uint64_t times;
    uint32_t worker;     // that it first struck; RECOUP_NONE: the master
    uint64_t draws;      // n of the next draw of its law (random target)
    uint64_t targets;    // n of the next draw of a random target
    uint64_t handle;     // pending FAULT event of an `every` fault on a single target
    uint64_t *handles;   // per worker, of an `every` fault on each; else NULL
};

struct model_faults {
    struct model_fault_state *state;         // per fault of the config
    uint64_t op_count[MODEL_STORAGE_OPS];    // store operations issued so far in the run
    bool op_armed[MODEL_STORAGE_OPS];        // some fault waits for an operation of the kind
    bool progress_armed;                     // some fault waits for progress
};

// Schedules faults by time and by law. 0, SIM_ENOMEM, or SIM_EINVAL for a fault that the loader
// should have refused (a share of an unknown makespan, a store error without an operation).
int faults_init(struct model_world *w);

void faults_event(struct model_world *w, uint32_t fault, uint64_t arg);   // MODEL_EVENT_FAULT
// MODEL_EVENT_GRACE_END of the master of that incarnation.
void faults_grace_end(struct model_world *w, uint32_t entity, uint64_t incarnation);

// The process is alive (again): arms `every` faults on it, with a fresh draw. A master is alive
// from leadership granted. Dead: disarms them.
void faults_master_alive(struct model_world *w);
void faults_worker_alive(struct model_world *w, uint32_t worker);
void faults_master_dead(struct model_world *w);
void faults_worker_dead(struct model_world *w, uint32_t worker);

// The master's count of finished subtasks of `stage` is now `finished` (called after a finish is
// stepped, while progress_armed).
void faults_progress(struct model_world *w, uint32_t stage, uint32_t finished,
                     uint32_t parallelism);

// A store operation is about to be issued: counts it, and says what its faults do to it. Those that
// strike before or in its midst strike as the next event of this instant, after everything that the
// present event causes (contract.md section 2).
struct model_op_fault {
    uint64_t nth;  // of its kind in the run, from 1
    int error;     // RECOUP_E... code that it is to report, without any effect; 0: none
    bool torn;     // a kill of the master strikes in its midst
};
struct model_op_fault faults_store_op(struct model_world *w, enum model_storage_op op);
// The operation took effect: faults of moment after strike now, before its client learns of it.
void faults_store_op_done(struct model_world *w, enum model_storage_op op, uint64_t nth);

// Fills result->fired, one entry a fault of the config, in their order.
void faults_finish(struct model_world *w, struct model_result *result);

#endif
