// SPDX-License-Identifier: GPL-3.0-or-later
//
// Result databases made apart (shards, other machines) put together. In any order, any number of
// times: the content is the same.
#ifndef RECOUP_RESULTS_MERGE_H
#define RECOUP_RESULTS_MERGE_H

#include "results/database.h"

enum results_merge_status {
    RESULTS_MERGE_DONE,
    RESULTS_MERGE_DIFFERS, // both hold a run with different fingerprints; nothing was changed
    RESULTS_MERGE_REFUSED, // both hold a sweep that is defined differently; nothing was changed
    RESULTS_MERGE_FAILED   // see database->message; nothing was changed
};

struct results_merge_counts {
    int64_t runs_added;
    int64_t runs_present;
};

// Adds all that the file at `path` holds to `database`, in one transaction. `path` is not changed.
enum results_merge_status results_merge(struct results_database *database, const char *path,
                                        struct results_merge_counts *counts);
// After the last merge: statistics and views anew. False with a message.
bool results_merge_finish(struct results_database *database);

#endif
