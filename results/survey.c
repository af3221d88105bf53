// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening a result database to read it, and which of its sweeps is meant.
#include "results/survey.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/database_parts.h"
#include "results/survey_parts.h"
#include "sim/assert.h"

#define KEY_PREFIX_MIN 4u // of a sweep's key, so that a short name is no key by chance
#define KEY_SHOWN 8

const char *survey_copy(struct survey *survey, const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = sim_arena_alloc(&survey->arena, size, 1);

    if (copy != NULL) {
        memcpy(copy, string, size);
    }
    return copy;
}

const char *survey_column(struct survey *survey, struct results_statement *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s->statement, column);
    const char *copy = survey_copy(survey, text != NULL ? text : "");

    if (copy == NULL) {
        s->code = SQLITE_NOMEM;
        return "";
    }
    return copy;
}

void survey_statement(struct survey *survey, struct results_statement *s, const char *format)
{
    const char *hole = strstr(format, "%s");
    struct results_text sql;

    SIM_ASSERT(hole != NULL);
    results_text_init(&sql);
    results_text_bytes(&sql, format, (size_t)(hole - format));
    results_text_add(&sql, survey->where);
    results_text_add(&sql, hole + 2);
    results_statement_init(s, survey->database.connection, results_text_string(&sql));
    results_text_release(&sql);
}

uint32_t survey_point_index(const struct survey *survey, int64_t id)
{
    uint32_t low = 0;
    uint32_t high = survey->n_points;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (survey->ids[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < survey->n_points && survey->ids[low].id == id ? survey->ids[low].index
                                                               : SURVEY_NONE;
}

// --- which sweep ---------------------------------------------------------------------------------

struct candidates {
    uint32_t n_sweeps; // of kind 'sweep'
    uint32_t n_single; // of kind 'run'
    uint32_t n_matching;
    int64_t matching; // the last one that matches
};

static bool is_named(const char *sweep, const char *name, const char *key)
{
    size_t size = strlen(sweep);

    return strcmp(sweep, name) == 0 || (size >= KEY_PREFIX_MIN && strncmp(sweep, key, size) == 0);
}

static void list_sweep(struct results_text *list, struct results_statement *s)
{
    results_text_format(list, "\n  %s (%s, %" PRId64 " points, key %.*s)",
                        (const char *)sqlite3_column_text(s->statement, 2),
                        strcmp((const char *)sqlite3_column_text(s->statement, 1), "run") == 0
                            ? "single runs"
                            : "sweep",
                        (int64_t)sqlite3_column_int64(s->statement, 4), KEY_SHOWN,
                        (const char *)sqlite3_column_text(s->statement, 3));
}

// Counts what there is; `list` gets a line for each candidate.
static int look(struct survey *survey, const char *sweep, struct candidates *found,
                struct results_text *list)
{
    struct results_statement s;

    results_statement_init(&s, survey->database.connection,
                           "SELECT id, kind, name, sweep_key, (SELECT count(*) FROM point"
                           " WHERE sweep_id = sweep.id) FROM sweep ORDER BY kind DESC, name, id");
    while (results_statement_row(&s)) {
        const char *kind = (const char *)sqlite3_column_text(s.statement, 1);
        bool single = kind != NULL && strcmp(kind, "run") == 0;
        bool matches = sweep == NULL
                           ? !single
                           : is_named(sweep, (const char *)sqlite3_column_text(s.statement, 2),
                                      (const char *)sqlite3_column_text(s.statement, 3));

        found->n_single += single ? 1 : 0;
        found->n_sweeps += single ? 0 : 1;
        if (matches) {
            found->n_matching++;
            found->matching = sqlite3_column_int64(s.statement, 0);
        }
        list_sweep(list, &s);
    }
    return results_statement_release(&s);
}

static int take_sweep(struct survey *survey, int64_t id)
{
    struct results_statement s;
    char where[64];

    (void)snprintf(where, sizeof(where), "point.sweep_id = %" PRId64, id);
    survey->where = survey_copy(survey, where);
    results_statement_init(&s, survey->database.connection,
                           "SELECT name, about, sweep_key, definition, kind FROM sweep"
                           " WHERE id = ?");
    results_statement_i64(&s, id);
    if (survey->where != NULL && results_statement_row(&s)) {
        survey->name = survey_column(survey, &s, 0);
        survey->about = survey_column(survey, &s, 1);
        survey->key = survey_column(survey, &s, 2);
        survey->definition = survey_column(survey, &s, 3);
        survey->is_sweep = strcmp(survey_column(survey, &s, 4), "sweep") == 0;
    }
    return results_statement_release(&s);
}

// All single runs: named after their scenario when there is but one.
static int take_single_runs(struct survey *survey)
{
    struct results_statement s;
    uint32_t n = 0;

    survey->where = "point.sweep_id IN (SELECT id FROM sweep WHERE kind = 'run')";
    survey->name = "single runs";
    survey->about = "All single runs of this database.";
    survey->key = "";
    survey->definition = "";
    results_statement_init(&s, survey->database.connection,
                           "SELECT name FROM sweep WHERE kind = 'run' ORDER BY id LIMIT 2");
    while (results_statement_row(&s)) {
        const char *name = survey_column(survey, &s, 0);

        survey->name = n == 0 ? name : "single runs";
        n++;
    }
    if (n == 1) {
        survey->about = "Single runs of this scenario.";
    }
    return results_statement_release(&s);
}

static void refuse(struct survey *survey, const char *sweep, const struct candidates *found,
                   struct results_text *list)
{
    struct results_text *message = &survey->database.message;
    const char *path = survey->database.path;

    if (found->n_single + found->n_sweeps == 0) {
        results_text_format(message,
                            "%s: the database is empty; recoup run --db or recoup sweep "
                            "fills it",
                            path);
    } else if (found->n_matching == 0) {
        results_text_format(message, "%s: there is no sweep '%s'; the database holds%s", path,
                            sweep, results_text_string(list));
    } else if (sweep != NULL) {
        results_text_format(message,
                            "%s: '%s' may mean %" PRIu32 " sweeps; give the beginning of "
                            "a key, --sweep KEY%s",
                            path, sweep, found->n_matching, results_text_string(list));
    } else {
        results_text_format(message,
                            "%s: the database holds several sweeps; choose one with "
                            "--sweep NAME%s",
                            path, results_text_string(list));
    }
}

bool survey_choose(struct survey *survey, const char *sweep, enum survey_status *status)
{
    struct candidates found = {0, 0, 0, 0};
    struct results_text list;
    int code;

    results_text_init(&list);
    code = look(survey, sweep, &found, &list);
    *status = SURVEY_OK;
    if (code == SQLITE_OK && found.n_matching == 1) {
        code = take_sweep(survey, found.matching);
        survey->n_left_out = survey->is_sweep ? found.n_single : 0;
    } else if (code == SQLITE_OK && sweep == NULL && found.n_matching == 0 && found.n_single > 0) {
        code = take_single_runs(survey);
    } else if (code == SQLITE_OK) {
        refuse(survey, sweep, &found, &list);
        *status = SURVEY_USAGE;
    }
    results_text_release(&list);
    if (code != SQLITE_OK) {
        results_database_fail(&survey->database, code);
        *status = SURVEY_OUTSIDE;
    }
    return *status == SURVEY_OK;
}

// --- opening -------------------------------------------------------------------------------------

enum survey_status survey_read(struct survey *survey, const char *path, const char *sweep)
{
    enum results_reading reading;
    enum survey_status status;
    int code;

    memset(survey, 0, sizeof(*survey));
    sim_arena_init(&survey->arena, 0);
    reading = results_database_open_reading(&survey->database, path);
    if (reading != RESULTS_READING) {
        return reading == RESULTS_READING_REFUSED ? SURVEY_USAGE : SURVEY_OUTSIDE;
    }
    // One transaction: a sweep that goes on meanwhile does not show in half of the figures.
    code = results_database_execute(&survey->database, "BEGIN");
    if (code != SQLITE_OK) {
        results_database_fail(&survey->database, code);
        return SURVEY_OUTSIDE;
    }
    if (!survey_choose(survey, sweep, &status)) {
        return status;
    }
    code = survey_load(survey);
    if (code == SQLITE_OK && !survey_digest(survey)) {
        code = SQLITE_NOMEM;
    }
    if (code != SQLITE_OK) {
        results_database_fail(&survey->database, code);
        return SURVEY_OUTSIDE;
    }
    if (survey->n_runs == 0) {
        results_text_format(&survey->database.message, "%s: '%s' has no run yet; run it first",
                            path, survey->name);
        return SURVEY_USAGE;
    }
    return SURVEY_OK;
}

void survey_release(struct survey *survey)
{
    results_database_close(&survey->database);
    sim_arena_release(&survey->arena);
}
