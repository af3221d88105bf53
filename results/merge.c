// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/merge.h"

#include <inttypes.h>

#include "results/database_parts.h"
#include "results/statement.h"

// Rows are matched by their keys; row numbers are given anew. `point_map`, `run_map`: row of the
// source, row here.
static const char *const copy_origin[] = {
    "INSERT INTO sweep(sweep_key, kind, name, about, definition)"
    " SELECT sweep_key, kind, name, about, definition FROM source.sweep WHERE true"
    " ON CONFLICT DO NOTHING",
    "INSERT INTO point(point_key, sweep_id, label, profile, scenario, n, command)"
    " SELECT p.point_key, main.sweep.id, p.label, p.profile, p.scenario, p.n, p.command"
    " FROM source.point AS p JOIN source.sweep AS s ON s.id = p.sweep_id"
    " JOIN main.sweep ON main.sweep.sweep_key = s.sweep_key WHERE true ON CONFLICT DO NOTHING",
    "CREATE TEMP TABLE point_map AS SELECT p.id AS here, o.id AS there FROM main.point AS p"
    " JOIN source.point AS o ON o.point_key = p.point_key",
    "CREATE UNIQUE INDEX temp.point_map_there ON point_map(there)",
    "INSERT INTO axis(sweep_id, n, name, path, kind, unit)"
    " SELECT main.sweep.id, a.n, a.name, a.path, a.kind, a.unit FROM source.axis AS a"
    " JOIN source.sweep AS s ON s.id = a.sweep_id"
    " JOIN main.sweep ON main.sweep.sweep_key = s.sweep_key WHERE true ON CONFLICT DO NOTHING",
    "INSERT INTO axis_value SELECT m.here, h.id, v.text, v.value FROM source.axis_value AS v"
    " JOIN source.axis AS a ON a.id = v.axis_id JOIN source.sweep AS s ON s.id = a.sweep_id"
    " JOIN main.sweep ON main.sweep.sweep_key = s.sweep_key"
    " JOIN main.axis AS h ON h.sweep_id = main.sweep.id AND h.n = a.n"
    " JOIN point_map AS m ON m.there = v.point_id WHERE true ON CONFLICT DO NOTHING",
    "INSERT INTO build(build_key, recoup, compiler, target, optimized, sqlite, xxhash, gsl)"
    " SELECT build_key, recoup, compiler, target, optimized, sqlite, xxhash, gsl"
    " FROM source.build WHERE true ON CONFLICT DO NOTHING"};

static const char *const copy_details[] = {
    "CREATE UNIQUE INDEX temp.run_map_there ON run_map(there)",
    "INSERT INTO lost_work SELECT m.here, d.stage, d.cause, d.ns, d.attempts"
    " FROM run_map AS m JOIN source.lost_work AS d ON d.run_id = m.there",
    "INSERT INTO failover SELECT m.here, d.n, d.at_ns, d.outage_ns, d.detect_ns, d.elect_ns,"
    " d.start_ns, d.replay_ns, d.wait_workers_ns, d.reconcile_ns, d.redeploy_ns, d.result,"
    " d.events_replayed, d.finished_recovered, d.finished_forgotten"
    " FROM run_map AS m JOIN source.failover AS d ON d.run_id = m.there",
    "INSERT INTO finding SELECT m.here, d.n, d.invariant, d.hazard, d.at_ns, d.event, d.message"
    " FROM run_map AS m JOIN source.finding AS d ON d.run_id = m.there",
    "INSERT INTO execution SELECT m.here, h.id, e.started_at, e.wall_ns, e.process,"
    " e.memory_bytes, e.system_allocations FROM run_map AS m"
    " JOIN source.execution AS e ON e.run_id = m.there JOIN source.build AS b ON b.id = e.build_id"
    " JOIN main.build AS h ON h.build_key = b.build_key",
    // Of two states the one that says more; what runs elsewhere is only planned here.
    "CREATE TEMP TABLE state_rank(state TEXT PRIMARY KEY, rank INTEGER) WITHOUT ROWID",
    "INSERT INTO state_rank VALUES('skipped', 0), ('planned', 1), ('running', 1), ('timeout', 2),"
    " ('crashed', 3), ('done', 4), ('finding', 4), ('differs', 5)",
    "INSERT INTO plan(run_key, point_id, replication, seed, state, attempts, signal, repeated,"
    " message) SELECT p.run_key, m.here, p.replication, p.seed,"
    " CASE p.state WHEN 'running' THEN 'planned' ELSE p.state END, p.attempts, p.signal,"
    " p.repeated, p.message FROM source.plan AS p JOIN point_map AS m ON m.there = p.point_id"
    " WHERE true ON CONFLICT(run_key) DO UPDATE SET state = excluded.state,"
    " signal = excluded.signal, message = excluded.message,"
    " attempts = max(attempts, excluded.attempts), repeated = max(repeated, excluded.repeated)"
    " WHERE (SELECT rank FROM state_rank WHERE state = excluded.state)"
    " > (SELECT rank FROM state_rank WHERE state = plan.state)",
    "DROP TABLE temp.state_rank", "DROP TABLE temp.run_map", "DROP TABLE temp.point_map"};

static int execute_all(struct results_database *database, const char *const *sql, size_t n)
{
    int code = SQLITE_OK;

    for (size_t i = 0; code == SQLITE_OK && i < n; i++) {
        code = results_database_execute(database, sql[i]);
    }
    return code;
}

static int copy_runs(struct results_database *database, struct results_merge_counts *counts)
{
    struct results_statement s;
    struct results_text columns;
    struct results_text sql;
    int64_t present = 0;
    int code;

    results_text_init(&columns);
    results_text_init(&sql);
    results_statement_init(&s, database->connection,
                           "SELECT name FROM pragma_table_info('run') WHERE name NOT IN ('id',"
                           " 'point_id') ORDER BY cid");
    while (results_statement_row(&s)) {
        results_text_format(&columns, ", \"%s\"",
                            (const char *)sqlite3_column_text(s.statement, 0));
    }
    code = results_statement_release(&s);
    results_text_format(&sql,
                        "CREATE TEMP TABLE run_map AS SELECT 0 AS here, id AS there, run_key"
                        " FROM source.run WHERE run_key NOT IN (SELECT run_key FROM main.run);"
                        "INSERT INTO run(point_id%s) SELECT m.here%s FROM source.run AS r"
                        " JOIN point_map AS m ON m.there = r.point_id"
                        " WHERE r.id IN (SELECT there FROM run_map) ORDER BY r.run_key;"
                        "UPDATE run_map SET here = (SELECT id FROM main.run"
                        " WHERE main.run.run_key = run_map.run_key);",
                        results_text_string(&columns), results_text_string(&columns));
    sql.failed = sql.failed || columns.failed;
    results_text_release(&columns);
    if (code == SQLITE_OK) {
        code = results_database_number(database, "SELECT count(*) FROM source.run", &present);
    }
    if (code != SQLITE_OK) {
        results_text_release(&sql);
        return code;
    }
    code = results_database_execute_text(database, &sql);
    if (code == SQLITE_OK) {
        code =
            results_database_number(database, "SELECT count(*) FROM run_map", &counts->runs_added);
    }
    counts->runs_present = present - counts->runs_added;
    return code;
}

static int copy_all(struct results_database *database, struct results_merge_counts *counts)
{
    int code = execute_all(database, copy_origin, sizeof(copy_origin) / sizeof(copy_origin[0]));

    if (code == SQLITE_OK) {
        code = copy_runs(database, counts);
    }
    return code == SQLITE_OK
               ? execute_all(database, copy_details, sizeof(copy_details) / sizeof(copy_details[0]))
               : code;
}

// A text that names a conflict, or nothing. `sql` yields one text and how many there are.
static int find_conflict(struct results_database *database, const char *sql, const char *path,
                         const char *sentence, bool *found)
{
    struct results_statement s;

    results_statement_init(&s, database->connection, sql);
    *found = results_statement_row(&s) && sqlite3_column_int64(s.statement, 1) > 0;
    if (*found) {
        results_text_format(&database->message, "%s and %s hold %s %s", database->path, path,
                            (const char *)sqlite3_column_text(s.statement, 0), sentence);
    }
    return results_statement_release(&s);
}

static enum results_merge_status merge_in_transaction(struct results_database *database,
                                                      const char *path,
                                                      struct results_merge_counts *counts,
                                                      int *code)
{
    bool found = false;

    *code = find_conflict(database,
                          "SELECT 'run ' || min(o.run_key), count(*) FROM source.run AS o"
                          " JOIN main.run AS h ON h.run_key = o.run_key"
                          " WHERE h.fingerprint <> o.fingerprint",
                          path,
                          "with different fingerprints: they are not from the same program, or it "
                          "is not deterministic; nothing was changed",
                          &found);
    if (found) {
        return RESULTS_MERGE_DIFFERS;
    }
    if (*code == SQLITE_OK) {
        *code = find_conflict(database,
                              "SELECT 'sweep ''' || min(o.name) || '''', count(*)"
                              " FROM source.sweep AS o JOIN main.sweep AS h"
                              " ON h.sweep_key = o.sweep_key WHERE h.definition <> o.definition",
                              path,
                              "with different definitions: their sweep files differ; nothing was "
                              "changed",
                              &found);
    }
    if (found) {
        return RESULTS_MERGE_REFUSED;
    }
    if (*code == SQLITE_OK) {
        *code = copy_all(database, counts);
    }
    return *code == SQLITE_OK ? RESULTS_MERGE_DONE : RESULTS_MERGE_FAILED;
}

static int attach(struct results_database *database, const char *path)
{
    struct results_statement s;

    results_statement_init(&s, database->connection, "ATTACH DATABASE ? AS source");
    results_statement_text(&s, path);
    results_statement_execute(&s);
    return results_statement_release(&s);
}

// Says first what is wrong with the file itself.
static bool check_source(struct results_database *database, const char *path)
{
    struct results_database source;
    bool ok = results_database_open_reading(&source, path) == RESULTS_READING;

    if (!ok) {
        results_text_clear(&database->message);
        results_text_add(&database->message, results_text_string(&source.message));
    }
    results_database_close(&source);
    return ok;
}

enum results_merge_status results_merge(struct results_database *database, const char *path,
                                        struct results_merge_counts *counts)
{
    enum results_merge_status status = RESULTS_MERGE_FAILED;
    int code;

    results_text_clear(&database->message);
    if (!check_source(database, path)) {
        return RESULTS_MERGE_FAILED;
    }
    code = attach(database, path);
    if (code == SQLITE_OK) {
        code = results_database_execute(database, "BEGIN IMMEDIATE");
    }
    if (code == SQLITE_OK) {
        status = merge_in_transaction(database, path, counts, &code);
        if (status == RESULTS_MERGE_DONE) {
            code = results_database_execute(database, "COMMIT");
            status = code == SQLITE_OK ? status : RESULTS_MERGE_FAILED;
        }
    }
    if (status == RESULTS_MERGE_FAILED) {
        results_database_fail(database, code);
    }
    if (status != RESULTS_MERGE_DONE) {
        (void)results_database_execute(database, "ROLLBACK");
    }
    (void)results_database_execute(database, "DETACH DATABASE source");
    return status;
}

bool results_merge_finish(struct results_database *database)
{
    int code = results_database_execute(database, "BEGIN IMMEDIATE");

    if (code == SQLITE_OK) {
        code = results_database_views(database);
    }
    if (code == SQLITE_OK) {
        code = results_database_summarize_all(database);
    }
    if (code == SQLITE_OK) {
        code = results_database_execute(database, "COMMIT");
    }
    if (code != SQLITE_OK) {
        results_database_fail(database, code);
        (void)results_database_execute(database, "ROLLBACK");
    }
    return code == SQLITE_OK;
}
