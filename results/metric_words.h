// SPDX-License-Identifier: GPL-3.0-or-later
//
// Values of metrics and their changes in words.
#ifndef RECOUP_RESULTS_METRIC_WORDS_H
#define RECOUP_RESULTS_METRIC_WORDS_H

#include "results/text.h"
#include "scenarios/metrics.h"

#define RESULTS_METRIC_SIZE 48u

// A value in its unit, times and sizes to three digits: "1 min 23 s", "1.5 kb", "12",
// "4000 nano-usd".
const char *results_metric_value(char buffer[RESULTS_METRIC_SIZE],
                                 const struct scenario_metric *metric, int64_t value);
// "lost-work: 12 s -> 14.5 s, +2.5 s (+20.8 %), worse"; values that would read the same are exact.
void results_metric_change(const struct scenario_metric *metric, int64_t before, int64_t after,
                           struct results_text *text);
// 1: `after` is worse than `before`, -1: better, 0: equal, or the metric is neither.
int results_metric_direction(const char *better, int64_t before, int64_t after);

#endif
