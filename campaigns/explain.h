// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup explain`: the chain of causes of a finding, of lost work or of an event, backwards to the
// set-up, with the faults on it.
#ifndef RECOUP_CAMPAIGNS_EXPLAIN_H
#define RECOUP_CAMPAIGNS_EXPLAIN_H

#include "campaigns/causes.h"

#define CAMPAIGN_EXPLAIN_CHAIN_MAX 1024u   // links
#define CAMPAIGN_EXPLAIN_LOSSES_MAX 65536u // kept; more are counted
#define CAMPAIGN_EXPLAIN_STRIKES_MAX 4096u
#define CAMPAIGN_EXPLAIN_LIFE_MAX 256u // events of one subtask

enum campaign_explain_what {
    CAMPAIGN_EXPLAIN_LIST,    // nothing is named: what there is
    CAMPAIGN_EXPLAIN_FINDING, // `number`, from 1
    CAMPAIGN_EXPLAIN_LOST,    // `stage`, and `subtask` or the largest loss of the stage
    CAMPAIGN_EXPLAIN_EVENT    // `number`, from 1
};

struct campaign_explain {
    const struct scenario *scenario; // borrowed
    struct sim_arena *arena;
    bool (*interrupted)(void *context);
    void *interrupted_context;
    enum campaign_explain_what what;
    uint64_t number;
    uint32_t stage;
    uint32_t subtask; // UINT32_MAX: not named
    // What was found out.
    struct model_result result;
    int64_t faultless_ns;
    struct model_loss *losses;
    uint32_t n_losses;
    uint64_t losses_total;
    struct model_strike *strikes;
    uint32_t n_strikes;
    uint64_t strikes_total;
    const struct model_finding *finding; // FINDING
    const struct model_loss *loss;       // LOST
    struct results_trail_event *links;   // the chain
    uint32_t n_links;
    bool complete;
    struct results_trail_event *life; // events of the lost subtask, up to the decision
    uint32_t n_life;
    uint64_t life_total;
    bool failed; // out of memory while watching
};

enum campaign_explain_status {
    CAMPAIGN_EXPLAIN_OK,
    CAMPAIGN_EXPLAIN_ABSENT, // there is no such finding, loss or event; `message` says so
    CAMPAIGN_EXPLAIN_RUN     // the run failed; `error` is its SIM_E...
};

// Makes the run, and again to follow the chain. To be released in any case.
enum campaign_explain_status campaign_explain_run(struct campaign_explain *explain, int *error,
                                                  struct results_text *message);
void campaign_explain_release(struct campaign_explain *explain);

// What was found out as text, and as a trace for ui.perfetto.dev.
void campaign_explain_text(const struct campaign_explain *explain, struct results_text *text);
void campaign_explain_trace(const struct campaign_explain *explain, struct results_text *text);

#endif
