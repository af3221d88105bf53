// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/statement.h"

#include "results/text.h"
#include "sim/assert.h"

void results_statement_init(struct results_statement *s, sqlite3 *connection, const char *sql)
{
    s->statement = NULL;
    s->next = 1;
    s->code = sqlite3_prepare_v2(connection, sql, -1, &s->statement, NULL);
}

static void statement_bound(struct results_statement *s, int code)
{
    s->next++;
    if (s->code == SQLITE_OK) {
        s->code = code;
    }
}

void results_statement_i64(struct results_statement *s, int64_t value)
{
    statement_bound(s, sqlite3_bind_int64(s->statement, s->next, value));
}

void results_statement_u64(struct results_statement *s, uint64_t value)
{
    results_statement_i64(s, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void results_statement_real(struct results_statement *s, double value)
{
    statement_bound(s, sqlite3_bind_double(s->statement, s->next, value));
}

void results_statement_text(struct results_statement *s, const char *value)
{
    statement_bound(s, sqlite3_bind_text(s->statement, s->next, value, -1, SQLITE_TRANSIENT));
}

void results_statement_hex(struct results_statement *s, const uint8_t *bytes, uint32_t size)
{
    static const char digits[] = "0123456789abcdef";
    char text[65];

    SIM_ASSERT(size <= 32);
    for (uint32_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
    results_statement_text(s, text);
}

void results_statement_null(struct results_statement *s)
{
    statement_bound(s, sqlite3_bind_null(s->statement, s->next));
}

bool results_statement_row(struct results_statement *s)
{
    int code = s->code == SQLITE_OK ? sqlite3_step(s->statement) : SQLITE_DONE;

    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        s->code = code;
    }
    return code == SQLITE_ROW;
}

void results_statement_execute(struct results_statement *s)
{
    // A statement that yields rows here would be a mistake of ours.
    bool row = results_statement_row(s);

    SIM_ASSERT(!row);
    results_statement_again(s);
}

void results_statement_again(struct results_statement *s)
{
    if (s->statement != NULL) {
        int code = sqlite3_reset(s->statement);

        s->code = s->code == SQLITE_OK ? code : s->code;
    }
    s->next = 1;
}

int results_statement_release(struct results_statement *s)
{
    int code = sqlite3_finalize(s->statement);

    s->statement = NULL;
    return s->code == SQLITE_OK ? code : s->code;
}
