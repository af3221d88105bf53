// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the files of the result database share. Internal to results/ and campaigns/.
#ifndef RECOUP_RESULTS_DATABASE_PARTS_H
#define RECOUP_RESULTS_DATABASE_PARTS_H

#include "results/database.h"

// Puts a SQLite error code into words for the user.
void results_database_fail(struct results_database *database, int code);
// Executes statements without results. Returns a SQLite code.
int results_database_execute(struct results_database *database, const char *sql);
// The first column of the first row. Returns a SQLite code.
int results_database_number(struct results_database *database, const char *sql, int64_t *value);
// Computes the rows of table `summary` of one point anew, over all its runs and over those that a
// failure of a master hit; reads its runs once. Returns a SQLite code.
int results_database_summarize(struct results_database *database, int64_t point);
// Drops and creates all views: v_point, and with it v_run and v_summary, have one column for each
// name of an axis. Returns a SQLite code.
int results_database_views(struct results_database *database);
// Within a transaction: brings a file of an earlier version up to date. Returns a SQLite code.
int results_database_migrate(struct results_database *database, int64_t version);
// Executes what was built; SQLITE_NOMEM where building it failed. Releases it.
int results_database_execute_text(struct results_database *database, struct results_text *sql);
// The same for all points.
int results_database_summarize_all(struct results_database *database);
// The row of table `build` for this program, created if missing. Returns a SQLite code.
int results_database_build(struct results_database *database, int64_t *build);

#endif
