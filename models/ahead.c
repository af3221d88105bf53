// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/ahead.h"

#include "models/world.h"

#include "sim/banned.h"

// With fewer attempts all records fit the nearest caches, and looking ahead only costs.
#define AHEAD_ATTEMPTS_MIN 16384u
// The distance at which an attempt that has been asked for is read, to ask for what it leads to.
#define AHEAD_NEAR 2u

// A record may lie across the border of two cache lines.
static void fetch(const void *record, size_t bytes)
{
    SIM_DEBUG_ASSERT(bytes > 0);
    __builtin_prefetch(record, 1);
    __builtin_prefetch((const char *)record + bytes - 1, 1);
}

static bool names_attempt(const struct sim_event *event)
{
    SIM_DEBUG_ASSERT(event->kind < MODEL_EVENT_KINDS);
    return event->kind == MODEL_EVENT_ATTEMPT_END || event->kind == MODEL_EVENT_ATTEMPT_START ||
           event->kind == MODEL_EVENT_FINISH_REPORT;
}

void ahead_popped(struct model_world *w)
{
    uint32_t sorted = sim_queue_sorted(&w->queue);

    if (w->n_attempts < AHEAD_ATTEMPTS_MIN)
        return;
    for (uint32_t i = 0; sorted > w->ahead_sorted && i < sorted; i++) {
        const struct sim_event *event = sim_queue_ahead(&w->queue, i);
        if (names_attempt(event))
            fetch(world_attempt(w, event->entity), sizeof(struct model_attempt));
    }
    w->ahead_sorted = sorted;
    if (sorted <= AHEAD_NEAR)
        return;
    const struct sim_event *near = sim_queue_ahead(&w->queue, AHEAD_NEAR);
    if (near->kind == MODEL_EVENT_ATTEMPT_END) {
        const struct model_attempt *attempt = world_attempt(w, near->entity);
        SIM_ASSERT(attempt->worker < w->config->cluster.workers);
        fetch(&w->workers.list[attempt->worker], sizeof(struct model_worker));
    }
}

void ahead_reported(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    size_t slot = (size_t)a->worker * w->config->cluster.slots + a->slot;

    SIM_ASSERT(a->state == MODEL_ATTEMPT_REPORTING);
    if (w->n_attempts < AHEAD_ATTEMPTS_MIN)
        return;
    __builtin_prefetch(&w->subtasks[a->gid], 1);
    __builtin_prefetch(&w->workers.slot_attempt[slot], 1);
    __builtin_prefetch(&w->schedule.free_slots[(size_t)a->worker * w->schedule.words_per_worker],
                       1);
    if (w->master.job != NULL) {
        uint32_t stage = world_stage_of(w, a->gid);
        recoup_expect_finish(w->master.job, stage, a->gid - w->stages[stage].gid_first);
    }
}
