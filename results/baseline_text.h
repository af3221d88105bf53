// SPDX-License-Identifier: GPL-3.0-or-later
//
// A baseline (scenarios/baseline.h) from trails and results, and as the text of its file.
#ifndef RECOUP_RESULTS_BASELINE_TEXT_H
#define RECOUP_RESULTS_BASELINE_TEXT_H

#include "results/text.h"
#include "results/trail.h"
#include "scenarios/baseline.h"

// The points of a trail as a baseline keeps them, in `points` of SCENARIO_BASELINE_POINTS_MAX.
// Returns how many.
uint32_t
results_baseline_points(const struct results_trail *trail,
                        struct scenario_baseline_point points[SCENARIO_BASELINE_POINTS_MAX]);

struct results_baseline_new {
    const struct scenario_baseline *old; // keeps reasons, tolerances and gates; NULL: none
    const char *head;                    // comment lines to begin with; ""
    const char *why;                     // the reason that is added
    const struct results_trail *trails;  // one a run, of one scenario
    uint32_t n_trails;
};

// The file's text. Metrics without a policy get the direction of the metric's definition and a
// tolerance of 1 %; those that say what a crash costs are gated.
void results_baseline_text(const struct results_baseline_new *baseline, struct results_text *text);

// Whether a reason can be kept: one line of text that says something. Else `*problem` says what is
// wrong.
bool results_baseline_why_is_good(const char *why, const char **problem);

#endif
