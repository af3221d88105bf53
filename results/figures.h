// SPDX-License-Identifier: GPL-3.0-or-later
//
// The figures of a report, each a drawing of its own. A figure that has nothing to show appends
// nothing and returns false.
#ifndef RECOUP_RESULTS_FIGURES_H
#define RECOUP_RESULTS_FIGURES_H

#include "results/drawing.h"
#include "results/survey.h"

#define FIGURE_BARS_MAX 40u   // points of a figure of bars; more are cut, and the figure says so
#define FIGURE_VALUES_MAX 12u // of an axis that is drawn by its values; more: by its numbers

// Lost work against what it costs: the front, what is within noise of it, and the rest.
bool figure_pareto(struct drawing *drawing, const struct survey *survey, enum survey_metric io);
// A metric against the values of an axis, averaged over the other axes; a line per value of
// `series` (an axis, or SURVEY_NONE). With `relative` the difference to the first value of the
// axis, run by run.
bool figure_axis(struct drawing *drawing, const struct survey *survey, uint32_t axis,
                 uint32_t series, enum survey_metric metric, bool relative);
// Lost work of every point less that of the best, run by run, with intervals.
bool figure_difference(struct drawing *drawing, const struct survey *survey);
// A metric over two axes, averaged over the others.
bool figure_heat(struct drawing *drawing, const struct survey *survey, uint32_t across,
                 uint32_t down, enum survey_metric metric);
// Mean lost work per run by cause, and mean outage per failover by phase, a bar per point.
bool figure_causes(struct drawing *drawing, const struct survey *survey);
bool figure_outage(struct drawing *drawing, const struct survey *survey);
// Lost work or delay against the moment of the crash.
bool figure_curve(struct drawing *drawing, const struct survey *survey, enum survey_metric metric);

// The two axes that move the mean of a metric most (the second may be SURVEY_NONE).
void figure_axes(const struct survey *survey, enum survey_metric metric, uint32_t *first,
                 uint32_t *second);
// The axis whose values are told apart by lines in figure_axis, SURVEY_NONE when there is none.
uint32_t figure_series(const struct survey *survey, uint32_t axis);
// The points that have these values (SURVEY_NONE: any) on two axes; returns how many. `points` has
// room for all.
uint32_t figure_select(const struct survey *survey, uint32_t axis, uint32_t value, uint32_t other,
                       uint32_t other_value, uint32_t *points);
// "job delay, where it was computed, else makespan".
enum survey_metric figure_time_metric(const struct survey *survey);

#endif
