// SPDX-License-Identifier: GPL-3.0-or-later
//
// What surrounds the runs of a survey: axes, causes, phases, crashes, findings, builds, and what
// was planned without a result.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/label.h"
#include "results/survey_parts.h"
#include "scenarios/loader.h"
#include "sim/assert.h"

// --- axes ----------------------------------------------------------------------------------------

struct axis_value {
    uint32_t point;
    double number;
    const char *text;
};

static enum results_quantity quantity_of(const char *kind)
{
    static const struct {
        const char *kind;
        enum results_quantity quantity;
    } kinds[] = {{"ns", RESULTS_QUANTITY_DURATION},
                 {"bytes", RESULTS_QUANTITY_SIZE},
                 {"count", RESULTS_QUANTITY_COUNT}};

    for (size_t i = 0; kind != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            return kinds[i].quantity;
        }
    }
    return RESULTS_QUANTITY_PLAIN;
}

static int load_axis_names(struct survey *survey)
{
    struct results_statement s;

    survey->axes = SIM_ARENA_NEW(&survey->arena, struct survey_axis, SURVEY_AXES_MAX);
    if (survey->axes == NULL) {
        return SQLITE_NOMEM;
    }
    survey_statement(survey, &s,
                     "SELECT id, name, path, kind FROM axis WHERE sweep_id IN"
                     " (SELECT point.sweep_id FROM point WHERE %s) ORDER BY n, id");
    while (results_statement_row(&s)) {
        struct survey_axis *axis = &survey->axes[survey->n_axes];

        if (survey->n_axes == SURVEY_AXES_MAX) {
            s.code = SQLITE_TOOBIG;
            break;
        }
        axis->id = sqlite3_column_int64(s.statement, 0);
        axis->name = survey_column(survey, &s, 1);
        axis->path = survey_column(survey, &s, 2);
        axis->quantity = quantity_of((const char *)sqlite3_column_text(s.statement, 3));
        survey->n_axes++;
    }
    return results_statement_release(&s);
}

static bool comes_after(const struct survey_axis *axis, const struct axis_value *a, uint32_t known)
{
    return axis->numeric && a->number < axis->numbers[known];
}

// Puts a value into the list of the axis, in order, unless it is there.
static void axis_insert(struct survey_axis *axis, double *numbers, const struct axis_value *value)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < axis->n_values; i++) {
        if (strcmp(axis->texts[i], value->text) == 0) {
            return;
        }
    }
    while (at < axis->n_values && !comes_after(axis, value, at)) {
        at++;
    }
    memmove(&axis->texts[at + 1], &axis->texts[at], (axis->n_values - at) * sizeof(axis->texts[0]));
    memmove(&numbers[at + 1], &numbers[at], (axis->n_values - at) * sizeof(numbers[0]));
    axis->texts[at] = value->text;
    numbers[at] = value->number;
    axis->n_values++;
}

static uint32_t axis_find(const struct survey_axis *axis, const char *text)
{
    for (uint32_t i = 0; i < axis->n_values; i++) {
        if (strcmp(axis->texts[i], text) == 0) {
            return i;
        }
    }
    return SURVEY_NONE;
}

// Whether `label` is `text` without blanks, as a value is called when nobody gave it a label.
static bool is_plain_label(const char *label, size_t size, const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        if (*text != ' ') {
            if (n == size || label[n] != *text) {
                return false;
            }
            n++;
        }
    }
    return n == size;
}

// What people see of a value: the label that the sweep file gives it, which stands in the point's
// own; else the value, a duration as "7.11 s" where Flink's option needs "7110 ms".
static const char *value_label(struct survey *survey, const struct survey_axis *axis,
                               const char *point_label, const struct axis_value *value)
{
    char exact[SCENARIO_UNITS_TEXT] = "";
    size_t size;
    const char *found = results_label_value(point_label, axis->name, &size);
    struct results_text label;
    const char *copy;

    if (found == NULL || is_plain_label(found, size, value->text)) {
        return value->text;
    }
    if (axis->quantity == RESULTS_QUANTITY_DURATION && isfinite(value->number)) {
        scenario_units_measured_text(llround(value->number), exact);
    }
    if (is_plain_label(found, size, exact)) {
        return survey_copy(survey, exact);
    }
    results_text_init(&label);
    results_text_bytes(&label, found, size);
    copy = survey_copy(survey, results_text_string(&label));
    results_text_release(&label);
    return copy;
}

static int read_axis_values(struct survey *survey, const struct survey_axis *axis,
                            struct axis_value *values, uint32_t *n)
{
    struct results_statement s;

    survey_statement(survey, &s,
                     "SELECT point_id, text, value FROM axis_value JOIN point ON"
                     " point.id = point_id WHERE %s AND axis_id = ?"
                     " ORDER BY " SURVEY_POINT_ORDER);
    results_statement_i64(&s, axis->id);
    while (*n < survey->n_points && results_statement_row(&s)) {
        struct axis_value *value = &values[*n];
        bool null = sqlite3_column_type(s.statement, 2) == SQLITE_NULL;

        value->point = survey_point_index(survey, sqlite3_column_int64(s.statement, 0));
        value->text = survey_column(survey, &s, 1);
        value->number = null ? (double)NAN : sqlite3_column_double(s.statement, 2);
        // Decimal numbers are stored in 1e-9; other quantities know their unit.
        value->number /= axis->quantity == RESULTS_QUANTITY_PLAIN ? 1e9 : 1;
        if (value->point != SURVEY_NONE) {
            value->text =
                value_label(survey, axis, survey->points[value->point].label, value);
            s.code = value->text == NULL ? SQLITE_NOMEM : s.code;
            *n += 1;
        }
    }
    return results_statement_release(&s);
}

static int load_axis(struct survey *survey, uint32_t index, uint32_t *const *point_values)
{
    struct survey_axis *axis = &survey->axes[index];
    struct axis_value *values = malloc(((size_t)survey->n_points + 1) * sizeof(*values));
    double *numbers = SIM_ARENA_NEW(&survey->arena, double, (uint64_t)survey->n_points + 1);
    uint32_t n = 0;
    int code = SQLITE_NOMEM;

    axis->texts = SIM_ARENA_NEW(&survey->arena, const char *, (uint64_t)survey->n_points + 1);
    axis->numbers = numbers;
    axis->numeric = true;
    if (values != NULL && numbers != NULL && axis->texts != NULL) {
        code = read_axis_values(survey, axis, values, &n);
    }
    for (uint32_t i = 0; code == SQLITE_OK && i < n; i++) {
        axis->numeric = axis->numeric && isfinite(values[i].number);
    }
    for (uint32_t i = 0; code == SQLITE_OK && i < n; i++) {
        axis_insert(axis, numbers, &values[i]);
    }
    for (uint32_t i = 0; code == SQLITE_OK && i < n; i++) {
        point_values[values[i].point][index] = axis_find(axis, values[i].text);
    }
    free(values);
    return code;
}

// What tells a point from the others: the axes that have several values, with and without names.
static int label_point(struct survey *survey, struct survey_point *point)
{
    struct results_text label;
    struct results_text brief;

    results_text_init(&label);
    results_text_init(&brief);
    for (uint32_t a = 0; a < survey->n_axes; a++) {
        const struct survey_axis *axis = &survey->axes[a];

        if (point->values[a] != SURVEY_NONE && axis->n_values > 1) {
            const char *text = axis->texts[point->values[a]];

            results_text_format(&label, "%s%s=%s", label.size > 0 ? ", " : "", axis->name, text);
            results_text_format(&brief, "%s%s", brief.size > 0 ? ", " : "", text);
        }
    }
    point->brief = point->label;
    if (label.size > 0) {
        point->label = survey_copy(survey, results_text_string(&label));
        point->brief = survey_copy(survey, results_text_string(&brief));
    }
    results_text_release(&label);
    results_text_release(&brief);
    return point->label != NULL && point->brief != NULL ? SQLITE_OK : SQLITE_NOMEM;
}

static int label_points(struct survey *survey)
{
    int code = SQLITE_OK;

    for (uint32_t i = 0; code == SQLITE_OK && i < survey->n_points; i++) {
        code = label_point(survey, &survey->points[i]);
    }
    return code;
}

int survey_load_axes(struct survey *survey)
{
    uint32_t **values;
    int code;

    code = load_axis_names(survey);
    values = SIM_ARENA_NEW(&survey->arena, uint32_t *, (uint64_t)survey->n_points + 1);
    if (code != SQLITE_OK || values == NULL) {
        return code != SQLITE_OK ? code : SQLITE_NOMEM;
    }
    for (uint32_t i = 0; i < survey->n_points; i++) {
        values[i] = SIM_ARENA_NEW(&survey->arena, uint32_t, (uint64_t)survey->n_axes + 1);
        if (values[i] == NULL) {
            return SQLITE_NOMEM;
        }
        for (uint32_t a = 0; a < survey->n_axes; a++) {
            values[i][a] = SURVEY_NONE;
        }
        survey->points[i].values = values[i];
    }
    for (uint32_t a = 0; code == SQLITE_OK && a < survey->n_axes; a++) {
        code = load_axis(survey, a, values);
    }
    return code == SQLITE_OK ? label_points(survey) : code;
}

// --- causes, phases, crashes, findings -----------------------------------------------------------

static int load_causes(struct survey *survey)
{
    struct results_statement s;

    survey_statement(survey, &s,
                     "SELECT run.point_id, cause, total(ns) FROM lost_work"
                     " JOIN run ON run.id = run_id JOIN point ON"
                     " point.id = run.point_id WHERE %s"
                     " GROUP BY run.point_id, cause");
    while (results_statement_row(&s)) {
        uint32_t index = survey_point_index(survey, sqlite3_column_int64(s.statement, 0));
        const char *cause = (const char *)sqlite3_column_text(s.statement, 1);

        for (uint32_t c = 0; index != SURVEY_NONE && c < MODEL_CAUSE_COUNT; c++) {
            if (strcmp(cause, model_cause_name((enum model_cause)c)) == 0) {
                struct survey_point *point = &survey->points[index];

                point->causes[c] = sqlite3_column_double(s.statement, 2) / point->n_runs;
            }
        }
    }
    return results_statement_release(&s);
}

static int load_phases(struct survey *survey)
{
    struct results_statement s;

    _Static_assert(MODEL_PHASE_COUNT == 7, "the statement names every phase");
    survey_statement(survey, &s,
                     "SELECT run.point_id, avg(detect_ns), avg(elect_ns),"
                     " avg(start_ns), avg(replay_ns), avg(wait_workers_ns),"
                     " avg(reconcile_ns), avg(redeploy_ns) FROM failover JOIN run ON"
                     " run.id = run_id JOIN point ON point.id = run.point_id"
                     " WHERE %s GROUP BY run.point_id");
    while (results_statement_row(&s)) {
        uint32_t index = survey_point_index(survey, sqlite3_column_int64(s.statement, 0));

        for (uint32_t p = 0; index != SURVEY_NONE && p < MODEL_PHASE_COUNT; p++) {
            survey->points[index].phases[p] = sqlite3_column_double(s.statement, 1 + (int)p);
        }
    }
    return results_statement_release(&s);
}

// Where a run has several failovers, its loss cannot be told apart by crash.
static int load_crashes(struct survey *survey)
{
    struct results_statement s;
    uint64_t room = 0;

    for (uint32_t i = 0; i < survey->n_points; i++) {
        room += survey->points[i].n_failover;
    }
    survey->crashes = SIM_ARENA_NEW(&survey->arena, struct survey_crash, room + 1);
    if (survey->crashes == NULL) {
        return SQLITE_NOMEM;
    }
    survey_statement(survey, &s,
                     "SELECT run.point_id, failover.at_ns, run.job_delay_ns,"
                     " run.job_lost_work_ns, run.job_failovers FROM failover"
                     " JOIN run ON run.id = run_id JOIN point ON"
                     " point.id = run.point_id WHERE %s AND failover.n = 0"
                     " ORDER BY run.point_id, run.seed, run.id");
    while (survey->n_crashes < room && results_statement_row(&s)) {
        struct survey_crash *crash = &survey->crashes[survey->n_crashes];
        bool known = sqlite3_column_type(s.statement, 2) != SQLITE_NULL;

        if (sqlite3_column_int64(s.statement, 4) != 1) {
            survey->n_crash_runs_many++;
            continue;
        }
        crash->point = survey_point_index(survey, sqlite3_column_int64(s.statement, 0));
        crash->at_ns = sqlite3_column_double(s.statement, 1);
        crash->delay_ns = known ? sqlite3_column_double(s.statement, 2) : (double)NAN;
        crash->lost_ns = sqlite3_column_double(s.statement, 3);
        survey->n_crashes += crash->point != SURVEY_NONE ? 1 : 0;
    }
    return results_statement_release(&s);
}

static int load_findings(struct survey *survey)
{
    struct results_statement s;

    survey_statement(survey, &s,
                     "SELECT run.point_id, count(*), count(DISTINCT CASE WHEN"
                     " hazard IS NULL THEN run_id END) FROM finding"
                     " JOIN run ON run.id = run_id JOIN point ON"
                     " point.id = run.point_id WHERE %s GROUP BY run.point_id");
    while (results_statement_row(&s)) {
        uint32_t index = survey_point_index(survey, sqlite3_column_int64(s.statement, 0));

        if (index != SURVEY_NONE) {
            survey->points[index].n_bugs = (uint32_t)sqlite3_column_int64(s.statement, 2);
            survey->n_findings += (uint64_t)sqlite3_column_int64(s.statement, 1);
            survey->n_bugs += survey->points[index].n_bugs;
        }
    }
    return results_statement_release(&s);
}

// One text of several rows.
static int join_rows(struct survey *survey, const char *sql, const char **joined)
{
    struct results_statement s;
    struct results_text list;

    results_text_init(&list);
    survey_statement(survey, &s, sql);
    while (results_statement_row(&s)) {
        const char *row = (const char *)sqlite3_column_text(s.statement, 0);

        results_text_format(&list, "%s%s", list.size > 0 ? "; " : "", row != NULL ? row : "");
    }
    *joined = survey_copy(survey, results_text_string(&list));
    results_text_release(&list);
    if (*joined == NULL) {
        s.code = SQLITE_NOMEM;
        *joined = "";
    }
    return results_statement_release(&s);
}

static int load_provenance(struct survey *survey)
{
    static const char from[] = " FROM run JOIN point ON point.id = run.point_id"
                               " LEFT JOIN execution ON execution.run_id = run.id"
                               " LEFT JOIN build ON build.id = execution.build_id WHERE %s";
    static const struct {
        const char *what;
        const char *rest;
    } queries[] = {
        {"SELECT DISTINCT run.recoup", " ORDER BY 1"},
        {"SELECT DISTINCT build.compiler || ', ' || build.target || ', SQLite ' || build.sqlite ||"
         " ', GSL ' || build.gsl",
         " AND build.id IS NOT NULL ORDER BY 1"},
        {"SELECT coalesce(min(execution.started_at), '')", ""},
        {"SELECT coalesce(max(execution.started_at), '')", ""},
    };
    const char **texts[] = {&survey->versions, &survey->builds, &survey->started, &survey->ended};
    int code = SQLITE_OK;

    for (size_t i = 0; code == SQLITE_OK && i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct results_text sql;

        results_text_init(&sql);
        results_text_format(&sql, "%s%s%s", queries[i].what, from, queries[i].rest);
        code = join_rows(survey, results_text_string(&sql), texts[i]);
        results_text_release(&sql);
    }
    return code;
}

int survey_load_details(struct survey *survey)
{
    int code = load_causes(survey);

    if (code == SQLITE_OK) {
        code = load_phases(survey);
    }
    if (code == SQLITE_OK) {
        code = load_crashes(survey);
    }
    if (code == SQLITE_OK) {
        code = load_findings(survey);
    }
    return code == SQLITE_OK ? load_provenance(survey) : code;
}

static enum survey_broken broken_of(const char *state)
{
    static const struct {
        const char *state;
        enum survey_broken broken;
    } states[] = {{"planned", SURVEY_PLANNED}, {"running", SURVEY_PLANNED},
                  {"crashed", SURVEY_CRASHED}, {"timeout", SURVEY_CUT},
                  {"skipped", SURVEY_SKIPPED}, {"differs", SURVEY_DIFFERS}};

    for (size_t i = 0; state != NULL && i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i].state, state) == 0) {
            return states[i].broken;
        }
    }
    return SURVEY_BROKEN;
}

int survey_load_plan(struct survey *survey)
{
    struct results_statement s;

    survey_statement(survey, &s,
                     "SELECT plan.point_id, plan.state, count(*) FROM plan JOIN point"
                     " ON point.id = plan.point_id WHERE %s GROUP BY 1, 2");
    while (results_statement_row(&s)) {
        uint32_t index = survey_point_index(survey, sqlite3_column_int64(s.statement, 0));
        enum survey_broken broken = broken_of((const char *)sqlite3_column_text(s.statement, 1));

        if (index != SURVEY_NONE && broken < SURVEY_BROKEN) {
            survey->points[index].n_broken[broken] +=
                (uint32_t)sqlite3_column_int64(s.statement, 2);
            survey->n_broken[broken] += (uint64_t)sqlite3_column_int64(s.statement, 2);
        }
    }
    return results_statement_release(&s);
}

int survey_load_warnings(struct survey *survey)
{
    struct results_statement s;

    survey_statement(survey, &s,
                     "SELECT point_id, warnings FROM summary JOIN point ON"
                     " point.id = point_id WHERE %s AND given = 'all' AND"
                     " metric IN ('lost-work', 'delay')");
    while (results_statement_row(&s)) {
        uint32_t index = survey_point_index(survey, sqlite3_column_int64(s.statement, 0));
        const char *names = (const char *)sqlite3_column_text(s.statement, 1);

        for (uint32_t w = 0; index != SURVEY_NONE && names != NULL && w < RESULTS_WARNING_COUNT;
             w++) {
            if (strstr(names, results_warning_name((enum results_warning_id)w)) != NULL) {
                survey->points[index].warnings |= 1u << w;
            }
        }
    }
    return results_statement_release(&s);
}
