// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run with its oracles on that a test drives itself, to look at findings and to plant wrong
// states.
#ifndef TESTS_MODELS_SUPPORT_ORACLE_H
#define TESTS_MODELS_SUPPORT_ORACLE_H

#include "models/invariants_internal.h"
#include "models/support_model.h"

struct oracle {
    struct model_test test;
    struct model_run_options options;
    struct model_world *w;
};

// Builds the world of o->test at time 0 (after the test has described it), oracles on.
void oracle_begin(struct oracle *o);
void oracle_end(struct oracle *o);  // releases everything
// Dispatches everything up to and including an instant, or until the job ends.
void oracle_until(struct oracle *o, int64_t at_ns);

// Two sources of two subtasks read all-to-all by two: 1 s, 3 s each; job "a" -> "b", one slot a
// worker.
void oracle_two_stages(struct oracle *o, enum recoup_profile profile);

// How many findings name the invariant, and the hazard of the last (NULL: none).
uint32_t oracle_found(const struct oracle *o, const char *invariant);
const char *oracle_hazard(const struct oracle *o, const char *invariant);
// Forgets all findings.
void oracle_forget(struct oracle *o);

// A random scenario, the same for the same seed. `mix` draws each policy by itself.
void random_scenario(struct model_test *t, uint64_t seed, enum recoup_profile profile, bool mix);

#endif
