// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parts of the page of a run that stand in files of their own. `words` is an empty scratch text and
// is left empty.
#ifndef RECOUP_RESULTS_REPORT_PARTS_H
#define RECOUP_RESULTS_REPORT_PARTS_H

#include "results/page.h"
#include "results/run.h"

#define REPORT_INDENT 12u // columns of the labels at the left

// How much of each list the page shows; the rest is counted.
struct report_limits {
    uint32_t failovers;
    uint32_t lost_rows; // at most REPORT_LOST_ROWS_MAX
    uint32_t meanings;  // causes that are explained
    uint32_t findings;
};
#define REPORT_LOST_ROWS_MAX 6u

// Columns left for a bar when `taken` are used by the rest of the line; 0: too few for one.
uint32_t results_report_bar_room(const struct results_page *page, uint32_t taken);
// "1 file", "2 files".
void results_report_plural(struct results_text *text, uint64_t count, const char *noun);
// A line where fewer runs were made than asked for: "Interrupted after 7 of 100 runs; ...".
void results_report_interrupted(struct results_page *page, uint64_t made, uint64_t asked,
                                const char *noun, struct results_text *words);
// A phase of an outage in words: "wait for workers".
const char *results_report_phase(enum model_phase phase);
// Between two facts of one line.
const char *results_report_dot(const struct results_page *page);
// One wrapped paragraph behind a label.
void results_report_paragraph(struct results_page *page, const char *label,
                              enum results_color color, struct results_text *words);

// Lost work by cause and stage.
void results_report_lost_work(struct results_page *page, const struct results_run *run,
                              const struct report_limits *limits, struct results_text *words);
// What protection cost.
void results_report_protection(struct results_page *page, const struct results_run *run,
                               struct results_text *words);

#endif
