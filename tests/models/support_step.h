// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run that a test drives itself: the world of a scenario (support_model.h), stepped to an
// instant, looked at, changed, stepped on.
#ifndef TESTS_MODELS_SUPPORT_STEP_H
#define TESTS_MODELS_SUPPORT_STEP_H

#include "models/support_model.h"

#include "models/world.h"

#define STEP_TRACES_MAX 4096

struct step_trace {
    const char *name;
    uint32_t track;
    int64_t time_ns;
    int64_t duration_ns;
    int64_t args[SIM_TRACE_ARGS_MAX];
};

struct step_run {
    struct model_run_options options;
    struct model_world *w;
    struct sim_trace trace;
    struct step_trace traces[STEP_TRACES_MAX];
    uint32_t n_traces;
};

// Builds the world of `t` at time 0, every event of that instant still to come. Invariants are off.
void step_begin(struct step_run *run, struct model_test *t);
void step_end(struct step_run *run);

// Dispatches everything up to and including an instant (timers included), or until the job ends.
// Fails the test on an error.
void step_until(struct step_run *run, int64_t at_ns);

// How often something was traced on a track under a name, and the last such record (NULL if none).
uint32_t step_traced(const struct step_run *run, uint32_t track, const char *name);
const struct step_trace *step_last(const struct step_run *run, uint32_t track, const char *name);

#endif
