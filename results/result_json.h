// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run as JSON: one object in the fixed order of contract.md section 3, integers only, schema 1.
#ifndef RECOUP_RESULTS_RESULT_JSON_H
#define RECOUP_RESULTS_RESULT_JSON_H

#include "results/run.h"
#include "results/text.h"

// Appends the object and a line feed.
void results_run_json(const struct results_run *run, struct results_text *text);

#endif
