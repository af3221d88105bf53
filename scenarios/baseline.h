// SPDX-License-Identifier: GPL-3.0-or-later
//
// Baselines: what the runs of one scenario gave when somebody accepted it. One file a scenario,
// read as strictly as a scenario, with the same messages; written by results/baseline_text.h.
//
//     version: 1
//     baseline: trim                       # the scenario's name
//     scenario: 32 hex digits              # what it meant, whatever its seed
//     recoup: 0.1.0                        # that made the runs
//     reasons:                             # of every change that was accepted, the oldest first
//       - {recoup: 0.1.0, why: First baseline.}
//     runs:                                # one a seed
//       - seed: 1
//         state: FINISHED
//         events: 718
//         fingerprint: 32 hex digits
//         layers: {F1: 32 hex digits, ..., F6: 32 hex digits}
//         spacing: 32                      # events between two points
//         points: [16 hex digits, ...]     # rolling hashes: 8 of F1 and F2, 8 of F3 and F4
//     metrics:                             # one value a run, in integers of the metric's unit
//       makespan: {values: [180406452504], better: lower, tolerance: 0%, gate: true}
#ifndef RECOUP_SCENARIOS_BASELINE_H
#define RECOUP_SCENARIOS_BASELINE_H

#include "scenarios/metrics.h"

#define SCENARIO_BASELINE_RUNS_MAX 64u
#define SCENARIO_BASELINE_REASONS_MAX 1000u
#define SCENARIO_BASELINE_POINTS_MAX 32u
#define SCENARIO_BASELINE_WHY_MAX 500u // bytes of one reason
#define SCENARIO_BASELINE_DIGEST 33u

struct scenario_baseline_reason {
    const char *recoup;
    const char *why;
};

struct scenario_baseline_point {
    uint64_t events;
    uint32_t order;     // of F1 and F2
    uint32_t behaviour; // of F3 and F4
};

struct scenario_baseline_run {
    uint64_t seed;
    enum model_job_state state;
    uint64_t events;
    char fingerprint[SCENARIO_BASELINE_DIGEST];
    char layers[6][SCENARIO_BASELINE_DIGEST];
    uint64_t spacing;
    const struct scenario_baseline_point *points;
    uint32_t n_points;
};

struct scenario_baseline_metric {
    const struct scenario_metric *metric;
    const char *better;     // "lower", "higher" or "neither"
    int64_t tolerance_nano; // of the accepted value, in 1e-9
    bool gate;              // a change for the worse beyond the tolerance fails
    const int64_t *values;  // by run
};

struct scenario_baseline {
    const char *path;
    const char *name;
    char scenario[SCENARIO_BASELINE_DIGEST];
    const char *recoup;
    const struct scenario_baseline_reason *reasons;
    uint32_t n_reasons;
    const struct scenario_baseline_run *runs;
    uint32_t n_runs;
    const struct scenario_baseline_metric *metrics;
    uint32_t n_metrics;
    struct scenario holder; // its errors are the messages of a file that is wrong
};

// Loads a file. Returns SCENARIO_OK; SCENARIO_INVALID: `holder.errors` says why (also that it
// cannot be read); SCENARIO_ENOMEM. Always to be released.
int scenario_baseline_load(struct scenario_baseline *baseline, const char *path);
// The same from memory; `file` is the name used in messages.
int scenario_baseline_parse(struct scenario_baseline *baseline, const char *file, const char *text,
                            size_t size);
void scenario_baseline_release(struct scenario_baseline *baseline); // accepts a zeroed one

// The policy of a metric; NULL if the baseline does not name it.
const struct scenario_baseline_metric *
scenario_baseline_metric(const struct scenario_baseline *baseline, const char *name);
// The index of the run with this seed; n_runs if there is none.
uint32_t scenario_baseline_run(const struct scenario_baseline *baseline, uint64_t seed);

#endif
