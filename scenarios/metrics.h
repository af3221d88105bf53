// SPDX-License-Identifier: GPL-3.0-or-later
//
// The metrics of a run (contract section 3), by name: for expectations, sweeps and the database.
#ifndef RECOUP_SCENARIOS_METRICS_H
#define RECOUP_SCENARIOS_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "models/result.h"
#include "scenarios/scenario.h"

struct scenario_metric {
    const char *name;        // as in `expect`: "lost-work", "lost-work.not-recorded"
    const char
        *column; // of the table `run`: "job_lost_work_ns"; NULL: by cause, in the table `lost_work`
    const char *unit;        // "ns", "bytes", "count" or "nano-usd"
    const char *better;      // "lower", "higher" or "" where neither is better
    const char *definition;  // one sentence
};

// The fixed metrics first, then lost work by cause, in the order of enum model_cause.
uint32_t scenario_metric_count(void);
const struct scenario_metric *scenario_metric_at(uint32_t index);  // index < count
// By name or by column; NULL if there is none.
const struct scenario_metric *scenario_metric_find(const char *name);

// The value of `metric` (a name or a column). `faultless_ns` is the makespan without faults,
// negative where it was not computed. Returns 0; 1 where the metric was not computed; -1 for an
// unknown name.
int scenario_metric_value(const struct model_result *result, int64_t faultless_ns,
                          const char *metric, int64_t *value);

// --- expectations --------------------------------------------------------------------------------

enum scenario_outcome_kind {
    SCENARIO_OUTCOME_STATE,       // the job's final state
    SCENARIO_OUTCOME_BOUND,       // a bound of a metric
    SCENARIO_OUTCOME_FINDING,     // an expected finding
    SCENARIO_OUTCOME_UNEXPECTED,  // findings of an invariant that were not expected
};

struct scenario_outcome {
    enum scenario_outcome_kind kind;
    const char *metric;     // "state", "lost-work", "findings"; lives as long as the scenario
    bool ok;
    bool computed;          // the metric has a value (BOUND)
    int64_t value;          // BOUND: the metric's value; UNEXPECTED: how many findings
    const struct scenario_expectation *expectation;  // BOUND; else NULL
    const char *invariant;  // FINDING, UNEXPECTED: its id; else NULL
    bool explained;         // UNEXPECTED: every one carries the hazard of an active policy
    char text[192];         // the outcome as a sentence
};

struct scenario_verdict {
    struct scenario_outcome *outcomes;
    uint32_t n_outcomes;
    bool ok;             // every outcome is
    bool unexplained;    // a finding that no active policy explains occurred, expected or not (exit
                         // code 3)
};

// Judges a run by the scenario's expectations and the default ones (the job finishes, no findings).
// Returns 0 or SCENARIO_ENOMEM; `verdict` is to be released.
int scenario_evaluate(const struct scenario *scenario, const struct model_result *result,
                      int64_t faultless_ns, struct scenario_verdict *verdict);
void scenario_verdict_release(struct scenario_verdict *verdict);  // accepts a zeroed verdict

#endif
