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
#include "results/sweep_choice.h"
#include "sim/assert.h"

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

bool survey_choose(struct survey *survey, const char *sweep, enum survey_status *status)
{
    struct results_sweep_choice choice;
    int code = results_sweep_choose(&survey->database, sweep, false, &choice);

    *status = choice.found ? SURVEY_OK : SURVEY_USAGE;
    if (code == SQLITE_OK && choice.found) {
        code = sweep == NULL && choice.single ? take_single_runs(survey)
                                              : take_sweep(survey, choice.sweep_id);
        survey->n_left_out = choice.n_left;
    }
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
