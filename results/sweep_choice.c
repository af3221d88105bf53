// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/sweep_choice.h"

#include <inttypes.h>
#include <string.h>

#include "results/database_parts.h"
#include "results/statement.h"

#define KEY_PREFIX_MIN 4u // of a sweep's key, so that a short name is no key by chance
#define KEY_SHOWN 8

struct candidates {
    uint32_t n_sweeps; // of kind 'sweep'
    uint32_t n_single; // of kind 'run'
    int64_t single;    // the last one of them
    uint32_t n_matching;
    int64_t matching; // the last one that matches
    bool matching_single;
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
static int look(struct results_database *database, const char *sweep, struct candidates *found,
                struct results_text *list)
{
    struct results_statement s;

    results_statement_init(&s, database->connection,
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
            found->matching_single = single;
        }
        found->single = single ? sqlite3_column_int64(s.statement, 0) : found->single;
        list_sweep(list, &s);
    }
    return results_statement_release(&s);
}

static void refuse(struct results_database *database, const char *sweep,
                   const struct candidates *found, struct results_text *list)
{
    struct results_text *message = &database->message;
    const char *path = database->path;

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
                            "%s: the database holds %s; choose one with --sweep NAME%s", path,
                            found->n_sweeps > 0 ? "several sweeps"
                                                : "single runs of several scenarios",
                            results_text_string(list));
    }
}

int results_sweep_choose(struct results_database *database, const char *sweep, bool one,
                         struct results_sweep_choice *choice)
{
    struct candidates found = {0};
    struct results_text list;
    int code;

    memset(choice, 0, sizeof(*choice));
    results_text_init(&list);
    code = look(database, sweep, &found, &list);
    if (code == SQLITE_OK && found.n_matching == 1) {
        choice->found = true;
        choice->sweep_id = found.matching;
        choice->single = found.matching_single;
        choice->n_left = choice->single ? 0 : found.n_single;
    } else if (code == SQLITE_OK && sweep == NULL && found.n_matching == 0 &&
               (found.n_single == 1 || (found.n_single > 1 && !one))) {
        choice->found = true;
        choice->sweep_id = found.n_single == 1 ? found.single : 0;
        choice->single = true;
    } else if (code == SQLITE_OK) {
        refuse(database, sweep, &found, &list);
    }
    results_text_release(&list);
    return code;
}
