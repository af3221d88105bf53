// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a sweep prints at its end: its points with their key metrics, and what to do next.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaigns/sweep_parts.h"
#include "results/database_parts.h"
#include "results/page.h"
#include "results/units.h"

#define TABLE_ROWS 40u
#define TABLE_LABEL_MAX 60u

static bool table_failed(struct campaign_sweep_outcome *outcome, struct results_database *database,
                         int code)
{
    results_database_fail(database, code);
    results_text_add(&outcome->message, results_text_string(&database->message));
    return false;
}

static uint32_t label_width(const struct campaign_sweep_options *options)
{
    uint32_t width = 5;

    for (uint32_t i = 0; i < options->sweep->n_points; i++) {
        uint32_t columns = results_columns_of(options->sweep->points[i].label);

        width = columns > width ? columns : width;
    }
    return width > TABLE_LABEL_MAX ? TABLE_LABEL_MAX : width;
}

static void cell(struct results_page *page, sqlite3_stmt *row, int column, uint32_t width)
{
    char text[RESULTS_UNITS_SIZE] = "-";
    bool bytes = column == 5;

    if (sqlite3_column_type(row, column) != SQLITE_NULL && bytes) {
        (void)results_size(text, (uint64_t)sqlite3_column_int64(row, column));
    } else if (sqlite3_column_type(row, column) != SQLITE_NULL) {
        (void)results_duration(text, sqlite3_column_int64(row, column));
    }
    results_page_right(page, text, width);
}

static void print_row(struct results_page *page, sqlite3_stmt *row, uint32_t width)
{
    char count[24];

    results_page_left(page, (const char *)sqlite3_column_text(row, 0), width);
    (void)snprintf(count, sizeof(count), "%" PRId64, (int64_t)sqlite3_column_int64(row, 1));
    results_page_right(page, count, 8);
    for (int column = 2; column <= 5; column++) {
        cell(page, row, column, 15);
    }
    (void)snprintf(count, sizeof(count), "%" PRId64, (int64_t)sqlite3_column_int64(row, 6));
    results_page_right(page, count, 10);
    results_page_line(page);
}

static void print_head(struct results_page *page, uint32_t width)
{
    static const char *const titles[] = {"lost work", "its p95", "delay", "store bytes"};

    results_page_left(page, "point", width);
    results_page_right(page, "runs", 8);
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        results_page_right(page, titles[i], 15);
    }
    results_page_right(page, "findings", 10);
    results_page_line(page);
}

// The means are rounded to whole units; table `summary` has them in full.
static const char points_sql[] =
    "SELECT point.label, count(*), CAST(avg(job_lost_work_ns) AS INTEGER),"
    " (SELECT CAST(max(p95) AS INTEGER) FROM summary WHERE point_id = point.id AND"
    "   metric = 'lost-work' AND \"given\" = 'all'),"
    " CAST(avg(job_delay_ns) AS INTEGER), CAST(avg(io_event_store_bytes) AS INTEGER),"
    " sum(expectations_met = 0) FROM run JOIN point ON point.id = run.point_id"
    " WHERE point_key = ?";

static int print_points(const struct campaign_sweep_options *options,
                        struct results_database *database, const struct results_plan *plan,
                        struct results_page *page, uint32_t *more)
{
    uint32_t width = label_width(options);
    struct results_statement s;
    uint32_t rows = 0;

    print_head(page, width);
    results_statement_init(&s, database->connection, points_sql);
    for (uint32_t i = 0; s.code == SQLITE_OK && i < options->sweep->n_points; i++) {
        bool selected = options->where == NULL ||
                        scenario_where_holds(options->where, &options->sweep->points[i]);

        results_statement_text(&s, plan->point_keys[i]);
        if (selected && results_statement_row(&s) && sqlite3_column_int64(s.statement, 1) > 0) {
            *more += rows >= TABLE_ROWS ? 1 : 0;
            if (rows < TABLE_ROWS) {
                print_row(page, s.statement, width);
            }
            rows++;
        }
        results_statement_again(&s);
    }
    return results_statement_release(&s);
}

static void print_states(const struct campaign_sweep_outcome *outcome, struct results_text *text)
{
    static const struct {
        enum results_plan_state state;
        const char *words;
    } states[] = {{RESULTS_PLAN_DONE, "as expected"},
                  {RESULTS_PLAN_FINDING, "with findings or unmet expectations"},
                  {RESULTS_PLAN_CRASHED, "crashed (--retry crashed)"},
                  {RESULTS_PLAN_TIMEOUT, "took too long (--retry timeout)"},
                  {RESULTS_PLAN_DIFFERS, "NOT DETERMINISTIC"},
                  {RESULTS_PLAN_PLANNED, "not run yet"}};
    const char *separator = "";

    results_text_add(text, "\nRuns: ");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        uint64_t n = outcome->states[states[i].state];

        if (n > 0) {
            results_text_format(text, "%s%" PRIu64 " %s", separator, n, states[i].words);
            separator = ", ";
        }
    }
    results_text_format(text, "%s. Now: %" PRIu64 " run, %" PRIu64 " repeated as a check.\n",
                        separator[0] == '\0' ? "none" : "", outcome->ran, outcome->repeated);
    if (outcome->bugs > 0) {
        results_text_format(text,
                            "%" PRIu64 " runs broke an invariant that no active policy explains:\n"
                            "  sqlite3 FILE \"SELECT DISTINCT point.command || ' --seed ' || seed"
                            " FROM finding JOIN run ON run.id = run_id\n"
                            "    JOIN point ON point.id = point_id WHERE hazard IS NULL\"\n",
                            outcome->bugs);
    }
}

bool campaign_sweep_table(const struct campaign_sweep_options *options,
                          struct campaign_sweep_outcome *outcome, struct results_text *text)
{
    struct results_plan_options plan_options = {options->version, options->shard, options->shards};
    struct results_style style = {.utf8 = true, .color = false, .width = RESULTS_PAGE_WIDTH_MAX};
    struct results_database database;
    struct results_plan plan;
    struct results_page page;
    uint32_t more = 0;
    int code;

    if (results_database_open_reading(&database, options->database) != RESULTS_READING) {
        results_text_add(&outcome->message, results_text_string(&database.message));
        results_database_close(&database);
        return false;
    }
    results_page_init(&page, text, &style);
    code = results_plan_keys(&plan, options->sweep, &plan_options) ? SQLITE_OK : SQLITE_NOMEM;
    if (code == SQLITE_OK) {
        code = print_points(options, &database, &plan, &page, &more);
    }
    results_plan_release(&plan);
    if (code != SQLITE_OK) {
        (void)table_failed(outcome, &database, code);
        results_database_close(&database);
        return false;
    }
    results_database_close(&database);
    if (more > 0) {
        results_text_format(text, "... and %" PRIu32 " more: SELECT * FROM v_summary\n", more);
    }
    print_states(outcome, text);
    results_text_format(
        text, "Next: recoup report %s -o report.html; recoup recommend %s --minimize lost-work\n",
        options->database, options->database);
    return true;
}
