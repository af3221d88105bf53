// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening a result database to read it alone.
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "results/database_parts.h"

// SQLite would say "unable to open" of all of these.
static bool is_file(struct results_database *database)
{
    struct stat facts;

    if (stat(database->path, &facts) != 0) {
        results_text_format(&database->message, "%s: the database cannot be read: %s",
                            database->path, strerror(errno));
        return false;
    }
    if (!S_ISREG(facts.st_mode)) {
        results_text_format(&database->message, "%s: the database is no file", database->path);
        return false;
    }
    return true;
}

static enum results_reading judge(struct results_database *database, int64_t application,
                                  int64_t version, int64_t objects)
{
    struct results_text *message = &database->message;
    const char *path = database->path;

    if (objects == 0 && application == 0) {
        results_text_format(message,
                            "%s: the database is empty; recoup run --db or recoup sweep fills it",
                            path);
    } else if (application != RESULTS_DATABASE_APPLICATION_ID) {
        results_text_format(message,
                            "%s: the database belongs to another program (application id "
                            "%" PRId64 ")",
                            path, application);
    } else if (version > RESULTS_DATABASE_VERSION) {
        results_text_format(message,
                            "%s: the database has version %" PRId64 ", this program reads version "
                            "%d; use the program that made it",
                            path, version, RESULTS_DATABASE_VERSION);
    } else if (version < RESULTS_DATABASE_VERSION) {
        results_text_format(message,
                            "%s: the database has version %" PRId64 ", this program reads version "
                            "%d; recoup run --db or recoup sweep --db brings it there",
                            path, version, RESULTS_DATABASE_VERSION);
    } else {
        return RESULTS_READING;
    }
    return RESULTS_READING_REFUSED;
}

static enum results_reading fail(struct results_database *database, int code)
{
    int error = sqlite3_system_errno(database->connection);

    if ((code & 0xff) == SQLITE_IOERR && error != 0) {
        results_text_format(&database->message, "%s: the database cannot be read: %s",
                            database->path, strerror(error));
    } else {
        results_database_fail(database, code);
    }
    return RESULTS_READING_FAILED;
}

enum results_reading results_database_open_reading(struct results_database *database,
                                                   const char *path)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t objects = 0;
    int code;

    memset(database, 0, sizeof(*database));
    database->path = path;
    if (!is_file(database)) {
        return RESULTS_READING_FAILED;
    }
    code = sqlite3_open_v2(path, &database->connection, SQLITE_OPEN_READONLY, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_busy_timeout(database->connection, RESULTS_DATABASE_WAIT_MS);
    }
    // The file was opened read-only, so SQLite says nothing of it before it reads.
    if (code == SQLITE_OK) {
        code = results_database_number(database, "PRAGMA application_id", &application);
    }
    if (code == SQLITE_OK) {
        code = results_database_number(database, "PRAGMA user_version", &version);
    }
    if (code == SQLITE_OK) {
        code = results_database_number(database, "SELECT count(*) FROM sqlite_master", &objects);
    }
    return code == SQLITE_OK ? judge(database, application, version, objects)
                             : fail(database, code);
}
