// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "check.h"

#include <jansson.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/columns.h"
#include "results/database_parts.h"
#include "results/result_json.h"
#include "scenarios/metrics.h"
#include "support_result.h"

static const struct results_execution execution = {"2025-01-31T12:34:56Z", 2500000, 42};

static enum results_database_status append(const char *path, const struct support_run *s,
                                           char message[512])
{
    struct results_database database;
    enum results_database_status status = RESULTS_DATABASE_FAILED;

    if (results_database_open(&database, path, 0)) {
        status = results_database_append(&database, &s->run, &execution);
    }
    (void)snprintf(message, 512, "%s", results_text_string(&database.message));
    results_database_close(&database);
    return status;
}

static void add(const char *path, const struct support_run *s)
{
    char message[512];

    if (append(path, s, message) != RESULTS_DATABASE_ADDED) {
        print_error("%s\n", message);
        fail();
    }
}

// The first column of the first row as a text; "(none)" without a row.
static const char *ask(const char *path, const char *sql, char answer[512])
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;

    assert_i64(sqlite3_open(path, &connection), SQLITE_OK);
    if (sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) != SQLITE_OK) {
        print_error("%s: %s\n", sql, sqlite3_errmsg(connection));
        fail();
    }
    (void)snprintf(answer, 512, "(none)");
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(statement, 0);

        (void)snprintf(answer, 512, "%s", text != NULL ? (const char *)text : "(null)");
    }
    assert_i64(sqlite3_finalize(statement), SQLITE_OK);
    assert_i64(sqlite3_close(connection), SQLITE_OK);
    return answer;
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *connection = NULL;

    assert_i64(sqlite3_open(path, &connection), SQLITE_OK);
    assert_i64(sqlite3_exec(connection, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_i64(sqlite3_close(connection), SQLITE_OK);
}

#define assert_answer(path, sql, expected)                                                         \
    do {                                                                                           \
        char answer_[512];                                                                         \
        assert_text(ask((path), (sql), answer_), (expected));                                      \
    } while (0)

static void the_tables_are_those_of_the_contract(void **state)
{
    struct support_run s;
    char path[512];

    (void)state;
    support_run_init(&s);
    add(support_path(path, "tables.db"), &s);
    assert_answer(path,
                  "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master"
                  " WHERE type = 'table' ORDER BY name)",
                  "axis axis_value build execution failover finding info lost_work metric plan"
                  " point run summary sweep");
    assert_answer(path,
                  "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master"
                  " WHERE type = 'view' ORDER BY name)",
                  "v_pareto v_point v_run v_summary v_summary_failover");
    assert_answer(path,
                  "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND"
                  " sql NOT LIKE '%STRICT%'",
                  "0");
    assert_answer(path, "PRAGMA application_id", "1380144464");
    assert_answer(path, "PRAGMA user_version", "2");
    assert_answer(path, "PRAGMA integrity_check", "ok");
    assert_answer(path, "PRAGMA foreign_key_check", "(none)");
}

static void assert_column(const char *path, const char *column, json_t *value)
{
    char sql[256];
    char expected[64];

    (void)snprintf(sql, sizeof(sql), "SELECT %s FROM run", column);
    if (json_is_string(value)) {
        assert_answer(path, sql, json_string_value(value));
    } else {
        (void)snprintf(expected, sizeof(expected), "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
        assert_answer(path, sql, json_is_null(value) ? "(null)" : expected);
    }
}

// Every scalar of the JSON, its path joined by `_`, is a column of `run` with the same value.
static void every_scalar_of_the_result_is_a_column(void **state)
{
    static const char *const skipped[] = {"lost_work_by_cause", "failovers",    "faults",
                                          "findings",           "expectations", "assumed",
                                          "not_modelled"};
    struct support_run s;
    struct results_text text;
    char path[512];
    json_t *result;
    const char *a, *b, *c;
    json_t *va, *vb, *vc;
    char column[128];
    uint32_t compared = 0;

    (void)state;
    support_run_init(&s);
    add(support_path(path, "scalars.db"), &s);
    results_text_init(&text);
    results_run_json(&s.run, &text);
    result = json_loads(results_text_string(&text), 0, NULL);
    assert_non_null(result);
    json_object_foreach(result, a, va)
    {
        bool skip_it = false;

        for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
            skip_it = skip_it || strcmp(a, skipped[i]) == 0;
        }
        if (!skip_it && !json_is_object(va)) {
            assert_column(path, a, va);
            compared++;
        }
        json_object_foreach(skip_it ? NULL : va, b, vb)
        {
            (void)snprintf(column, sizeof(column), "%s_%s", a, b);
            if (!json_is_object(vb)) {
                assert_column(path, column, vb);
                compared++;
            }
            json_object_foreach(vb, c, vc)
            {
                (void)snprintf(column, sizeof(column), "%s_%s_%s", a, b, c);
                assert_column(path, column, vc);
                compared++;
            }
        }
    }
    assert_true(compared > RESULTS_COLUMN_COUNT);
    json_decref(result);
    results_text_release(&text);
}

static void what_repeats_has_tables_of_its_own(void **state)
{
    struct support_run s;
    char path[512];
    char expected[16];

    (void)state;
    support_run_init(&s);
    support_fail_over(&s, 600 * SUPPORT_S, MODEL_FAILOVER_RESTARTED, 0, 3);
    support_find(&s, "R2", "H19", SUPPORT_S, "recovering twice differs");
    support_find(&s, "T10", NULL, SUPPORT_S, "read twice");
    add(support_path(path, "details.db"), &s);
    assert_answer(path, "SELECT count(*) FROM lost_work", "3");
    assert_answer(path,
                  "SELECT ns || ' ' || attempts FROM lost_work WHERE stage = 'scan' AND"
                  " cause = 'not-snapshotted'",
                  "1500000000000 38");
    assert_answer(path, "SELECT sum(ns) FROM lost_work", "2290000000000");
    assert_answer(path, "SELECT count(*) FROM failover", "2");
    assert_answer(path, "SELECT result || ' ' || wait_workers_ns FROM failover WHERE n = 1",
                  "restarted 5000000000");
    assert_answer(path,
                  "SELECT count(*) FROM failover WHERE outage_ns <> detect_ns + elect_ns +"
                  " start_ns + replay_ns + wait_workers_ns + reconcile_ns + redeploy_ns",
                  "0");
    assert_answer(path, "SELECT hazard FROM finding WHERE n = 0", "H19");
    assert_answer(path, "SELECT count(*) FROM finding WHERE hazard IS NULL", "1");
    assert_answer(path, "SELECT process FROM execution", "42");
    (void)snprintf(expected, sizeof(expected), "%" PRIu32, scenario_metric_count());
    assert_answer(path, "SELECT count(*) FROM metric WHERE length(definition) > 0", expected);
}

// The same run again changes nothing, not one byte of the file.
static void the_same_run_again_changes_nothing(void **state)
{
    struct support_run s;
    char path[512];
    char message[512];
    struct stat before;
    struct stat after;

    (void)state;
    support_run_init(&s);
    add(support_path(path, "again.db"), &s);
    assert_i64(stat(path, &before), 0);
    assert_i64(append(path, &s, message), RESULTS_DATABASE_PRESENT);
    assert_non_null(strstr(message, "nothing was changed"));
    assert_i64(stat(path, &after), 0);
    assert_i64(before.st_size, after.st_size);
    assert_i64(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_i64(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_answer(path, "SELECT count(*) FROM run", "1");
}

static void the_same_run_with_another_fingerprint_is_refused(void **state)
{
    struct support_run s;
    char path[512];
    char message[512];

    (void)state;
    support_run_init(&s);
    add(support_path(path, "differs.db"), &s);
    s.result.fingerprint[3] ^= 1;
    assert_i64(append(path, &s, message), RESULTS_DATABASE_DIFFERS);
    assert_non_null(strstr(message, "another fingerprint"));
    assert_answer(path, "SELECT fingerprint FROM run", "00112233445566778899aabbccddeeff");
}

// Seeds are replications of one point; another scenario is another point.
static void points_and_runs(void **state)
{
    struct support_run s;
    char path[512];

    (void)state;
    support_run_init(&s);
    add(support_path(path, "points.db"), &s);
    s.scenario.config.seed = 8;
    (void)snprintf(s.canonical, sizeof(s.canonical), "name = q72-master-crash\nseed = 8\n");
    support_lose(&s, 2, MODEL_CAUSE_NOT_RECORDED, 100 * SUPPORT_S, 1);
    add(path, &s);
    assert_answer(path, "SELECT count(*) FROM point", "1");
    (void)snprintf(s.canonical, sizeof(s.canonical),
                   "name = q72-master-crash\ncluster.workers = 26\n");
    s.result.io.bytes *= 2;
    add(path, &s);
    assert_answer(path, "SELECT count(*) FROM point", "2");
    assert_answer(path, "SELECT count(DISTINCT run_key) FROM run", "3");
    assert_answer(path, "SELECT count(*) FROM sweep", "1");
    assert_answer(path,
                  "SELECT group_concat(sweep || ' ' || point || ' ' || seed, ', ') FROM"
                  " (SELECT * FROM v_run WHERE point_id = 1 ORDER BY seed)",
                  "q72-master-crash ha.detect=5 s 7, q72-master-crash ha.detect=5 s 8");
    assert_answer(path,
                  "SELECT n || ' ' || (mean / 1e9) || ' ' || (min / 1000000000) ||"
                  " ' ' || (max / 1000000000) FROM v_summary WHERE metric = 'lost-work' AND"
                  " point_id = 1",
                  "2 2340.0 2290 2390");
    // Half-width by hand: t(0.975; 1) = 12.7062, sd = 70.7107 s, / sqrt(2): 635.31 s.
    assert_answer(path,
                  "SELECT round((high_95 - mean) / 1e9, 2) FROM summary WHERE"
                  " metric = 'lost-work' AND point_id = 1",
                  "635.31");
    assert_answer(path,
                  "SELECT sd IS NULL AND low_95 IS NULL FROM summary WHERE"
                  " metric = 'lost-work' AND point_id = 2",
                  "1");
    assert_answer(path, "SELECT group_concat(point_id) FROM v_pareto", "1");
}

static void keys_depend_on_what_is_run_and_on_nothing_else(void **state)
{
    struct support_run s;
    char first[RESULTS_KEY_SIZE];
    char other[RESULTS_KEY_SIZE];

    (void)state;
    support_run_init(&s);
    results_run_key(&s.run, first);
    s.run.command = "elsewhere";
    s.scenario.path = "elsewhere.yaml";
    results_run_key(&s.run, other);
    assert_text(other, first);
    s.run.invariants_on = false;
    results_run_key(&s.run, other);
    assert_string_not_equal(other, first);
    s.run.invariants_on = true;
    s.run.version = "9.8.8";
    results_run_key(&s.run, other);
    assert_string_not_equal(other, first);
    s.run.version = "9.8.7";
    s.scenario.config.seed++;
    results_run_key(&s.run, other);
    assert_string_not_equal(other, first);
}

static void assert_run_refused(const char *path, struct support_run *s, const char *expected)
{
    char message[512];

    assert_i64(append(path, s, message), RESULTS_DATABASE_FAILED);
    if (strstr(message, expected) == NULL || strstr(message, path) == NULL) {
        print_error("expected '%s' in '%s'\n", expected, message);
        fail();
    }
}

static void assert_refused(const char *path, const char *expected)
{
    struct support_run s;

    support_run_init(&s);
    assert_run_refused(path, &s, expected);
}

static void other_files_are_refused_and_left_alone(void **state)
{
    struct support_run s;
    char path[512];
    char *content;
    FILE *file;

    (void)state;
    file = fopen(support_path(path, "text.db"), "w");
    assert_non_null(file);
    for (int i = 0; i < 100; i++) {
        assert_true(fputs("this is no database at all\n", file) >= 0);
    }
    assert_i64(fclose(file), 0);
    assert_refused(path, "no SQLite database");
    content = support_read(path);
    assert_non_null(content);
    assert_u64(strlen(content), 2700);
    free(content);

    execute(support_path(path, "other.db"), "CREATE TABLE t(x); PRAGMA application_id = 7");
    assert_refused(path, "belongs to another program");
    assert_answer(path, "SELECT count(*) FROM sqlite_master", "1");

    execute(support_path(path, "unnamed.db"), "CREATE TABLE t(x)");
    assert_refused(path, "belongs to another program");

    support_run_init(&s);
    add(support_path(path, "version.db"), &s);
    execute(path, "PRAGMA user_version = 3");
    assert_refused(path, "version 3");
    assert_refused(RECOUP_BINARY_DIR "/no-such-folder/x.db", "cannot be opened");
}

static void a_locked_database_is_named_and_unchanged(void **state)
{
    struct support_run s;
    sqlite3 *other = NULL;
    char path[512];

    (void)state;
    support_run_init(&s);
    add(support_path(path, "locked.db"), &s);
    assert_i64(sqlite3_open(path, &other), SQLITE_OK);
    assert_i64(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    assert_refused(path, "locked");
    assert_i64(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_i64(sqlite3_close(other), SQLITE_OK);
    assert_answer(path, "SELECT count(*) FROM run", "1");
}

static void a_read_only_database_is_named(void **state)
{
    struct support_run s;
    char path[512];

    (void)state;
    if (geteuid() == 0) {
        skip();
    }
    support_run_init(&s);
    add(support_path(path, "readonly.db"), &s);
    assert_i64(chmod(path, 0444), 0);
    s.scenario.config.seed++;
    assert_run_refused(path, &s, "read-only");
}

// That nothing may be created there, not that there is no such file.
static void a_read_only_folder_is_named(void **state)
{
    char folder[512];

    (void)state;
    if (geteuid() == 0) {
        skip();
    }
    (void)mkdir(support_path(folder, "no-writing"), 0755);
    assert_i64(chmod(folder, 0555), 0);
    assert_refused(strcat(folder, "/x.db"), "cannot be opened: Permission denied");
}

// Every column of every table and view, one a call.
static const char *column_of_schema(const char *path, int i, char answer[512])
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT m.type || ' ' || m.name || '.' || c.name || ' ' || c.type || ' ' ||"
                   " c.\"notnull\" || ' ' || c.pk FROM sqlite_master AS m"
                   " JOIN pragma_table_xinfo(m.name) AS c WHERE m.type IN ('table', 'view')"
                   " ORDER BY m.name, c.name LIMIT 1 OFFSET %d",
                   i);
    return ask(path, sql, answer);
}

// A file that version 1 wrote: after opening it, all is there as in a new file, and more may be
// added.
static void version_1_is_brought_up_to_date(void **state)
{
    struct support_run s;
    char path[512];
    char fresh[512];
    char actual[512] = "";
    char expected[512];
    char *sql = support_read(RECOUP_SOURCE_DIR "/tests/results/golden/version-1.sql");

    (void)state;
    assert_non_null(sql);
    execute(support_path(path, "version-1.db"), sql);
    free(sql);
    assert_answer(path, "SELECT count(*) FROM run", "2");
    support_run_init(&s);
    add(path, &s);
    assert_answer(path, "PRAGMA user_version", "2");
    assert_answer(path, "PRAGMA integrity_check", "ok");
    assert_answer(path, "PRAGMA foreign_key_check", "(none)");
    assert_answer(path, "SELECT group_concat(seed) FROM (SELECT seed FROM v_run ORDER BY seed)",
                  "1,2,7");
    assert_answer(path, "SELECT n FROM v_summary WHERE point_id = 1 AND metric = 'makespan'", "2");
    assert_answer(path, "SELECT schema FROM info", "2");
    assert_answer(path, "SELECT substr(scenario, 1, 32) FROM point WHERE id = 1",
                  "version = 1\nprofile = flink-1.20");
    assert_answer(path, "SELECT count(*) FROM point WHERE scenario LIKE '%seed = %'", "0");
    add(support_path(fresh, "version-2.db"), &s);
    for (int i = 0; strcmp(actual, "(none)") != 0; i++) {
        assert_text(column_of_schema(path, i, actual), column_of_schema(fresh, i, expected));
        assert_true(i < 1000);
    }
}

// What cannot be brought up to date is left as it was.
static void a_migration_that_fails_changes_nothing(void **state)
{
    char path[512];
    char *sql = support_read(RECOUP_SOURCE_DIR "/tests/results/golden/version-1.sql");

    (void)state;
    assert_non_null(sql);
    execute(support_path(path, "version-1-odd.db"), sql);
    free(sql);
    execute(path, "CREATE TABLE plan(x)");
    assert_refused(path, "already exists");
    assert_answer(path, "PRAGMA user_version", "1");
    assert_answer(path, "SELECT count(*) FROM v_summary WHERE point_id = 1", "52");
}

// The axes of a sweep are columns of the views; a name that is taken gets a prefix.
static void axes_are_columns_of_the_views(void **state)
{
    struct support_run s;
    struct results_database database;
    char path[512];

    (void)state;
    support_run_init(&s);
    add(support_path(path, "axes.db"), &s);
    execute(path, "INSERT INTO axis VALUES(1, 1, 0, 'min-pause', 'config.x', 'ns', 'ns'),"
                  " (2, 1, 1, 'Profile', 'profile', 'text', ''),"
                  " (3, 1, 2, 'it''s \"odd\"', 'a.b', 'text', '');"
                  "INSERT INTO axis_value VALUES(1, 1, '30 s', 30000000000),"
                  " (1, 2, 'hardened', NULL), (1, 3, 'x', NULL)");
    assert_true(results_database_open(&database, path, 0));
    assert_i64(results_database_views(&database), SQLITE_OK);
    results_database_close(&database);
    assert_answer(path,
                  "SELECT \"min-pause\" || ' ' || axis_Profile || ' ' || \"it's \"\"odd\"\"\" ||"
                  " ' ' || job_tasks FROM v_run",
                  "30000000000 hardened x 300");
    assert_answer(path, "SELECT \"min-pause\" FROM v_point", "30000000000");
    assert_answer(path, "SELECT \"min-pause\" FROM v_summary WHERE metric = 'delay'",
                  "30000000000");
}

// A full disk in the middle of an append: an error, and the file is as it was.
static void a_full_disk_leaves_the_file_as_it_was(void **state)
{
    struct support_run s;
    struct results_database database;
    char path[512];

    (void)state;
    support_run_init(&s);
    add(support_path(path, "full.db"), &s);
    s.scenario.config.seed++;
    memset(s.canonical, 'x', sizeof(s.canonical) - 1);
    assert_true(results_database_open(&database, path, 0));
    // No page may be added any more: what SQLite says when the disk is full.
    assert_i64(sqlite3_exec(database.connection, "PRAGMA max_page_count = 1", NULL, NULL, NULL),
               SQLITE_OK);
    for (uint32_t i = 0; i < 100; i++) {
        s.scenario.config.seed++;
        if (results_database_append(&database, &s.run, &execution) == RESULTS_DATABASE_FAILED) {
            break;
        }
    }
    assert_non_null(strstr(results_text_string(&database.message), "disk is full"));
    results_database_close(&database);
    assert_answer(path, "PRAGMA integrity_check", "ok");
    assert_answer(path,
                  "SELECT count(*) FROM run LEFT JOIN execution ON run_id = run.id"
                  " WHERE run_id IS NULL",
                  "0");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_tables_are_those_of_the_contract),
    cmocka_unit_test(every_scalar_of_the_result_is_a_column),
    cmocka_unit_test(what_repeats_has_tables_of_its_own),
    cmocka_unit_test(the_same_run_again_changes_nothing),
    cmocka_unit_test(the_same_run_with_another_fingerprint_is_refused),
    cmocka_unit_test(points_and_runs),
    cmocka_unit_test(keys_depend_on_what_is_run_and_on_nothing_else),
    cmocka_unit_test(other_files_are_refused_and_left_alone),
    cmocka_unit_test(a_locked_database_is_named_and_unchanged),
    cmocka_unit_test(a_read_only_database_is_named),
    cmocka_unit_test(a_read_only_folder_is_named),
    cmocka_unit_test(version_1_is_brought_up_to_date),
    cmocka_unit_test(a_migration_that_fails_changes_nothing),
    cmocka_unit_test(axes_are_columns_of_the_views),
    cmocka_unit_test(a_full_disk_leaves_the_file_as_it_was),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "results_database", tests);
}
