// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup run --what-if`: the changes that are worth a question, and their runs.
#ifndef RECOUP_CAMPAIGNS_WHAT_IF_H
#define RECOUP_CAMPAIGNS_WHAT_IF_H

#include "campaigns/many.h"
#include "results/what_if.h"

#define CAMPAIGN_CHANGES_MAX 400u

struct campaign_change {
    char *set;
    char *what;
    char *key;
    char *to;
    enum results_owner owner;
    char *refused; // why it cannot be; NULL: it can
    uint32_t one;  // its case
};

struct campaign_what_if {
    struct campaign_change changes[CAMPAIGN_CHANGES_MAX];
    uint32_t n_changes;
    struct campaign_many many; // case 0 is the scenario as it is
    bool failed;               // out of memory
};

// Thinks of one change at a time: the other profile and each policy of it, recovery and other
// switches turned, each modelled number of the configuration halved and doubled, each class of
// storage, with and without a standby master. Those that make no other scenario are left out;
// those that a scenario refuses stay, with the reason. `base` is the scenario as it is, loaded from
// `path` with `overrides`, and becomes part of the campaign. False when out of memory; to be
// released in both cases.
bool campaign_what_if_init(struct campaign_what_if *what_if, struct scenario *base,
                           const char *path, const struct scenario_overrides *overrides,
                           uint32_t runs);
void campaign_what_if_release(struct campaign_what_if *what_if);

#endif
