// SPDX-License-Identifier: GPL-3.0-or-later
//
// Values of metrics and their changes in words.
#ifndef RECOUP_RESULTS_METRIC_WORDS_H
#define RECOUP_RESULTS_METRIC_WORDS_H

#include "results/text.h"
#include "scenarios/metrics.h"

#define RESULTS_METRIC_SIZE 48u

// An exact value in its unit: "83.012345678 s", "1536 b", "12", "4000 nano-usd".
const char *results_metric_value(char buffer[RESULTS_METRIC_SIZE],
                                 const struct scenario_metric *metric, int64_t value);
// "lost-work: 12 s -> 14.5 s, +2.5 s (+20.8 %), worse".
void results_metric_change(const struct scenario_metric *metric, int64_t before, int64_t after,
                           struct results_text *text);
// 1: `after` is worse than `before`, -1: better, 0: equal, or the metric is neither.
int results_metric_direction(const char *better, int64_t before, int64_t after);

#endif
