// SPDX-License-Identifier: GPL-3.0-or-later
//
// The chain of causes of an event, found by making the run again. Memory is bounded by the
// journal's; a chain that leads further back costs one more run for each such step.
#ifndef RECOUP_CAMPAIGNS_CAUSES_H
#define RECOUP_CAMPAIGNS_CAUSES_H

#include "results/trail.h"

struct campaign_causes {
    struct results_trail_event *links; // borrowed: room for `links_max`; the event itself first
    uint32_t links_max;
    uint32_t n_links;
    bool complete; // the last one was scheduled at the set-up
};

// Follows event `number` of the run backwards. `options` are those of the run (its observer is
// ignored); `journal_events` bounds the memory (RESULTS_JOURNAL_EVENTS). Returns 0, a SIM_E... of
// the run, or SIM_EINVAL when the run has no such event.
int campaign_causes_find(const struct model_config *config, const struct model_run_options *options,
                         struct sim_arena *arena, uint64_t number, uint64_t journal_events,
                         struct campaign_causes *causes);

#endif
