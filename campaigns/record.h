// SPDX-License-Identifier: GPL-3.0-or-later
//
// Trails of runs that this build makes.
#ifndef RECOUP_CAMPAIGNS_RECORD_H
#define RECOUP_CAMPAIGNS_RECORD_H

#include "results/trail.h"

struct campaign_recording {
    uint32_t points_max;                // RESULTS_TRAIL_POINTS or ..._FEW
    uint64_t at;                        // first event of the window, from 1
    uint32_t window;                    // events of the window; 0: none
    uint64_t tie_seed;                  // of model_run_options
    const char *command;                // that records it again; may be NULL
    bool (*interrupted)(void *context); // may be NULL
    void *interrupted_context;
};

// Runs the scenario as `recoup run` does and records it. `result` (zeroed) and `trail` (zeroed) are
// to be released in any case; `faultless_ns` receives the makespan without faults. Returns 0 or a
// SIM_E... of the run.
int campaign_record(const struct scenario *scenario, const struct campaign_recording *recording,
                    struct sim_arena *arena, struct model_result *result, int64_t *faultless_ns,
                    struct results_trail *trail);

// For who made the run with the recorder's observer: finishes the trail, and follows its chain of
// causes back to the set-up with further runs where the recorder's memory did not reach. `options`
// are those of the run. Returns 0 or a SIM_E....
int campaign_record_finish(struct results_trail_recorder *recorder, const struct scenario *scenario,
                           const struct model_run_options *options, struct sim_arena *arena,
                           const struct model_result *result, int64_t faultless_ns,
                           const char *command);

#endif
