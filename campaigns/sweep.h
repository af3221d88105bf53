// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sweeps: all points of a sweep file, all replications, into one database. The plan is written
// first; what runs, and what has run, is known from it at any time. Running a sweep again goes on
// where it ended.
#ifndef RECOUP_CAMPAIGNS_SWEEP_H
#define RECOUP_CAMPAIGNS_SWEEP_H

#include "results/sweep_plan.h"
#include "results/text.h"

#define CAMPAIGN_ATTEMPTS_MAX 5u // of one run, by --retry

struct campaign_sweep_options {
    const struct scenario_sweep *sweep;
    const struct scenario_where *where; // only the points for which it holds; NULL: all
    const char *database;               // path
    const char *version;                // of the model
    uint32_t workers;                   // 0: one per processor
    uint32_t shard, shards;             // 1 of 1: all
    enum results_plan_state retry;      // runs that ended so are run again; NOT_MINE: none
    // True once the sweep is to end after what runs. May be NULL.
    bool (*interrupted)(void *context);
    // A line about the progress, about every second: `now_ns` is the monotonic clock. May be NULL.
    void (*progress)(void *context, const char *line, int64_t now_ns);
    // A remark that is to be seen: a warning, a crash. May be NULL.
    void (*remark)(void *context, const char *line);
    void *context;
};

struct campaign_sweep_outcome {
    uint64_t states[RESULTS_PLAN_STATES]; // runs of this sweep (and shard and condition) by state
    uint64_t ran;                         // now
    uint64_t repeated;                    // runs made twice, as a check
    uint64_t bugs;                        // runs with a finding that no policy explains
    bool drained;                         // interrupted() said so
    bool refused;                         // the database holds another sweep: nothing ran
    bool failed;                          // the outside world: see `message`
    struct results_text message;          // what went wrong and what to do
};

// Runs what is not done. True unless refused or failed; `outcome` is to be released in any case.
bool campaign_sweep_run(const struct campaign_sweep_options *options,
                        struct campaign_sweep_outcome *outcome);
void campaign_sweep_outcome_release(struct campaign_sweep_outcome *outcome);

// What a sweep would do: points, runs, what is done, time and disk, measured by a few trial runs.
// Changes nothing. False with outcome->message.
bool campaign_sweep_look(const struct campaign_sweep_options *options,
                         struct campaign_sweep_outcome *outcome, struct results_text *text);

// The points of the sweep with their key metrics, and what to do next. False with a message.
bool campaign_sweep_table(const struct campaign_sweep_options *options,
                          struct campaign_sweep_outcome *outcome, struct results_text *text);

#endif
