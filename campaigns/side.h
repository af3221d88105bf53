// SPDX-License-Identifier: GPL-3.0-or-later
//
// One of the two runs that `recoup diff` compares: a scenario that this build runs, a scenario that
// another build runs, or a trail that was recorded elsewhere.
#ifndef RECOUP_CAMPAIGNS_SIDE_H
#define RECOUP_CAMPAIGNS_SIDE_H

#include "campaigns/record.h"

enum campaign_side_kind { CAMPAIGN_SIDE_SCENARIO, CAMPAIGN_SIDE_PROGRAM, CAMPAIGN_SIDE_TRAIL };

enum campaign_side_status {
    CAMPAIGN_SIDE_OK,
    CAMPAIGN_SIDE_INVALID, // the scenario (its errors say why) or the trail (`message`)
    CAMPAIGN_SIDE_FIXED,   // a trail file that does not hold the window asked for
    CAMPAIGN_SIDE_OUTSIDE, // `message`: the other program or a file failed
    CAMPAIGN_SIDE_INTERRUPTED
};

struct campaign_side {
    const char *path;    // of the scenario or the trail
    const char *program; // another recoup; NULL: this one
    struct scenario_overrides overrides;
    uint64_t tie_seed;
    bool (*interrupted)(void *context);
    void *interrupted_context;
    // Filled in by the functions below.
    enum campaign_side_kind kind;
    struct scenario scenario; // of a scenario that this build runs
    struct sim_arena arena;
    struct results_trail trail;
    bool recorded;
    struct results_text message;
};

// Finds out what the path is and loads it. To be closed in any case.
enum campaign_side_status campaign_side_open(struct campaign_side *side);
// Provides the trail with a window from event `at` on.
enum campaign_side_status campaign_side_record(struct campaign_side *side, uint64_t at);
void campaign_side_close(struct campaign_side *side);
// The command that records the side's trail with that window: for people.
void campaign_side_command(const struct campaign_side *side, uint64_t at,
                           struct results_text *text);

#endif
