// SPDX-License-Identifier: GPL-3.0-or-later
//
// Appending one run to the result database, in one transaction.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/database_parts.h"
#include "results/identity.h"
#include "results/statement.h"
#include "results/writer.h"

// The id of the row whose key column has this value; `*id` stays 0 where there is none.
static int find_id(struct results_database *database, const char *sql, const char *key, int64_t *id)
{
    struct results_statement s;

    results_statement_init(&s, database->connection, sql);
    results_statement_text(&s, key);
    if (results_statement_row(&s)) {
        *id = sqlite3_column_int64(s.statement, 0);
    }
    return results_statement_release(&s);
}

// Single runs of one scenario are the points of one sweep of kind 'run'.
static int upsert_sweep(struct results_database *database, const struct results_run *run,
                        int64_t *id)
{
    struct results_statement s;
    char key[RESULTS_KEY_SIZE];

    results_single_runs_key(run->scenario->name, key);
    results_statement_init(&s, database->connection,
                           "INSERT INTO sweep(sweep_key, kind, name, about, definition)"
                           " VALUES(?, 'run', ?, 'Single runs of this scenario.', '')"
                           " ON CONFLICT DO NOTHING");
    results_statement_text(&s, key);
    results_statement_text(&s, run->scenario->name);
    results_statement_execute(&s);
    if (results_statement_release(&s) != SQLITE_OK) {
        return sqlite3_extended_errcode(database->connection);
    }
    return find_id(database, "SELECT id FROM sweep WHERE sweep_key = ?", key, id);
}

// What distinguishes the point for people: the values that the command line set.
static void point_label(const struct scenario *scenario, struct results_text *label)
{
    for (uint32_t i = 0; i < scenario->n_values; i++) {
        const struct scenario_value *value = &scenario->values[i];

        if (value->origin == SCENARIO_OVERRIDE && strcmp(value->path, "seed") != 0) {
            results_text_format(label, "%s%s=%s", label->size > 0 ? ", " : "", value->path,
                                value->value);
        }
    }
}

static int upsert_point(struct results_database *database, const struct results_run *run,
                        int64_t sweep, int64_t *id)
{
    struct results_statement s;
    struct results_text label;
    char key[RESULTS_KEY_SIZE];
    char *text = results_without_seed(run->scenario->canonical);
    int code;

    if (text == NULL || !results_point_key(run, key)) {
        free(text);
        return SQLITE_NOMEM;
    }
    results_text_init(&label);
    point_label(run->scenario, &label);
    results_statement_init(&s, database->connection,
                           "INSERT INTO point(point_key, sweep_id, label, profile, scenario,"
                           " command) VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(point_key) DO UPDATE SET"
                           " command = excluded.command WHERE command = ''");
    results_statement_text(&s, key);
    results_statement_i64(&s, sweep);
    results_statement_text(&s, results_text_string(&label));
    results_statement_text(&s, results_profile_name(run->scenario->config.profile));
    results_statement_text(&s, text);
    results_statement_text(&s, run->words != NULL ? run->words : "");
    results_statement_execute(&s);
    code = results_statement_release(&s);
    results_text_release(&label);
    free(text);
    return code != SQLITE_OK
               ? code
               : find_id(database, "SELECT id FROM point WHERE point_key = ?", key, id);
}

// A run of this key that the file holds already: is it the same?
static int find_run(struct results_database *database, const struct results_record *record,
                    const char *key, enum results_database_status *status)
{
    struct results_statement s;
    struct results_text hex;

    results_text_init(&hex);
    results_text_hex(&hex, record->facts.fingerprint, sizeof(record->facts.fingerprint));
    results_statement_init(&s, database->connection,
                           "SELECT fingerprint FROM run WHERE run_key = ?");
    results_statement_text(&s, key);
    *status = RESULTS_DATABASE_ADDED;
    if (results_statement_row(&s)) {
        const char *held = (const char *)sqlite3_column_text(s.statement, 0);
        bool same = held != NULL && strcmp(held, results_text_string(&hex)) == 0;

        *status = same ? RESULTS_DATABASE_PRESENT : RESULTS_DATABASE_DIFFERS;
        results_text_format(&database->message, "%s: run %s is there already%s", database->path,
                            key, same ? "; nothing was changed" : " with another fingerprint: ");
        if (!same) {
            results_text_format(&database->message,
                                "%s then, %s now. Either the program has "
                                "changed since, or it is not deterministic; nothing was changed",
                                held != NULL ? held : "none", results_text_string(&hex));
        }
    }
    results_text_release(&hex);
    return results_statement_release(&s);
}

static int write_run(struct results_database *database, const struct results_run *run,
                     const struct results_record *record, const struct results_execution *execution,
                     const char *key, int64_t point)
{
    struct results_place place = {key, point, 0, run->scenario->config.seed};
    struct results_writer writer;
    int code = results_writer_init(&writer, database, run->version);
    int released;

    if (code == SQLITE_OK) {
        code = results_writer_add(&writer, record, &place, execution);
    }
    released = results_writer_release(&writer);
    return code != SQLITE_OK ? code : released;
}

// The rows that the run stands under; made where they are missing.
static int find_place(struct results_database *database, const struct results_run *run,
                      int64_t *point)
{
    int64_t sweep = 0;
    int code = upsert_sweep(database, run, &sweep);

    return code == SQLITE_OK ? upsert_point(database, run, sweep, point) : code;
}

// One run within the caller's transaction. The point is looked for once.
static int append_record(struct results_database *database, const struct results_run *run,
                         const struct results_record *record,
                         const struct results_execution *execution, int64_t *point,
                         enum results_database_status *status)
{
    char key[RESULTS_KEY_SIZE];
    int code;

    results_run_key(run, key);
    code = find_run(database, record, key, status);
    if (code == SQLITE_OK && *status == RESULTS_DATABASE_ADDED && *point == 0) {
        code = find_place(database, run, point);
    }
    if (code == SQLITE_OK && *status == RESULTS_DATABASE_ADDED) {
        code = write_run(database, run, record, execution, key, *point);
        results_text_format(&database->message, "%s: run %s was added", database->path, key);
    }
    return code;
}

// Ends the transaction. False: nothing was changed, and the message says why.
static bool finish(struct results_database *database, int code, int64_t point)
{
    if (code == SQLITE_OK && point != 0) {
        code = results_database_summarize(database, point);
    }
    if (code == SQLITE_OK) {
        code = results_database_execute(database, "COMMIT");
    }
    if (code != SQLITE_OK) {
        results_text_clear(&database->message);
        results_database_fail(database, code);
        (void)results_database_execute(database, "ROLLBACK");
    }
    return code == SQLITE_OK;
}

enum results_database_status results_database_append(struct results_database *database,
                                                     const struct results_run *run,
                                                     const struct results_execution *execution)
{
    enum results_database_status status = RESULTS_DATABASE_ADDED;
    struct results_record record;
    struct results_text bytes;
    int64_t point = 0;
    int code;

    results_text_clear(&database->message);
    results_text_init(&bytes);
    results_record_write(run, &bytes);
    code = bytes.failed || !results_record_read(&record, bytes.data, bytes.size) ? SQLITE_NOMEM
                                                                                 : SQLITE_OK;
    results_text_release(&bytes);
    if (code != SQLITE_OK) {
        results_database_fail(database, code);
        return RESULTS_DATABASE_FAILED;
    }
    code = results_database_execute(database, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK) {
        code = append_record(database, run, &record, execution, &point, &status);
    }
    results_record_release(&record);
    return finish(database, code, point) ? status : RESULTS_DATABASE_FAILED;
}

bool results_database_append_runs(struct results_database *database, struct scenario *scenario,
                                  const struct results_run *like, const struct results_append *runs,
                                  uint32_t n, uint32_t counts[RESULTS_DATABASE_FAILED])
{
    struct results_run run = *like;
    struct results_text differs;
    int64_t point = 0;
    int code = results_database_execute(database, "BEGIN IMMEDIATE");
    bool done;

    run.scenario = scenario;
    memset(counts, 0, RESULTS_DATABASE_FAILED * sizeof(*counts));
    results_text_init(&differs);
    for (uint32_t i = 0; i < n && code == SQLITE_OK; i++) {
        enum results_database_status status = RESULTS_DATABASE_ADDED;

        results_text_clear(&database->message);
        if (scenario_reseed(scenario, runs[i].seed) != SCENARIO_OK) {
            code = SQLITE_NOMEM;
            break;
        }
        code = append_record(database, &run, runs[i].record, &runs[i].execution, &point, &status);
        counts[status] += code == SQLITE_OK && status != RESULTS_DATABASE_FAILED ? 1 : 0;
        if (status == RESULTS_DATABASE_DIFFERS && differs.size == 0) {
            results_text_add(&differs, results_text_string(&database->message));
        }
    }
    results_text_clear(&database->message);
    results_text_add(&database->message, results_text_string(&differs));
    results_text_release(&differs);
    done = finish(database, code, point);
    return done;
}
