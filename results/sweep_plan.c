// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/sweep_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/database_parts.h"
#include "results/identity.h"
#include "results/statement.h"
#include "results/sweep_definition.h"

static const char *const state_names[RESULTS_PLAN_STATES] = {
    "", "planned", "running", "done", "finding", "crashed", "timeout", "skipped", "differs"};

const char *results_plan_state_name(enum results_plan_state state)
{
    return state_names[state];
}

enum results_plan_state results_plan_state_find(const char *name)
{
    for (uint32_t i = 1; i < RESULTS_PLAN_STATES; i++) {
        if (strcmp(state_names[i], name) == 0) {
            return (enum results_plan_state)i;
        }
    }
    return RESULTS_PLAN_NOT_MINE;
}

// --- keys ----------------------------------------------------------------------------------------

uint64_t results_key_bits(const char *key)
{
    char digits[17];

    (void)snprintf(digits, sizeof(digits), "%.16s", key);
    return strtoull(digits, NULL, 16);
}

void results_plan_run_key(const struct results_plan *plan, uint32_t point, uint32_t replication,
                          uint64_t seed, char key[RESULTS_KEY_SIZE])
{
    char numbers[64];
    const char *const parts[] = {"sweep run", plan->point_keys[point], numbers};

    (void)snprintf(numbers, sizeof(numbers), "%" PRIu32 " %" PRIu64, replication, seed);
    results_key(parts, sizeof(parts) / sizeof(parts[0]), key);
}

bool results_plan_is_mine(const struct results_plan *plan, uint32_t point, const char *run_key)
{
    const char *key = plan->sweep->replications.until ? plan->point_keys[point] : run_key;

    return plan->options.shards <= 1 ||
           results_key_bits(key) % plan->options.shards == plan->options.shard - 1;
}

bool results_plan_keys(struct results_plan *plan, const struct scenario_sweep *sweep,
                       const struct results_plan_options *options)
{
    char seed[48];

    memset(plan, 0, sizeof(*plan));
    plan->sweep = sweep;
    plan->options = *options;
    plan->point_ids = calloc((size_t)sweep->n_points + 1, sizeof(*plan->point_ids));
    plan->point_keys = calloc((size_t)sweep->n_points + 1, sizeof(*plan->point_keys));
    if (plan->point_ids == NULL || plan->point_keys == NULL) {
        return false;
    }
    (void)snprintf(seed, sizeof(seed), "%s %" PRIu64, sweep->common ? "common" : "independent",
                   sweep->seed);
    for (uint32_t i = 0; i < sweep->n_points; i++) {
        const char *const parts[] = {"sweep point", options->version,
                                     sweep->name,   sweep->points[i].key,
                                     seed,          sweep->measure_delay ? "delay" : ""};

        results_key(parts, sizeof(parts) / sizeof(parts[0]), plan->point_keys[i]);
    }
    return true;
}

void results_plan_release(struct results_plan *plan)
{
    free(plan->point_ids);
    free(plan->point_keys);
    memset(plan, 0, sizeof(*plan));
}

// --- the sweep and its axes ----------------------------------------------------------------------

// A statement with one number and no rows.
static int with_number(struct results_database *database, const char *sql, int64_t number)
{
    struct results_statement s;

    results_statement_init(&s, database->connection, sql);
    results_statement_i64(&s, number);
    results_statement_execute(&s);
    return results_statement_release(&s);
}

// `*changed`: the definition is not the one that the database holds.
static int write_sweep(struct results_plan *plan, struct results_database *database, bool *changed)
{
    const struct scenario_sweep *sweep = plan->sweep;
    const char *const parts[] = {"sweep", sweep->name};
    char key[RESULTS_KEY_SIZE];
    struct results_text definition;
    struct results_statement s;
    int code;

    results_key(parts, 2, key);
    results_text_init(&definition);
    results_sweep_definition(sweep, &definition);
    if (definition.failed) {
        return SQLITE_NOMEM;
    }
    results_statement_init(&s, database->connection,
                           "INSERT INTO sweep(sweep_key, kind, name, about, definition)"
                           " VALUES(?1, 'sweep', ?2, ?3, ?4) ON CONFLICT(sweep_key) DO UPDATE"
                           " SET about = ?3, definition = ?4 WHERE about <> ?3 OR"
                           " definition <> ?4");
    results_statement_text(&s, key);
    results_statement_text(&s, sweep->name);
    results_statement_text(&s, sweep->about);
    results_statement_text(&s, results_text_string(&definition));
    results_statement_execute(&s);
    *changed = sqlite3_changes(database->connection) > 0;
    code = results_statement_release(&s);
    results_text_release(&definition);
    if (code != SQLITE_OK) {
        return code;
    }
    results_statement_init(&s, database->connection, "SELECT id FROM sweep WHERE sweep_key = ?");
    results_statement_text(&s, key);
    plan->sweep_id = results_statement_row(&s) ? sqlite3_column_int64(s.statement, 0) : 0;
    return results_statement_release(&s);
}

static int write_axis_values(struct results_plan *plan, struct results_database *database,
                             const int64_t *axis_ids)
{
    const struct scenario_sweep *sweep = plan->sweep;
    struct results_statement s;

    results_statement_init(&s, database->connection, "INSERT INTO axis_value VALUES(?, ?, ?, ?)");
    for (uint32_t p = 0; p < sweep->n_points; p++) {
        for (uint32_t a = 0; a < sweep->n_axes; a++) {
            const struct scenario_axis *axis = &sweep->axes[a];
            const struct scenario_axis_value *value = &axis->values[sweep->points[p].values[a]];

            results_statement_i64(&s, plan->point_ids[p]);
            results_statement_i64(&s, axis_ids[a]);
            results_statement_text(&s, value->text);
            if (axis->kind == SCENARIO_AXIS_TEXT) {
                results_statement_null(&s);
            } else {
                results_statement_i64(&s, value->number);
            }
            results_statement_execute(&s);
        }
    }
    return results_statement_release(&s);
}

// Anew: a sweep that has grown may have other axes.
static int write_axes(struct results_plan *plan, struct results_database *database)
{
    const struct scenario_sweep *sweep = plan->sweep;
    int64_t ids[SCENARIO_SWEEP_AXES_MAX] = {0};
    struct results_statement s;
    int code = with_number(database,
                           "DELETE FROM axis_value WHERE axis_id IN"
                           " (SELECT id FROM axis WHERE sweep_id = ?)",
                           plan->sweep_id);

    if (code == SQLITE_OK) {
        code = with_number(database, "DELETE FROM axis WHERE sweep_id = ?", plan->sweep_id);
    }
    if (code != SQLITE_OK) {
        return code;
    }
    results_statement_init(&s, database->connection,
                           "INSERT INTO axis(sweep_id, n, name, path, kind, unit)"
                           " VALUES(?, ?, ?, ?, ?, ?)");
    for (uint32_t a = 0; a < sweep->n_axes && a < SCENARIO_SWEEP_AXES_MAX; a++) {
        results_statement_i64(&s, plan->sweep_id);
        results_statement_i64(&s, a);
        results_statement_text(&s, sweep->axes[a].name);
        results_statement_text(&s, sweep->axes[a].path);
        results_statement_text(&s, results_axis_kind_name(sweep->axes[a].kind));
        results_statement_text(&s, sweep->axes[a].unit);
        results_statement_execute(&s);
        ids[a] = sqlite3_last_insert_rowid(database->connection);
    }
    code = results_statement_release(&s);
    if (code == SQLITE_OK) {
        code = write_axis_values(plan, database, ids);
    }
    return code == SQLITE_OK ? results_database_views(database) : code;
}

// --- points --------------------------------------------------------------------------------------

// A new point is loaded once more for its canonical text, which alone says what it is.
static int insert_point(struct results_plan *plan, struct results_database *database,
                        struct results_statement *s, uint32_t i)
{
    const struct scenario_point *point = &plan->sweep->points[i];
    struct scenario scenario;
    char command[4096];
    char *text = NULL;
    int error = scenario_point_load(plan->sweep, point, 0, &scenario);

    if (error == SCENARIO_OK) {
        text = results_without_seed(scenario.canonical);
        error = text != NULL ? SCENARIO_OK : SCENARIO_ENOMEM;
    }
    if (error == SCENARIO_OK &&
        scenario_point_command(point, UINT64_MAX, command, sizeof(command)) < sizeof(command)) {
        size_t size = strlen(command); // "... --seed N": the number is the run's

        while (size > 0 && command[size - 1] != ' ') {
            size--;
        }
        command[size >= 8 ? size - 8 : 0] = '\0';
    } else {
        command[0] = '\0';
    }
    if (error == SCENARIO_OK) {
        results_statement_text(s, plan->point_keys[i]);
        results_statement_i64(s, plan->sweep_id);
        results_statement_text(s, point->label);
        results_statement_text(s, results_profile_name(scenario.config.profile));
        results_statement_text(s, text);
        results_statement_i64(s, i);
        results_statement_text(s, command);
        results_statement_execute(s);
    } else if (scenario.n_errors > 0) {
        results_text_format(&database->message, "%s: %s", point->label, scenario.errors[0].text);
    }
    free(text);
    scenario_release(&scenario);
    plan->point_ids[i] = sqlite3_last_insert_rowid(database->connection);
    return error == SCENARIO_OK ? s->code : SQLITE_NOMEM;
}

static int write_points(struct results_plan *plan, struct results_database *database)
{
    struct results_statement find;
    struct results_statement insert;
    struct results_statement update;
    int code = with_number(database, "UPDATE point SET n = -1 WHERE sweep_id = ?", plan->sweep_id);
    int released[3];

    results_statement_init(&find, database->connection, "SELECT id FROM point WHERE point_key = ?");
    results_statement_init(&update, database->connection,
                           "UPDATE point SET n = ?, label = ? WHERE id = ?");
    results_statement_init(&insert, database->connection,
                           "INSERT INTO point(point_key, sweep_id, label, profile, scenario, n,"
                           " command) VALUES(?, ?, ?, ?, ?, ?, ?)");
    for (uint32_t i = 0; code == SQLITE_OK && i < plan->sweep->n_points; i++) {
        results_statement_text(&find, plan->point_keys[i]);
        if (results_statement_row(&find)) {
            plan->point_ids[i] = sqlite3_column_int64(find.statement, 0);
            results_statement_i64(&update, i);
            results_statement_text(&update, plan->sweep->points[i].label);
            results_statement_i64(&update, plan->point_ids[i]);
            results_statement_execute(&update);
        } else {
            code = insert_point(plan, database, &insert, i);
        }
        results_statement_again(&find);
    }
    released[0] = results_statement_release(&find);
    released[1] = results_statement_release(&update);
    released[2] = results_statement_release(&insert);
    for (uint32_t i = 0; code == SQLITE_OK && i < 3; i++) {
        code = released[i];
    }
    return code;
}

// Points that the database has under this name and the file has not: another sweep.
static bool check_points(struct results_plan *plan, struct results_database *database, int *code)
{
    struct results_statement s;
    int64_t gone = 0;

    results_statement_init(&s, database->connection,
                           "SELECT count(*) FROM point WHERE sweep_id = ? AND n < 0");
    results_statement_i64(&s, plan->sweep_id);
    if (results_statement_row(&s)) {
        gone = sqlite3_column_int64(s.statement, 0);
    }
    *code = results_statement_release(&s);
    if (gone > 0) {
        results_text_format(&database->message,
                            "%s: the database holds a sweep '%s' with %" PRId64 " points that this "
                            "file no longer has: values were taken out, or the scenario, the seed "
                            "or the version of recoup (%s now) has changed; use another database, "
                            "or give the sweep another name",
                            database->path, plan->sweep->name, gone, plan->options.version);
    }
    return gone == 0;
}

// --- runs ----------------------------------------------------------------------------------------

int results_plan_add(const struct results_plan *plan, struct results_database *database,
                     uint32_t point, uint32_t from, uint32_t to)
{
    struct results_statement s;

    results_statement_init(&s, database->connection,
                           "INSERT INTO plan(run_key, point_id, replication, seed, state)"
                           " VALUES(?, ?, ?, ?, 'planned') ON CONFLICT DO NOTHING");
    for (uint32_t r = from; r < to; r++) {
        uint64_t seed = scenario_replication_seed(plan->sweep, &plan->sweep->points[point], r);
        char key[RESULTS_KEY_SIZE];

        results_plan_run_key(plan, point, r, seed, key);
        if (!results_plan_is_mine(plan, point, key)) {
            continue;
        }
        results_statement_text(&s, key);
        results_statement_i64(&s, plan->point_ids[point]);
        results_statement_i64(&s, r);
        results_statement_u64(&s, seed);
        results_statement_execute(&s);
    }
    return results_statement_release(&s);
}

// What an earlier program left: runs that it had begun, and replications that the file no longer
// has, or has again.
static int settle_rows(struct results_plan *plan, struct results_database *database)
{
    const struct scenario_replications *replications = &plan->sweep->replications;
    static const char *const changes[] = {
        "UPDATE plan SET state = 'planned' WHERE state = 'running' AND ?2 >= 0 AND point_id IN"
        " (SELECT id FROM point WHERE sweep_id = ?1)",
        "UPDATE plan SET state = 'skipped' WHERE state = 'planned' AND replication >= ?2 AND"
        " point_id IN (SELECT id FROM point WHERE sweep_id = ?1)",
        "UPDATE plan SET state = 'planned' WHERE state = 'skipped' AND replication < ?2 AND"
        " point_id IN (SELECT id FROM point WHERE sweep_id = ?1)"};
    int code = SQLITE_OK;

    for (size_t i = 0; code == SQLITE_OK && i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct results_statement s;

        results_statement_init(&s, database->connection, changes[i]);
        results_statement_i64(&s, plan->sweep_id);
        results_statement_i64(&s,
                              replications->until ? replications->at_most : replications->at_least);
        results_statement_execute(&s);
        code = results_statement_release(&s);
    }
    return code;
}

// Returns false with a message where the database has other points, else a code.
static bool write_all(struct results_plan *plan, struct results_database *database, int *code)
{
    bool changed = false;

    *code = write_sweep(plan, database, &changed);
    if (*code == SQLITE_OK) {
        *code = write_points(plan, database);
    }
    if (*code == SQLITE_OK && !check_points(plan, database, code)) {
        return false;
    }
    if (*code == SQLITE_OK && changed) {
        *code = write_axes(plan, database);
    }
    for (uint32_t i = 0; *code == SQLITE_OK && i < plan->sweep->n_points; i++) {
        *code = results_plan_add(plan, database, i, 0, plan->sweep->replications.at_least);
    }
    if (*code == SQLITE_OK) {
        *code = settle_rows(plan, database);
    }
    return true;
}

bool results_plan_write(struct results_plan *plan, struct results_database *database,
                        const struct scenario_sweep *sweep,
                        const struct results_plan_options *options)
{
    int code = SQLITE_NOMEM;
    bool possible = true;

    results_text_clear(&database->message);
    if (results_plan_keys(plan, sweep, options)) {
        code = results_database_execute(database, "BEGIN IMMEDIATE");
    }
    if (code == SQLITE_OK) {
        possible = write_all(plan, database, &code);
        if (possible && code == SQLITE_OK) {
            code = results_database_execute(database, "COMMIT");
        }
    }
    if (code == SQLITE_OK && possible) {
        return true;
    }
    if (possible && database->message.size == 0) {
        results_database_fail(database, code);
    }
    plan->refused = !possible;
    (void)results_database_execute(database, "ROLLBACK");
    return false;
}
