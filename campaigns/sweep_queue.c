// SPDX-License-Identifier: GPL-3.0-or-later
//
// The plan in memory, and the order in which it is worked off: blocks of a few runs of one point
// (whose scenario is then loaded once), the blocks in an order that looks random, so that a sweep
// that is ended early says something about all points.
#include <stdlib.h>
#include <string.h>

#include "campaigns/sweep_parts.h"

#define QUEUE_BLOCK 8u

struct ordered {
    uint64_t hash;
    uint64_t item;
};

static bool grow(void **array, size_t *capacity, size_t needed, size_t size)
{
    size_t more = *capacity == 0 ? 256 : *capacity * 2;
    void *grown;

    if (needed <= *capacity) {
        return true;
    }
    grown = realloc(*array, (more < needed ? needed : more) * size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = more < needed ? needed : more;
    return true;
}

// --- reading the plan ----------------------------------------------------------------------------

static struct sweep_run *make_run(struct sweep_point_runs *point, uint32_t replication)
{
    size_t capacity = point->capacity;
    void *runs = point->runs;

    if (!grow(&runs, &capacity, (size_t)replication + 1, sizeof(*point->runs))) {
        return NULL;
    }
    point->runs = runs;
    point->capacity = (uint32_t)capacity;
    while (point->n <= replication) {
        memset(&point->runs[point->n++], 0, sizeof(*point->runs));
    }
    return &point->runs[replication];
}

bool sweep_queue_read_point(struct sweep_campaign *campaign, uint32_t index, uint32_t from)
{
    struct sweep_point_runs *point = &campaign->points[index];
    struct results_statement s;
    bool enough = true;
    int code;

    // By the key: --dry-run knows no row numbers.
    results_statement_init(&s, campaign->database.connection,
                           "SELECT plan.id, replication, state, repeated, attempts FROM plan"
                           " JOIN point ON point.id = point_id WHERE point_key = ? AND"
                           " replication >= ? ORDER BY replication");
    results_statement_text(&s, campaign->plan.point_keys[index]);
    results_statement_i64(&s, from);
    while (enough && results_statement_row(&s)) {
        uint32_t replication = (uint32_t)sqlite3_column_int64(s.statement, 1);
        struct sweep_run *run = make_run(point, replication);
        enum results_plan_state state =
            results_plan_state_find((const char *)sqlite3_column_text(s.statement, 2));
        bool retry = state == campaign->options->retry && state != RESULTS_PLAN_NOT_MINE;
        bool exhausted = retry && sqlite3_column_int64(s.statement, 4) >= CAMPAIGN_ATTEMPTS_MAX;

        enough = run != NULL;
        if (run != NULL) {
            run->row = sqlite3_column_int64(s.statement, 0);
            run->state = (uint8_t)state;
            run->repeated = sqlite3_column_int64(s.statement, 3) != 0;
            run->wanted =
                point->selected && (state == RESULTS_PLAN_PLANNED || (retry && !exhausted));
            campaign->exhausted += point->selected && exhausted ? 1 : 0;
            point->wanted += run->wanted ? 1 : 0;
            campaign->outcome->states[state] += point->selected ? 1 : 0;
        }
    }
    code = results_statement_release(&s);
    if (code == SQLITE_OK && enough) {
        return true;
    }
    return sweep_failed(campaign, code == SQLITE_OK ? SQLITE_NOMEM : code);
}

// --- the order -----------------------------------------------------------------------------------

static uint64_t scramble(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static int compare(const void *a, const void *b)
{
    const struct ordered *x = a;
    const struct ordered *y = b;

    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return x->item < y->item ? -1 : x->item > y->item;
}

static size_t collect(const struct sweep_campaign *campaign, struct ordered *out)
{
    size_t n = 0;

    for (uint32_t p = 0; p < campaign->sweep->n_points; p++) {
        const struct sweep_point_runs *point = &campaign->points[p];
        uint64_t key = results_key_bits(campaign->plan.point_keys[p]);

        for (uint32_t r = 0; r < point->n; r++) {
            if (point->runs[r].wanted) {
                out[n].hash = scramble(key + (r / QUEUE_BLOCK + 1) * UINT64_C(0x9e3779b97f4a7c15));
                out[n].item = sweep_item(p, r);
                n++;
            }
        }
    }
    return n;
}

static bool put_in_order(struct sweep_campaign *campaign)
{
    struct ordered *all;
    uint64_t wanted = 0;
    void *order = campaign->order;

    for (uint32_t p = 0; p < campaign->sweep->n_points; p++) {
        wanted += campaign->points[p].wanted;
    }
    all = malloc((size_t)wanted * sizeof(*all) + 1);
    if (all == NULL || !grow(&order, &campaign->capacity, (size_t)wanted + 1, sizeof(uint64_t))) {
        free(all);
        return sweep_failed(campaign, SQLITE_NOMEM);
    }
    campaign->order = order;
    campaign->n_order = collect(campaign, all);
    qsort(all, campaign->n_order, sizeof(*all), compare);
    for (size_t i = 0; i < campaign->n_order; i++) {
        campaign->order[i] = all[i].item;
    }
    campaign->total = campaign->n_order;
    free(all);
    return true;
}

// The rows that would be written for a point that has none.
static bool imagine_point(struct sweep_campaign *campaign, uint32_t index)
{
    struct sweep_point_runs *point = &campaign->points[index];

    for (uint32_t r = 0; r < campaign->sweep->replications.at_least; r++) {
        uint64_t seed =
            scenario_replication_seed(campaign->sweep, &campaign->sweep->points[index], r);
        char key[RESULTS_KEY_SIZE];
        struct sweep_run *run;

        results_plan_run_key(&campaign->plan, index, r, seed, key);
        if ((r < point->n && point->runs[r].state != RESULTS_PLAN_NOT_MINE) ||
            !results_plan_is_mine(&campaign->plan, index, key)) {
            continue;
        }
        run = make_run(point, r);
        if (run == NULL) {
            return sweep_failed_with(campaign, "out of memory");
        }
        run->state = RESULTS_PLAN_PLANNED;
        run->wanted = point->selected;
        point->wanted += run->wanted ? 1 : 0;
    }
    return true;
}

static bool load_points(struct sweep_campaign *campaign, bool imagine)
{
    const struct scenario_sweep *sweep = campaign->sweep;

    campaign->points = calloc((size_t)sweep->n_points + 1, sizeof(*campaign->points));
    if (campaign->points == NULL) {
        return sweep_failed_with(campaign, "out of memory");
    }
    for (uint32_t p = 0; p < sweep->n_points; p++) {
        campaign->points[p].selected =
            campaign->options->where == NULL ||
            scenario_where_holds(campaign->options->where, &sweep->points[p]);
        if ((campaign->database.connection != NULL && !sweep_queue_read_point(campaign, p, 0)) ||
            (imagine && !imagine_point(campaign, p))) {
            return false;
        }
    }
    return put_in_order(campaign);
}

bool sweep_queue_load(struct sweep_campaign *campaign)
{
    return load_points(campaign, false);
}

bool sweep_queue_imagine(struct sweep_campaign *campaign)
{
    return load_points(campaign, true);
}

void sweep_queue_release(struct sweep_campaign *campaign)
{
    for (uint32_t p = 0; campaign->points != NULL && p < campaign->sweep->n_points; p++) {
        free(campaign->points[p].runs);
    }
    free(campaign->points);
    free(campaign->order);
    free(campaign->repeats);
}

// --- while it runs -------------------------------------------------------------------------------

bool sweep_queue_add(struct sweep_campaign *campaign, uint32_t point, uint32_t replication)
{
    void *order = campaign->order;

    if (!grow(&order, &campaign->capacity, campaign->n_order + 1, sizeof(uint64_t))) {
        return sweep_failed(campaign, SQLITE_NOMEM);
    }
    campaign->order = order;
    campaign->order[campaign->n_order++] = sweep_item(point, replication);
    campaign->total++;
    return true;
}

bool sweep_queue_repeat(struct sweep_campaign *campaign, uint64_t item)
{
    void *repeats = campaign->repeats;

    if (!grow(&repeats, &campaign->repeats_capacity, campaign->n_repeats + 1, sizeof(uint64_t))) {
        return sweep_failed(campaign, SQLITE_NOMEM);
    }
    campaign->repeats = repeats;
    campaign->repeats[campaign->n_repeats++] = item | SWEEP_REPEAT;
    return true;
}

bool sweep_queue_next(struct sweep_campaign *campaign, uint64_t *item)
{
    if (campaign->next < campaign->n_order) {
        *item = campaign->order[campaign->next++];
        return true;
    }
    if (campaign->n_repeats > 0) {
        *item = campaign->repeats[--campaign->n_repeats];
        return true;
    }
    return false;
}

static bool is_sample(const struct sweep_campaign *campaign, uint32_t point, uint32_t replication)
{
    uint64_t key = results_key_bits(campaign->plan.point_keys[point]);

    return scramble(key ^ scramble(replication)) % SWEEP_SAMPLE_ONE_IN == 0;
}

bool sweep_queue_samples(struct sweep_campaign *campaign)
{
    struct sweep_run *least = NULL;
    uint64_t least_item = 0;
    bool any = false;

    for (uint32_t p = 0; p < campaign->sweep->n_points; p++) {
        struct sweep_point_runs *point = &campaign->points[p];

        for (uint32_t r = 0; point->selected && r < point->n; r++) {
            struct sweep_run *run = &point->runs[r];
            bool done = run->state == RESULTS_PLAN_DONE || run->state == RESULTS_PLAN_FINDING;

            run->sample = (run->wanted || done) && is_sample(campaign, p, r);
            any = any || run->sample || run->repeated;
            if (run->sample && done && !run->repeated &&
                !sweep_queue_repeat(campaign, sweep_item(p, r))) {
                return false;
            }
            if (least == NULL && (run->wanted || done)) {
                least = run;
                least_item = sweep_item(p, r);
            }
        }
    }
    if (!any && least != NULL) {
        least->sample = true;
        return least->wanted || sweep_queue_repeat(campaign, least_item);
    }
    return true;
}
