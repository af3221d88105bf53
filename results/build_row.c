// SPDX-License-Identifier: GPL-3.0-or-later
//
// The program that made a run, as a row of table `build`.
#include <gsl/gsl_version.h>
#include <stdio.h>
#include <xxhash.h>

#include "results/database_parts.h"
#include "results/identity.h"
#include "results/statement.h"

#if defined(__clang__)
#define BUILD_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define BUILD_COMPILER "gcc " __VERSION__
#else
#define BUILD_COMPILER "other"
#endif

#if defined(__x86_64__)
#define BUILD_TARGET "x86_64"
#elif defined(__aarch64__)
#define BUILD_TARGET "aarch64"
#elif defined(__riscv)
#define BUILD_TARGET "riscv"
#else
#define BUILD_TARGET "other"
#endif

#if defined(__OPTIMIZE__)
#define BUILD_OPTIMIZED "1"
#else
#define BUILD_OPTIMIZED "0"
#endif

#ifndef RECOUP_VERSION
#error "RECOUP_VERSION is defined by the build"
#endif

int results_database_build(struct results_database *database, int64_t *build)
{
    char hash[24];
    const char *const parts[] = {RECOUP_VERSION,  BUILD_COMPILER,       BUILD_TARGET,
                                 BUILD_OPTIMIZED, sqlite3_libversion(), hash,
                                 gsl_version};
    const size_t n_parts = sizeof(parts) / sizeof(parts[0]);
    char key[RESULTS_KEY_SIZE];
    struct results_statement s;
    int code;

    (void)snprintf(hash, sizeof(hash), "%u", XXH_versionNumber());
    results_key(parts, n_parts, key);
    results_statement_init(&s, database->connection,
                           "INSERT INTO build(build_key, recoup, compiler, target, optimized,"
                           " sqlite, xxhash, gsl) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"
                           " ON CONFLICT DO NOTHING");
    results_statement_text(&s, key);
    for (size_t i = 0; i < n_parts; i++) {
        results_statement_text(&s, parts[i]);
    }
    results_statement_execute(&s);
    code = results_statement_release(&s);
    if (code != SQLITE_OK) {
        return code;
    }
    results_statement_init(&s, database->connection, "SELECT id FROM build WHERE build_key = ?");
    results_statement_text(&s, key);
    if (results_statement_row(&s)) {
        *build = sqlite3_column_int64(s.statement, 0);
    }
    return results_statement_release(&s);
}
