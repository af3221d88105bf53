// SPDX-License-Identifier: GPL-3.0-or-later
//
// The runs and the statistics of a survey as CSV or JSON, in a stable order. CSV is in SI base
// units (s, bytes, USD), exact to the nanosecond; JSON keeps the integers of the database, with
// their units in the names.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/columns.h"
#include "results/json.h"
#include "results/overview_parts.h"
#include "results/survey_parts.h"

#define FIXED_COLUMNS 9

static void export_query(struct results_text *sql)
{
    results_text_add(sql, "SELECT point.id, sweep.name, point.label, run.profile, run.seed,"
                          " run.replication, run.state, run.run_key, run.fingerprint");
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        results_text_format(sql, ", run.%s", results_column(i)->name);
    }
    results_text_add(sql, " FROM run JOIN point ON point.id = run.point_id JOIN sweep ON"
                          " sweep.id = point.sweep_id WHERE %s"
                          " ORDER BY " SURVEY_POINT_ORDER ", run.seed, run.run_key");
}

static void prepare(struct survey *survey, struct results_statement *s)
{
    struct results_text sql;

    results_text_init(&sql);
    export_query(&sql);
    survey_statement(survey, s, results_text_string(&sql));
    results_text_release(&sql);
}

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name);
    size_t tail = strlen(end);

    return size >= tail && strcmp(name + size - tail, end) == 0;
}

// --- CSV -----------------------------------------------------------------------------------------

static void csv_text(struct results_text *text, const char *value)
{
    value = value != NULL ? value : "";
    if (strpbrk(value, ",\"\r\n") == NULL) {
        results_text_add(text, value);
        return;
    }
    results_text_char(text, '"');
    for (; *value != '\0'; value++) {
        results_text_add(text, *value == '"' ? "\"" : "");
        results_text_char(text, *value);
    }
    results_text_char(text, '"');
}

// A count of 10^-9 units as a decimal number, exactly.
static void csv_nano(struct results_text *text, int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    results_text_format(text, "%s%" PRIu64 ".%09" PRIu64, value < 0 ? "-" : "", size / 1000000000,
                        size % 1000000000);
}

static void csv_column_name(struct results_text *text, const char *name)
{
    if (ends_with(name, "_ns")) {
        results_text_format(text, ",%.*s_s", (int)(strlen(name) - 3), name);
    } else if (ends_with(name, "_nanousd")) {
        results_text_format(text, ",%.*s_usd", (int)(strlen(name) - 8), name);
    } else {
        results_text_format(text, ",%s", name);
    }
}

static void csv_head(const struct survey *survey, struct results_text *text)
{
    results_text_add(text, "point_number,sweep,point");
    for (uint32_t a = 0; a < survey->n_axes; a++) {
        results_text_char(text, ',');
        csv_text(text, survey->axes[a].name);
    }
    results_text_add(text, ",profile,seed,replication,state,run_key,fingerprint");
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        csv_column_name(text, results_column(i)->name);
    }
    results_text_add(text, "\r\n");
}

static void csv_row(const struct survey *survey, sqlite3_stmt *row, struct results_text *text)
{
    uint32_t index = survey_point_index(survey, sqlite3_column_int64(row, 0));

    results_text_u64(text, index + UINT64_C(1));
    for (int i = 1; i < FIXED_COLUMNS; i++) {
        results_text_char(text, ',');
        csv_text(text, (const char *)sqlite3_column_text(row, i));
        for (uint32_t a = 0; i == 2 && a < survey->n_axes; a++) {
            uint32_t value = survey->points[index].values[a];

            results_text_char(text, ',');
            csv_text(text, value == SURVEY_NONE ? "" : survey->axes[a].texts[value]);
        }
    }
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        const char *name = results_column(i)->name;
        int column = FIXED_COLUMNS + (int)i;

        results_text_char(text, ',');
        if (sqlite3_column_type(row, column) == SQLITE_NULL) {
            continue;
        }
        if (ends_with(name, "_ns") || ends_with(name, "_nanousd")) {
            csv_nano(text, sqlite3_column_int64(row, column));
        } else {
            results_text_i64(text, sqlite3_column_int64(row, column));
        }
    }
    results_text_add(text, "\r\n");
}

int overview_csv(struct survey *survey, struct results_text *text)
{
    struct results_statement s;

    csv_head(survey, text);
    prepare(survey, &s);
    while (!text->failed && results_statement_row(&s)) {
        csv_row(survey, s.statement, text);
    }
    return results_statement_release(&s);
}

// --- JSON ----------------------------------------------------------------------------------------

static void json_estimate(struct results_json *json, const char *key,
                          const struct survey_estimate *e)
{
    results_json_key(json, key);
    if (e->n == 0) {
        results_json_null(json);
        return;
    }
    results_json_object(json);
    results_json_put_u64(json, "n", e->n);
    results_json_put_i64(json, "mean", llround(e->mean));
    results_json_key(json, "interval_95");
    if (isfinite(e->low)) {
        results_json_array(json);
        results_json_i64(json, llround(e->low));
        results_json_i64(json, llround(e->high));
        results_json_end_array(json);
    } else {
        results_json_null(json);
    }
    results_json_put_i64(json, "p50", llround(e->p50));
    results_json_put_i64(json, "p95", llround(e->p95));
    results_json_put_i64(json, "max", llround(e->max));
    results_json_end_object(json);
}

static void json_axes(const struct survey *survey, const struct survey_point *point,
                      struct results_json *json)
{
    results_json_key(json, "axes");
    results_json_object(json);
    for (uint32_t a = 0; a < survey->n_axes; a++) {
        uint32_t value = point->values[a];

        results_json_put_string(json, survey->axes[a].name,
                                value == SURVEY_NONE ? NULL : survey->axes[a].texts[value]);
    }
    results_json_end_object(json);
}

static void json_point(const struct survey *survey, uint32_t index, struct results_json *json)
{
    static const char *const names[SURVEY_METRICS] = {"lost_work_ns", "delay_ns", "makespan_ns",
                                                      "outage_ns",    "bytes",    "requests",
                                                      "cost_nanousd"};
    const struct survey_point *point = &survey->points[index];
    struct survey_estimate difference;

    results_json_object(json);
    results_json_put_u64(json, "number", index + UINT64_C(1));
    results_json_put_string(json, "point", point->label);
    json_axes(survey, point, json);
    results_json_put_u64(json, "runs", point->n_runs);
    results_json_put_u64(json, "runs_with_failover", point->n_failover);
    results_json_put_u64(json, "runs_with_findings", point->n_findings);
    results_json_put_bool(json, "front", point->front[SURVEY_BYTES]);
    results_json_put_bool(json, "near_front", point->near[SURVEY_BYTES]);
    for (uint32_t m = 0; m < SURVEY_METRICS; m++) {
        json_estimate(json, names[m], &point->all[m]);
    }
    if (index != survey->best) {
        survey_difference(survey, index, survey->best, SURVEY_LOST_WORK, &difference);
        json_estimate(json, "lost_work_less_best_ns", &difference);
    }
    results_json_key(json, "given_failover");
    results_json_object(json);
    for (uint32_t m = 0; m < SURVEY_METRICS; m++) {
        json_estimate(json, names[m], &point->hit[m]);
    }
    results_json_end_object(json);
    results_json_end_object(json);
}

static void json_run(const struct survey *survey, sqlite3_stmt *row, struct results_json *json)
{
    static const char *const names[FIXED_COLUMNS] = {
        NULL, NULL, NULL, "profile", "seed", "replication", "state", "run_key", "fingerprint"};

    results_json_object(json);
    results_json_put_u64(json, "point",
                         survey_point_index(survey, sqlite3_column_int64(row, 0)) + UINT64_C(1));
    for (int i = 3; i < FIXED_COLUMNS; i++) {
        if (sqlite3_column_type(row, i) == SQLITE_INTEGER) {
            results_json_put_i64(json, names[i], sqlite3_column_int64(row, i));
        } else {
            results_json_put_string(json, names[i], (const char *)sqlite3_column_text(row, i));
        }
    }
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        int column = FIXED_COLUMNS + (int)i;

        results_json_key(json, results_column(i)->name);
        if (sqlite3_column_type(row, column) == SQLITE_NULL) {
            results_json_null(json);
        } else {
            results_json_i64(json, sqlite3_column_int64(row, column));
        }
    }
    results_json_end_object(json);
}

static void json_head(const struct survey *survey, struct results_json *json)
{
    results_json_put_i64(json, "schema", 1);
    results_json_put_string(json, "sweep", survey->name);
    results_json_put_string(json, "about", survey->about);
    results_json_put_string(json, "recoup", survey->versions);
    results_json_put_u64(json, "best", survey->best + UINT64_C(1));
    results_json_key(json, "points");
    results_json_array(json);
    for (uint32_t i = 0; i < survey->n_points; i++) {
        json_point(survey, i, json);
    }
    results_json_end_array(json);
}

int overview_json(struct survey *survey, struct results_text *text)
{
    struct results_statement s;
    struct results_json json;

    results_json_init(&json, text);
    results_json_object(&json);
    json_head(survey, &json);
    results_json_key(&json, "runs");
    results_json_array(&json);
    prepare(survey, &s);
    while (!text->failed && results_statement_row(&s)) {
        json_run(survey, s.statement, &json);
    }
    results_json_end_array(&json);
    results_json_end_object(&json);
    results_text_char(text, '\n');
    return results_statement_release(&s);
}
