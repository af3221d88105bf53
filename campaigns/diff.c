// SPDX-License-Identifier: GPL-3.0-or-later
#include "campaigns/diff.h"

#include <inttypes.h>
#include <string.h>

#include "results/event_words.h"
#include "results/metric_words.h"
#include "results/trail_compare.h"
#include "scenarios/metrics.h"

#define DIFF_WINDOWS_MAX 100000u // windows recorded in search of one event

static bool record(struct campaign_diff *diff, uint64_t at, enum campaign_diff_status *failed)
{
    diff->status = campaign_side_record(diff->a, at);
    *failed = CAMPAIGN_DIFF_A;
    if (diff->status == CAMPAIGN_SIDE_OK) {
        diff->status = campaign_side_record(diff->b, at);
        *failed = CAMPAIGN_DIFF_B;
    }
    return diff->status == CAMPAIGN_SIDE_OK;
}

// Records windows until the event is found, there is none, or a trail file reaches no further.
static enum campaign_diff_status search(struct campaign_diff *diff, uint32_t mask,
                                        struct results_difference *difference)
{
    enum campaign_diff_status failed = CAMPAIGN_DIFF_A;
    uint64_t verified = 0;

    results_trail_compare(&diff->a->trail, &diff->b->trail, verified, mask, difference);
    for (uint32_t i = 0; difference->need && i < DIFF_WINDOWS_MAX; i++) {
        // Windows of trail files stand where they stand.
        if (!record(diff, difference->need_at, &failed)) {
            return diff->status == CAMPAIGN_SIDE_FIXED ? CAMPAIGN_DIFF_DIFFERENT : failed;
        }
        verified = difference->need_at - 1;
        results_trail_compare(&diff->a->trail, &diff->b->trail, verified, mask, difference);
    }
    return CAMPAIGN_DIFF_DIFFERENT;
}

// --- telling -------------------------------------------------------------------------------------

static void tell_layers(const struct campaign_diff *diff, const struct results_difference *d,
                        struct results_text *text)
{
    (void)diff;
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        bool differs = (d->layers >> i & 1) != 0;

        results_text_format(text, "  F%" PRIu32 " %-9s %s", i + 1, results_layer_name(i),
                            differs ? "differs" : "equal");
        if (differs && i < RESULTS_TRAIL_LAYERS && d->brackets[i].differs) {
            results_text_format(text, ", first between event %" PRIu64 " and %" PRIu64,
                                d->brackets[i].equal + 1, d->brackets[i].before);
        }
        results_text_char(text, '\n');
    }
}

static void tell_metrics(const struct campaign_diff *diff, struct results_text *text)
{
    bool any = false;

    for (uint32_t i = 0; i < scenario_metric_count(); i++) {
        int64_t a = diff->a->trail.metrics[i];
        int64_t b = diff->b->trail.metrics[i];

        if (a != b) {
            results_text_add(text, any ? "" : "metrics, A -> B:\n");
            any = true;
            results_text_add(text, "  ");
            results_metric_change(scenario_metric_at(i), a, b, text);
            results_text_char(text, '\n');
        }
    }
    if (!any) {
        results_text_add(text, "metrics: all equal\n");
    }
}

static void tell_end(const char *label, const struct results_trail *trail,
                     struct results_text *text)
{
    char instant[RESULTS_INSTANT_SIZE];

    results_text_format(
        text, "  %s: no such event; the run had ended at %s, %s, after %" PRIu64 " events\n", label,
        results_instant(instant, trail->makespan_ns), model_job_state_name(trail->state),
        trail->total);
}

static void tell_side(const char *label, const struct campaign_side *side, uint64_t number,
                      const struct results_trail_event *event, struct results_text *text)
{
    const struct results_trail *trail = &side->trail;

    if (event == NULL) {
        tell_end(label, trail, text);
        return;
    }
    results_text_format(text, "  %s:", label);
    if (trail->at == number && trail->n_chain > 0) {
        results_text_char(text, '\n');
        results_chain_text(trail->chain, trail->n_chain, trail->chain_complete, trail->stages,
                           trail->n_stages, 5, text);
    } else {
        results_text_char(text, ' ');
        results_event_text(event, trail->stages, trail->n_stages, text);
        results_text_char(text, '\n');
    }
}

static void tell_draw(const char *label, const struct model_draw *draw, struct results_text *text)
{
    if (draw->count == 0) {
        results_text_format(text, "%s none", label);
    } else {
        results_text_format(text,
                            "%s %" PRIu64 " draws, the last (%" PRIu64 ", %" PRIu64 ") = %" PRId64,
                            label, draw->count, draw->entity, draw->n, draw->value);
    }
}

// The last draws of each stream when the event had been handled.
static void tell_draws(const struct campaign_diff *diff, uint64_t number, struct results_text *text)
{
    const struct results_trail *a = &diff->a->trail;
    const struct results_trail *b = &diff->b->trail;
    size_t before;

    if (a->at != number || b->at != number || a->n_chain == 0 || b->n_chain == 0) {
        return;
    }
    results_text_add(text, "last draws of each stream, as (entity, n) = value:");
    before = text->size;
    results_text_char(text, '\n');
    for (uint32_t i = 0; i < MODEL_STREAMS; i++) {
        const struct model_draw *da = &a->draws[i];
        const struct model_draw *db = &b->draws[i];

        if (da->count == 0 && db->count == 0) {
            continue;
        }
        results_text_format(text, "  %-18s ", model_stream_name(i));
        if (da->count == db->count && da->entity == db->entity && da->n == db->n &&
            da->value == db->value) {
            tell_draw("equal:", da, text);
        } else {
            tell_draw("A:", da, text);
            tell_draw("; B:", db, text);
        }
        results_text_char(text, '\n');
    }
    if (text->size == before + 1) {
        text->size = before;
        results_text_add(text, " none\n");
    }
}

// Two events that are told in the same words, but were scheduled at different places.
static void tell_order(const struct results_difference *d, struct results_text *text)
{
    const struct results_trail_event *a = d->a;
    const struct results_trail_event *b = d->b;

    if (a != NULL && b != NULL && !d->same_event && a->event.time_ns == b->event.time_ns &&
        strcmp(a->kind, b->kind) == 0 && a->event.entity == b->event.entity &&
        a->event.arg == b->event.arg) {
        results_text_format(text,
                            "  the same event, but A had scheduled %" PRIu64
                            " others before it, and B %" PRIu64 "\n",
                            sim_event_sequence(&a->event), sim_event_sequence(&b->event));
    }
}

static void tell_found(const struct campaign_diff *diff, const struct results_difference *d,
                       struct results_text *text)
{
    results_text_format(text, "first differing event: %" PRIu64, d->number);
    if (d->same_event) {
        results_text_add(text, "; the event is the same, what it did is not: ");
        results_change_text(d->event_layers, text);
    }
    results_text_char(text, '\n');
    tell_side("A", diff->a, d->number, d->a, text);
    tell_side("B", diff->b, d->number, d->b, text);
    tell_order(d, text);
    tell_draws(diff, d->number, text);
}

static void tell_need(const struct campaign_diff *diff, uint64_t at, struct results_text *text)
{
    results_text_format(text, "the window that was recorded does not hold the event; record again "
                              "and compare the new trails:\n  ");
    campaign_side_command(diff->a, at, text);
    results_text_add(text, "\n  ");
    campaign_side_command(diff->b, at, text);
    results_text_char(text, '\n');
}

// The chain of the event itself: one more recording of each side that can.
static void record_chain(struct campaign_diff *diff, uint32_t mask, struct results_difference *d)
{
    enum campaign_diff_status failed;
    struct results_difference again;
    uint64_t number = d->number;

    if (number > diff->a->trail.total || number > diff->b->trail.total ||
        diff->a->kind == CAMPAIGN_SIDE_TRAIL || diff->b->kind == CAMPAIGN_SIDE_TRAIL ||
        !record(diff, number, &failed)) {
        return;
    }
    results_trail_compare(&diff->a->trail, &diff->b->trail, number - 1, mask, &again);
    *d = again;
}

// A first difference in mere order says little when behaviour differs, too: then the first event
// that had other effects is told as well.
static void tell_effects(struct campaign_diff *diff, uint64_t number, struct results_text *text)
{
    struct results_difference d;

    if (search(diff, RESULTS_COMPARE_EFFECTS, &d) != CAMPAIGN_DIFF_DIFFERENT) {
        return;
    }
    if (d.found && d.number != number) {
        record_chain(diff, RESULTS_COMPARE_EFFECTS, &d);
        results_text_format(text, "first event with other effects: %" PRIu64 "\n", d.number);
        tell_side("A", diff->a, d.number, d.a, text);
        tell_side("B", diff->b, d.number, d.b, text);
    } else if (d.need) {
        results_text_format(
            text, "the first event with other effects is number %" PRIu64 " or later\n", d.need_at);
    }
}

static void tell(struct campaign_diff *diff, struct results_difference *d,
                 struct results_text *text)
{
    const struct results_trail *a = &diff->a->trail;
    const struct results_trail *b = &diff->b->trail;

    results_change_text(d->layers, text);
    results_text_char(text, '\n');
    tell_layers(diff, d, text);
    if (strcmp(a->digest, b->digest) != 0) {
        results_text_add(text, "the resolved scenarios differ\n");
    }
    if (a->seed != b->seed) {
        results_text_format(text, "the seeds differ: %" PRIu64 " and %" PRIu64 "\n", a->seed,
                            b->seed);
    }
    if (strcmp(a->version, b->version) != 0) {
        results_text_format(text, "the versions differ: %s and %s\n", a->version, b->version);
    }
    if (d->found) {
        tell_found(diff, d, text);
        if ((d->layers & RESULTS_COMPARE_EFFECTS) != 0 &&
            (d->event_layers & RESULTS_COMPARE_EFFECTS) == 0) {
            tell_effects(diff, d->number, text);
        }
    } else if (d->need) {
        tell_need(diff, d->need_at, text);
    } else {
        results_text_add(text, "no event differs; what differs was computed at the end\n");
    }
    tell_metrics(diff, text);
}

enum campaign_diff_status campaign_diff_run(struct campaign_diff *diff, struct results_text *text)
{
    const struct results_trail *a = &diff->a->trail;
    const struct results_trail *b = &diff->b->trail;
    struct results_difference difference;
    enum campaign_diff_status status;
    enum campaign_diff_status failed = CAMPAIGN_DIFF_A;

    // A trail file is what it is; a side that can be recorded follows it.
    if (!diff->a->recorded || !diff->b->recorded) {
        uint64_t at = diff->a->recorded ? a->at : diff->b->recorded ? b->at : 1;

        if (!record(diff, at, &failed)) {
            return failed;
        }
    }
    if (memcmp(a->fingerprint, b->fingerprint, sizeof(a->fingerprint)) == 0 &&
        a->total == b->total) {
        results_text_format(text, "equal: %" PRIu64 " events, fingerprint ", a->total);
        results_text_hex(text, a->fingerprint, sizeof(a->fingerprint));
        results_text_char(text, '\n');
        return CAMPAIGN_DIFF_EQUAL;
    }
    status = search(diff, RESULTS_COMPARE_ALL, &difference);
    if (status != CAMPAIGN_DIFF_DIFFERENT) {
        return status;
    }
    if (difference.found) {
        record_chain(diff, RESULTS_COMPARE_ALL, &difference);
    }
    tell(diff, &difference, text);
    return strcmp(a->digest, b->digest) == 0 && a->seed == b->seed &&
                   strcmp(a->version, b->version) == 0 && diff->a->tie_seed == diff->b->tie_seed
               ? CAMPAIGN_DIFF_CONTRADICTORY
               : CAMPAIGN_DIFF_DIFFERENT;
}
