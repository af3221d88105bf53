// SPDX-License-Identifier: GPL-3.0-or-later
#include "campaigns/explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "results/event_words.h"
#include "sim/error.h"

// --- the first run: what was lost, and what struck -----------------------------------------------

static void first_step(void *context, const struct model_step *step)
{
    (void)context;
    (void)step;
}

static bool same_attempt(const struct model_subject *a, const struct model_subject *b)
{
    return a->stage == b->stage && a->subtask == b->subtask && a->attempt == b->attempt;
}

// An attempt that is held again was not lost after all.
static void take_back(struct campaign_explain *e, const struct model_loss *loss)
{
    for (uint32_t i = e->n_losses; i > 0; i--) {
        if (same_attempt(&e->losses[i - 1].subject, &loss->subject)) {
            memmove(&e->losses[i - 1], &e->losses[i],
                    (size_t)(e->n_losses - i) * sizeof(*e->losses));
            e->n_losses--;
            e->losses_total--;
            return;
        }
    }
}

static void first_lost(void *context, const struct model_loss *loss)
{
    struct campaign_explain *e = context;

    if (loss->regained) {
        take_back(e, loss);
        return;
    }
    e->losses_total++;
    // Of the subtask asked for, every loss is kept.
    if (e->n_losses == CAMPAIGN_EXPLAIN_LOSSES_MAX &&
        (e->what != CAMPAIGN_EXPLAIN_LOST || loss->subject.stage != e->stage ||
         (e->subtask != UINT32_MAX && loss->subject.subtask != e->subtask))) {
        return;
    }
    if (e->n_losses == CAMPAIGN_EXPLAIN_LOSSES_MAX) {
        e->n_losses--;
    }
    e->losses[e->n_losses++] = *loss;
}

static void first_struck(void *context, const struct model_strike *strike)
{
    struct campaign_explain *e = context;

    e->strikes_total++;
    if (e->n_strikes < CAMPAIGN_EXPLAIN_STRIKES_MAX) {
        e->strikes[e->n_strikes++] = *strike;
    }
}

static int first_run(struct campaign_explain *e)
{
    struct model_observer observer = {
        .context = e, .step = first_step, .lost = first_lost, .struck = first_struck};
    struct model_run_options options = {.interrupted = e->interrupted,
                                        .interrupted_context = e->interrupted_context,
                                        .observer = &observer};

    e->losses = calloc(CAMPAIGN_EXPLAIN_LOSSES_MAX, sizeof(*e->losses));
    e->strikes = calloc(CAMPAIGN_EXPLAIN_STRIKES_MAX, sizeof(*e->strikes));
    e->links = calloc(CAMPAIGN_EXPLAIN_CHAIN_MAX, sizeof(*e->links));
    e->life = calloc(CAMPAIGN_EXPLAIN_LIFE_MAX, sizeof(*e->life));
    if (e->losses == NULL || e->strikes == NULL || e->links == NULL || e->life == NULL) {
        return SIM_ENOMEM;
    }
    e->faultless_ns = -1;
    return model_run_pair(&e->scenario->config, &options, e->arena, &e->result, &e->faultless_ns);
}

// --- choosing ------------------------------------------------------------------------------------

// The largest loss that fits; of equal ones the first.
static const struct model_loss *choose_loss(const struct campaign_explain *e)
{
    const struct model_loss *found = NULL;

    for (uint32_t i = 0; i < e->n_losses; i++) {
        const struct model_loss *loss = &e->losses[i];

        if (loss->subject.stage == e->stage &&
            (e->subtask == UINT32_MAX || loss->subject.subtask == e->subtask) &&
            (found == NULL || loss->ns > found->ns)) {
            found = loss;
        }
    }
    return found;
}

static bool choose_lost(struct campaign_explain *e, uint64_t *number, struct results_text *message)
{
    const char *stage = e->scenario->config.stages[e->stage].name;

    e->loss = choose_loss(e);
    if (e->loss == NULL && e->subtask == UINT32_MAX) {
        results_text_format(message, "no work of stage %s was lost", stage);
    } else if (e->loss == NULL) {
        results_text_format(message, "no work of %s[%" PRIu32 "] was lost", stage, e->subtask);
    } else {
        *number = e->loss->number;
    }
    return e->loss != NULL;
}

// The number of the event to follow; false: there is none.
static bool choose(struct campaign_explain *e, uint64_t *number, struct results_text *message)
{
    switch (e->what) {
    case CAMPAIGN_EXPLAIN_LIST:
        return false;
    case CAMPAIGN_EXPLAIN_LOST:
        return choose_lost(e, number, message);
    case CAMPAIGN_EXPLAIN_FINDING:
        if (e->number == 0 || e->number > e->result.n_findings) {
            results_text_format(message,
                                "there is no finding %" PRIu64 "; the run has %" PRIu32 " of them",
                                e->number, e->result.n_findings);
            return false;
        }
        e->finding = &e->result.findings[e->number - 1];
        *number = e->finding->event;
        if (e->finding->without_faults) {
            e->n_strikes = 0; // they struck the other run
            e->strikes_total = 0;
        }
        return true;
    case CAMPAIGN_EXPLAIN_EVENT:
        break;
    }
    if (e->number == 0 || e->number > e->result.events) {
        results_text_format(message, "there is no event %" PRIu64 "; the run has %" PRIu64,
                            e->number, e->result.events);
        return false;
    }
    *number = e->number;
    return true;
}

// --- the life of a subtask -----------------------------------------------------------------------

struct life {
    struct campaign_explain *explain;
    uint64_t until;
};

static void life_step(void *context, const struct model_step *step)
{
    struct life *life = context;
    struct campaign_explain *e = life->explain;
    const struct model_subject *wanted = &e->loss->subject;
    struct results_trail_event *event;

    if (step->number > life->until || step->subject.stage != wanted->stage ||
        step->subject.subtask != wanted->subtask) {
        return;
    }
    e->life_total++;
    // The last ones are kept: they lead to the loss.
    if (e->n_life == CAMPAIGN_EXPLAIN_LIFE_MAX) {
        memmove(&e->life[0], &e->life[1], (size_t)(e->n_life - 1) * sizeof(*e->life));
        e->n_life--;
    }
    event = &e->life[e->n_life++];
    memset(event, 0, sizeof(*event));
    event->number = step->number;
    event->event = step->event;
    event->kind = model_event_name(step->event.kind);
    event->subject = step->subject;
}

static int run_life(struct campaign_explain *e, const struct model_run_options *options,
                    uint64_t until)
{
    struct life life = {e, until};
    struct model_observer observer = {.context = &life, .step = life_step};
    struct model_run_options watched = *options;
    struct model_result result;
    int error;

    memset(&result, 0, sizeof(result));
    watched.observer = &observer;
    error = model_run(&e->scenario->config, &watched, e->arena, &result);
    model_result_release(&result);
    return error;
}

// --- the whole -----------------------------------------------------------------------------------

enum campaign_explain_status campaign_explain_run(struct campaign_explain *explain, int *error,
                                                  struct results_text *message)
{
    struct model_run_options options = {.interrupted = explain->interrupted,
                                        .interrupted_context = explain->interrupted_context};
    struct campaign_causes causes = {.links_max = CAMPAIGN_EXPLAIN_CHAIN_MAX};
    uint64_t number = 0;

    *error = first_run(explain);
    if (*error != 0) {
        return CAMPAIGN_EXPLAIN_RUN;
    }
    if (!choose(explain, &number, message)) {
        return explain->what == CAMPAIGN_EXPLAIN_LIST ? CAMPAIGN_EXPLAIN_OK
                                                      : CAMPAIGN_EXPLAIN_ABSENT;
    }
    options.without_faults = explain->finding != NULL && explain->finding->without_faults;
    options.faultless_makespan_ns = explain->faultless_ns > 0 ? explain->faultless_ns : 1;
    causes.links = explain->links;
    // What is settled at a run's end belongs to its last event.
    number = number == 0 ? 1 : number;
    *error = campaign_causes_find(&explain->scenario->config, &options, explain->arena, number,
                                  RESULTS_JOURNAL_EVENTS, &causes);
    explain->n_links = causes.n_links;
    explain->complete = causes.complete;
    if (*error == 0 && explain->loss != NULL) {
        *error = run_life(explain, &options, number);
    }
    return *error == 0 ? CAMPAIGN_EXPLAIN_OK : CAMPAIGN_EXPLAIN_RUN;
}

void campaign_explain_release(struct campaign_explain *explain)
{
    model_result_release(&explain->result);
    free(explain->losses);
    free(explain->strikes);
    free(explain->links);
    free(explain->life);
    explain->losses = NULL;
    explain->strikes = NULL;
    explain->links = NULL;
    explain->life = NULL;
}
