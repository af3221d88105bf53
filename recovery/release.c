// SPDX-License-Identifier: Apache-2.0
//
// The release rule of consumed partitions: a queue of ranges in order of their recovery points.
#include "recovery/release.h"

#include <string.h>

void recoup__releases_init(struct recoup__releases *releases, struct recoup__state *state,
                           bool after_point, bool recovered_too)
{
    RECOUP_ASSERT(releases != NULL && state != NULL);
    memset(releases, 0, sizeof *releases);
    releases->state = state;
    releases->after_point = after_point;
    releases->recovered_too = recovered_too;
}

void recoup__releases_release(struct recoup__releases *releases)
{
    RECOUP_ASSERT(releases != NULL);
    if (releases->state == NULL) {
        return;
    }
    recoup__release(releases->state->memory, releases->queue,
                    releases->capacity * sizeof *releases->queue);
    releases->queue = NULL;
    releases->capacity = 0;
}

void recoup__releases_clear(struct recoup__releases *releases)
{
    RECOUP_ASSERT(releases->state != NULL);
    releases->head = 0;
    releases->n = 0;
    releases->n_points = 0;
}

static struct recoup__release_range *item(const struct recoup__releases *releases, uint32_t i)
{
    RECOUP_ASSERT(i <= releases->n && releases->capacity > 0);
    // The capacity is a power of two, so that the ring needs no division.
    RECOUP_ASSERT((releases->capacity & (releases->capacity - 1)) == 0);
    return &releases->queue[(releases->head + i) & (releases->capacity - 1)];
}

static int reserve(struct recoup__releases *releases, uint32_t n)
{
    uint32_t need = releases->n + n;
    RECOUP_ASSERT(releases->n <= releases->capacity);
    if (need <= releases->capacity) {
        return 0;
    }
    uint32_t capacity = releases->capacity == 0 ? 64 : releases->capacity;
    while (capacity < need) {
        capacity *= 2;
        RECOUP_ASSERT(capacity != 0);
    }
    struct recoup__release_range *queue =
        recoup__allocate(releases->state->memory, capacity * sizeof *queue);
    if (queue == NULL) {
        return RECOUP_ENOMEM;
    }
    for (uint32_t i = 0; i < releases->n; i++) {
        queue[i] = *item(releases, i);
    }
    recoup__release(releases->state->memory, releases->queue,
                    releases->capacity * sizeof *releases->queue);
    releases->queue = queue;
    releases->capacity = capacity;
    releases->head = 0;
    return 0;
}

int recoup__releases_reserve(struct recoup__releases *releases, uint32_t stage)
{
    RECOUP_ASSERT(stage < releases->state->graph->n_stages);
    return reserve(releases, releases->state->graph->nodes[stage].in_count);
}

int recoup__releases_reserve_more(struct recoup__releases *releases, uint32_t n)
{
    RECOUP_ASSERT(releases->state != NULL);
    return n > UINT32_MAX / 2 - releases->n ? RECOUP_ENOMEM : reserve(releases, n);
}

static void push(struct recoup__releases *releases, uint32_t stage, uint32_t first, uint32_t count,
                 uint32_t take)
{
    RECOUP_ASSERT(first + count <= releases->state->stages[stage].parallelism);
    RECOUP_ASSERT(count > 0);
    RECOUP_ASSERT(releases->n < releases->capacity);
    if (releases->n > 0) {
        // Neighbours that finish one after the other share a range.
        struct recoup__release_range *last = item(releases, releases->n - 1);
        if (last->stage == stage && last->take == take && last->first + last->count == first) {
            last->count += count;
            return;
        }
    }
    *item(releases, releases->n) = (struct recoup__release_range){
        .stage = stage, .first = first, .count = count, .take = take};
    releases->n++;
}

static bool may_go(const struct recoup__releases *releases, uint32_t stage, uint32_t subtask)
{
    const struct recoup__state *state = releases->state;
    RECOUP_ASSERT(stage < releases->state->graph->n_stages);
    if ((recoup__state_subtask(state, stage, subtask)->flags & RECOUP__AVAILABLE) == 0) {
        return false;
    }
    return !recoup__state_needed(state, stage, subtask) &&
           (releases->recovered_too || !recoup__state_consumer_recovered(state, stage, subtask));
}

static void queue_pointwise(struct recoup__releases *releases, uint32_t producer, uint32_t first,
                            uint32_t count, uint32_t take)
{
    bool any = false;
    RECOUP_ASSERT(first + count <= releases->state->stages[producer].parallelism);
    RECOUP_ASSERT(count > 0);
    for (uint32_t i = first; i < first + count && !any; i++) {
        any = may_go(releases, producer, i);
    }
    if (any) {
        push(releases, producer, first, count, take);
    }
}

void recoup__releases_finished(struct recoup__releases *releases, uint32_t stage, uint32_t subtask,
                               uint32_t take)
{
    const struct recoup__state *state = releases->state;
    uint32_t parallelism = state->stages[stage].parallelism;
    uint32_t wait_for = releases->after_point ? take : 0;
    RECOUP_ASSERT(recoup__state_initialized(releases->state, stage));
    RECOUP_ASSERT(recoup__state_is_finished(state, stage, subtask));
    for (uint32_t e = 0; e < state->graph->nodes[stage].in_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_in(state->graph, stage, e);
        uint32_t producers = state->stages[edge->producer].parallelism;
        RECOUP_ASSERT(producers > 0);
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            if (recoup__state_stage_done(state, stage)) {
                push(releases, edge->producer, 0, producers, wait_for);
            }
            continue;
        }
        uint32_t first;
        uint32_t count;
        recoup_pointwise_producers(producers, parallelism, subtask, &first, &count);
        queue_pointwise(releases, edge->producer, first, count, wait_for);
    }
}

int recoup__releases_recovered(struct recoup__releases *releases)
{
    const struct recoup__state *state = releases->state;
    if (!releases->recovered_too) {
        return 0;
    }
    int rc = reserve(releases, state->graph->n_stages);
    for (uint32_t s = 0; rc == 0 && s < state->graph->n_stages; s++) {
        const struct recoup__stage *stage = &state->stages[s];
        RECOUP_ASSERT(stage->lost <= stage->finished);
        if (stage->finished > stage->lost) {
            push(releases, s, 0, stage->parallelism, 0);
        }
    }
    return rc;
}

void recoup__releases_point(struct recoup__releases *releases, uint32_t take, uint64_t carrier)
{
    RECOUP_ASSERT(take > 0);
    RECOUP_ASSERT(carrier > 0);
    if (releases->n_points == RECOUP__POINTS_MAX) {
        releases->n_points--; // the newer one covers what the last one covers, a little later
    }
    releases->points[releases->n_points++] =
        (struct recoup__point){.take = take, .carrier = carrier};
}

void recoup__releases_durable(struct recoup__releases *releases, uint64_t durable)
{
    uint32_t kept = 0;
    RECOUP_ASSERT(releases->n_points <= RECOUP__POINTS_MAX);
    for (uint32_t i = 0; i < releases->n_points; i++) {
        struct recoup__point point = releases->points[i];
        if (point.carrier > durable) {
            releases->points[kept++] = point;
            continue;
        }
        releases->covered = point.take > releases->covered ? point.take : releases->covered;
    }
    RECOUP_ASSERT(kept <= releases->n_points);
    releases->n_points = kept;
}

bool recoup__releases_ready(const struct recoup__releases *releases)
{
    RECOUP_ASSERT(releases->n <= releases->capacity);
    return releases->n > 0 && item(releases, 0)->take <= releases->covered;
}

// How many subtasks the ranges that are ready hold, at most RECOUP__RELEASE_MAX.
static uint32_t ready_count(const struct recoup__releases *releases)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < releases->n && total < RECOUP__RELEASE_MAX; i++) {
        const struct recoup__release_range *range = item(releases, i);
        if (range->take > releases->covered) {
            break;
        }
        uint32_t room = RECOUP__RELEASE_MAX - total;
        total += range->count < room ? range->count : room;
    }
    RECOUP_ASSERT(total <= RECOUP__RELEASE_MAX);
    return total;
}

int recoup__releases_drain_some(struct recoup__releases *releases, struct recoup__actions *actions)
{
    struct recoup__state *state = releases->state;
    uint32_t left = ready_count(releases);
    RECOUP_ASSERT(actions != NULL);
    RECOUP_ASSERT(RECOUP_ERGO(recoup__releases_ready(releases), left > 0));
    if (left == 0) {
        return 0;
    }
    struct recoup_partition *partitions =
        recoup__actions_scratch(actions, left * sizeof *partitions);
    if (partitions == NULL) {
        return RECOUP_ENOMEM;
    }
    uint32_t n = 0;
    while (left > 0) {
        struct recoup__release_range *range = item(releases, 0);
        RECOUP_ASSERT(range->count > 0);
        for (; range->count > 0 && left > 0; left--, range->first++, range->count--) {
            if (may_go(releases, range->stage, range->first)) {
                partitions[n++] = recoup__state_partition(state, range->stage, range->first);
                recoup__state_set_available(state, range->stage, range->first, false);
            }
        }
        if (range->count == 0) {
            releases->head = (releases->head + 1) & (releases->capacity - 1);
            releases->n--;
        }
    }
    if (n > 0) {
        struct recoup_action *action = recoup__actions_push(actions, RECOUP_ACTION_RELEASE);
        action->partitions.partitions = partitions;
        action->partitions.n_partitions = n;
    }
    return 0;
}
