// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup check`: every scenario below some paths is run, each in one of several worker processes,
// and judged by its expectations, the invariants and its baseline.
#ifndef RECOUP_CAMPAIGNS_CHECK_H
#define RECOUP_CAMPAIGNS_CHECK_H

#include "campaigns/scenario_files.h"
#include "results/baseline_check.h"
#include "results/text.h"
#include "scenarios/baseline.h"
#include "sim/arena.h"

enum campaign_check_status {
    CAMPAIGN_CHECK_OPEN, // not run (yet)
    CAMPAIGN_CHECK_PASSED,
    CAMPAIGN_CHECK_FAILED,
    CAMPAIGN_CHECK_SKIPPED // not selected
};

// Exit codes of one scenario (contract.md section 1).
enum campaign_check_code {
    CAMPAIGN_CODE_DONE = 0,
    CAMPAIGN_CODE_FAILED = 1,
    CAMPAIGN_CODE_BUG = 3,
    CAMPAIGN_CODE_INCOMPLETE = 4,
    CAMPAIGN_CODE_OUTSIDE = 7
};

// What is said about one scenario. The texts may be empty.
struct campaign_check_report {
    enum campaign_check_status status;
    uint32_t code;               // CAMPAIGN_CODE_...: the worst of its runs
    struct results_text details; // lines: what is wrong, or worth knowing
    struct results_text json;    // one object
};

struct campaign_check_item {
    const struct campaign_file *file;
    struct scenario scenario;
    bool loaded;
    struct scenario_baseline baseline;
    char *baseline_path;
    bool has_baseline;
    char key[SCENARIO_BASELINE_DIGEST]; // of the resolved scenario
    struct campaign_check_report report;
    int64_t wall_ns;
};

struct campaign_check_options {
    const char *program; // for commands that are printed
    const char *const *paths;
    uint32_t n_paths;
    const char *name;          // glob over the scenario's name or path; NULL: all
    const char *tag;           // NULL: any
    const char *changed_since; // folder of baselines: only what differs from it; NULL: all
    const char *baselines;     // folder of the baselines; NULL: by the rule
    bool strict;
};

struct campaign_check {
    struct campaign_check_options options;
    struct campaign_files files;
    struct campaign_check_item *items; // in the order of the paths
    uint32_t count;
    char message[512];
};

// Finds, loads and selects. False: `message` (a path that does not exist, no memory). To be
// released in any case.
bool campaign_check_prepare(struct campaign_check *check,
                            const struct campaign_check_options *options);
void campaign_check_release(struct campaign_check *check);

// Runs one selected scenario with all its seeds and fills in its report.
void campaign_check_one(const struct campaign_check *check, struct campaign_check_item *item,
                        struct sim_arena *arena);

// What the caller is told while the campaign runs.
struct campaign_check_events {
    void *context;
    void (*ended)(void *context, struct campaign_check_item *item); // in the order of ending
    void (*tick)(void *context, uint32_t ended, uint32_t selected);
    bool (*drain)(void *context);
};

// Runs all that is selected in `workers` processes. Returns CAMPAIGN_CODE_DONE, _INCOMPLETE after a
// drain, or _OUTSIDE with `message`. The reports say the rest.
uint32_t campaign_check_execute(struct campaign_check *check, uint32_t workers,
                                const struct campaign_check_events *events);

// --- for campaigns/bless.c -----------------------------------------------------------------------

// The seeds to run: those of the baseline, and the scenario's own. Returns how many.
uint32_t campaign_check_seeds(const struct campaign_check_item *item,
                              uint64_t seeds[SCENARIO_BASELINE_RUNS_MAX + 1]);
// One run with that seed: judged by expectations and invariants alone. Adds what is wrong to
// `details` and returns its code; `trail` (zeroed) is to be released.
uint32_t campaign_check_run(struct campaign_check_item *item, uint64_t seed,
                            struct sim_arena *arena, struct results_trail *trail,
                            struct results_text *details);

#endif
