// SPDX-License-Identifier: GPL-3.0-or-later
//
// A prepared SQLite statement that is bound from left to right. The first error sticks: later calls
// do nothing, and the end reports it. Internal to results/ and campaigns/.
#ifndef RECOUP_RESULTS_STATEMENT_H
#define RECOUP_RESULTS_STATEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

struct results_statement {
    sqlite3_stmt *statement;
    int next; // parameter to be bound
    int code; // SQLITE_OK, or the first error
};

void results_statement_init(struct results_statement *s, sqlite3 *connection, const char *sql);
void results_statement_i64(struct results_statement *s, int64_t value);
void results_statement_u64(struct results_statement *s, uint64_t value); // clamped to INT64_MAX
void results_statement_real(struct results_statement *s, double value);
void results_statement_text(struct results_statement *s, const char *value); // NULL: null
void results_statement_hex(struct results_statement *s, const uint8_t *bytes, uint32_t size);
void results_statement_null(struct results_statement *s);

// True while there is a row to be read.
bool results_statement_row(struct results_statement *s);
// Executes a statement without rows and readies it for the next set of values.
void results_statement_execute(struct results_statement *s);
// Readies it for the next set of values after rows have been read.
void results_statement_again(struct results_statement *s);
// Gives it up. Returns SQLITE_OK or the first error.
int results_statement_release(struct results_statement *s);

#endif
