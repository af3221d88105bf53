// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/ahead.h"

#include "models/world.h"

#include "sim/banned.h"

// With fewer attempts all records fit the nearest caches, and looking ahead only costs.
#define AHEAD_ATTEMPTS_MIN 8192u
// So many events ahead attempts that have been asked for are read, to ask for what they lead to; of
// at most so many at a time.
#define AHEAD_NEAR 4u
#define AHEAD_STEPS 2u
// So many events ahead what an attempt leads to leads on.
#define AHEAD_NEXT 1u

#define AHEAD_LINE_BYTES 64u

// A record may lie across the border of two cache lines.
static void fetch(const void *record, size_t bytes)
{
    const char *first = record;

    SIM_DEBUG_ASSERT(bytes > 0);
    for (size_t at = 0; at < bytes; at += AHEAD_LINE_BYTES)
        __builtin_prefetch(first + at, 1);
    __builtin_prefetch(first + bytes - 1, 1);
}

static bool names_attempt(const struct sim_event *event)
{
    SIM_DEBUG_ASSERT(event->kind < MODEL_EVENT_KINDS);
    return event->kind == MODEL_EVENT_ATTEMPT_END || event->kind == MODEL_EVENT_ATTEMPT_START ||
           event->kind == MODEL_EVENT_FINISH_REPORT;
}

// The end of an attempt is near, and soon after it the report to the master.
static void expect_end(struct model_world *w, uint32_t index)
{
    const struct model_attempt *attempt = world_attempt(w, index);
    uint32_t worker = attempt->worker, stage = world_stage_of(w, attempt->gid);
    size_t slot = (size_t)worker * w->config->cluster.slots + attempt->slot;

    SIM_ASSERT(worker < w->config->cluster.workers);
    SIM_ASSERT(attempt->slot < w->config->cluster.slots);
    fetch(&w->workers.list[worker], sizeof(struct model_worker));
    __builtin_prefetch(&w->workers.slot_attempt[slot], 1);
    __builtin_prefetch(&w->schedule.free_slots[(size_t)worker * w->schedule.words_per_worker], 1);
    __builtin_prefetch(&w->subtasks[attempt->gid], 1);
    if (w->master.job != NULL)
        recoup_expect_finish(w->master.job, stage, attempt->gid - w->stages[stage].gid_first);
    if (w->invariants.on)
        invariants_expect_finish(w, index);
}

// The queue has sorted more events: their attempts are asked for.
static void fetch_sorted(struct model_world *w, uint32_t sorted)
{
    SIM_ASSERT(sorted > 0);
    for (uint32_t i = 0; i < sorted; i++) {
        const struct sim_event *event = sim_queue_ahead(&w->queue, i);
        if (names_attempt(event))
            fetch(world_attempt(w, event->entity), sizeof(struct model_attempt));
    }
}

// The slot of an attempt that starts soon has been asked for: what it leads to.
static void follow_slot(struct model_world *w, uint32_t sorted)
{
    SIM_ASSERT(w->invariants.on);
    if (sorted <= AHEAD_NEXT)
        return;
    const struct sim_event *event = sim_queue_ahead(&w->queue, AHEAD_NEXT);
    if (event->kind == MODEL_EVENT_ATTEMPT_START)
        invariants_expect_start(w, event->entity);
}

void ahead_popped(struct model_world *w)
{
    struct model_ahead *ahead = &w->ahead;
    uint32_t sorted = sim_queue_sorted(&w->queue), before = ahead->sorted;

    if (w->n_attempts < AHEAD_ATTEMPTS_MIN)
        return;
    ahead->sorted = sorted;
    if (w->invariants.on)
        follow_slot(w, sorted);
    ahead->expected = ahead->expected > 0 ? ahead->expected - 1 : 0;
    if (sorted > before) {
        fetch_sorted(w, sorted);
        return;
    }
    for (uint32_t i = 0; i < AHEAD_STEPS && ahead->expected < sorted; i++) {
        if (ahead->expected == AHEAD_NEAR)
            return;
        const struct sim_event *event = sim_queue_ahead(&w->queue, ahead->expected);
        if (event->kind == MODEL_EVENT_ATTEMPT_END)
            expect_end(w, event->entity);
        else if (event->kind == MODEL_EVENT_ATTEMPT_START && w->invariants.on)
            invariants_expect_slot(w, event->entity);
        ahead->expected++;
    }
}
