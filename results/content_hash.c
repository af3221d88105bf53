// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/content_hash.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "results/database_parts.h"
#include "results/statement.h"
#include "sim/fingerprint.h"

static void feed_u64(XXH3_state_t *state, uint64_t value)
{
    unsigned char bytes[8];

    for (uint32_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    (void)XXH3_128bits_update(state, bytes, sizeof(bytes));
}

static void feed_text(XXH3_state_t *state, const char *text, size_t size)
{
    feed_u64(state, size);
    (void)XXH3_128bits_update(state, text, size);
}

// A value with its type before it; all are integers, texts or null.
static void feed_value(XXH3_state_t *state, sqlite3_stmt *statement, int column)
{
    int type = sqlite3_column_type(statement, column);

    feed_u64(state, (uint64_t)type);
    if (type == SQLITE_INTEGER) {
        feed_u64(state, (uint64_t)sqlite3_column_int64(statement, column));
    } else if (type != SQLITE_NULL) {
        const char *text = (const char *)sqlite3_column_text(statement, column);

        feed_text(state, text, (size_t)sqlite3_column_bytes(statement, column));
    }
}

static int feed_rows(struct results_database *database, XXH3_state_t *state, const char *sql)
{
    struct results_statement s;
    uint64_t rows = 0;

    results_statement_init(&s, database->connection, sql);
    while (results_statement_row(&s)) {
        int columns = sqlite3_column_count(s.statement);

        for (int i = 0; i < columns; i++) {
            feed_value(state, s.statement, i);
        }
        rows++;
    }
    feed_u64(state, rows);
    return results_statement_release(&s);
}

// All columns of `run` but the row numbers, by name: a migrated file has them in another order.
static int feed_runs(struct results_database *database, XXH3_state_t *state)
{
    struct results_statement s;
    struct results_text sql;
    int code;

    results_text_init(&sql);
    results_text_add(&sql, "SELECT point_key");
    results_statement_init(&s, database->connection,
                           "SELECT name FROM pragma_table_info('run') WHERE name NOT IN ('id',"
                           " 'point_id') ORDER BY name");
    while (results_statement_row(&s)) {
        const char *name = (const char *)sqlite3_column_text(s.statement, 0);

        results_text_format(&sql, ", run.\"%s\"", name);
        feed_text(state, name, strlen(name));
    }
    code = results_statement_release(&s);
    results_text_add(&sql, " FROM run JOIN point ON point.id = run.point_id ORDER BY run_key");
    if (code == SQLITE_OK) {
        code = sql.failed ? SQLITE_NOMEM : feed_rows(database, state, results_text_string(&sql));
    }
    results_text_release(&sql);
    return code;
}

bool results_content_hash(struct results_database *database, char hash[RESULTS_KEY_SIZE])
{
    static const char *const queries[] = {
        "SELECT sweep_key, kind, name, about, definition FROM sweep ORDER BY sweep_key",
        "SELECT point_key, sweep_key, label, profile, scenario, n FROM point"
        " JOIN sweep ON sweep.id = sweep_id ORDER BY point_key",
        "SELECT sweep_key, n, axis.name, path, axis.kind, unit FROM axis"
        " JOIN sweep ON sweep.id = sweep_id ORDER BY sweep_key, n",
        "SELECT point_key, axis.n, text, value FROM axis_value JOIN axis ON axis.id = axis_id"
        " JOIN point ON point.id = point_id ORDER BY point_key, axis.n",
        "SELECT run_key, stage, cause, ns, attempts FROM lost_work JOIN run ON run.id = run_id"
        " ORDER BY run_key, stage, cause",
        "SELECT run_key, n, at_ns, outage_ns, detect_ns, elect_ns, start_ns, replay_ns,"
        " wait_workers_ns, reconcile_ns, redeploy_ns, result, failover.events_replayed,"
        " finished_recovered, failover.finished_forgotten FROM failover"
        " JOIN run ON run.id = run_id ORDER BY run_key, n",
        "SELECT run_key, n, invariant, hazard, at_ns, event, message FROM finding"
        " JOIN run ON run.id = run_id ORDER BY run_key, n"};
    XXH128_canonical_t digest;
    XXH3_state_t state;
    int code;

    XXH3_INITSTATE(&state);
    (void)XXH3_128bits_reset(&state);
    code = feed_runs(database, &state);
    for (size_t i = 0; code == SQLITE_OK && i < sizeof(queries) / sizeof(queries[0]); i++) {
        code = feed_rows(database, &state, queries[i]);
    }
    if (code != SQLITE_OK) {
        results_database_fail(database, code);
        return false;
    }
    XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&state));
    sim_fingerprint_hex(digest.digest, hash);
    return true;
}
