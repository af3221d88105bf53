// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run against its baseline: what changed, since when, by how much, and whether that fails.
//
// A fingerprint must be equal as long as scenario, seed and version of recoup are: nothing excuses
// another one. When the scenario or the version changed, another fingerprint is to be expected;
// then the metrics judge: one that is gated, and worse than accepted by more than its tolerance,
// fails. Strictly, every difference fails.
#ifndef RECOUP_RESULTS_BASELINE_CHECK_H
#define RECOUP_RESULTS_BASELINE_CHECK_H

#include "results/json.h"
#include "results/text.h"
#include "results/trail.h"
#include "scenarios/baseline.h"

#define RESULTS_BASELINE_METRICS_MAX 128u

struct results_baseline_change {
    const struct scenario_metric *metric;
    int64_t before;
    int64_t after;
    int direction; // 1: worse, -1: better, 0: neither
    bool within;   // the tolerance
    bool fails;    // gated, worse, beyond the tolerance
    int64_t tolerance_nano;
};

struct results_baseline_check {
    bool seed_known; // the baseline has a run of this seed; else nothing below holds
    bool equal;      // fingerprint and state
    bool scenario_changed;
    bool version_changed;
    bool state_changed;
    enum model_job_state state_before;
    uint32_t layers;      // bit i: F(i+1) differs
    bool window_known;    // the first difference lies between the two points below
    uint64_t window_from; // event
    uint64_t window_to;
    int64_t window_from_ns; // virtual time of these points in the new run
    int64_t window_to_ns;
    struct results_baseline_change changes[RESULTS_BASELINE_METRICS_MAX];
    uint32_t n_changes;
    bool fails;
};

void results_baseline_check(const struct scenario_baseline *baseline,
                            const struct results_trail *trail, bool strict,
                            struct results_baseline_check *check);

// What changed as lines, each indented by `indent` blanks. Nothing for an equal run.
void results_baseline_check_text(const struct results_baseline_check *check,
                                 const struct scenario_baseline *baseline,
                                 const struct results_trail *trail, uint32_t indent,
                                 struct results_text *text);
// The same as one object.
void results_baseline_check_json(const struct results_baseline_check *check,
                                 struct results_json *json);

#endif
