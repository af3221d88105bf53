// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run as a page for people, one screen for the usual scenario: the verdict, the outage by phase,
// lost work by cause and stage, what protection cost, what was assumed, how to repeat it.
#ifndef RECOUP_RESULTS_REPORT_H
#define RECOUP_RESULTS_REPORT_H

#include "results/page.h"
#include "results/run.h"

#define RESULTS_REPORT_LINES 35u // that a page aims at, on a terminal of 80 columns or more

// Appends the page. Lists that would make it longer than RESULTS_REPORT_LINES are cut, with their
// number told.
void results_run_report(const struct results_run *run, const struct results_style *style,
                        struct results_text *text);

// The verdict alone, as sentences (also the first lines of the page).
void results_run_verdict(const struct results_run *run, struct results_text *text);

// What a cause of lost work means: "it had finished, but after the last recovery point".
const char *results_cause_meaning(enum model_cause cause);

#endif
