// SPDX-License-Identifier: GPL-3.0-or-later
//
// Appending one run to the result database, in one transaction.
#include <stdio.h>
#include <string.h>

#include "results/columns.h"
#include "results/database_parts.h"
#include "results/identity.h"
#include "results/statement.h"

#define RUN_SCHEMA 1

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
    int code;

    if (!results_point_key(run, key)) {
        return SQLITE_NOMEM;
    }
    results_text_init(&label);
    point_label(run->scenario, &label);
    results_statement_init(&s, database->connection,
                           "INSERT INTO point(point_key, sweep_id, label, profile, scenario)"
                           " VALUES(?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    results_statement_text(&s, key);
    results_statement_i64(&s, sweep);
    results_statement_text(&s, results_text_string(&label));
    results_statement_text(&s, results_profile_name(run->scenario->config.profile));
    results_statement_text(&s, run->scenario->canonical);
    results_statement_execute(&s);
    code = results_statement_release(&s);
    results_text_release(&label);
    return code != SQLITE_OK
               ? code
               : find_id(database, "SELECT id FROM point WHERE point_key = ?", key, id);
}

static void run_insert_sql(struct results_text *sql)
{
    results_text_add(sql, "INSERT INTO run(run_key, point_id, replication, seed, state,"
                          " fingerprint, schema, recoup, scenario, profile, invariants,"
                          " expectations_met, findings_total");
    for (int layer = 1; layer <= 6; layer++) {
        results_text_format(sql, ", fingerprint_layers_F%d", layer);
    }
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        results_text_format(sql, ", %s", results_column(i)->name);
    }
    results_text_add(sql, ") VALUES(?");
    results_text_repeat(sql, ", ?", 12 + 6 + RESULTS_COLUMN_COUNT);
    results_text_add(sql, ")");
}

static void bind_run(struct results_statement *s, const struct results_run *run, const char *key,
                     int64_t point)
{
    const struct model_result *r = run->result;
    struct results_value values[RESULTS_COLUMN_COUNT];

    results_statement_text(s, key);
    results_statement_i64(s, point);
    results_statement_i64(s, 0);
    results_statement_u64(s, run->scenario->config.seed);
    results_statement_text(s, model_job_state_name(r->state));
    results_statement_hex(s, r->fingerprint, sizeof(r->fingerprint));
    results_statement_i64(s, RUN_SCHEMA);
    results_statement_text(s, run->version);
    results_statement_text(s, run->scenario->name);
    results_statement_text(s, results_profile_name(run->scenario->config.profile));
    results_statement_i64(s, run->invariants_on);
    results_statement_i64(s, run->verdict->ok);
    results_statement_u64(s, r->findings_total);
    for (uint32_t i = 0; i < 6; i++) {
        results_statement_hex(s, r->layers[i], sizeof(r->layers[i]));
    }
    results_columns_fill(run, values);
    for (uint32_t i = 0; i < RESULTS_COLUMN_COUNT; i++) {
        if (values[i].null) {
            results_statement_null(s);
        } else {
            results_statement_i64(s, values[i].value);
        }
    }
}

static int insert_run(struct results_database *database, const struct results_run *run,
                      const char *key, int64_t point, int64_t *id)
{
    struct results_statement s;
    struct results_text sql;
    int code;

    results_text_init(&sql);
    run_insert_sql(&sql);
    if (sql.failed) {
        results_text_release(&sql);
        return SQLITE_NOMEM;
    }
    results_statement_init(&s, database->connection, results_text_string(&sql));
    bind_run(&s, run, key, point);
    results_statement_execute(&s);
    code = results_statement_release(&s);
    results_text_release(&sql);
    *id = sqlite3_last_insert_rowid(database->connection);
    return code;
}

static int insert_lost_work(struct results_database *database, const struct results_run *run,
                            int64_t id)
{
    const struct model_result *r = run->result;
    struct results_statement s;

    results_statement_init(&s, database->connection, "INSERT INTO lost_work VALUES(?, ?, ?, ?, ?)");
    for (uint32_t i = 0; i < r->n_stages * MODEL_CAUSE_COUNT; i++) {
        if (r->lost[i].attempts == 0 && r->lost[i].ns == 0) {
            continue;
        }
        results_statement_i64(&s, id);
        results_statement_text(&s, run->scenario->config.stages[i / MODEL_CAUSE_COUNT].name);
        results_statement_text(&s, model_cause_name((enum model_cause)(i % MODEL_CAUSE_COUNT)));
        results_statement_i64(&s, r->lost[i].ns);
        results_statement_u64(&s, r->lost[i].attempts);
        results_statement_execute(&s);
    }
    return results_statement_release(&s);
}

static int insert_failovers(struct results_database *database, const struct model_result *r,
                            int64_t id)
{
    struct results_statement s;

    _Static_assert(MODEL_PHASE_COUNT == 7, "the statement has a parameter for every phase");
    results_statement_init(&s, database->connection,
                           "INSERT INTO failover VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                           " ?)");
    for (uint32_t i = 0; i < r->n_failovers; i++) {
        const struct model_failover *f = &r->failovers[i];

        results_statement_i64(&s, id);
        results_statement_i64(&s, i);
        results_statement_i64(&s, f->at_ns);
        results_statement_i64(&s, f->outage_ns);
        for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++) {
            results_statement_i64(&s, f->phase_ns[p]);
        }
        results_statement_text(&s, model_failover_result_name(f->result));
        results_statement_u64(&s, f->events_replayed);
        results_statement_u64(&s, f->finished_recovered);
        results_statement_u64(&s, f->finished_forgotten);
        results_statement_execute(&s);
    }
    return results_statement_release(&s);
}

static int insert_findings(struct results_database *database, const struct model_result *r,
                           int64_t id)
{
    struct results_statement s;

    results_statement_init(&s, database->connection,
                           "INSERT INTO finding VALUES(?, ?, ?, ?, ?, ?, ?)");
    for (uint32_t i = 0; i < r->n_findings; i++) {
        const struct model_finding *f = &r->findings[i];

        results_statement_i64(&s, id);
        results_statement_i64(&s, i);
        results_statement_text(&s, f->invariant);
        results_statement_text(&s, f->hazard);
        results_statement_i64(&s, f->at_ns);
        results_statement_u64(&s, f->event);
        results_statement_text(&s, f->message);
        results_statement_execute(&s);
    }
    return results_statement_release(&s);
}

static int insert_execution(struct results_database *database, const struct model_result *r,
                            const struct results_execution *execution, int64_t id)
{
    struct results_statement s;
    int64_t build = 0;
    int code = results_database_build(database, &build);

    if (code != SQLITE_OK) {
        return code;
    }
    results_statement_init(&s, database->connection,
                           "INSERT INTO execution VALUES(?, ?, ?, ?, ?, ?, ?)");
    results_statement_i64(&s, id);
    results_statement_i64(&s, build);
    results_statement_text(&s, execution->started_at);
    results_statement_i64(&s, execution->wall_ns);
    results_statement_u64(&s, execution->process);
    results_statement_u64(&s, r->memory_bytes);
    results_statement_u64(&s, r->system_allocations);
    results_statement_execute(&s);
    return results_statement_release(&s);
}

// A run of this key that the file holds already: is it the same?
static int find_run(struct results_database *database, const struct results_run *run,
                    const char *key, enum results_database_status *status)
{
    struct results_statement s;
    struct results_text hex;

    results_text_init(&hex);
    results_text_hex(&hex, run->result->fingerprint, sizeof(run->result->fingerprint));
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

static int append_new(struct results_database *database, const struct results_run *run,
                      const struct results_execution *execution, const char *key)
{
    int64_t sweep = 0;
    int64_t point = 0;
    int64_t id = 0;
    int code = upsert_sweep(database, run, &sweep);

    if (code == SQLITE_OK) {
        code = upsert_point(database, run, sweep, &point);
    }
    if (code == SQLITE_OK) {
        code = insert_run(database, run, key, point, &id);
    }
    if (code == SQLITE_OK) {
        code = insert_lost_work(database, run, id);
    }
    if (code == SQLITE_OK) {
        code = insert_failovers(database, run->result, id);
    }
    if (code == SQLITE_OK) {
        code = insert_findings(database, run->result, id);
    }
    if (code == SQLITE_OK) {
        code = insert_execution(database, run->result, execution, id);
    }
    return code == SQLITE_OK ? results_database_summarize(database, point) : code;
}

enum results_database_status results_database_append(struct results_database *database,
                                                     const struct results_run *run,
                                                     const struct results_execution *execution)
{
    enum results_database_status status = RESULTS_DATABASE_ADDED;
    char key[RESULTS_KEY_SIZE];
    int code = results_database_execute(database, "BEGIN IMMEDIATE");

    results_text_clear(&database->message);
    results_run_key(run, key);
    if (code == SQLITE_OK) {
        code = find_run(database, run, key, &status);
    }
    if (code == SQLITE_OK && status == RESULTS_DATABASE_ADDED) {
        code = append_new(database, run, execution, key);
    }
    if (code == SQLITE_OK) {
        code = results_database_execute(database, "COMMIT");
    }
    if (code != SQLITE_OK) {
        results_database_fail(database, code);
        (void)results_database_execute(database, "ROLLBACK");
        status = RESULTS_DATABASE_FAILED;
    } else if (status == RESULTS_DATABASE_ADDED) {
        results_text_format(&database->message, "%s: run %s was added", database->path, key);
    }
    return status;
}
