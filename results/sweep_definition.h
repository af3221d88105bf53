// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef RECOUP_RESULTS_SWEEP_DEFINITION_H
#define RECOUP_RESULTS_SWEEP_DEFINITION_H

#include "results/text.h"
#include "scenarios/sweep.h"

// What a sweep asks, as one JSON object: axes with their values, `where`, replications, random
// numbers, measures. Column `definition` of table `sweep`. No paths of files, which depend on where
// the sweep was started.
void results_sweep_definition(const struct scenario_sweep *sweep, struct results_text *text);

const char *results_axis_kind_name(enum scenario_axis_kind kind); // "ns"

#endif
