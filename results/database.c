// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening the result database: whose file is it, of which version, and may it be written?
#define _XOPEN_SOURCE 700
#include "results/database.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "results/database_parts.h"
#include "results/schema.h"
#include "results/statement.h"
#include "scenarios/metrics.h"

// Where SQLite may not create a file it tries to read it, and then tells only that there is none:
// 0, or why nothing can be created in the file's folder.
static int folder_error(const char *path)
{
    struct results_text folder;
    const char *slash = strrchr(path, '/');
    int error;

    results_text_init(&folder);
    if (slash == NULL) {
        results_text_char(&folder, '.');
    } else {
        results_text_bytes(&folder, path, (size_t)(slash - path) + 1);
    }
    error = !folder.failed && access(results_text_string(&folder), W_OK) != 0 ? errno : 0;
    results_text_release(&folder);
    return error;
}

static const char *system_reason(struct results_database *database)
{
    int error = sqlite3_system_errno(database->connection);
    int folder = error == ENOENT ? folder_error(database->path) : 0;

    error = folder != 0 ? folder : error;
    return error != 0 ? strerror(error) : sqlite3_errmsg(database->connection);
}

void results_database_fail(struct results_database *database, int code)
{
    struct results_text *message = &database->message;

    results_text_clear(message);
    results_text_format(message, "%s: ", database->path);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        results_text_add(message, "the database is locked by another program; try again when that "
                                  "is done, or use another file");
        break;
    case SQLITE_NOTADB:
        results_text_add(message, "the file is no SQLite database; use another file");
        break;
    case SQLITE_CORRUPT:
        results_text_add(message, "the database is damaged; restore it, or use another file");
        break;
    case SQLITE_READONLY:
        results_text_add(message, "the database is read-only; make it writable, or use another "
                                  "file");
        break;
    case SQLITE_FULL:
        results_text_add(message, "the disk is full; nothing was added");
        break;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        results_text_format(message, "the file cannot be %s: %s",
                            (code & 0xff) == SQLITE_IOERR ? "written" : "opened",
                            system_reason(database));
        break;
    case SQLITE_NOMEM:
        results_text_add(message, "out of memory");
        break;
    default:
        results_text_format(message, "%s", sqlite3_errmsg(database->connection));
        break;
    }
}

int results_database_execute(struct results_database *database, const char *sql)
{
    return sqlite3_exec(database->connection, sql, NULL, NULL, NULL);
}

int results_database_execute_text(struct results_database *database, struct results_text *sql)
{
    int code =
        sql->failed ? SQLITE_NOMEM : results_database_execute(database, results_text_string(sql));

    results_text_release(sql);
    return code;
}

int results_database_number(struct results_database *database, const char *sql, int64_t *value)
{
    struct results_statement s;

    results_statement_init(&s, database->connection, sql);
    if (results_statement_row(&s)) {
        *value = sqlite3_column_int64(s.statement, 0);
    }
    return results_statement_release(&s);
}

static int insert_metrics(struct results_database *database)
{
    struct results_statement s;

    results_statement_init(&s, database->connection, "INSERT INTO metric VALUES(?, ?, ?, ?, ?)");
    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        const struct scenario_metric *metric = scenario_metric_at(i);

        results_statement_text(&s, metric->name);
        results_statement_text(&s, metric->column);
        results_statement_text(&s, metric->unit);
        results_statement_text(&s, metric->better);
        results_statement_text(&s, metric->definition);
        results_statement_execute(&s);
    }
    return results_statement_release(&s);
}

static int create_tables(struct results_database *database)
{
    struct results_text sql;
    int code;

    results_text_init(&sql);
    results_schema(&sql);
    code = results_database_execute_text(database, &sql);
    if (code == SQLITE_OK) {
        code = results_database_views(database);
    }
    return code == SQLITE_OK ? insert_metrics(database) : code;
}

static bool refuse(struct results_database *database, int64_t application, int64_t version)
{
    struct results_text *message = &database->message;

    if (application != RESULTS_DATABASE_APPLICATION_ID) {
        results_text_format(message,
                            "%s: the database belongs to another program (application id "
                            "%" PRId64 "); use another file",
                            database->path, application);
    } else {
        results_text_format(
            message,
            "%s: the database has version %" PRId64 ", this program "
            "knows versions up to %d; use another file, or the program that made it",
            database->path, version, RESULTS_DATABASE_VERSION);
    }
    return false;
}

// Within a transaction: whose file it is. Creates the tables in an empty one.
static bool identify(struct results_database *database)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t objects = 0;
    int code = results_database_number(database, "PRAGMA application_id", &application);

    if (code == SQLITE_OK) {
        code = results_database_number(database, "PRAGMA user_version", &version);
    }
    if (code == SQLITE_OK) {
        code = results_database_number(database, "SELECT count(*) FROM sqlite_master", &objects);
    }
    if (code == SQLITE_OK && application == 0 && version == 0 && objects == 0) {
        code = create_tables(database);
    } else if (code == SQLITE_OK && (application != RESULTS_DATABASE_APPLICATION_ID ||
                                     version < 1 || version > RESULTS_DATABASE_VERSION)) {
        return refuse(database, application, version);
    } else if (code == SQLITE_OK && version < RESULTS_DATABASE_VERSION) {
        code = results_database_migrate(database, version);
    }
    if (code != SQLITE_OK) {
        results_database_fail(database, code);
    }
    return code == SQLITE_OK;
}

bool results_database_open(struct results_database *database, const char *path, uint32_t wait_ms)
{
    int code;

    memset(database, 0, sizeof(*database));
    database->path = path;
    code = sqlite3_open_v2(path, &database->connection,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_busy_timeout(database->connection, (int)wait_ms);
    }
    if (code == SQLITE_OK) {
        code = results_database_execute(database, "PRAGMA foreign_keys = ON; BEGIN IMMEDIATE");
    }
    if (code != SQLITE_OK) {
        results_database_fail(database, code);
        return false;
    }
    if (!identify(database)) {
        (void)results_database_execute(database, "ROLLBACK");
        return false;
    }
    code = results_database_execute(database, "COMMIT");
    if (code != SQLITE_OK) {
        results_database_fail(database, code);
        (void)results_database_execute(database, "ROLLBACK");
    }
    return code == SQLITE_OK;
}

void results_database_close(struct results_database *database)
{
    if (database->connection != NULL) {
        (void)sqlite3_close(database->connection);
        database->connection = NULL;
    }
    results_text_release(&database->message);
}
