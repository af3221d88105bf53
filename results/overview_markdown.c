// SPDX-License-Identifier: GPL-3.0-or-later
//
// The report for a pull request: verdict, warnings and a table in Markdown; and single figures.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/overview_parts.h"
#include "results/timeline.h"

#define ROWS_MAX 40u // of the table; the report says how many are left out

static void cell(struct results_text *text, const struct survey_estimate *e,
                 enum results_quantity quantity)
{
    struct results_text words;

    results_text_init(&words);
    if (e->n == 0) {
        results_text_add(&words, "\xe2\x80\x93");
    } else {
        overview_estimate(e, quantity, &words);
    }
    results_text_add(text, " ");
    results_markup_markdown(text, results_text_string(&words));
    results_text_add(text, " |");
    results_text_release(&words);
}

static void row(const struct survey *survey, uint32_t index, enum survey_metric time,
                struct results_text *text)
{
    const struct survey_point *point = &survey->points[index];

    results_text_format(text, "| %u | ", index + 1);
    results_markup_markdown(text, point->label);
    results_text_format(text, " | %u | %u |", point->n_runs, point->n_failover);
    cell(text, &point->all[SURVEY_LOST_WORK], RESULTS_QUANTITY_DURATION);
    cell(text, &point->hit[SURVEY_LOST_WORK], RESULTS_QUANTITY_DURATION);
    cell(text, &point->all[time], RESULTS_QUANTITY_DURATION);
    cell(text, &point->all[SURVEY_BYTES], RESULTS_QUANTITY_SIZE);
    cell(text, &point->all[SURVEY_REQUESTS], RESULTS_QUANTITY_COUNT);
    results_text_format(text, " %s |\n",
                        point->front[SURVEY_BYTES]  ? "front"
                        : point->near[SURVEY_BYTES] ? "near"
                                                    : "");
}

static void table(const struct survey *survey, struct results_text *text)
{
    enum survey_metric time = figure_time_metric(survey);
    uint32_t shown = 0;

    results_text_format(text,
                        "| # | point | runs | hit | lost work | lost work, if hit | %s | bytes | "
                        "requests | front |\n"
                        "|---|---|---|---|---|---|---|---|---|---|\n",
                        survey_metric_fact(time)->title);
    // Where there are too many, the front comes first, then the others in their order.
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < survey->n_points && shown < ROWS_MAX; i++) {
            bool front = survey->points[i].front[SURVEY_BYTES];

            if (survey->n_points <= ROWS_MAX ? pass == 0 : front == (pass == 0)) {
                row(survey, i, time, text);
                shown++;
            }
        }
    }
    if (shown < survey->n_points) {
        results_text_format(text, "\n%u of %u points are shown, those on the front first.\n", shown,
                            survey->n_points);
    }
}

static void bars(const struct survey *survey, struct results_text *text)
{
    double sums[MODEL_CAUSE_COUNT] = {0};
    double all = 0;

    for (uint32_t i = 0; i < survey->n_points; i++) {
        for (uint32_t c = 0; c < survey->n_causes; c++) {
            double ns = survey->points[i].causes[survey->causes[c]] * survey->points[i].n_runs;

            sums[c] += ns;
            all += ns;
        }
    }
    if (all <= 0) {
        return;
    }
    results_text_add(text, "\nWhy work was lost, over all runs:\n\n```text\n");
    for (uint32_t c = 0; c < survey->n_causes; c++) {
        uint32_t length = (uint32_t)llround(sums[c] / all * 40);

        results_text_format(text, "%-24s ", model_cause_name((enum model_cause)survey->causes[c]));
        results_text_repeat(text, "#", length > 0 ? length : 1);
        results_text_format(text, " %.1f %%\n", 100 * sums[c] / all);
    }
    results_text_add(text, "```\n");
}

// What could end a block of code, or hide in it, is no command to be copied.
static bool is_plain(const char *command)
{
    for (; *command != '\0'; command++) {
        if ((unsigned char)*command < 0x20 || (unsigned char)*command >= 0x7f || *command == '`') {
            return false;
        }
    }
    return true;
}

void overview_markdown(const struct survey *survey, const char *program, struct results_text *text)
{
    struct results_text words;
    const char *line;

    results_text_init(&words);
    results_text_add(text, "### ");
    results_markup_markdown(text, survey->name);
    results_text_add(text, "\n\n");
    if (survey->about[0] != '\0') {
        results_markup_markdown(text, survey->about);
        results_text_add(text, "\n\n");
    }
    overview_verdict(survey, &words);
    line = results_text_string(&words);
    for (bool first = true; *line != '\0'; first = false) {
        size_t size = strcspn(line, "\n");
        struct results_text one;

        results_text_init(&one);
        results_text_bytes(&one, line, size);
        results_text_add(text, first ? "**" : "");
        results_markup_markdown(text, results_text_string(&one));
        results_text_add(text, first ? "**\n\n" : "\n\n");
        results_text_release(&one);
        line += size + (line[size] == '\n' ? 1 : 0);
    }
    results_text_clear(&words);
    overview_warnings(survey, &words);
    for (line = results_text_string(&words); *line != '\0';) {
        size_t size = strcspn(line, "\n");

        results_text_add(text, "- ");
        results_text_bytes(text, line, size);
        results_text_char(text, '\n');
        line += size + (line[size] == '\n' ? 1 : 0);
    }
    results_text_add(text, words.size > 0 ? "\n" : "");
    table(survey, text);
    bars(survey, text);
    results_text_clear(&words);
    results_text_format(
        text, "\n%u point%s, %" PRIu64 " runs%s, recoup %s.", survey->n_points,
        survey->n_points == 1 ? "" : "s", survey->n_runs,
        survey->common_seeds && survey->n_points > 1 ? " with the same seeds at every point" : "",
        survey->versions);
    overview_command(survey, &survey->points[survey->best], program, &words);
    if (is_plain(results_text_string(&words))) {
        results_text_format(text, " The best point again:\n\n```sh\n%s\n```\n",
                            results_text_string(&words));
    } else {
        results_text_add(text, "\n");
    }
    results_text_release(&words);
}

static bool svg_of_axes(const struct survey *survey, const struct overview_choice *choice,
                        struct drawing *drawing, const char **why)
{
    uint32_t first = SURVEY_NONE;
    uint32_t second = SURVEY_NONE;

    figure_axes(survey, choice->metric, &first, &second);
    if (choice->axis != SURVEY_NONE) {
        second = first != choice->axis ? first : second;
        first = choice->axis;
    }
    *why = "it needs an axis with at least two values, and there is none";
    if (choice->figure == OVERVIEW_AXIS) {
        return first != SURVEY_NONE &&
               figure_axis(drawing, survey, first, figure_series(survey, first), choice->metric,
                           false);
    }
    *why = "it needs two axes with at least two values each";
    return figure_heat(drawing, survey, first, second, choice->metric);
}

static bool svg_of_timeline(const struct survey *survey, struct drawing *drawing)
{
    struct timeline *timeline = calloc(1, sizeof(*timeline));
    struct results_text reason;
    bool made;

    results_text_init(&reason);
    made = timeline != NULL && timeline_make(timeline, survey, &reason);
    if (made) {
        timeline_draw(timeline, survey, drawing);
    }
    results_text_release(&reason);
    free(timeline);
    return made;
}

bool overview_svg(const struct survey *survey, const struct overview_choice *choice,
                  struct results_text *text, const char **why)
{
    struct drawing drawing = {text, DRAWING_WIDE, true};

    switch (choice->figure) {
    case OVERVIEW_PARETO:
    case OVERVIEW_REQUESTS:
    case OVERVIEW_PRICE:
        *why = "no point has runs";
        return figure_pareto(&drawing, survey,
                             choice->figure == OVERVIEW_PARETO     ? SURVEY_BYTES
                             : choice->figure == OVERVIEW_REQUESTS ? SURVEY_REQUESTS
                                                                   : SURVEY_COST);
    case OVERVIEW_AXIS:
    case OVERVIEW_HEAT:
        return svg_of_axes(survey, choice, &drawing, why);
    case OVERVIEW_CAUSES:
        *why = "no run lost any work";
        return figure_causes(&drawing, survey);
    case OVERVIEW_OUTAGE:
        *why = "no run had a failover";
        return figure_outage(&drawing, survey);
    case OVERVIEW_DIFFERENCE:
        *why = "it needs two points with common seeds";
        return figure_difference(&drawing, survey);
    case OVERVIEW_CURVE:
        *why = "fewer than two runs had exactly one failover";
        return figure_curve(&drawing, survey, choice->metric);
    case OVERVIEW_TIMELINE:
    case OVERVIEW_FIGURES:
        break;
    }
    *why = "no run can be simulated again; the page says why";
    return svg_of_timeline(survey, &drawing);
}
