// SPDX-License-Identifier: GPL-3.0-or-later
//
// One run: the real recovery code among modelled masters, workers, file systems, networks and
// failures.
#ifndef RECOUP_MODELS_RUN_H
#define RECOUP_MODELS_RUN_H

#include "models/config.h"
#include "models/observe.h"
#include "models/result.h"
#include "sim/arena.h"
#include "sim/trace.h"

// Tracks of the trace (sim/trace.h). Lanes: master: the incarnation; store: 0 operations, 1 buffer
// fill (counter); faults: 0; job: stage; worker: the slot.
enum model_track {
    MODEL_TRACK_MASTER = 1,
    MODEL_TRACK_STORE = 2,
    MODEL_TRACK_FAULTS = 3,
    MODEL_TRACK_JOB = 4,
    MODEL_TRACK_WORKER = 1000 /* + worker */
};

enum model_invariants { MODEL_INVARIANTS_ON, MODEL_INVARIANTS_OFF };

struct model_run_options {
    enum model_invariants invariants;
    const struct sim_trace *trace; // NULL: none. Never changes a fingerprint
    bool without_faults;           // the fault-free twin of the run
    int64_t faultless_makespan_ns; // of that twin, for faults at a share of it; 0: not known
    uint64_t tie_seed; // 0: ties as the contract says; else a seeded permutation of them
    // Asked every few thousand events; true ends the run early (the command line's SIGINT). May be
    // NULL.
    bool (*interrupted)(void *context);
    void *interrupted_context;
    // Given the files of the event store as a new master would find them at the end of the run:
    // each in pieces from offset 0 on, an empty one as one piece of no bytes. May be NULL. Never
    // changes a fingerprint.
    void (*store_piece)(void *context, const char *name, uint64_t offset, const void *bytes,
                        size_t size);
    void *store_context;
    // Watches the run event by event. NULL: nobody. Never changes a fingerprint.
    const struct model_observer *observer;
};

// Runs `config` in `arena`, which is reset first, so that a second run in the same arena allocates
// nothing from the system. Fills `result` (zeroed by the caller or released before). Returns 0,
// SIM_ENOMEM, SIM_EINVAL (a config that the loader should have refused) or SIM_EINTERRUPTED; the
// result is then empty. A fault at a share of the makespan with faultless_makespan_ns = 0 is
// SIM_EINVAL.
int model_run(const struct model_config *config, const struct model_run_options *options,
              struct sim_arena *arena, struct model_result *result);

// The run with its faults, after its twin, whose result, released by this, is in `result`: the
// twin's makespan is the one that the faults count by, and what its invariants found and no policy
// explains is among the findings of the run. Returns model_run's codes.
int model_run_beside(const struct model_config *config, const struct model_run_options *options,
                     struct sim_arena *arena, struct model_result *result);

#define MODEL_MAKESPAN_UNKNOWN (-1)

// The pair of runs that `recoup run` shows: first without faults (for delay, shares of the makespan
// and stop-at), then with them. Where the config has no faults only one run is made.
// `faultless_makespan_ns` may be NULL; it is MODEL_MAKESPAN_UNKNOWN when the run without faults did
// not come to its end (shares of the makespan are then shares of the time it was given). What an
// invariant finds in the run without faults, and no policy explains, is among the findings of
// `result`, too.
int model_run_pair(const struct model_config *config, const struct model_run_options *options,
                   struct sim_arena *arena, struct model_result *result,
                   int64_t *faultless_makespan_ns);

#endif
