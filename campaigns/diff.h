// SPDX-License-Identifier: GPL-3.0-or-later
//
// The first event in which two runs differ: the trails' points are compared, then both runs are
// made again with a window behind the last equal point, then once more for the chain of causes of
// the event itself.
#ifndef RECOUP_CAMPAIGNS_DIFF_H
#define RECOUP_CAMPAIGNS_DIFF_H

#include "campaigns/side.h"

enum campaign_diff_status {
    CAMPAIGN_DIFF_EQUAL,
    CAMPAIGN_DIFF_DIFFERENT,     // other scenarios, settings, seeds or versions: they may differ
    CAMPAIGN_DIFF_CONTRADICTORY, // the same of all these: they must not
    CAMPAIGN_DIFF_A,             // the side could not be recorded; `status` of it says why
    CAMPAIGN_DIFF_B
};

struct campaign_diff {
    struct campaign_side *a; // both open
    struct campaign_side *b;
    enum campaign_side_status status; // after CAMPAIGN_DIFF_A or _B
};

// Compares and appends what is to be told.
enum campaign_diff_status campaign_diff_run(struct campaign_diff *diff, struct results_text *text);

#endif
