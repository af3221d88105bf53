// SPDX-License-Identifier: GPL-3.0-or-later
//
// The report in words: verdict, warnings, commands, queries.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/overview_parts.h"
#include "results/shell.h"
#include "scenarios/loader.h"
#include "sim/assert.h"

const char *overview_figure_name(enum overview_figure figure)
{
    static const char *const names[OVERVIEW_FIGURES] = {
        "pareto", "difference", "axis",     "heat",     "causes",
        "outage", "curve",      "timeline", "requests", "price"};

    SIM_ASSERT(figure < OVERVIEW_FIGURES);
    return names[figure];
}

void overview_estimate(const struct survey_estimate *estimate, enum results_quantity quantity,
                       struct results_text *text)
{
    char mean[RESULTS_UNITS_SIZE];
    char low[RESULTS_UNITS_SIZE];
    char high[RESULTS_UNITS_SIZE];

    if (estimate->n == 0) {
        results_text_add(text, "unknown");
        return;
    }
    results_text_add(text, results_quantity(mean, quantity, estimate->mean));
    (void)results_quantity(low, quantity, estimate->low);
    (void)results_quantity(high, quantity, estimate->high);
    if (isfinite(estimate->low) && strcmp(low, high) != 0) {
        results_text_format(text, " (95 %%: %s to %s)", low, high);
    }
}

// --- verdict -------------------------------------------------------------------------------------

// Slot time with its sign.
static const char *slot_time(char buffer[RESULTS_UNITS_SIZE], double ns)
{
    char positive[RESULTS_UNITS_SIZE];

    (void)results_slot_time(positive, llround(fabs(ns)));
    (void)snprintf(buffer, RESULTS_UNITS_SIZE, "%s%.30s", ns < 0 ? "-" : "", positive);
    return buffer;
}

static void lost_words(const struct survey_point *point, struct results_text *text)
{
    const struct survey_estimate *lost = &point->all[SURVEY_LOST_WORK];
    char mean[RESULTS_UNITS_SIZE];
    char low[RESULTS_UNITS_SIZE];
    char high[RESULTS_UNITS_SIZE];

    results_text_add(text, slot_time(mean, lost->mean));
    (void)slot_time(low, lost->low);
    (void)slot_time(high, lost->high);
    if (isfinite(lost->low) && strcmp(low, high) != 0) {
        results_text_format(text, " per run (95 %% interval %s to %s)", low, high);
    }
}

static void one_point(const struct survey *survey, struct results_text *text)
{
    const struct survey_point *point = &survey->points[survey->best];
    enum survey_metric time = figure_time_metric(survey);
    char runs[RESULTS_UNITS_SIZE];

    if (point->n_failover == 0) {
        results_text_format(text, "In %s runs no master was lost. ",
                            results_count(runs, point->n_runs));
    }
    results_text_add(text, "The work lost is ");
    lost_words(point, text);
    results_text_format(text, ", the %s ", survey_metric_fact(time)->axis);
    overview_estimate(&point->all[time], RESULTS_QUANTITY_DURATION, text);
    results_text_format(text, ", over %s run%s with %s in %s of them.",
                        results_count(runs, point->n_runs), point->n_runs == 1 ? "" : "s",
                        "a failover", point->n_failover == point->n_runs ? "all" : "some");
}

static void compare_ends(const struct survey *survey, struct results_text *text)
{
    const struct survey_point *worst = &survey->points[survey->worst];
    struct survey_estimate difference;
    char amount[RESULTS_UNITS_SIZE];
    char low[RESULTS_UNITS_SIZE];
    char high[RESULTS_UNITS_SIZE];

    survey_difference(survey, survey->worst, survey->best, SURVEY_LOST_WORK, &difference);
    results_text_format(text, "Most is lost with %s %s: ", worst->short_name, worst->label);
    lost_words(worst, text);
    if (difference.n > 1) {
        results_text_format(text,
                            "; run by run over %" PRIu64 " common seeds it is %s more "
                            "(%s to %s)%s.",
                            difference.n, slot_time(amount, difference.mean),
                            slot_time(low, difference.low), slot_time(high, difference.high),
                            difference.low > 0 ? "" : ", which may be noise");
    } else {
        results_text_add(text, ".");
    }
}

static bool is_line_start(const struct results_text *text)
{
    return text->size == 0 || text->data[text->size - 1] == '\n';
}

static void cheapest(const struct survey *survey, struct results_text *text)
{
    const struct survey_point *best = &survey->points[survey->best];
    const struct survey_point *least = NULL;
    uint32_t n_front = 0;
    uint32_t n_near = 0;
    char bytes[RESULTS_UNITS_SIZE];
    char most[RESULTS_UNITS_SIZE];

    for (uint32_t i = 0; i < survey->n_points; i++) {
        const struct survey_point *point = &survey->points[i];

        n_front += point->front[SURVEY_BYTES] ? 1 : 0;
        n_near += point->near[SURVEY_BYTES] ? 1 : 0;
        if (point->front[SURVEY_BYTES] &&
            (least == NULL || point->all[SURVEY_BYTES].mean < least->all[SURVEY_BYTES].mean)) {
            least = point;
        }
    }
    if (least != NULL && least->all[SURVEY_BYTES].mean < best->all[SURVEY_BYTES].mean) {
        results_text_format(
            text, "%sThe least I/O, %s against %s, needs %s %s, which loses ",
            is_line_start(text) ? "" : " ",
            results_quantity(bytes, RESULTS_QUANTITY_SIZE, least->all[SURVEY_BYTES].mean),
            results_quantity(most, RESULTS_QUANTITY_SIZE, best->all[SURVEY_BYTES].mean),
            least->short_name, least->label);
        lost_words(least, text);
        if (least->n_states[MODEL_JOB_FINISHED] < least->n_runs) {
            results_text_format(text, "; in %u of its %u runs the job does not finish",
                                least->n_runs - least->n_states[MODEL_JOB_FINISHED], least->n_runs);
        }
        results_text_add(text, ".");
    }
    results_text_format(text, "%sOf %u points %u %s on the front of lost work against bytes",
                        is_line_start(text) ? "" : " ", survey->n_points, n_front,
                        n_front == 1 ? "is" : "are");
    if (n_near > 0) {
        results_text_format(text, ", and %u more cannot be told from it", n_near);
    }
    results_text_add(text, ".");
}

// Which point loses least, unless even the worst one may differ by chance alone.
static void headline(const struct survey *survey, struct results_text *text)
{
    const struct survey_point *best = &survey->points[survey->best];
    struct survey_estimate difference;

    survey_difference(survey, survey->worst, survey->best, SURVEY_LOST_WORK, &difference);
    if (difference.n > 1 && difference.low <= 0) {
        results_text_format(text,
                            "No point surely loses less work than another. The least, with %s %s, "
                            "is ",
                            best->short_name, best->label);
    } else {
        results_text_format(text, "Least work is lost with %s %s: ", best->short_name, best->label);
    }
    lost_words(best, text);
    results_text_add(text, ".\n");
}

void overview_verdict(const struct survey *survey, struct results_text *text)
{
    SIM_ASSERT(survey->best != SURVEY_NONE);
    if (survey->n_points == 1) {
        one_point(survey, text);
    } else if (survey->points[survey->worst].all[SURVEY_LOST_WORK].mean <= 0) {
        results_text_format(text, "No work is lost at any of %u points.\n", survey->n_points);
        cheapest(survey, text);
    } else {
        headline(survey, text);
        compare_ends(survey, text);
        cheapest(survey, text);
    }
}

// --- warnings ------------------------------------------------------------------------------------

static void warn_plan(const struct survey *survey, struct results_text *text)
{
    for (uint32_t b = 0; b < SURVEY_BROKEN; b++) {
        if (survey->n_broken[b] > 0) {
            results_text_format(text, "%" PRIu64 " planned runs left no result: %s.\n",
                                survey->n_broken[b], survey_broken_name((enum survey_broken)b));
        }
    }
}

// The best point of such an axis is that of the mildest failure.
static void warn_failures(const struct survey *survey, struct results_text *text)
{
    for (uint32_t i = 0; i < survey->n_axes; i++) {
        if (strncmp(survey->axes[i].path, "faults", 6) == 0) {
            results_text_format(text,
                                "%s is what happens, and no setting to be chosen: compare points "
                                "in which it is the same.\n",
                                survey->axes[i].name);
        }
    }
}

static void warn_states(const struct survey *survey, struct results_text *text)
{
    if (survey->n_bugs > 0) {
        results_text_format(text,
                            "%" PRIu64 " runs broke an invariant that no active policy "
                            "explains: that is a bug, and their numbers may be wrong.\n",
                            survey->n_bugs);
    }
    if (survey->n_findings > 0) {
        results_text_format(text,
                            "%" PRIu64 " findings (broken invariants) were recorded%s; the table "
                            "marks their points.\n",
                            survey->n_findings,
                            survey->n_bugs == 0 ? ", all of hazards that active policies permit"
                                                : "");
    }
    if (survey->n_censored > 0) {
        results_text_format(text,
                            "%" PRIu64 " runs were cut at their time limit (TIMEOUT): their "
                            "makespan and delay are lower bounds, and all of their work "
                            "counts as lost.\n",
                            survey->n_censored);
    }
    if (survey->n_failed > 0) {
        results_text_format(text,
                            "%" PRIu64 " runs ended FAILED or SUSPENDED: all of their work "
                            "counts as lost.\n",
                            survey->n_failed);
    }
    warn_failures(survey, text);
}

// Bounds of percentiles are no part of the page, and TIMEOUT has its own line.
static bool is_minor(uint32_t warning)
{
    return warning == RESULTS_WARNING_ID_FEW_FOR_P95 || warning == RESULTS_WARNING_ID_FEW_FOR_P99 ||
           warning == RESULTS_WARNING_ID_CENSORED;
}

static void warn_samples(const struct survey *survey, struct results_text *text)
{
    for (uint32_t w = 0; w < RESULTS_WARNING_COUNT; w++) {
        uint32_t n = 0;

        for (uint32_t i = 0; i < survey->n_points; i++) {
            n += survey->points[i].warnings >> w & 1;
        }
        if (n > 0 && !is_minor(w)) {
            results_text_format(text, "At %u of %u points %s.\n", n, survey->n_points,
                                results_warning_sentence((enum results_warning_id)w));
        }
    }
    if (survey->n_points > 1 && !survey->common_seeds) {
        results_text_add(text, "The points do not all have the same seeds: differences between "
                               "them are wider than they need be.\n");
    }
}

void overview_warnings(const struct survey *survey, struct results_text *text)
{
    warn_plan(survey, text);
    warn_states(survey, text);
    warn_samples(survey, text);
    if (strchr(survey->versions, ';') != NULL) {
        results_text_format(text, "The runs come from several versions of the model (%s).\n",
                            survey->versions);
    }
    if (survey->n_left_out > 0) {
        results_text_format(text,
                            "The database holds single runs of %u scenario%s besides, which "
                            "are no part of this.\n",
                            survey->n_left_out, survey->n_left_out == 1 ? "" : "s");
    }
}

// --- commands ------------------------------------------------------------------------------------

// The value of a key at the start of a line of the sweep file; "" when there is none.
static void definition_value(const char *definition, const char *key, struct results_text *value)
{
    size_t size = strlen(key);

    for (const char *line = definition; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (length > size && strncmp(line, key, size) == 0 && line[size] == ':') {
            const char *from = line + size + 1;
            size_t rest = length - size - 1;
            const char *comment = memchr(from, '#', rest);

            rest = comment != NULL ? (size_t)(comment - from) : rest;
            while (rest > 0 && *from == ' ') {
                from++;
                rest--;
            }
            while (rest > 0 && from[rest - 1] == ' ') {
                rest--;
            }
            results_text_bytes(value, from, rest);
            return;
        }
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}

static void set_option(struct results_text *text, const char *path, const char *value)
{
    struct results_text word;

    results_text_init(&word);
    results_text_format(&word, "%s=%s", path, value);
    results_text_add(text, " --set ");
    results_shell_word(text, results_text_string(&word));
    results_text_release(&word);
}

// A label may be "7.11s", which Flink's keys do not take.
static void set_axis(struct results_text *text, const struct survey_axis *axis, uint32_t value)
{
    char exact[SCENARIO_UNITS_TEXT];
    bool duration = axis->quantity == RESULTS_QUANTITY_DURATION && axis->numeric;

    if (duration) {
        scenario_units_duration_text(llround(axis->numbers[value]), exact);
    }
    set_option(text, axis->path, duration ? exact : axis->texts[value]);
}

// The labels of single runs are "path=value, path=value", where values may hold commas themselves.
static void set_options_of_label(struct results_text *text, const char *label)
{
    while (*label != '\0') {
        const char *end = label;
        struct results_text word;

        // A new value starts behind ", " where a path and '=' follow without a blank or a brace.
        for (;;) {
            const char *next = strstr(end, ", ");
            size_t path;

            if (next == NULL) {
                end += strlen(end);
                break;
            }
            path = strcspn(next + 2, "= {}[]:");
            end = next;
            if (next[2 + path] == '=') {
                break;
            }
            end = next + 2;
        }
        results_text_init(&word);
        results_text_bytes(&word, label, (size_t)(end - label));
        results_text_add(text, " --set ");
        results_shell_word(text, results_text_string(&word));
        results_text_release(&word);
        label = end + (end[0] == ',' ? 2 : 0);
    }
}

void overview_command(const struct survey *survey, const struct survey_point *point,
                      const char *program, struct results_text *text)
{
    struct results_text file;
    size_t name = strlen(point->scenario);
    bool known;

    if (point->command[0] != '\0') {
        results_shell_word(text, program);
        results_text_format(text, " %s", point->command);
        if (point->n_runs > 0) {
            results_text_format(text, " --seed %" PRId64, point->runs[0].seed);
        }
        return;
    }
    results_text_init(&file);
    definition_value(survey->definition, "scenario", &file);
    known = file.size > 0;
    if (!known) {
        results_text_add(&file, "SCENARIO");
    }
    results_shell_word(text, program);
    results_text_add(text, " run ");
    results_shell_word(text, results_text_string(&file));
    results_text_release(&file);
    for (uint32_t a = 0; point->values != NULL && a < survey->n_axes; a++) {
        if (point->values[a] != SURVEY_NONE) {
            set_axis(text, &survey->axes[a], point->values[a]);
        }
    }
    if (!survey->is_sweep && strlen(point->label) > name) {
        set_options_of_label(text, point->label + name + 2);
    }
    if (point->n_runs > 0) {
        results_text_format(text, " --seed %" PRId64, point->runs[0].seed);
    }
    if (!known) {
        results_text_format(text, " # SCENARIO: the file of '%s'; its path is not in the database",
                            point->scenario);
    }
}

// --- queries -------------------------------------------------------------------------------------

static void append_query(const struct survey *survey, const char *head, const char *tail,
                         struct results_text *text)
{
    results_text_format(text, "%s%s%s;", head, survey->where, tail);
}

void overview_query_points(const struct survey *survey, struct results_text *text)
{
    append_query(survey,
                 "SELECT point, metric, n, mean, low_95, high_95, p95 FROM v_summary\n"
                 " WHERE point_id IN (SELECT id FROM point WHERE ",
                 ")\n ORDER BY point_id, metric", text);
}

void overview_query(const struct survey *survey, enum overview_figure figure,
                    struct results_text *text)
{
    static const struct {
        const char *head;
        const char *tail;
    } queries[OVERVIEW_FIGURES] = {
        {"SELECT point, n, lost_work_ns, event_store_bytes FROM v_pareto\n"
         " WHERE point_id IN (SELECT id FROM point WHERE ",
         ")\n ORDER BY event_store_bytes"},
        {"SELECT a.point_id, b.point_id, avg(a.job_lost_work_ns - b.job_lost_work_ns)\n"
         "  FROM run a JOIN run b ON b.seed = a.seed AND b.point_id != a.point_id\n"
         "  JOIN point ON point.id = a.point_id WHERE ",
         "\n   AND b.point_id IN (SELECT id FROM point p WHERE p.sweep_id = point.sweep_id)\n"
         " GROUP BY a.point_id, b.point_id"},
        {"SELECT axis.name, axis_value.text, avg(job_lost_work_ns), avg(job_delay_ns)\n"
         "  FROM run JOIN point ON point.id = run.point_id\n"
         "  JOIN axis_value ON axis_value.point_id = point.id\n"
         "  JOIN axis ON axis.id = axis_value.axis_id WHERE ",
         "\n GROUP BY axis.id, axis_value.text ORDER BY axis.n, axis_value.value"},
        {"SELECT a.text, b.text, avg(job_lost_work_ns)\n"
         "  FROM run JOIN point ON point.id = run.point_id\n"
         "  JOIN axis_value a ON a.point_id = point.id\n"
         "  JOIN axis_value b ON b.point_id = point.id AND b.axis_id > a.axis_id WHERE ",
         "\n GROUP BY a.axis_id, b.axis_id, a.text, b.text"},
        {"SELECT run.point_id, cause, sum(ns) FROM lost_work\n"
         "  JOIN run ON run.id = run_id JOIN point ON point.id = run.point_id\n WHERE ",
         "\n GROUP BY run.point_id, cause"},
        {"SELECT run.point_id, avg(detect_ns), avg(elect_ns), avg(start_ns), avg(replay_ns),\n"
         "       avg(wait_workers_ns), avg(reconcile_ns), avg(redeploy_ns) FROM failover\n"
         "  JOIN run ON run.id = run_id JOIN point ON point.id = run.point_id\n WHERE ",
         "\n GROUP BY run.point_id"},
        {"SELECT run.point_id, failover.at_ns, job_delay_ns, job_lost_work_ns FROM failover\n"
         "  JOIN run ON run.id = run_id JOIN point ON point.id = run.point_id\n"
         " WHERE job_failovers = 1 AND ",
         "\n ORDER BY failover.at_ns"},
        {"SELECT run_key, seed, fingerprint, point.scenario FROM run JOIN point ON\n"
         "  point.id = run.point_id WHERE ",
         "\n ORDER BY run.point_id, seed"},
    };

    SIM_ASSERT(figure <= OVERVIEW_TIMELINE);
    append_query(survey, queries[figure].head, queries[figure].tail, text);
}
