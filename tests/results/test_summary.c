// SPDX-License-Identifier: GPL-3.0-or-later
//
// Table `summary`: over all runs of a point and over those that a failure hit, with what makes the
// numbers doubtful. Four runs whose statistics are computed by hand.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <sqlite3.h>

#include "results/database.h"
#include "support_result.h"

static const struct results_execution execution = {"2025-01-31T12:34:56Z", 2500000, 42};

static void ask(struct results_database *database, const char *sql, const char *expected)
{
    sqlite3_stmt *statement = NULL;
    const unsigned char *text = NULL;

    assert_i64(sqlite3_prepare_v2(database->connection, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        text = sqlite3_column_text(statement, 0);
    }
    assert_text(text != NULL ? (const char *)text : "(none)", expected);
    assert_i64(sqlite3_finalize(statement), SQLITE_OK);
}

static void add(struct results_database *database, struct support_run *s, uint64_t seed)
{
    enum results_database_status status;

    s->scenario.config.seed = seed;
    (void)snprintf(s->canonical, sizeof(s->canonical), "name = q72\nseed = %" PRIu64 "\n", seed);
    status = results_database_append(database, &s->run, &execution);
    if (status != RESULTS_DATABASE_ADDED) {
        print_error("%s\n", results_text_string(&database->message));
    }
    assert_int_equal(status, RESULTS_DATABASE_ADDED);
}

static void open_with_four_runs(struct results_database *database, const char *name)
{
    struct support_run s;
    char path[512];

    assert_true(results_database_open(database, support_path(path, name), 0));
    database->path = name; // `path` ends with this function
    support_run_init(&s);
    add(database, &s, 1);
    support_run_init(&s);
    s.result.makespan_ns = 970 * SUPPORT_S;
    support_lose(&s, 1, MODEL_CAUSE_NOT_RECORDED, 10 * SUPPORT_S, 1);
    add(database, &s, 2);
    support_run_init(&s);
    s.result.makespan_ns = 800 * SUPPORT_S;
    s.result.n_failovers = 0;
    memset(s.lost, 0, sizeof(s.lost));
    s.result.busy_ns = s.result.useful_ns;
    s.result.lost_ns = 0;
    add(database, &s, 3);
    support_run_init(&s);
    s.result.state = MODEL_JOB_TIMEOUT;
    s.result.makespan_ns = 2000 * SUPPORT_S;
    s.result.n_failovers = 0;
    s.run.faultless_known = false;
    add(database, &s, 4);
}

static void all_runs_and_those_that_a_failure_hit(void **state)
{
    struct results_database database;

    (void)state;
    open_with_four_runs(&database, "summary-given.db");
    // 950, 970, 800, 2000 s: sd 551.91 s; one of the four was cut.
    ask(&database,
        "SELECT n || ' ' || (mean / 1e9) || ' ' || round(sd / 1e9, 2) || ' ' || (p50 / 1e9) || ' ' "
        "||"
        " kind || ' ' || warnings FROM v_summary WHERE metric = 'makespan'",
        "4 1180.0 551.91 960.0 censored few-runs, censored, few-for-p95, few-for-p99");
    ask(&database,
        "SELECT n || ' ' || (mean / 1e9) || ' ' || (min / 1000000000) || ' ' || (max / 1000000000) "
        "||"
        " ' ' || kind || ' ' || warnings FROM v_summary_failover WHERE metric = 'makespan'",
        "2 960.0 950 970 finite few-runs, few-for-p95, few-for-p99");
    ask(&database,
        "SELECT group_concat(given || ' ' || n || ' ' || (mean / 1e9), ', ') FROM summary WHERE"
        " metric = 'lost-work.not-recorded'",
        "all 4 70.0, failover 2 95.0");
    // A delay that was not computed is left out, not 0.
    ask(&database, "SELECT n || ' ' || (mean / 1e9) FROM v_summary WHERE metric = 'delay'",
        "3 106.666666666667");
    ask(&database, "SELECT count(*) FROM summary WHERE (given = 'all') = (n = 2)", "0");
    results_database_close(&database);
}

static void a_point_that_no_failure_hit_says_so(void **state)
{
    struct results_database database;
    struct support_run s;
    char path[512];

    (void)state;
    assert_true(results_database_open(&database, support_path(path, "summary-calm.db"), 0));
    support_run_init(&s);
    s.result.n_failovers = 0;
    add(&database, &s, 1);
    ask(&database, "SELECT warnings FROM v_summary WHERE metric = 'lost-work'",
        "few-runs, no-failure, few-for-p95, few-for-p99");
    ask(&database, "SELECT count(*) FROM v_summary_failover", "0");
    ask(&database, "SELECT count(*) FROM v_summary WHERE sd IS NULL AND low_95 IS NULL", "52");
    results_database_close(&database);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_runs_and_those_that_a_failure_hit),
        cmocka_unit_test(a_point_that_no_failure_hit_says_so),
    };

    support_prepare();
    return check_main(argc, argv, "results_summary", tests);
}
