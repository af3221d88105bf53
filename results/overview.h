// SPDX-License-Identifier: GPL-3.0-or-later
//
// The report about many runs (`recoup report`): one survey as a page, as Markdown for a pull
// request, as a single figure, or as data. The same survey gives the same bytes. (The page of one
// run for a terminal is results/report.h.)
#ifndef RECOUP_RESULTS_OVERVIEW_H
#define RECOUP_RESULTS_OVERVIEW_H

#include "results/figures.h"
#include "results/survey.h"
#include "results/text.h"

enum overview_figure {
    OVERVIEW_PARETO,
    OVERVIEW_DIFFERENCE,
    OVERVIEW_AXIS,
    OVERVIEW_HEAT,
    OVERVIEW_CAUSES,
    OVERVIEW_OUTAGE,
    OVERVIEW_CURVE,
    OVERVIEW_TIMELINE,
    OVERVIEW_REQUESTS, // the front by requests, and by price
    OVERVIEW_PRICE,
    OVERVIEW_FIGURES
};

// "pareto", "axis", ... ; the choices of --figure.
#define OVERVIEW_FIGURE_CHOICES                                                                    \
    "pareto|requests|price|difference|axis|heat|causes|outage|curve|timeline"
const char *overview_figure_name(enum overview_figure figure);

// One self-contained page. `program` is how the program is called in the commands that it shows.
void overview_html(const struct survey *survey, const char *program, struct results_text *text);
// For a pull request: verdict, warnings, a table.
void overview_markdown(const struct survey *survey, const char *program, struct results_text *text);
// Which figure, where there is a choice.
struct overview_choice {
    enum overview_figure figure;
    enum survey_metric metric; // of an axis, a heat map or a curve
    uint32_t axis;             // of the survey; SURVEY_NONE: the one that moves the metric most
};

// "lost-work|delay|makespan|outage|bytes|requests|price", in the order of enum survey_metric.
#define OVERVIEW_METRIC_CHOICES "lost-work|delay|makespan|outage|bytes|requests|price"

// One figure as a file of its own. False when the survey has nothing to show in it; `why` says
// what is missing.
bool overview_svg(const struct survey *survey, const struct overview_choice *choice,
                  struct results_text *text, const char **why);
// Every run of the survey with its axes: a header and a line each, in the order of points, seeds
// and keys. Times in s, sizes in bytes, prices in USD. Returns a SQLite code.
int overview_csv(struct survey *survey, struct results_text *text);
// The same with the summaries of the points, as one object. Returns a SQLite code.
int overview_json(struct survey *survey, struct results_text *text);

#endif
