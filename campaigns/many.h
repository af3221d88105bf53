// SPDX-License-Identifier: GPL-3.0-or-later
//
// Some scenarios, each with the same seeds, by several processes: `recoup run --runs`, `--what-if`
// and `recoup curve` are made of it. What comes out does not depend on how many processes there
// are or which of them is the first to end.
#ifndef RECOUP_CAMPAIGNS_MANY_H
#define RECOUP_CAMPAIGNS_MANY_H

#include <stdbool.h>
#include <stdint.h>

#include "results/record.h"
#include "scenarios/scenario.h"

#define CAMPAIGN_MANY_RUNS_MAX UINT32_C(100000)
#define CAMPAIGN_MANY_WORKERS_MAX 1024u

struct campaign_many_run {
    bool ended;                   // `record` holds what it left
    struct results_record record; // belongs to the campaign
    char *failure;                // why there is none; NULL: it has not been made
    bool outside;                 // the failure is the machine's (memory, a killed process)
    int64_t wall_ns;
    uint64_t process;
};

struct campaign_many_case {
    struct scenario scenario; // loaded by the caller; belongs to the campaign
    int64_t faultless_ns;     // makespan without faults, where it is known; else -1
};

struct campaign_many {
    struct campaign_many_case *cases;
    uint32_t n_cases;
    uint64_t *seeds;
    uint32_t n_seeds;
    bool invariants_on;
    const char *version;
    struct campaign_many_run *runs; // case * n_seeds + seed
    uint64_t ended;                 // runs that have ended, well or not
    char message[256];              // after OUTSIDE: what to do
};

struct campaign_many_events {
    void *context;
    bool (*drain)(void *context);                                 // end soon; may be NULL
    void (*tick)(void *context, uint64_t ended, uint64_t wanted); // several times a second
};

enum campaign_many_result {
    CAMPAIGN_MANY_COMPLETE,
    CAMPAIGN_MANY_DRAINED, // not all runs have been made
    CAMPAIGN_MANY_OUTSIDE  // a process could not be started, or out of memory: `message`
};

// scenario_load with further `sets` behind those of `overrides`.
int campaign_many_load(struct scenario *scenario, const char *path,
                       const struct scenario_overrides *overrides, const char *const *sets,
                       uint32_t n_sets);

// Room for `n_cases` (their scenarios zeroed) and the seeds of `n_seeds` runs: the first is `seed`
// itself, run r's is scenario_seed_common(seed, r). False when out of memory. To be released in
// both cases.
bool campaign_many_init(struct campaign_many *many, uint32_t n_cases, uint64_t seed,
                        uint32_t n_seeds);
void campaign_many_release(struct campaign_many *many); // accepts a zeroed one

// Makes all runs of the cases from `first` on.
enum campaign_many_result campaign_many_execute(struct campaign_many *many, uint32_t first,
                                                uint32_t workers,
                                                const struct campaign_many_events *events);

#endif
