// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/trail_compare.h"

#include <string.h>

static const struct results_trail_point *point_at(const struct results_trail *trail,
                                                  uint64_t events)
{
    uint64_t index = trail->spacing == 0 ? 0 : events / trail->spacing;

    if (index == 0 || index > trail->n_points || events % trail->spacing != 0) {
        return NULL;
    }
    return &trail->points[index - 1];
}

static uint32_t layers_differing(const uint64_t a[RESULTS_TRAIL_LAYERS],
                                 const uint64_t b[RESULTS_TRAIL_LAYERS])
{
    uint32_t layers = 0;

    for (uint32_t i = 0; i < RESULTS_TRAIL_LAYERS; i++) {
        layers |= a[i] != b[i] ? UINT32_C(1) << i : 0;
    }
    return layers;
}

static void bracket_add(struct results_bracket *bracket, uint64_t equal, uint64_t before)
{
    if (!bracket->differs) {
        *bracket = (struct results_bracket){true, equal, before};
    }
}

// Distances are powers of two times the same number, so the longer is a multiple of the shorter.
static void compare_points(const struct results_trail *a, const struct results_trail *b,
                           uint32_t mask, struct results_difference *d)
{
    uint64_t step = a->spacing > b->spacing ? a->spacing : b->spacing;
    uint64_t shorter = a->total < b->total ? a->total : b->total;
    uint64_t equal = 0;
    uint32_t open = 0; // layers that have no bracket yet

    for (uint64_t n = step; n != 0; n += step) {
        const struct results_trail_point *pa = point_at(a, n);
        const struct results_trail_point *pb = point_at(b, n);
        uint32_t layers;

        if (pa == NULL || pb == NULL) {
            break;
        }
        layers = layers_differing(pa->layers, pb->layers);
        for (uint32_t i = 0; i < RESULTS_TRAIL_LAYERS; i++) {
            if ((layers >> i & 1) != 0) {
                bracket_add(&d->brackets[i], n - step, n);
            }
        }
        if ((layers & mask) != 0) {
            bracket_add(&d->first, n - step, n);
        }
        equal = n;
    }
    for (uint32_t i = 0; i < RESULTS_TRAIL_LAYERS; i++) {
        open |= (d->layers >> i & 1) != 0 && !d->brackets[i].differs ? UINT32_C(1) << i : 0;
        if ((open >> i & 1) != 0) {
            bracket_add(&d->brackets[i], equal, shorter + 1);
        }
    }
    if (!d->first.differs && ((open & mask) != 0 || a->total != b->total)) {
        bracket_add(&d->first, equal, shorter + 1);
    }
}

static bool same_event(const struct results_trail_event *a, const struct results_trail_event *b)
{
    return a->event.time_ns == b->event.time_ns && a->event.order == b->event.order &&
           strcmp(a->kind, b->kind) == 0 && a->event.entity == b->event.entity &&
           a->event.arg == b->event.arg;
}

static const struct results_trail_event *event_at(const struct results_trail *trail,
                                                  uint64_t number)
{
    return number >= trail->at && number - trail->at < trail->n_events
               ? &trail->events[number - trail->at]
               : NULL;
}

static void compare_events(const struct results_trail *a, const struct results_trail *b,
                           uint64_t from, uint32_t mask, struct results_difference *d)
{
    bool order = (mask >> SIM_LAYER_SCHEDULE & 1) != 0;

    for (uint64_t n = from; n <= a->total || n <= b->total; n++) {
        const struct results_trail_event *ea = event_at(a, n);
        const struct results_trail_event *eb = event_at(b, n);

        if ((ea == NULL && n <= a->total) || (eb == NULL && n <= b->total)) {
            d->need = true;
            d->need_at = n;
            return;
        }
        d->same_event = ea != NULL && eb != NULL && same_event(ea, eb);
        d->event_layers = ea != NULL && eb != NULL ? layers_differing(ea->layers, eb->layers) : 0;
        if ((ea == NULL || eb == NULL) || (order && !d->same_event) ||
            (d->event_layers & mask) != 0) {
            d->found = true;
            d->number = n;
            d->a = ea;
            d->b = eb;
            return;
        }
    }
}

void results_trail_compare(const struct results_trail *a, const struct results_trail *b,
                           uint64_t verified, uint32_t mask, struct results_difference *difference)
{
    memset(difference, 0, sizeof(*difference));
    for (uint32_t i = 0; i < SIM_LAYER_COUNT; i++) {
        if (memcmp(a->layers[i], b->layers[i], SIM_FINGERPRINT_BYTES) != 0) {
            difference->layers |= UINT32_C(1) << i;
        }
    }
    compare_points(a, b, mask, difference);
    if (difference->first.differs) {
        uint64_t from = difference->first.equal > verified ? difference->first.equal : verified;

        compare_events(a, b, from + 1, mask, difference);
    }
}
