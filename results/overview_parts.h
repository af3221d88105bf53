// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the forms of the report share. Internal to results/.
#ifndef RECOUP_RESULTS_OVERVIEW_PARTS_H
#define RECOUP_RESULTS_OVERVIEW_PARTS_H

#include "results/overview.h"

// The verdict as plain sentences: one line that says it, and mostly a second one with the rest.
void overview_verdict(const struct survey *survey, struct results_text *text);
// What stands beside the numbers: findings, crashes, cut runs, too few runs; one line each, ended
// by a line feed. Empty when there is nothing to say.
void overview_warnings(const struct survey *survey, struct results_text *text);
// The command that repeats the first run of a point.
void overview_command(const struct survey *survey, const struct survey_point *point,
                      const char *program, struct results_text *text);
// The query that gives the numbers of a figure in the plain sqlite3 shell.
void overview_query(const struct survey *survey, enum overview_figure figure,
                    struct results_text *text);
// The same for the table of points.
void overview_query_points(const struct survey *survey, struct results_text *text);

// Mean and interval in words: "12.3 s (95 %: 11 s to 13 s)"; "unknown" without runs.
void overview_estimate(const struct survey_estimate *estimate, enum results_quantity quantity,
                       struct results_text *text);

// Data for the interactive plots, as JSON that is safe within a script element.
void overview_plot_pareto(const struct survey *survey, enum survey_metric io,
                          struct results_text *text);
void overview_plot_axis(const struct survey *survey, uint32_t axis, uint32_t series,
                        enum survey_metric metric, bool relative, struct results_text *text);
void overview_plot_curve(const struct survey *survey, enum survey_metric metric,
                         struct results_text *text);

// The sections of the page that have files of their own.
void overview_html_table(const struct survey *survey, const char *program,
                         struct results_text *text);

#endif
