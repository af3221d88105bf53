// SPDX-License-Identifier: GPL-3.0-or-later
//
// What one crash of the master costs, against the moment of the crash: as a page, a figure (SVG),
// JSON and CSV.
#ifndef RECOUP_RESULTS_CRASH_CURVE_H
#define RECOUP_RESULTS_CRASH_CURVE_H

#include "results/many.h"

struct results_crash_curve { // everything here is borrowed
    const struct scenario *scenario;
    int64_t faultless_ns;                        // makespan without faults
    const int64_t *at_ns;                        // moments of the crashes, ascending
    const struct results_record *const *records; // a run per crash, NULL where there is none
    uint32_t n;                                  // crashes that were made
    uint32_t asked;                              // more than `n` after an interruption
    const char *version;
    const char *command; // that repeats one crash, but for its --set faults=...
};

// The override that makes a crash of this moment the only fault: "faults=[{...}]".
#define RESULTS_CRASH_SIZE 96u
const char *results_crash_set(char buffer[RESULTS_CRASH_SIZE], int64_t at_ns);

void results_crash_curve_report(const struct results_crash_curve *curve,
                                const struct results_style *style, struct results_text *text);
void results_crash_curve_json(const struct results_crash_curve *curve, struct results_text *text);
void results_crash_curve_csv(const struct results_crash_curve *curve, struct results_text *text);
void results_crash_curve_svg(const struct results_crash_curve *curve, struct results_text *text);

// Whether the job finishes with crash i; its delay means something only then.
bool results_crash_curve_finishes(const struct results_crash_curve *curve, uint32_t i);
// Causes that occur, the largest sum first; their number.
uint32_t results_crash_curve_causes(const struct results_crash_curve *curve,
                                    uint32_t causes[MODEL_CAUSE_COUNT]);

#endif
