// SPDX-License-Identifier: GPL-3.0-or-later
//
// Databases of earlier versions, brought up to date. Forward only, one step per version, within the
// transaction that opens the file: it ends either migrated or as it was.
#include <stdlib.h>
#include <string.h>

#include "results/columns.h"
#include "results/database_parts.h"
#include "results/schema.h"
#include "results/statement.h"

// A metric that the earlier version did not know stays null in its runs.
static int add_missing_columns(struct results_database *database)
{
    int code = SQLITE_OK;

    for (uint32_t i = 0; code == SQLITE_OK && i < RESULTS_COLUMN_COUNT; i++) {
        const char *name = results_column(i)->name;
        struct results_statement s;
        bool present;

        results_statement_init(&s, database->connection,
                               "SELECT 1 FROM pragma_table_info('run') WHERE name = ?");
        results_statement_text(&s, name);
        present = results_statement_row(&s);
        code = results_statement_release(&s);
        if (code == SQLITE_OK && !present) {
            struct results_text sql;

            results_text_init(&sql);
            results_text_format(&sql, "ALTER TABLE run ADD COLUMN %s INTEGER", name);
            code = results_database_execute_text(database, &sql);
        }
    }
    return code;
}

int results_database_summarize_all(struct results_database *database)
{
    struct results_statement s;
    int code = SQLITE_OK;
    int released;

    results_statement_init(&s, database->connection, "SELECT id FROM point");
    while (code == SQLITE_OK && results_statement_row(&s)) {
        code = results_database_summarize(database, sqlite3_column_int64(s.statement, 0));
    }
    released = results_statement_release(&s);
    return code != SQLITE_OK ? code : released;
}

// Version 1 knew single runs only.
static int from_version_1(struct results_database *database)
{
    struct results_text sql;
    int code;

    results_text_init(&sql);
    results_text_add(&sql,
                     "DROP VIEW v_pareto; DROP VIEW v_summary; DROP VIEW v_run; DROP VIEW v_point;"
                     "DROP TABLE summary;"
                     "ALTER TABLE point ADD COLUMN n INTEGER NOT NULL DEFAULT 0;"
                     "ALTER TABLE point ADD COLUMN command TEXT NOT NULL DEFAULT '';"
                     // The seed is the run's; a point had that of its first run.
                     "UPDATE point SET scenario ="
                     "  substr(scenario, 1, instr(scenario, char(10) || 'seed = ')) ||"
                     "  substr(substr(scenario, instr(scenario, char(10) || 'seed = ') + 1),"
                     "    instr(substr(scenario, instr(scenario, char(10) || 'seed = ') + 1),"
                     "      char(10)) + 1)"
                     "  WHERE instr(scenario, char(10) || 'seed = ') > 0;");
    results_schema_sweep(&sql);
    results_schema_summary(&sql);
    results_text_format(&sql, "PRAGMA user_version = %d;", RESULTS_DATABASE_VERSION);
    code = results_database_execute_text(database, &sql);
    return code == SQLITE_OK ? add_missing_columns(database) : code;
}

int results_database_migrate(struct results_database *database, int64_t version)
{
    int code = version == 1 ? from_version_1(database) : SQLITE_OK;

    if (code == SQLITE_OK) {
        code = results_database_views(database);
    }
    return code == SQLITE_OK ? results_database_summarize_all(database) : code;
}
