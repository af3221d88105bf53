// SPDX-License-Identifier: GPL-3.0-or-later
//
// What makes a number doubtful, as values that stand beside it: in table `summary`, in reports and
// in recommendations.
#ifndef RECOUP_RESULTS_WARNINGS_H
#define RECOUP_RESULTS_WARNINGS_H

#include <stdint.h>

#include "results/statistics.h"
#include "results/text.h"

// X(NAME, "name", "what it means and what to do")
#define RESULTS_WARNINGS(X)                                                                        \
    X(FEW_RUNS, "few-runs", "the interval of the mean rests on fewer than 10 runs: make more")     \
    X(SKEWED, "skewed",                                                                            \
      "the runs are skewed, so the interval of the mean covers too seldom (n < 25 skewness^2): "   \
      "make more, or read the quantiles")                                                          \
    X(HEAVY_TAIL, "heavy-tail",                                                                    \
      "the largest runs have a tail without a variance (Hill's index below 2): no number of runs " \
      "makes the interval of the mean honest, read the quantiles")                                 \
    X(CENSORED, "censored",                                                                        \
      "some runs were cut by a limit of time or events, so the truth is larger: raise the limit")  \
    X(NO_FAILURE, "no-failure",                                                                    \
      "no failure of a master hit any run: the numbers say nothing about recovery")                \
    X(FEW_FOR_P95, "few-for-p95",                                                                  \
      "fewer than 72 runs cannot bound the 95th percentile: make more")                            \
    X(FEW_FOR_P99, "few-for-p99", "fewer than 368 runs cannot bound the 99th percentile: make more")

enum results_warning_id {
#define X(id, name, text) RESULTS_WARNING_ID_##id,
    RESULTS_WARNINGS(X)
#undef X
        RESULTS_WARNING_COUNT
};

enum results_warning { // a set: one bit each
#define X(id, name, text) RESULTS_WARNING_##id = 1 << RESULTS_WARNING_ID_##id,
    RESULTS_WARNINGS(X)
#undef X
};

#define RESULTS_FEW_RUNS 10u  // below this the t interval rests on its normal law
#define RESULTS_HILL_RUNS 50u // Hill's estimator is not asked below this

// Hill's estimate of the tail index alpha from the k = floor(sqrt n) largest distances above the
// median: P(X > x) ~ x^-alpha, where alpha <= 2 means no variance and alpha <= 1 no mean. INFINITY
// where the tail does not vary; NAN when n < RESULTS_HILL_RUNS or less than k + 1 values lie above
// the median.
double results_sample_tail_index(const struct results_sample *sample);

// The warnings that follow from the sample itself: few runs, skewed, heavy tail (index less than
// 2 by more than one standard error, alpha / sqrt k), few for p95 and p99. A sample of equal
// values, or of fewer than RESULTS_FEW_RUNS, has none but the counts. The caller adds CENSORED and
// NO_FAILURE.
unsigned results_sample_warnings(const struct results_sample *sample);

const char *results_warning_name(enum results_warning_id id);     // "few-runs"
const char *results_warning_sentence(enum results_warning_id id); // what it means
// Their names with ", " between them; nothing for none.
void results_warnings_add(struct results_text *text, unsigned warnings);

#endif
