// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a result database says, as one hash: of its rows sorted by their keys, without row numbers
// and without anything that depends on when, where or by how many workers it was made. Equal for
// any number of workers, for shards that were merged, after interruptions, in any order.
#ifndef RECOUP_RESULTS_CONTENT_HASH_H
#define RECOUP_RESULTS_CONTENT_HASH_H

#include "results/database.h"

// Left out: the tables plan, execution, build, summary, metric and info, row numbers, and the
// commands of the points, which name files. False with database->message when reading failed.
bool results_content_hash(struct results_database *database, char hash[RESULTS_KEY_SIZE]);

#endif
