// SPDX-License-Identifier: GPL-3.0-or-later
//
// The table of points: every number with its interval, sortable, with the command that repeats it.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/overview_parts.h"

static const enum survey_metric columns[] = {SURVEY_LOST_WORK, SURVEY_DELAY, SURVEY_MAKESPAN,
                                             SURVEY_OUTAGE,    SURVEY_BYTES, SURVEY_REQUESTS,
                                             SURVEY_COST};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static bool is_shown(const struct survey *survey, enum survey_metric metric)
{
    for (uint32_t i = 0; i < survey->n_points; i++) {
        const struct survey_estimate *e = &survey->points[i].all[metric];

        if (e->n > 0 && (metric != SURVEY_COST || e->mean > 0)) {
            return true;
        }
    }
    return false;
}

static void header(struct results_text *text, const char *class, const char *title)
{
    results_text_format(text, "<th scope=\"col\"%s><button type=\"button\">", class);
    results_markup(text, title);
    results_text_add(text, "</button></th>\n");
}

static void head(const struct survey *survey, struct results_text *text)
{
    results_text_add(text, "<thead><tr>\n");
    header(text, " aria-sort=\"ascending\"", "#");
    if (survey->n_axes == 0) {
        header(text, "", "point");
    }
    for (uint32_t a = 0; a < survey->n_axes; a++) {
        header(text, "", survey->axes[a].name);
    }
    header(text, " class=\"number\"", "runs");
    header(text, " class=\"number\"", "hit by a failover");
    for (size_t i = 0; i < COLUMNS; i++) {
        if (is_shown(survey, columns[i])) {
            header(text, " class=\"number\"", survey_metric_fact(columns[i])->title);
        }
    }
    header(text, " class=\"number\"", "lost work p95");
    header(text, " class=\"number\"", "lost work, if hit");
    if (is_shown(survey, SURVEY_DELAY)) {
        header(text, " class=\"number\"", "delay, if hit");
    }
    header(text, " class=\"number\"", "findings, failures");
    results_text_add(text, "<th scope=\"col\">repeat</th>\n</tr></thead>\n");
}

static void number_cell(struct results_text *text, double key, const char *words)
{
    results_text_format(text, "<td class=\"number\" data-sort=\"%.17g\">",
                        isfinite(key) ? key : -1);
    results_markup(text, words);
    results_text_add(text, "</td>");
}

static void estimate_cell(struct results_text *text, const struct survey_estimate *e,
                          enum results_quantity quantity)
{
    char mean[RESULTS_UNITS_SIZE];
    char low[RESULTS_UNITS_SIZE];
    char high[RESULTS_UNITS_SIZE];

    if (e->n == 0) {
        results_text_add(text, "<td class=\"number\" data-sort=\"-1\">\xe2\x80\x93</td>");
        return;
    }
    results_text_format(text, "<td class=\"number\" data-sort=\"%.17g\">", e->mean);
    results_markup(text, results_quantity(mean, quantity, e->mean));
    (void)results_quantity(low, quantity, e->low);
    (void)results_quantity(high, quantity, e->high);
    if (isfinite(e->low) && strcmp(low, high) != 0) {
        results_text_format(text, "<span class=\"interval\">%s \xe2\x80\x93 %s</span>", low, high);
    }
    results_text_add(text, "</td>");
}

static void axis_cells(const struct survey *survey, const struct survey_point *point,
                       struct results_text *text)
{
    for (uint32_t a = 0; a < survey->n_axes; a++) {
        const struct survey_axis *axis = &survey->axes[a];
        uint32_t value = point->values[a];

        results_text_format(text, "<td data-sort=\"%u\">", value);
        results_markup(text, value == SURVEY_NONE ? "" : axis->texts[value]);
        results_text_add(text, "</td>");
    }
    if (survey->n_axes == 0) {
        results_text_add(text, "<td>");
        results_markup(text, point->label);
        results_text_add(text, "</td>");
    }
}

// What went wrong in the runs of a point; sorted by how much.
static void trouble_cell(const struct survey_point *point, struct results_text *text)
{
    uint32_t failed = point->n_states[MODEL_JOB_FAILED] + point->n_states[MODEL_JOB_SUSPENDED];
    uint32_t cut = point->n_states[MODEL_JOB_TIMEOUT];
    uint32_t broken = 0;
    struct results_text words;

    results_text_init(&words);
    for (uint32_t b = 0; b < SURVEY_BROKEN; b++) {
        if (point->n_broken[b] > 0) {
            results_text_format(&words, "%u %s ", point->n_broken[b],
                                survey_broken_name((enum survey_broken)b));
            broken += point->n_broken[b];
        }
    }
    if (point->n_bugs > 0) {
        results_text_format(&words, "%u with bugs ", point->n_bugs);
    }
    if (point->n_findings > 0) {
        results_text_format(&words, "%u with findings ", point->n_findings);
    }
    if (failed > 0) {
        results_text_format(&words, "%u failed ", failed);
    }
    if (cut > 0) {
        results_text_format(&words, "%u cut ", cut);
    }
    results_text_format(text, "<td class=\"number%s\" data-sort=\"%u\">",
                        words.size > 0 ? " trouble" : "",
                        point->n_findings + failed + cut + broken + point->n_bugs);
    results_markup(text, words.size > 0 ? results_text_string(&words) : "none");
    results_text_add(text, "</td>");
    results_text_release(&words);
}

static void row(const struct survey *survey, uint32_t index, const char *program,
                struct results_text *text)
{
    const struct survey_point *point = &survey->points[index];
    struct results_text command;
    char words[RESULTS_UNITS_SIZE];

    results_text_format(text, "<tr%s><th scope=\"row\" data-sort=\"%u\">%s%s</th>",
                        index == survey->best ? " class=\"best\"" : "", index + 1,
                        point->short_name,
                        point->front[SURVEY_BYTES]  ? " <span class=\"tag\">front</span>"
                        : point->near[SURVEY_BYTES] ? " <span class=\"tag near\">near</span>"
                                                    : "");
    axis_cells(survey, point, text);
    number_cell(text, point->n_runs, results_count(words, point->n_runs));
    number_cell(text, point->n_failover, results_count(words, point->n_failover));
    for (size_t i = 0; i < COLUMNS; i++) {
        if (is_shown(survey, columns[i])) {
            estimate_cell(text, &point->all[columns[i]], survey_metric_fact(columns[i])->quantity);
        }
    }
    number_cell(
        text, point->all[SURVEY_LOST_WORK].p95,
        results_quantity(words, RESULTS_QUANTITY_DURATION, point->all[SURVEY_LOST_WORK].p95));
    estimate_cell(text, &point->hit[SURVEY_LOST_WORK], RESULTS_QUANTITY_DURATION);
    if (is_shown(survey, SURVEY_DELAY)) {
        estimate_cell(text, &point->hit[SURVEY_DELAY], RESULTS_QUANTITY_DURATION);
    }
    trouble_cell(point, text);
    results_text_init(&command);
    overview_command(survey, point, program, &command);
    results_text_add(text, "<td><details><summary>command</summary><code>");
    results_markup(text, results_text_string(&command));
    results_text_add(text, "</code></details></td></tr>\n");
    results_text_release(&command);
}

void overview_html_table(const struct survey *survey, const char *program,
                         struct results_text *text)
{
    results_text_add(text, "<div class=\"scroll\" role=\"region\" aria-label=\"Table of points\" "
                           "tabindex=\"0\"><table class=\"sortable\">\n<caption>Means per run with "
                           "95&nbsp;% intervals below; a button in the head sorts.</caption>\n");
    head(survey, text);
    results_text_add(text, "<tbody>\n");
    for (uint32_t i = 0; i < survey->n_points; i++) {
        row(survey, i, program, text);
    }
    results_text_add(text, "</tbody></table></div>\n");
}
