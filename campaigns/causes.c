// SPDX-License-Identifier: GPL-3.0-or-later
#include "campaigns/causes.h"

#include <string.h>

#include "sim/error.h"

static void step(void *context, const struct model_step *observed)
{
    results_journal_step(context, observed);
}

// Makes the run with the journal, which ends where it was told to.
static int run_journal(const struct model_config *config, const struct model_run_options *options,
                       struct sim_arena *arena, struct results_journal *journal)
{
    struct model_observer observer = {.context = journal, .step = step};
    struct model_run_options watched = *options;
    struct model_result result;
    int error;

    watched.observer = &observer;
    watched.trace = NULL;
    watched.store_piece = NULL;
    memset(&result, 0, sizeof(result));
    error = model_run(config, &watched, arena, &result);
    model_result_release(&result);
    if (error == 0 && journal->failed) {
        error = SIM_ENOMEM;
    }
    return error;
}

// Adds links from event `number` on, as far as the journal reaches. True when the chain goes on.
static bool follow(const struct results_journal *journal, uint64_t number,
                   struct campaign_causes *causes)
{
    const struct results_journal_event *event = results_journal_at(journal, number);

    while (event != NULL && causes->n_links < causes->links_max) {
        struct results_trail_event *link = &causes->links[causes->n_links++];

        memset(link, 0, sizeof(*link));
        link->number = number;
        link->event = event->event;
        link->kind = model_event_name(event->event.kind);
        link->subject = event->subject;
        link->cause = results_journal_cause(journal, sim_event_sequence(&event->event));
        number = link->cause;
        event = results_journal_at(journal, number);
    }
    causes->complete = number == RESULTS_CAUSE_SETUP;
    return !causes->complete && causes->n_links < causes->links_max;
}

int campaign_causes_find(const struct model_config *config, const struct model_run_options *options,
                         struct sim_arena *arena, uint64_t number, uint64_t journal_events,
                         struct campaign_causes *causes)
{
    bool more = true;
    int error = 0;

    causes->n_links = 0;
    causes->complete = false;
    while (error == 0 && more) {
        struct results_journal journal;
        uint32_t before = causes->n_links;

        results_journal_init(&journal, journal_events);
        if (before == 0) {
            journal.end_number = number;
        } else {
            journal.end_sequence = sim_event_sequence(&causes->links[before - 1].event);
        }
        error = run_journal(config, options, arena, &journal);
        if (error == 0 && before != 0) {
            causes->links[before - 1].cause = journal.seen;
        }
        if (error == 0) {
            more = journal.ended && follow(&journal, before == 0 ? number : journal.seen, causes);
            error = causes->n_links == before ? SIM_EINVAL : 0;
        }
        results_journal_release(&journal);
    }
    return error;
}
