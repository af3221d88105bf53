// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/world.h"

#include <string.h>

#include "sim/banned.h"

static const uint8_t class_of[MODEL_EVENT_KINDS] = {
    [MODEL_EVENT_FAULT] = SIM_CLASS_FAULT,
    [MODEL_EVENT_GRACE_END] = SIM_CLASS_TIMER,
    [MODEL_EVENT_ATTEMPT_START] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_ATTEMPT_END] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_FAILURE_REPORT] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_FINISH_REPORT] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_IO_DONE] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_MASTER_TIMER] = SIM_CLASS_TIMER,
    [MODEL_EVENT_SNAPSHOT_DONE] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_CANCELED] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_RESTART_DELAY] = SIM_CLASS_TIMER,
    [MODEL_EVENT_LEADERSHIP_LOST] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKERS_TOLD] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_LEADERSHIP_GRANTED] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_MASTER_START] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKER_REGISTER] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKER_ASKED] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKER_REPORT] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKER_NOTICE] = SIM_CLASS_TIMER,
    [MODEL_EVENT_WORKER_SLOTS_READY] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKER_RETENTION] = SIM_CLASS_TIMER,
    [MODEL_EVENT_WORKER_CANCEL] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_MASTER_GOODBYE] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKER_GOODBYE] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKER_BACK] = SIM_CLASS_HAPPENING,
    [MODEL_EVENT_WORKER_DEAD_NOTICED] = SIM_CLASS_TIMER,
    [MODEL_EVENT_STOP_AT] = SIM_CLASS_TIMER,
    [MODEL_EVENT_ZOMBIE_TIMER] = SIM_CLASS_TIMER,
    [MODEL_EVENT_ZOMBIE_END] = SIM_CLASS_HAPPENING,
};

// --- small services -----------------------------------------------------------------------------

uint32_t world_search_stage(const struct model_world *w, uint32_t gid)
{
    uint32_t low = 0, high = w->config->n_stages;

    SIM_DEBUG_ASSERT(gid < w->n_subtasks);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (w->stages[middle].gid_first <= gid)
            low = middle;
        else
            high = middle;
    }
    SIM_DEBUG_ASSERT(gid - w->stages[low].gid_first < w->stages[low].capacity);
    *w->stage_hint = low;
    return low;
}

uint64_t *world_lineage(const struct model_world *w, uint32_t attempt)
{
    SIM_DEBUG_ASSERT(w->invariants.on);
    SIM_DEBUG_ASSERT(attempt < w->n_attempts);
    return sim_chunks_at(&w->lineages, attempt);
}

static int64_t clamp_time(int64_t at_ns)
{
    return at_ns < 0 || at_ns > SIM_LAW_MAX ? SIM_LAW_MAX : at_ns;
}

void world_push(struct model_world *w, int64_t at_ns, enum model_event_kind kind, uint32_t entity,
                uint64_t arg)
{
    SIM_ASSERT(kind < MODEL_EVENT_KINDS);
    SIM_ASSERT(at_ns >= w->now_ns);
    int error = sim_queue_push(&w->queue, clamp_time(at_ns), (enum sim_class)class_of[kind], kind,
                               entity, arg);
    if (error != 0)
        w->error = error;
}

uint64_t world_push_cancellable(struct model_world *w, int64_t at_ns, enum model_event_kind kind,
                                uint32_t entity, uint64_t arg)
{
    uint64_t handle = SIM_NO_HANDLE;

    SIM_ASSERT(kind < MODEL_EVENT_KINDS);
    SIM_ASSERT(at_ns >= w->now_ns);
    int error = sim_queue_push_cancellable(
        &w->queue, clamp_time(at_ns), (enum sim_class)class_of[kind], kind, entity, arg, &handle);
    if (error != 0)
        w->error = error;
    return handle;
}

void *world_alloc(struct model_world *w, size_t count, size_t size)
{
    SIM_ASSERT(count > 0 && size > 0);
    void *memory = sim_arena_alloc_zero(w->arena, count, size, 16);
    if (memory == NULL)
        w->error = SIM_ENOMEM;
    return memory;
}

void *world_alloc_uncleared(struct model_world *w, size_t count, size_t size)
{
    SIM_ASSERT(count > 0 && size > 0);
    SIM_ASSERT(count <= SIM_ARENA_ALLOCATION_MAX / size);
    void *memory = sim_arena_alloc(w->arena, count * size, 16);
    if (memory == NULL)
        w->error = SIM_ENOMEM;
    return memory;
}

int64_t world_sample(struct model_world *w, const struct sim_law *law, enum model_stream stream,
                     uint64_t entity, uint64_t n, uint64_t row)
{
    int64_t value;

    if (law->kind == SIM_LAW_CONSTANT)
        return law->a;
    sim_law_sample(law, &w->draws, (uint32_t)stream, entity, n, row, &value);
    SIM_ASSERT(value >= 0);
    if (w->last_draws != NULL)
        observe_draw(w, (uint32_t)stream, entity, n, value);
    return value;
}

void world_end(struct model_world *w, enum model_job_state state)
{
    SIM_ASSERT(state != MODEL_JOB_RUNNING);
    if (w->ended)
        return;
    w->ended = true;
    w->state = state;
    w->end_ns = w->now_ns;
    if (w->outage.open)
        outage_end(w);
}

// --- set-up -------------------------------------------------------------------------------------

static int init_edges(struct model_world *w)
{
    const struct model_config *config = w->config;
    uint32_t n = 0, at = 0;

    for (uint32_t i = 0; i < config->n_stages; i++)
        n += config->stages[i].n_inputs;
    w->edges = world_alloc(w, n == 0 ? 1 : n, sizeof(*w->edges));
    uint32_t *out = world_alloc(w, n == 0 ? 1 : n, sizeof(uint32_t));
    uint32_t *in = world_alloc(w, n == 0 ? 1 : n, sizeof(uint32_t));
    if (w->edges == NULL || out == NULL || in == NULL)
        return SIM_ENOMEM;
    w->n_edges = n;
    for (uint32_t i = 0; i < config->n_stages; i++) {
        w->stages[i].in_edges = in + at;
        w->stages[i].n_in_edges = config->stages[i].n_inputs;
        for (uint32_t k = 0; k < config->stages[i].n_inputs; k++, at++) {
            const struct model_input *input = &config->stages[i].inputs[k];
            SIM_ALWAYS(input->stage < i);
            in[at] = at;
            w->edges[at] = (struct recoup_edge_spec){input->stage, i, input->exchange};
            w->stages[input->stage].n_out_edges++;
        }
    }
    for (uint32_t i = 0, first = 0; i < config->n_stages; i++) {
        uint32_t filled = 0;
        w->stages[i].out_edges = out + first;
        w->stages[i].has_consumers = w->stages[i].n_out_edges > 0;
        for (uint32_t e = 0; e < n; e++)
            if (w->edges[e].producer == i)
                out[first + filled++] = e;
        SIM_ASSERT(filled == w->stages[i].n_out_edges);
        first += filled;
    }
    return 0;
}

static int init_stages(struct model_world *w)
{
    const struct model_config *config = w->config;
    uint64_t total = 0;

    w->stages = world_alloc(w, config->n_stages, sizeof(*w->stages));
    w->stage_hint = world_alloc(w, 1, sizeof(*w->stage_hint));
    if (w->stages == NULL || w->stage_hint == NULL)
        return SIM_ENOMEM;
    for (uint32_t i = 0; i < config->n_stages; i++) {
        struct model_world_stage *stage = &w->stages[i];
        uint32_t parallelism = config->stages[i].parallelism;
        stage->gid_first = (uint32_t)total;
        stage->capacity = parallelism != 0 ? parallelism : world_auto_limit(config, i);
        total += stage->capacity;
        if (stage->capacity == 0 || total >= MODEL_NONE)
            return SIM_EINVAL;
    }
    w->n_subtasks = (uint32_t)total;
    w->subtasks = world_alloc(w, w->n_subtasks, sizeof(*w->subtasks));
    if (w->subtasks == NULL)
        return SIM_ENOMEM;
    for (uint32_t i = 0; i < w->n_subtasks; i++)
        w->subtasks[i].attempt = w->subtasks[i].marked = MODEL_NONE;
    return init_edges(w);
}

static int init_parts(struct model_world *w)
{
    int error;

    sim_chunks_init(&w->attempts, w->arena, sizeof(struct model_attempt), MODEL_ATTEMPTS_SHIFT);
    sim_chunks_init(&w->lineages, w->arena, sizeof(uint64_t), MODEL_ATTEMPTS_SHIFT);
    if ((error = sim_fingerprint_init(&w->fingerprint, w->arena)) != 0 ||
        (error = init_stages(w)) != 0 || (error = schedule_init(w)) != 0 ||
        (error = ledger_init(w)) != 0 || (error = storage_init(w)) != 0 ||
        (error = workers_init(w)) != 0 || (error = coordinators_init(w)) != 0 ||
        (error = invariants_init(w)) != 0 || (error = faults_init(w)) != 0)
        return error;
    return w->error;
}

int world_init(struct model_world *w, const struct model_config *config,
               const struct model_run_options *options, struct sim_arena *arena)
{
    int error;

    SIM_ASSERT(config->n_stages > 0);
    *w = (struct model_world){.config = config, .options = options, .arena = arena};
    if ((error = sim_queue_init(&w->queue, arena, config->cluster.workers)) != 0 ||
        (error = sim_random_init(&w->draws, arena, config->seed)) != 0)
        return error;
    if (options->tie_seed != 0 &&
        (error = sim_queue_permute_ties(&w->queue, options->tie_seed)) != 0)
        return error;
    if (options->observer != NULL &&
        (w->last_draws = world_alloc(w, MODEL_STREAMS, sizeof(*w->last_draws))) == NULL)
        return SIM_ENOMEM;
    if ((error = init_parts(w)) != 0)
        return error;
    SIM_ASSERT(w->n_subtasks > 0);
    return master_init(w);
}

// --- dispatch -----------------------------------------------------------------------------------

static void dispatch_worker(struct model_world *w, const struct sim_event *event)
{
    uint32_t worker = event->entity;

    SIM_ASSERT(event->kind == MODEL_EVENT_WORKER_CANCEL || worker < w->config->cluster.workers ||
               event->kind == MODEL_EVENT_WORKERS_TOLD);
    // The kinds are dense, and what is left out here is an error in dispatch().
    if (event->kind == MODEL_EVENT_WORKERS_TOLD)
        workers_told(w);
    else if (event->kind == MODEL_EVENT_WORKER_REGISTER)
        worker_register(w, worker, event->arg);
    else if (event->kind == MODEL_EVENT_WORKER_ASKED)
        worker_asked(w, worker, event->arg);
    else if (event->kind == MODEL_EVENT_WORKER_REPORT)
        worker_report(w, worker, event->arg);
    else if (event->kind == MODEL_EVENT_WORKER_NOTICE)
        worker_notice(w, worker, event->arg);
    else if (event->kind == MODEL_EVENT_WORKER_SLOTS_READY)
        worker_slots_ready(w, worker, event->arg);
    else if (event->kind == MODEL_EVENT_MASTER_GOODBYE)
        worker_master_goodbye(w, worker, event->arg);
    else if (event->kind == MODEL_EVENT_WORKER_GOODBYE)
        worker_dead_noticed(w, worker, event->arg);
    else if (event->kind == MODEL_EVENT_WORKER_RETENTION)
        worker_retention_expired(w, worker, event->arg);
    else if (event->kind == MODEL_EVENT_WORKER_CANCEL && event->arg != 0)
        worker_displaced(w, event->entity);
    else if (event->kind == MODEL_EVENT_WORKER_CANCEL)
        worker_cancel(w, event->entity);
    else if (event->kind == MODEL_EVENT_WORKER_BACK)
        worker_back(w, worker);
    else if (event->kind == MODEL_EVENT_WORKER_DEAD_NOTICED)
        worker_dead_noticed(w, worker, event->arg);
    else
        SIM_ALWAYS(false && "an event kind without a handler");
}

static void dispatch_master(struct model_world *w, const struct sim_event *event)
{
    SIM_ASSERT(event->kind < MODEL_EVENT_KINDS);
    if (event->kind == MODEL_EVENT_MASTER_TIMER)
        master_timer(w, event->entity);
    else if (event->kind == MODEL_EVENT_SNAPSHOT_DONE && event->arg == w->master.incarnation)
        coordinator_snapshot_deliver(w, event->entity);
    else if (event->kind == MODEL_EVENT_SNAPSHOT_DONE)
        return; // its master is gone, and the bytes with it
    else if (event->kind == MODEL_EVENT_CANCELED)
        master_canceled(w, event->entity, event->arg);
    else if (event->kind == MODEL_EVENT_RESTART_DELAY)
        master_restart_delay(w, event->entity, event->arg);
    else if (event->kind == MODEL_EVENT_FAILURE_REPORT)
        master_failure_report(w, event->entity, event->arg);
    else if (event->kind == MODEL_EVENT_LEADERSHIP_LOST)
        election_lost(w);
    else if (event->kind == MODEL_EVENT_LEADERSHIP_GRANTED)
        election_granted(w);
    else if (event->kind == MODEL_EVENT_MASTER_START)
        master_start(w);
    else if (event->kind == MODEL_EVENT_FAULT)
        faults_event(w, event->entity, event->arg);
    else if (event->kind == MODEL_EVENT_GRACE_END)
        faults_grace_end(w, event->entity, event->arg);
    else if (event->kind == MODEL_EVENT_STOP_AT)
        world_end(w, MODEL_JOB_TIMEOUT);
    else if (event->kind == MODEL_EVENT_ZOMBIE_TIMER)
        zombie_timer(w, event->entity);
    else if (event->kind == MODEL_EVENT_ZOMBIE_END)
        zombie_noticed(w, event->entity);
    else
        dispatch_worker(w, event);
}

void world_dispatch(struct model_world *w, const struct sim_event *event)
{
    SIM_ASSERT(event->time_ns >= w->now_ns);
    w->now_ns = event->time_ns;
    w->events++;
    sim_fingerprint_event(&w->fingerprint, event);
    if (event->time_ns >= SIM_LAW_MAX)
        world_end(w, MODEL_JOB_TIMEOUT); // the clock's end: what was set for later is set for now
    else if (event->kind == MODEL_EVENT_ATTEMPT_START)
        schedule_attempt_start(w, event->entity);
    else if (event->kind == MODEL_EVENT_ATTEMPT_END)
        schedule_attempt_end(w, event->entity);
    else if (event->kind == MODEL_EVENT_FINISH_REPORT)
        master_finish_report(w, event->entity);
    else if (event->kind == MODEL_EVENT_IO_DONE)
        storage_complete(w, event->entity, (uint32_t)event->arg);
    else
        dispatch_master(w, event);
}
