// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tables and views of the result database, as SQL.
#ifndef RECOUP_RESULTS_SCHEMA_H
#define RECOUP_RESULTS_SCHEMA_H

#include "results/text.h"

// Appends the statements that create everything in an empty file, application id and version
// included.
void results_schema(struct results_text *sql);

#endif
