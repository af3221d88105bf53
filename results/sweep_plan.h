// SPDX-License-Identifier: GPL-3.0-or-later
//
// The plan of a sweep in the result database: what is to be run is written down before anything
// runs, so that a sweep goes on after an interruption and says at any time what is done.
//
// Identity is content. A sweep is known by its name. The key of a point hashes the version of the
// model, the sweep's name, master seed and measures, and the resolved scenario; the key of a run
// adds replication and seed. A sweep whose file has grown (more values, more replications) keeps
// what is done.
#ifndef RECOUP_RESULTS_SWEEP_PLAN_H
#define RECOUP_RESULTS_SWEEP_PLAN_H

#include "results/database.h"
#include "scenarios/sweep.h"

enum results_plan_state {
    RESULTS_PLAN_NOT_MINE, // no row: another shard's
    RESULTS_PLAN_PLANNED,
    RESULTS_PLAN_RUNNING,
    RESULTS_PLAN_DONE,
    RESULTS_PLAN_FINDING, // it has a result: an expectation or an invariant failed
    RESULTS_PLAN_CRASHED, // its worker died; no result
    RESULTS_PLAN_TIMEOUT, // it took longer than the sweep's wall-time; no result
    RESULTS_PLAN_SKIPPED, // the file has fewer replications than it once had
    RESULTS_PLAN_DIFFERS  // run again, it had another fingerprint
};
#define RESULTS_PLAN_STATES 9u

const char *results_plan_state_name(enum results_plan_state state); // "planned"; "" for NOT_MINE
// By name; RESULTS_PLAN_NOT_MINE if there is none.
enum results_plan_state results_plan_state_find(const char *name);

struct results_plan_options {
    const char *version; // of the model
    uint32_t shard;      // 1 to shards
    uint32_t shards;     // 1: all
};

struct results_plan {
    const struct scenario_sweep *sweep; // borrowed
    struct results_plan_options options;
    int64_t sweep_id;
    bool refused;                         // by results_plan_write, because of other points
    int64_t *point_ids;                   // of each point of the sweep
    char (*point_keys)[RESULTS_KEY_SIZE]; // the same
};

// Writes sweep, axes, points and the runs that are known to be needed, as far as they are not there
// yet, in one transaction; runs that a dead program left as running are planned again. False with
// `database->message` when that failed or when the database holds a sweep of this name with points
// that this one has not; `plan` is to be released in both cases.
bool results_plan_write(struct results_plan *plan, struct results_database *database,
                        const struct scenario_sweep *sweep,
                        const struct results_plan_options *options);
// The keys alone, without a database (--dry-run). False when out of memory.
bool results_plan_keys(struct results_plan *plan, const struct scenario_sweep *sweep,
                       const struct results_plan_options *options);
void results_plan_release(struct results_plan *plan); // accepts a zeroed one

// The key of a run.
void results_plan_run_key(const struct results_plan *plan, uint32_t point, uint32_t replication,
                          uint64_t seed, char key[RESULTS_KEY_SIZE]);
// Whether a run belongs to this shard: by its key, or by its point's where the number of
// replications depends on the results of all of them.
bool results_plan_is_mine(const struct results_plan *plan, uint32_t point, const char *run_key);
// Adds rows for the replications from <= r < to of a point, within the caller's transaction.
// Returns a SQLite code.
int results_plan_add(const struct results_plan *plan, struct results_database *database,
                     uint32_t point, uint32_t from, uint32_t to);
// 64 bits of a key, for orders and samples that look random and are the same everywhere.
uint64_t results_key_bits(const char *key);

#endif
