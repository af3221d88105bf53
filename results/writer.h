// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stores records in the tables of a result database with prepared statements, many in one
// transaction. Internal to results/ and campaigns/.
#ifndef RECOUP_RESULTS_WRITER_H
#define RECOUP_RESULTS_WRITER_H

#include "results/database.h"
#include "results/record.h"
#include "results/statement.h"

struct results_writer {
    struct results_database *database; // borrowed
    struct results_statement run, lost, failover, finding, execution;
    int64_t build;       // the row of this program
    const char *version; // of recoup, as it stands in `run`
};

// Whose run it is.
struct results_place {
    const char *run_key;
    int64_t point; // its row
    uint32_t replication;
    uint64_t seed;
};

// All return a SQLite code.
int results_writer_init(struct results_writer *writer, struct results_database *database,
                        const char *version);
// Adds a run that is not there yet, within the caller's transaction.
int results_writer_add(struct results_writer *writer, const struct results_record *record,
                       const struct results_place *place,
                       const struct results_execution *execution);
int results_writer_release(struct results_writer *writer); // accepts a zeroed one

#endif
