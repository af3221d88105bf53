// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/zombie.h"

#include "models/world.h"

#include "sim/banned.h"

struct model_zombie *zombie_of(struct model_world *w, uint32_t incarnation)
{
    SIM_ASSERT(incarnation > 0);
    for (uint32_t i = 0; w->zombies.alive > 0 && i < MODEL_ZOMBIES_MAX; i++)
        if (w->zombies.list[i].incarnation == incarnation)
            return &w->zombies.list[i];
    SIM_DEBUG_ASSERT(SIM_ERGO(w->zombies.alive > 0, w->zombies.list != NULL));
    return NULL;
}

static struct model_zombie *free_zombie(struct model_world *w)
{
    struct model_zombies *all = &w->zombies;
    uint32_t i = 0;

    if (all->list == NULL)
        all->list = world_alloc(w, MODEL_ZOMBIES_MAX, sizeof(*all->list));
    if (all->list == NULL)
        return NULL;
    while (i < MODEL_ZOMBIES_MAX && all->list[i].incarnation != 0)
        i++;
    if (i == MODEL_ZOMBIES_MAX)
        w->error = SIM_ELIMIT;
    SIM_ASSERT(SIM_ERGO(i == MODEL_ZOMBIES_MAX, all->alive == MODEL_ZOMBIES_MAX));
    return i < MODEL_ZOMBIES_MAX ? &all->list[i] : NULL;
}

static void rearm(struct model_world *w, struct model_zombie *z)
{
    int64_t deadline_ns = recoup_deadline(z->job);

    if (deadline_ns == z->deadline_ns)
        return;
    SIM_ASSERT(deadline_ns >= w->now_ns);
    (void)sim_queue_cancel(&w->queue, z->timer);
    z->timer = SIM_NO_HANDLE;
    z->deadline_ns = deadline_ns;
    if (deadline_ns != RECOUP_NEVER)
        z->timer = world_push_cancellable(w, deadline_ns, MODEL_EVENT_ZOMBIE_TIMER, z->incarnation,
                                          0);
    SIM_ASSERT(z->incarnation < w->election.incarnation || !w->master.alive);
}

void zombie_leadership_lost(struct model_world *w, uint32_t incarnation)
{
    const struct model_zombie *z = zombie_of(w, incarnation);

    SIM_ASSERT(!w->election.leading);
    if (z == NULL)
        return;
    SIM_ASSERT(z->unaware_ns >= 0);
    world_push(w, w->now_ns + z->unaware_ns, MODEL_EVENT_ZOMBIE_END, incarnation, 0);
}

// Its process ends: its memory is gone, and what it had not made durable.
static void end(struct model_world *w, struct model_zombie *z)
{
    SIM_ASSERT(z->incarnation > 0 && w->zombies.alive > 0);
    sim_trace_span(w->options->trace, MODEL_TRACK_MASTER, z->incarnation, "unaware", z->since_ns,
                   w->now_ns);
    storage_client_died(w, z->incarnation);
    master_collect_job(w, z->job);
    recoup_destroy(z->job);
    (void)sim_queue_cancel(&w->queue, z->timer);
    *z = (struct model_zombie){0};
    w->zombies.alive--;
    SIM_ASSERT(SIM_ERGO(w->zombies.alive == 0 && w->master.job == NULL,
                        w->master.memory.live_bytes == 0));
}

// What is done of an update: operations. All else would concern workers, whom it does not reach.
// True: it has learned that another master leads (D12).
static bool carry_out(struct model_world *w, struct model_zombie *z,
                      const struct recoup_update *update)
{
    bool fenced = false;

    SIM_ASSERT(z->job != NULL);
    for (uint32_t i = 0; i < update->n_actions; i++) {
        const struct recoup_action *action = &update->actions[i];
        if (action->type <= RECOUP_ACTION_REMOVE) {
            invariants_zombie_io(w, action, z);
            w->zombies.removed = w->zombies.removed || action->type == RECOUP_ACTION_REMOVE;
            storage_issue(w, action, z->incarnation);
        } else if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
            fenced = fenced || action->protection_lost.error == RECOUP_EFENCED;
        } else if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
            fenced = fenced || action->recovery_failed.error == RECOUP_EFENCED;
        }
    }
    SIM_ASSERT(!fenced || w->config->options.policy[RECOUP_POLICY_FENCING] != 0);
    return fenced;
}

static void step(struct model_world *w, struct model_zombie *z, const struct recoup_event *event)
{
    struct recoup_update update;
    int error = recoup_step(z->job, w->now_ns, event, &update);

    if (error != 0) {
        SIM_ALWAYS_AT(error == RECOUP_ENOMEM, w->now_ns);
        w->error = SIM_ENOMEM;
        return;
    }
    SIM_ASSERT(!w->ended);
    if (carry_out(w, z, &update) && !w->ended)
        end(w, z);
    else
        rearm(w, z);
}

// Its coordinators live in its own process: what they were asked for reaches it.
static void deliver_snapshots(struct model_world *w, struct model_zombie *z)
{
    struct model_coordinators *all = &w->coordinators;

    SIM_ASSERT(w->master.job == NULL && !w->master.alive);
    for (uint32_t i = 0; i < all->snapshots_used && w->error == 0; i++) {
        struct model_snapshot taken = all->snapshots[i];
        struct recoup_event event = {.type = RECOUP_EVENT_SNAPSHOT};
        if (!taken.used)
            continue;
        all->snapshots[i].used = false;
        event.snapshot.snapshot = taken.id;
        event.snapshot.coordinator = taken.coordinator;
        event.snapshot.failed = taken.failed;
        event.snapshot.data = taken.data;
        event.snapshot.size = taken.size;
        step(w, z, &event);
        memory_release(&w->master.memory, taken.data, taken.size);
    }
    coordinators_master_gone(w);
    SIM_ASSERT(all->snapshots_used == 0);
}

void zombie_begin(struct model_world *w, int64_t unaware_ns)
{
    struct model_master_state *m = &w->master;
    struct model_storage_operation *operation = &w->storage.operation;
    struct model_zombie *z = free_zombie(w);

    SIM_ASSERT(m->job != NULL && !m->stepping);
    if (z == NULL)
        return;
    *z = (struct model_zombie){.incarnation = m->incarnation,
                               .job = m->job,
                               .unaware_ns = unaware_ns,
                               .since_ns = w->now_ns,
                               .deadline_ns = RECOUP_NEVER,
                               .timer = SIM_NO_HANDLE};
    if (operation->busy) {
        SIM_ASSERT(operation->incarnation == m->incarnation);
        z->operation = *operation;
        operation->busy = false;
    }
    m->job = NULL;
    w->zombies.alive++;
    w->zombies.newest = z->incarnation;
    rearm(w, z);
    deliver_snapshots(w, z);
}

void zombie_timer(struct model_world *w, uint32_t incarnation)
{
    struct model_zombie *z = zombie_of(w, incarnation);
    struct recoup_event event = {.type = RECOUP_EVENT_TIMER};

    if (z == NULL)
        return;
    SIM_ASSERT(z->deadline_ns == w->now_ns);
    z->timer = SIM_NO_HANDLE;
    z->deadline_ns = RECOUP_NEVER;
    step(w, z, &event);
}

void zombie_io(struct model_world *w, uint32_t incarnation, const struct recoup_event *event)
{
    struct model_zombie *z = zombie_of(w, incarnation);

    SIM_ASSERT(event->type == RECOUP_EVENT_IO);
    SIM_ASSERT(z != NULL);
    step(w, z, event);
}

void zombie_noticed(struct model_world *w, uint32_t incarnation)
{
    struct model_zombie *z = zombie_of(w, incarnation);
    struct recoup_event event = {.type = RECOUP_EVENT_LEADERSHIP_LOST};

    if (z == NULL)
        return; // it had found its successor's claim
    SIM_ASSERT(z->incarnation == incarnation);
    step(w, z, &event);
    SIM_ASSERT(recoup_deadline(z->job) == RECOUP_NEVER);
    end(w, z);
}

void zombies_finish(struct model_world *w)
{
    SIM_ASSERT(w->ended);
    for (uint32_t i = 0; w->zombies.alive > 0 && i < MODEL_ZOMBIES_MAX; i++) {
        const struct model_zombie *z = &w->zombies.list[i];
        if (z->incarnation == 0)
            continue;
        master_collect_job(w, z->job);
        sim_trace_span(w->options->trace, MODEL_TRACK_MASTER, z->incarnation, "unaware",
                       z->since_ns, w->end_ns);
    }
    SIM_ASSERT(w->zombies.alive <= MODEL_ZOMBIES_MAX);
}

void zombies_destroy(struct model_world *w)
{
    for (uint32_t i = 0; w->zombies.alive > 0 && i < MODEL_ZOMBIES_MAX; i++) {
        struct model_zombie *z = &w->zombies.list[i];
        if (z->incarnation == 0)
            continue;
        recoup_destroy(z->job);
        *z = (struct model_zombie){0};
        w->zombies.alive--;
    }
    SIM_ASSERT(w->zombies.alive == 0);
}
