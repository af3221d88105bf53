// SPDX-License-Identifier: GPL-3.0-or-later
//
// Lists that `recoup list` prints and that belong to no scenario file. All return 0, or -1 when
// writing to `out` failed.
#ifndef RECOUP_RESULTS_LISTS_H
#define RECOUP_RESULTS_LISTS_H

#include <stdbool.h>
#include <stdio.h>

// The invariants that a run checks, with the hazards that explain a violation under flink-1.20.
int results_list_invariants(FILE *out, bool json);
// docs/metrics.md.
int results_list_metrics_markdown(FILE *out);

#endif
