// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup bless`: accepts what scenarios do now as their baselines, with a reason, and shows first
// what that changes.
#ifndef RECOUP_CAMPAIGNS_BLESS_H
#define RECOUP_CAMPAIGNS_BLESS_H

#include "campaigns/check.h"

enum campaign_bless_status {
    CAMPAIGN_BLESS_UNCHANGED, // the baseline says so already; nothing is written
    CAMPAIGN_BLESS_WRITTEN,
    CAMPAIGN_BLESS_REFUSED, // it fails its expectations, or changed more than allowed
    CAMPAIGN_BLESS_FAILED   // the run or the file failed
};

struct campaign_bless {
    const struct campaign_check *check;
    const char *why;
    bool order_only;       // refuse where more than the order of events changed
    bool dry_run;          // show, and write nothing
    const uint64_t *seeds; // to cover; NULL: those of the baseline and the scenario's own
    uint32_t n_seeds;      // at most SCENARIO_BASELINE_RUNS_MAX
    uint64_t unique;       // a process id, for temporary names
    struct sim_arena *arena;
};

// Runs the scenario and, unless something speaks against it, replaces its baseline. Appends what
// changed, and why nothing was written, to `text`.
enum campaign_bless_status campaign_bless_one(const struct campaign_bless *bless,
                                              struct campaign_check_item *item,
                                              struct results_text *text);

#endif
