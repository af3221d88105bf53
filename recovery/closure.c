// SPDX-License-Identifier: Apache-2.0
//
// The reset closure. Stages are in topological order, so one pass upwards in stage numbers carries
// marks downstream and one pass downwards carries them upstream; passes repeat until nothing is
// new. Marks only ever grow, so this ends.
#include "recovery/closure.h"

#include <string.h>

int recoup__closure_init(struct recoup__closure *closure, struct recoup__state *state)
{
    RECOUP_ASSERT(closure != NULL && state != NULL);
    closure->state = state;
    closure->flags = 0;
    closure->stages =
        recoup__allocate_zeroed(state->memory, state->graph->n_stages, sizeof *closure->stages);
    return closure->stages != NULL ? 0 : RECOUP_ENOMEM;
}

void recoup__closure_release(struct recoup__closure *closure)
{
    RECOUP_ASSERT(closure != NULL);
    if (closure->state == NULL) {
        return;
    }
    recoup__release(closure->state->memory, closure->stages,
                    closure->state->graph->n_stages * sizeof *closure->stages);
    closure->stages = NULL;
}

// A subtask may be running only if every input stage that it reads as a whole is finished.
static bool could_run(const struct recoup__state *state, uint32_t stage)
{
    const struct recoup__graph *graph = state->graph;
    RECOUP_ASSERT(stage < graph->n_stages);
    if (!recoup__state_initialized(state, stage)) {
        return false;
    }
    for (uint32_t e = 0; e < graph->nodes[stage].in_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_in(graph, stage, e);
        if (edge->exchange == RECOUP_ALL_TO_ALL &&
            !recoup__state_stage_done(state, edge->producer)) {
            return false;
        }
    }
    return true;
}

void recoup__closure_begin(struct recoup__closure *closure, unsigned flags)
{
    const struct recoup__state *state = closure->state;
    const struct recoup__graph *graph = state->graph;
    bool recovery = (flags & RECOUP__CLOSURE_RECOVERY) != 0;
    RECOUP_ASSERT(closure->stages != NULL);
    closure->flags = flags;
    for (uint32_t i = graph->n_stages; i-- > 0;) {
        struct recoup__closure_stage *c = &closure->stages[i];
        RECOUP_ASSERT(c->marked == 0);
        memset(c, 0, sizeof *c);
        bool live_below = false;
        for (uint32_t e = 0; e < graph->nodes[i].out_count; e++) {
            uint32_t consumer = recoup__graph_out(graph, i, e)->consumer;
            RECOUP_ASSERT(consumer > i);
            live_below = live_below || closure->stages[consumer].live;
            c->finished_below = c->finished_below || closure->stages[consumer].finished_below ||
                                state->stages[consumer].finished > 0;
        }
        c->live = live_below || state->stages[i].finished > 0 || (!recovery && could_run(state, i));
    }
}

static void widen(uint32_t *first, uint32_t *end, uint32_t subtask)
{
    RECOUP_ASSERT(first != end);
    RECOUP_ASSERT(*first <= *end);
    if (*first == *end) {
        *first = subtask;
        *end = subtask + 1;
        return;
    }
    *first = subtask < *first ? subtask : *first;
    *end = subtask + 1 > *end ? subtask + 1 : *end;
}

static void mark(struct recoup__closure *closure, uint32_t stage, uint32_t subtask,
                 enum recoup_reset_reason reason, bool spread)
{
    struct recoup__closure_stage *c = &closure->stages[stage];
    uint8_t *marks = closure->state->stages[stage].marks;
    RECOUP_ASSERT(reason < UINT8_MAX);
    RECOUP_ASSERT(subtask < closure->state->stages[stage].parallelism);
    if (marks[subtask] != 0) {
        return;
    }
    marks[subtask] = (uint8_t)(reason + 1);
    c->marked++;
    RECOUP_ASSERT(c->marked <= closure->state->stages[stage].parallelism);
    if (spread) {
        widen(&c->down_first, &c->down_end, subtask);
        widen(&c->up_first, &c->up_end, subtask);
    }
}

static void mark_range(struct recoup__closure *closure, uint32_t stage, uint32_t first,
                       uint32_t count, enum recoup_reset_reason reason, bool spread)
{
    RECOUP_ASSERT(first <= closure->state->stages[stage].parallelism);
    RECOUP_ASSERT(count <= closure->state->stages[stage].parallelism - first);
    if (closure->stages[stage].marked == closure->state->stages[stage].parallelism) {
        return;
    }
    for (uint32_t i = first; i < first + count; i++) {
        mark(closure, stage, i, reason, spread);
    }
}

void recoup__closure_add(struct recoup__closure *closure, uint32_t stage, uint32_t first,
                         uint32_t count, enum recoup_reset_reason reason)
{
    RECOUP_ASSERT(recoup__state_initialized(closure->state, stage));
    RECOUP_ASSERT(count > 0);
    mark_range(closure, stage, first, count, reason, true);
}

static bool is_lost(const struct recoup__subtask *subtask)
{
    uint32_t wanted = RECOUP__FINISHED | RECOUP__HAS_PARTITION;
    RECOUP_ASSERT(subtask != NULL);
    return (subtask->flags & (wanted | RECOUP__AVAILABLE)) == wanted;
}

void recoup__closure_add_missing(struct recoup__closure *closure)
{
    const struct recoup__state *state = closure->state;
    RECOUP_ASSERT(state != NULL);
    for (uint32_t s = 0; s < state->graph->n_stages; s++) {
        const struct recoup__stage *stage = &state->stages[s];
        RECOUP_ASSERT(stage->lost <= stage->finished);
        for (uint32_t i = 0; stage->lost > 0 && i < stage->parallelism; i++) {
            if (is_lost(&stage->subtasks[i]) && recoup__state_needed(state, s, i)) {
                mark(closure, s, i, RECOUP_RESET_PARTITION_MISSING, true);
            }
        }
    }
}

// An unfinished consumer can have started on the output of `producer` only if that is finished. One
// that has not started needs no naming, unless something further down is finished all the same.
static void spread_pointwise(struct recoup__closure *closure, const struct recoup_edge_spec *edge,
                             uint32_t producer)
{
    const struct recoup__stage *from = &closure->state->stages[edge->producer];
    const struct recoup__stage *to = &closure->state->stages[edge->consumer];
    uint32_t first;
    uint32_t count;
    RECOUP_ASSERT(edge->exchange == RECOUP_POINTWISE);
    RECOUP_ASSERT(closure->state->stages[edge->producer].marks[producer] != 0);
    recoup_pointwise_consumers(from->parallelism, to->parallelism, producer, &first, &count);
    bool all = (from->subtasks[producer].flags & RECOUP__FINISHED) != 0 ||
               closure->stages[edge->consumer].finished_below;
    for (uint32_t i = first; i < first + count; i++) {
        if (all || (to->subtasks[i].flags & RECOUP__FINISHED) != 0) {
            mark(closure, edge->consumer, i, RECOUP_RESET_DOWNSTREAM, true);
        }
    }
}

static bool spread_down(struct recoup__closure *closure, uint32_t stage)
{
    const struct recoup__graph *graph = closure->state->graph;
    struct recoup__closure_stage *c = &closure->stages[stage];
    uint32_t first = c->down_first;
    uint32_t end = c->down_end;
    RECOUP_ASSERT(stage < graph->n_stages);
    RECOUP_ASSERT(c->down_first <= c->down_end);
    if (first == end) {
        return false;
    }
    c->down_first = c->down_end = 0;
    const uint8_t *marks = closure->state->stages[stage].marks;
    for (uint32_t e = 0; e < graph->nodes[stage].out_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_out(graph, stage, e);
        const struct recoup__stage *to = &closure->state->stages[edge->consumer];
        if (to->parallelism == 0 || !closure->stages[edge->consumer].live) {
            continue;
        }
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            mark_range(closure, edge->consumer, 0, to->parallelism, RECOUP_RESET_DOWNSTREAM, true);
            continue;
        }
        for (uint32_t i = first; i < end; i++) {
            if (marks[i] != 0 && closure->stages[edge->consumer].marked < to->parallelism) {
                spread_pointwise(closure, edge, i);
            }
        }
    }
    return true;
}

// Marks the lost producers first .. first + count - 1 of one edge.
static void mark_lost(struct recoup__closure *closure, uint32_t producer, uint32_t first,
                      uint32_t count)
{
    const struct recoup__stage *stage = &closure->state->stages[producer];
    RECOUP_ASSERT(first + count <= stage->parallelism);
    for (uint32_t i = first; i < first + count; i++) {
        if (is_lost(&stage->subtasks[i])) {
            mark(closure, producer, i, RECOUP_RESET_PARTITION_MISSING, true);
        }
    }
}

static bool spread_up(struct recoup__closure *closure, uint32_t stage)
{
    const struct recoup__graph *graph = closure->state->graph;
    struct recoup__closure_stage *c = &closure->stages[stage];
    uint32_t first = c->up_first;
    uint32_t end = c->up_end;
    RECOUP_ASSERT(stage < graph->n_stages);
    RECOUP_ASSERT(c->up_first <= c->up_end);
    if (first == end) {
        return false;
    }
    c->up_first = c->up_end = 0;
    const struct recoup__stage *to = &closure->state->stages[stage];
    for (uint32_t e = 0; e < graph->nodes[stage].in_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_in(graph, stage, e);
        const struct recoup__stage *from = &closure->state->stages[edge->producer];
        if (from->lost == 0 || closure->stages[edge->producer].marked == from->parallelism) {
            continue;
        }
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            mark_lost(closure, edge->producer, 0, from->parallelism);
            continue;
        }
        for (uint32_t i = first; i < end; i++) {
            uint32_t p_first;
            uint32_t p_count;
            if (to->marks[i] != 0) {
                recoup_pointwise_producers(from->parallelism, to->parallelism, i, &p_first,
                                           &p_count);
                mark_lost(closure, edge->producer, p_first, p_count);
            }
        }
    }
    return true;
}

static bool explode(struct recoup__closure *closure, uint32_t stage)
{
    struct recoup__closure_stage *c = &closure->stages[stage];
    const struct recoup__stage *s = &closure->state->stages[stage];
    RECOUP_ASSERT(stage < closure->state->graph->n_stages);
    if (c->marked == 0 || !s->time_bomb || c->exploded) {
        return false;
    }
    RECOUP_ASSERT(s->parallelism > 0);
    c->exploded = true;
    mark_range(closure, stage, 0, s->parallelism, RECOUP_RESET_COORDINATOR_UNSUPPORTED,
               (closure->flags & RECOUP__CLOSURE_FIXPOINT) != 0);
    return true;
}

void recoup__closure_expand(struct recoup__closure *closure)
{
    uint32_t n = closure->state->graph->n_stages;
    bool upstream = (closure->flags & RECOUP__CLOSURE_UPSTREAM) != 0;
    bool more = true;
    RECOUP_ASSERT(n > 0);
    while (more) {
        more = false;
        for (uint32_t i = 0; i < n; i++) {
            more = spread_down(closure, i) || more;
        }
        for (uint32_t i = n; upstream && i-- > 0;) {
            more = spread_up(closure, i) || more;
        }
        for (uint32_t i = 0; !more && i < n; i++) {
            more = explode(closure, i) || more;
        }
    }
}

// True if the action names the subtask; see recoup__closure_count.
static bool named(const struct recoup__closure *closure, uint32_t stage, uint32_t subtask)
{
    const struct recoup__stage *s = &closure->state->stages[stage];
    RECOUP_ASSERT(subtask < s->parallelism);
    if (s->marks[subtask] == 0 || (s->subtasks[subtask].flags & RECOUP__RESETTING) != 0) {
        return false;
    }
    if ((closure->flags & RECOUP__CLOSURE_RECOVERY) == 0) {
        return true;
    }
    return (s->subtasks[subtask].flags & RECOUP__FINISHED) != 0 ||
           s->marks[subtask] == RECOUP_RESET_UNFINISHED + 1 ||
           s->marks[subtask] == RECOUP_RESET_COORDINATOR_UNSUPPORTED + 1;
}

// Walks the ranges of one stage; counts them, and writes them where `ranges` is given.
static uint32_t stage_ranges(const struct recoup__closure *closure, uint32_t stage,
                             struct recoup_reset_range *ranges, uint32_t *n_partitions)
{
    const struct recoup__stage *s = &closure->state->stages[stage];
    uint32_t n = 0;
    RECOUP_ASSERT(stage < closure->state->graph->n_stages);
    uint8_t last = 0; // reason mark of the range that is open
    for (uint32_t i = 0; i < s->parallelism; i++) {
        uint8_t reason = named(closure, stage, i) ? s->marks[i] : 0;
        if (reason != 0 && reason != last) {
            if (ranges != NULL) {
                ranges[n].range = (struct recoup_range){.stage = stage, .first = i, .count = 0};
                ranges[n].reason = (enum recoup_reset_reason)(reason - 1);
            }
            n++;
        }
        if (reason != 0) {
            RECOUP_ASSERT(n > 0);
            if (ranges != NULL) {
                ranges[n - 1].range.count++;
            }
            *n_partitions +=
                (s->subtasks[i].flags & (RECOUP__AVAILABLE | RECOUP__RETURNED)) != 0 ? 1 : 0;
        }
        last = reason;
    }
    return n;
}

void recoup__closure_count(const struct recoup__closure *closure, uint32_t *n_ranges,
                           uint32_t *n_partitions)
{
    *n_ranges = 0;
    *n_partitions = 0;
    for (uint32_t i = 0; i < closure->state->graph->n_stages; i++) {
        if (closure->stages[i].marked > 0) {
            *n_ranges += stage_ranges(closure, i, NULL, n_partitions);
        }
    }
    RECOUP_ASSERT(*n_ranges <= closure->state->subtasks);
    RECOUP_ASSERT(*n_partitions <= closure->state->subtasks);
}

void recoup__closure_ranges(const struct recoup__closure *closure,
                            struct recoup_reset_range *ranges, uint32_t n_ranges)
{
    uint32_t n = 0;
    uint32_t partitions = 0;
    RECOUP_ASSERT(RECOUP_ERGO(n_ranges > 0, ranges != NULL));
    for (uint32_t i = 0; i < closure->state->graph->n_stages; i++) {
        if (closure->stages[i].marked > 0) {
            n += stage_ranges(closure, i, ranges + n, &partitions);
        }
    }
    RECOUP_ASSERT(n == n_ranges);
    (void)n;
    (void)n_ranges;
}

void recoup__closure_disarm(struct recoup__closure *closure)
{
    for (uint32_t i = 0; i < closure->state->graph->n_stages; i++) {
        if (closure->stages[i].exploded) {
            RECOUP_ASSERT(closure->state->stages[i].time_bomb);
            RECOUP_ASSERT(closure->stages[i].marked == closure->state->stages[i].parallelism);
            closure->state->stages[i].time_bomb = false;
        }
    }
}

void recoup__closure_clear(struct recoup__closure *closure)
{
    for (uint32_t i = 0; i < closure->state->graph->n_stages; i++) {
        struct recoup__closure_stage *c = &closure->stages[i];
        if (c->marked > 0) {
            RECOUP_ASSERT(closure->state->stages[i].parallelism >= c->marked);
            memset(closure->state->stages[i].marks, 0, closure->state->stages[i].parallelism);
        }
        memset(c, 0, sizeof *c);
    }
}
