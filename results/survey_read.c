// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reading a survey from the database: aggregates by SQL, and of each run the few columns that
// paired differences need (88 bytes a run).
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/survey_parts.h"
#include "sim/assert.h"

const struct survey_metric_fact *survey_metric_fact(enum survey_metric metric)
{
    static const struct survey_metric_fact facts[SURVEY_METRICS] = {
        {"lost-work", "lost work", "lost work per run (slot time)", "job_lost_work_ns",
         RESULTS_QUANTITY_DURATION},
        {"delay", "delay", "delay of the job", "job_delay_ns", RESULTS_QUANTITY_DURATION},
        {"makespan", "makespan", "makespan of the job", "job_makespan_ns",
         RESULTS_QUANTITY_DURATION},
        {"outage", "outage", "outage per run", "job_outage_ns", RESULTS_QUANTITY_DURATION},
        {"io-event-store-bytes", "bytes", "bytes written to the event store, per run",
         "io_event_store_bytes", RESULTS_QUANTITY_SIZE},
        {"requests", "requests", "requests to the event store, per run",
         "io_requests_create + io_requests_append + io_requests_flush + io_requests_sync +"
         " io_requests_close + io_requests_read + io_requests_list + io_requests_remove +"
         " io_requests_mkdir",
         RESULTS_QUANTITY_COUNT},
        {"io-cost-nanousd", "price", "price of the requests, per run", "io_cost_nanousd",
         RESULTS_QUANTITY_PRICE},
    };

    SIM_ASSERT(metric < SURVEY_METRICS);
    return &facts[metric];
}

const char *survey_broken_name(enum survey_broken broken)
{
    static const char *const names[SURVEY_BROKEN] = {
        "not run yet", "crashed", "cut at the limit of wall-clock time", "skipped",
        "gave another result when repeated"};

    SIM_ASSERT(broken < SURVEY_BROKEN);
    return names[broken];
}

static uint64_t count_of(struct survey *survey, struct results_statement *s, const char *sql)
{
    uint64_t n = 0;

    survey_statement(survey, s, sql);
    if (results_statement_row(s)) {
        n = (uint64_t)sqlite3_column_int64(s->statement, 0);
    }
    return n;
}

// Points by their ids, for rows that name them.
static int load_ids(struct survey *survey)
{
    struct results_statement s;
    uint32_t n = 0;

    survey->ids = SIM_ARENA_NEW(&survey->arena, struct survey_id, (uint64_t)survey->n_points + 1);
    if (survey->ids == NULL) {
        return SQLITE_NOMEM;
    }
    // The same order as load_points, so that the rank is the index.
    survey_statement(survey, &s,
                     "SELECT point.id, row_number() OVER (ORDER BY " SURVEY_POINT_ORDER ") - 1"
                     " FROM point WHERE %s ORDER BY point.id");
    while (n < survey->n_points && results_statement_row(&s)) {
        survey->ids[n].id = sqlite3_column_int64(s.statement, 0);
        survey->ids[n].index = (uint32_t)sqlite3_column_int64(s.statement, 1);
        SIM_ASSERT(survey->points[survey->ids[n].index].id == survey->ids[n].id);
        n++;
    }
    return results_statement_release(&s);
}

static void read_point(struct survey *survey, struct results_statement *s)
{
    struct survey_point *point = &survey->points[survey->n_points++];
    char number[16];

    (void)snprintf(number, sizeof(number), "#%u", survey->n_points);
    point->id = sqlite3_column_int64(s->statement, 0);
    point->label = survey_column(survey, s, 1);
    point->profile = survey_column(survey, s, 2);
    point->scenario = survey_column(survey, s, 3);
    point->command = survey_column(survey, s, 4);
    point->short_name = survey_copy(survey, number);
    s->code = point->short_name == NULL ? SQLITE_NOMEM : s->code;
}

static int load_points(struct survey *survey)
{
    struct results_statement s;
    uint64_t n = count_of(survey, &s, "SELECT count(*) FROM point WHERE %s");
    int code = results_statement_release(&s);

    if (code != SQLITE_OK || n > SURVEY_POINTS_MAX) {
        return code != SQLITE_OK ? code : SQLITE_TOOBIG;
    }
    survey->points = SIM_ARENA_NEW(&survey->arena, struct survey_point, n + 1);
    if (survey->points == NULL) {
        return SQLITE_NOMEM;
    }
    survey_statement(survey, &s,
                     "SELECT point.id, point.label, point.profile, sweep.name,"
                     " point.command FROM point JOIN sweep ON"
                     " sweep.id = point.sweep_id WHERE %s ORDER BY " SURVEY_POINT_ORDER);
    while (survey->n_points < n && results_statement_row(&s)) {
        read_point(survey, &s);
    }
    code = results_statement_release(&s);
    return code == SQLITE_OK ? load_ids(survey) : code;
}

// A point of single runs is known by its scenario, too; that of a sweep by its axes alone.
static int name_points(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->n_points; i++) {
        struct survey_point *point = &survey->points[i];
        struct results_text label;

        if (survey->is_sweep && point->label[0] != '\0') {
            continue;
        }
        results_text_init(&label);
        results_text_format(&label, "%s%s%s", point->scenario, point->label[0] != '\0' ? ": " : "",
                            point->label);
        point->label = survey_copy(survey, results_text_string(&label));
        results_text_release(&label);
        if (point->label == NULL) {
            return SQLITE_NOMEM;
        }
    }
    return SQLITE_OK;
}

static void read_run(struct survey_run *run, sqlite3_stmt *row)
{
    run->id = sqlite3_column_int64(row, 0);
    run->seed = sqlite3_column_int64(row, 2);
    run->failovers = (uint32_t)sqlite3_column_int64(row, 3);
    for (uint32_t m = 0; m < SURVEY_METRICS; m++) {
        int column = 7 + (int)m;

        run->values[m] = sqlite3_column_type(row, column) == SQLITE_NULL
                             ? (double)NAN
                             : sqlite3_column_double(row, column);
    }
}

static void count_run(struct survey *survey, struct survey_point *point, sqlite3_stmt *row)
{
    static const char *const states[] = {"", "FINISHED", "FAILED", "SUSPENDED", "TIMEOUT"};
    const char *state = (const char *)sqlite3_column_text(row, 4);

    for (uint32_t i = 1; i < sizeof(states) / sizeof(states[0]); i++) {
        point->n_states[i] += state != NULL && strcmp(state, states[i]) == 0 ? 1 : 0;
    }
    point->n_runs++;
    point->n_unmet += sqlite3_column_int64(row, 5) == 0 ? 1 : 0;
    point->n_findings += sqlite3_column_int64(row, 6) > 0 ? 1 : 0;
    point->n_failover += sqlite3_column_int64(row, 3) > 0 ? 1 : 0;
    survey->n_runs++;
}

static void runs_query(struct results_text *sql)
{
    results_text_add(sql, "SELECT run.id, run.point_id, run.seed, job_failovers, run.state,"
                          " expectations_met, findings_total");
    for (uint32_t m = 0; m < SURVEY_METRICS; m++) {
        results_text_format(sql, ", %s", survey_metric_fact((enum survey_metric)m)->expression);
    }
    results_text_add(sql, " FROM run JOIN point ON point.id = run.point_id WHERE %s"
                          " ORDER BY run.point_id, run.seed, run.id");
}

static int load_runs(struct survey *survey)
{
    struct results_statement s;
    struct results_text sql;
    uint64_t n = count_of(survey, &s,
                          "SELECT count(*) FROM run JOIN point ON"
                          " point.id = run.point_id WHERE %s");
    int code = results_statement_release(&s);
    struct survey_run *runs = SIM_ARENA_NEW(&survey->arena, struct survey_run, n + 1);

    if (code != SQLITE_OK || runs == NULL) {
        return code != SQLITE_OK ? code : SQLITE_NOMEM;
    }
    results_text_init(&sql);
    runs_query(&sql);
    survey_statement(survey, &s, results_text_string(&sql));
    results_text_release(&sql);
    while (survey->n_runs < n && results_statement_row(&s)) {
        uint32_t index = survey_point_index(survey, sqlite3_column_int64(s.statement, 1));
        struct survey_run *run = &runs[survey->n_runs];

        SIM_ASSERT(index != SURVEY_NONE);
        if (survey->points[index].n_runs == 0) {
            survey->points[index].runs = run;
        }
        read_run(run, s.statement);
        count_run(survey, &survey->points[index], s.statement);
    }
    return results_statement_release(&s);
}

int survey_load(struct survey *survey)
{
    int code = load_points(survey);

    if (code == SQLITE_OK) {
        code = name_points(survey);
    }
    if (code == SQLITE_OK) {
        code = load_runs(survey);
    }
    if (code == SQLITE_OK) {
        code = survey_load_axes(survey);
    }
    if (code == SQLITE_OK) {
        code = survey_load_details(survey);
    }
    if (code == SQLITE_OK) {
        code = survey_load_plan(survey);
    }
    return code == SQLITE_OK ? survey_load_warnings(survey) : code;
}
