// SPDX-License-Identifier: GPL-3.0-or-later
//
// The result database (contract.md section 4): a SQLite file of STRICT tables with integers, to
// which a run is appended. Identity is content: the same run again changes nothing. Every change
// is one transaction, so a file is never half-written.
#ifndef RECOUP_RESULTS_DATABASE_H
#define RECOUP_RESULTS_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include "results/run.h"
#include "results/text.h"

#define RESULTS_DATABASE_APPLICATION_ID 0x52435550 // "RCUP"
#define RESULTS_DATABASE_VERSION 2                 // PRAGMA user_version
#define RESULTS_DATABASE_WAIT_MS 5000              // for another writer, by default
#define RESULTS_KEY_SIZE 33u                       // 32 hex digits and a zero

enum results_database_status {
    RESULTS_DATABASE_ADDED,   // the run is in the file now
    RESULTS_DATABASE_PRESENT, // it was already; nothing changed
    RESULTS_DATABASE_DIFFERS, // it was already, with another fingerprint; nothing changed
    RESULTS_DATABASE_FAILED   // see `message`; nothing changed
};

struct sqlite3;
struct results_record;

struct results_database {
    struct sqlite3 *connection;
    const char *path;            // borrowed
    struct results_text message; // what went wrong and what to do
};

// Wall-clock facts of a run, kept apart from its content (table `execution`).
struct results_execution {
    const char *started_at; // UTC, "2025-01-31T12:34:56Z"
    int64_t wall_ns;        // from the program's start
    uint64_t process;
};

// Opens `path` for appending, creates the tables in a new or empty file and brings a file of an
// earlier version up to date (in one transaction); waits up to `wait_ms` for other writers. Returns
// true; else `message` says why (no database, another program's, a later version's, read-only,
// locked, disk full) and the file is unchanged. To be closed in both cases.
bool results_database_open(struct results_database *database, const char *path, uint32_t wait_ms);

enum results_reading {
    RESULTS_READING,         // open
    RESULTS_READING_REFUSED, // empty, another program's, another version's: not what was meant
    RESULTS_READING_FAILED   // it cannot be read
};

// Opens an existing file of this version for reading alone (database_reading.c). `message` says
// what is wrong. To be closed in all cases.
enum results_reading results_database_open_reading(struct results_database *database,
                                                   const char *path);
void results_database_close(struct results_database *database); // accepts a zeroed one

// Appends one run that `recoup run` made.
enum results_database_status results_database_append(struct results_database *database,
                                                     const struct results_run *run,
                                                     const struct results_execution *execution);

// A run that some process made.
struct results_append {
    const struct results_record *record;
    uint64_t seed;
    struct results_execution execution;
};

// Appends runs of one scenario that differ by their seeds, all or none. `like` says what else they
// share (version, invariants_on). `counts` receives how many were added, were there already, and
// were there with another fingerprint (by status); `message` is then about the first of these.
// False: nothing was changed, and `message` says why.
bool results_database_append_runs(struct results_database *database, struct scenario *scenario,
                                  const struct results_run *like,
                                  const struct results_append *runs, uint32_t n,
                                  uint32_t counts[RESULTS_DATABASE_FAILED]);

// The identity of a run: hash of the resolved scenario, its seed, whether the invariants were on,
// and the version of the model.
void results_run_key(const struct results_run *run, char key[RESULTS_KEY_SIZE]);
// The identity of its point: the resolved scenario without the seed. False when out of memory.
bool results_point_key(const struct results_run *run, char key[RESULTS_KEY_SIZE]);

#endif
