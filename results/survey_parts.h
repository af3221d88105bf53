// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the files of the survey share. Internal to results/.
#ifndef RECOUP_RESULTS_SURVEY_PARTS_H
#define RECOUP_RESULTS_SURVEY_PARTS_H

#include "results/statement.h"
#include "results/survey.h"

// ids are row numbers and mean nothing; this is the order of the plan.
#define SURVEY_POINT_ORDER "point.sweep_id, point.n, point.id"

// Finds out which points are meant: `where`, `name`, `about`. False: `message` says why, `*status`
// which kind of mistake it is.
bool survey_choose(struct survey *survey, const char *sweep, enum survey_status *status);
// Reads everything else. Returns a SQLite code.
int survey_load(struct survey *survey);
int survey_load_plan(struct survey *survey);     // what was planned and left no result
int survey_load_warnings(struct survey *survey); // of the summaries
int survey_load_axes(struct survey *survey);
int survey_load_details(struct survey *survey); // causes, phases, crashes, findings, builds

// Everything that follows from the runs. False when out of memory.
bool survey_digest(struct survey *survey);

// Prepares `format` with the survey's condition on `point` in place of its %s.
void survey_statement(struct survey *survey, struct results_statement *s, const char *format);
// The index of a point by its id; SURVEY_NONE.
uint32_t survey_point_index(const struct survey *survey, int64_t id);
// A column as text that the survey owns; "" for null.
const char *survey_column(struct survey *survey, struct results_statement *s, int column);

#endif
