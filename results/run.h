// SPDX-License-Identifier: GPL-3.0-or-later
//
// All that is known about one run once it has ended: what every output (text, JSON, database) is
// made from.
#ifndef RECOUP_RESULTS_RUN_H
#define RECOUP_RESULTS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "models/result.h"
#include "scenarios/metrics.h"
#include "scenarios/scenario.h"

struct results_run {
    const struct scenario *scenario; // everything here is borrowed
    const struct model_result *result;
    const struct scenario_verdict *verdict; // of `expect`
    bool faultless_known;
    int64_t faultless_makespan_ns;
    bool invariants_on;
    const char *version; // of recoup: "0.1.0"
    const char *command; // that repeats the run; NULL: not printed
    const char *words;   // of that command, without program and seed: "run q72.yaml"; NULL: unknown
};

// "flink-1.20", "hardened".
const char *results_profile_name(enum recoup_profile profile);
// "kill", "terminate", "store-error".
const char *results_fault_kind_name(enum model_fault_kind kind);

#define RESULTS_TARGET_SIZE 32u
// What a fault struck, or would have: "master", "worker 3", "worker random", "worker each",
// "store".
const char *results_fault_target(char buffer[RESULTS_TARGET_SIZE], const struct model_fault *fault,
                                 const struct model_fired *fired);

#endif
