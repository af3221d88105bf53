// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tables and views of the result database, as SQL.
#ifndef RECOUP_RESULTS_SCHEMA_H
#define RECOUP_RESULTS_SCHEMA_H

#include "results/text.h"

// Appends the statements that create all tables in an empty file, application id and version
// included; the views are made by results_database_views, since they depend on the axes.
void results_schema(struct results_text *sql);
// Parts of it, for migrations: the tables that version 2 added, and table `summary`.
void results_schema_sweep(struct results_text *sql);
void results_schema_summary(struct results_text *sql);
// The views. `columns`: SQL that selects a point's value of each axis; `names`: these columns of
// v_point. Both start with ", " unless they are empty.
void results_schema_views(struct results_text *sql, const char *columns, const char *names);

#endif
