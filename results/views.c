// SPDX-License-Identifier: GPL-3.0-or-later
//
// The views of the database. They are made anew when a sweep is added, since the axes of the sweeps
// are columns of them.
#include <string.h>

#include "results/database_parts.h"
#include "results/schema.h"
#include "results/statement.h"

static const char *const view_names[] = {"v_pareto", "v_summary_failover", "v_summary", "v_run",
                                         "v_point"};

// A name between double quotes, those in it doubled.
static void add_identifier(struct results_text *sql, const char *prefix, const char *name)
{
    results_text_add(sql, "\"");
    results_text_add(sql, prefix);
    for (; *name != '\0'; name++) {
        results_text_char(sql, *name);
        if (*name == '"') {
            results_text_char(sql, *name);
        }
    }
    results_text_add(sql, "\"");
}

static void add_literal(struct results_text *sql, const char *text)
{
    results_text_char(sql, '\'');
    for (; *text != '\0'; text++) {
        results_text_char(sql, *text);
        if (*text == '\'') {
            results_text_char(sql, *text);
        }
    }
    results_text_char(sql, '\'');
}

// One column per name of an axis: its number, or its text where it has none. An axis that is named
// like a column of these views gets "axis_" before its name.
static int add_axes(struct results_database *database, struct results_text *columns,
                    struct results_text *names)
{
    struct results_statement s;

    results_statement_init(
        &s, database->connection,
        "SELECT name, lower(name) IN (SELECT lower(name) FROM pragma_table_info('run')"
        "  UNION SELECT lower(name) FROM pragma_table_info('summary')"
        "  UNION VALUES ('sweep'), ('point'), ('profile'), ('point_id'), ('job_state'), ('unit'),"
        "    ('better'))"
        " FROM axis GROUP BY name ORDER BY name");
    while (results_statement_row(&s)) {
        const char *name = (const char *)sqlite3_column_text(s.statement, 0);
        const char *prefix = sqlite3_column_int(s.statement, 1) != 0 ? "axis_" : "";

        results_text_add(columns, ", (SELECT coalesce(axis_value.value, axis_value.text)"
                                  " FROM axis JOIN axis_value ON axis_value.axis_id = axis.id"
                                  " AND axis_value.point_id = point.id"
                                  " WHERE axis.sweep_id = point.sweep_id AND axis.name = ");
        add_literal(columns, name);
        results_text_add(columns, ") AS ");
        add_identifier(columns, prefix, name);
        results_text_add(names, ", v_point.");
        add_identifier(names, prefix, name);
    }
    return results_statement_release(&s);
}

int results_database_views(struct results_database *database)
{
    struct results_text sql;
    struct results_text columns;
    struct results_text names;
    int code;

    results_text_init(&sql);
    results_text_init(&columns);
    results_text_init(&names);
    code = add_axes(database, &columns, &names);
    for (size_t i = 0; i < sizeof(view_names) / sizeof(view_names[0]); i++) {
        results_text_format(&sql, "DROP VIEW IF EXISTS %s;\n", view_names[i]);
    }
    results_schema_views(&sql, results_text_string(&columns), results_text_string(&names));
    sql.failed = sql.failed || columns.failed || names.failed;
    results_text_release(&columns);
    results_text_release(&names);
    if (code != SQLITE_OK) {
        results_text_release(&sql);
        return code;
    }
    return results_database_execute_text(database, &sql);
}
