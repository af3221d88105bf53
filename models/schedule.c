// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/schedule.h"

#include <string.h>

#include "models/world.h"

#include "sim/banned.h"

// --- slots --------------------------------------------------------------------------------------

int schedule_init(struct model_world *w)
{
    struct model_schedule *s = &w->schedule;
    uint32_t workers = w->config->cluster.workers;

    SIM_ASSERT(workers > 0 && w->config->cluster.slots > 0);
    s->words_per_worker = (w->config->cluster.slots + 63u) / 64u;
    s->free_slots = world_alloc(w, (size_t)workers * s->words_per_worker, sizeof(uint64_t));
    if (s->free_slots == NULL || bitset_init(&s->free_workers, w->arena, workers) != 0 ||
        bitset_init(&s->ready, w->arena, w->n_subtasks) != 0)
        return SIM_ENOMEM;
    SIM_ASSERT(s->ready.size == w->n_subtasks);
    return 0;
}

static uint64_t *slots_of(struct model_world *w, uint32_t worker)
{
    SIM_DEBUG_ASSERT(worker < w->config->cluster.workers);
    return w->schedule.free_slots + (size_t)worker * w->schedule.words_per_worker;
}

static bool any_slot_free(struct model_world *w, uint32_t worker)
{
    const uint64_t *words = slots_of(w, worker);

    for (uint32_t i = 0; i < w->schedule.words_per_worker; i++)
        if (words[i] != 0)
            return true;
    return false;
}

void schedule_worker_usable(struct model_world *w, uint32_t worker)
{
    uint32_t slots = w->config->cluster.slots;

    SIM_ASSERT(w->workers.list[worker].registered == w->master.incarnation);
    for (uint32_t slot = 0; slot < slots; slot++)
        if (w->workers.slot_attempt[(size_t)worker * slots + slot] == MODEL_NONE)
            slots_of(w, worker)[slot / 64u] |= UINT64_C(1) << (slot % 64u);
    if (any_slot_free(w, worker))
        bitset_add(&w->schedule.free_workers, worker);
    schedule_deploy(w);
}

void schedule_worker_gone(struct model_world *w, uint32_t worker)
{
    SIM_ASSERT(worker < w->config->cluster.workers);
    memset(slots_of(w, worker), 0, w->schedule.words_per_worker * sizeof(uint64_t));
    bitset_remove(&w->schedule.free_workers, worker);
    SIM_DEBUG_ASSERT(!any_slot_free(w, worker));
}

void schedule_slot_free(struct model_world *w, uint32_t worker, uint32_t slot)
{
    SIM_ASSERT(slot < w->config->cluster.slots);
    if (w->workers.list[worker].registered != w->master.incarnation)
        return;
    SIM_ASSERT((slots_of(w, worker)[slot / 64u] >> (slot % 64u) & 1u) == 0);
    slots_of(w, worker)[slot / 64u] |= UINT64_C(1) << (slot % 64u);
    bitset_add(&w->schedule.free_workers, worker);
}

static uint32_t take_slot(struct model_world *w, uint32_t worker)
{
    uint64_t *words = slots_of(w, worker);
    uint32_t i = 0;

    while (i < w->schedule.words_per_worker && words[i] == 0)
        i++;
    SIM_ALWAYS(i < w->schedule.words_per_worker);
    uint32_t slot = i * 64u + (uint32_t)__builtin_ctzll(words[i]);
    SIM_ASSERT(slot < w->config->cluster.slots);
    words[i] &= words[i] - 1;
    if (words[i] == 0 && !any_slot_free(w, worker))
        bitset_remove(&w->schedule.free_workers, worker);
    return slot;
}

void schedule_clear(struct model_world *w)
{
    struct model_schedule *s = &w->schedule;

    bitset_clear(&s->ready);
    bitset_clear(&s->free_workers);
    memset(s->free_slots, 0,
           (size_t)w->config->cluster.workers * s->words_per_worker * sizeof(uint64_t));
    SIM_ASSERT(s->ready.count == 0 && s->free_workers.count == 0);
}

// --- readiness ----------------------------------------------------------------------------------

static bool stage_complete(const struct model_world *w, uint32_t stage)
{
    struct recoup_stage state;

    SIM_DEBUG_ASSERT(stage < w->config->n_stages);
    recoup_stage(w->master.job, stage, &state);
    return state.initialized && state.finished == state.parallelism;
}

static uint32_t unfinished_producers(const struct model_world *w,
                                     const struct recoup_edge_spec *edge, uint32_t index)
{
    const struct model_world_stage *producer = &w->stages[edge->producer];
    uint32_t first, count, unfinished = 0;

    SIM_ASSERT(edge->exchange == RECOUP_POINTWISE);
    recoup_pointwise_producers(producer->parallelism, w->stages[edge->consumer].parallelism, index,
                               &first, &count);
    for (uint32_t i = first; i < first + count; i++)
        unfinished +=
            w->subtasks[producer->gid_first + i].state == MODEL_SUBTASK_FINISHED ? 0u : 1u;
    return unfinished;
}

// A waiting subtask whose inputs are complete becomes ready.
static void settle(struct model_world *w, const struct model_world_stage *stage, uint32_t gid)
{
    struct model_subtask *subtask = &w->subtasks[gid];

    SIM_DEBUG_ASSERT(gid >= stage->gid_first && gid < stage->gid_first + stage->capacity);
    if (subtask->state != MODEL_SUBTASK_WAITING || stage->blocked_inputs != 0 ||
        subtask->waiting_for != 0)
        return;
    subtask->state = MODEL_SUBTASK_READY;
    bitset_add(&w->schedule.ready, gid);
}

static void recompute_stage(struct model_world *w, uint32_t index)
{
    struct model_world_stage *stage = &w->stages[index];

    SIM_ASSERT(stage->parallelism <= stage->capacity);
    stage->blocked_inputs = 0;
    for (uint32_t e = 0; e < stage->n_in_edges; e++) {
        const struct recoup_edge_spec *edge = &w->edges[stage->in_edges[e]];
        if (edge->exchange == RECOUP_ALL_TO_ALL && !stage_complete(w, edge->producer))
            stage->blocked_inputs++;
    }
    for (uint32_t i = 0; i < stage->parallelism; i++) {
        struct model_subtask *subtask = &w->subtasks[stage->gid_first + i];
        subtask->waiting_for = 0;
        for (uint32_t e = 0; e < stage->n_in_edges; e++) {
            const struct recoup_edge_spec *edge = &w->edges[stage->in_edges[e]];
            if (edge->exchange == RECOUP_POINTWISE)
                subtask->waiting_for += unfinished_producers(w, edge, i);
        }
        if (subtask->state == MODEL_SUBTASK_READY) {
            subtask->state = MODEL_SUBTASK_WAITING;
            bitset_remove(&w->schedule.ready, stage->gid_first + i);
        }
        settle(w, stage, stage->gid_first + i);
    }
}

void schedule_recompute(struct model_world *w)
{
    SIM_ASSERT(w->master.job != NULL);
    for (uint32_t i = 0; i < w->config->n_stages; i++)
        recompute_stage(w, i);
    SIM_ASSERT(SIM_ERGO(w->schedule.ready.count > 0, w->n_subtasks > 0));
}

static void unblock_stage(struct model_world *w, uint32_t consumer)
{
    struct model_world_stage *stage = &w->stages[consumer];

    SIM_ASSERT(stage->blocked_inputs > 0);
    stage->blocked_inputs--;
    if (stage->blocked_inputs != 0)
        return;
    for (uint32_t i = 0; i < stage->parallelism; i++)
        settle(w, stage, stage->gid_first + i);
}

static void unblock_pointwise(struct model_world *w, const struct recoup_edge_spec *edge,
                              uint32_t index)
{
    const struct model_world_stage *producer = &w->stages[edge->producer];
    const struct model_world_stage *consumer = &w->stages[edge->consumer];
    uint32_t first, count;

    SIM_ASSERT(edge->exchange == RECOUP_POINTWISE);
    recoup_pointwise_consumers(producer->parallelism, consumer->parallelism, index, &first, &count);
    for (uint32_t i = first; i < first + count; i++) {
        struct model_subtask *subtask = &w->subtasks[consumer->gid_first + i];
        SIM_ASSERT(subtask->waiting_for > 0);
        subtask->waiting_for--;
        settle(w, consumer, consumer->gid_first + i);
    }
}

void schedule_finished(struct model_world *w, uint32_t gid)
{
    uint32_t index = world_stage_of(w, gid);
    const struct model_world_stage *stage = &w->stages[index];
    bool complete = stage_complete(w, index);

    SIM_ASSERT(w->subtasks[gid].state == MODEL_SUBTASK_FINISHED);
    for (uint32_t e = 0; e < stage->n_out_edges; e++) {
        const struct recoup_edge_spec *edge = &w->edges[stage->out_edges[e]];
        if (w->stages[edge->consumer].parallelism == 0)
            continue; // it counts its inputs when it is initialized
        if (edge->exchange == RECOUP_POINTWISE)
            unblock_pointwise(w, edge, gid - stage->gid_first);
        else if (complete)
            unblock_stage(w, edge->consumer);
    }
}

void schedule_stage_initialized(struct model_world *w, uint32_t stage)
{
    SIM_ASSERT(w->stages[stage].parallelism > 0);
    recompute_stage(w, stage);
}

// --- deployment ---------------------------------------------------------------------------------

uint64_t schedule_output_bytes(struct model_world *w, const struct model_attempt *attempt)
{
    const struct model_world_stage *stage = &w->stages[world_stage_of(w, attempt->gid)];
    const struct model_stage *spec = &w->config->stages[stage - w->stages];

    SIM_DEBUG_ASSERT(attempt->gid >= stage->gid_first);
    return (uint64_t)world_sample(w, &spec->output, MODEL_STREAM_OUTPUT, attempt->gid,
                                  spec->rerun_fresh ? attempt->number : 0,
                                  attempt->gid - stage->gid_first);
}

static void deploy(struct model_world *w, uint32_t gid, uint32_t worker)
{
    struct model_subtask *subtask = &w->subtasks[gid];
    struct model_attempt *attempt = sim_chunks_push(&w->attempts);

    SIM_ASSERT(subtask->state == MODEL_SUBTASK_READY);
    if (attempt == NULL || (w->invariants.on && sim_chunks_push(&w->lineages) == NULL)) {
        w->error = SIM_ENOMEM;
        return;
    }
    uint32_t index = w->n_attempts++;
    *attempt = (struct model_attempt){.gid = gid,
                                      .worker = worker,
                                      .incarnation = w->master.incarnation,
                                      .splits = MODEL_NONE,
                                      .slot = (uint16_t)take_slot(w, worker),
                                      .state = MODEL_ATTEMPT_DEPLOYING,
                                      .cause = MODEL_CAUSE_COUNT,
                                      .number = subtask->attempts};
    if (subtask->attempts < UINT16_MAX)
        subtask->attempts++;
    subtask->state = MODEL_SUBTASK_ACTIVE;
    subtask->attempt = index;
    uint32_t first = w->stages[world_stage_of(w, gid)].gid_first;
    attempt->start_ns = w->now_ns + world_sample(w, &w->config->cluster.deploy, MODEL_STREAM_DEPLOY,
                                                 gid, attempt->number, gid - first);
    worker_occupy(w, index);
    world_push(w, attempt->start_ns, MODEL_EVENT_ATTEMPT_START, index, 0);
}

void schedule_deploy(struct model_world *w)
{
    struct model_schedule *s = &w->schedule;

    if (!w->master.running || w->ended)
        return;
    SIM_ASSERT(w->master.alive && w->master.started);
    while (s->ready.count > 0 && s->free_workers.count > 0 && w->error == 0) {
        uint32_t gid = bitset_first(&s->ready);
        bitset_remove(&s->ready, gid);
        deploy(w, gid, bitset_first(&s->free_workers));
        if (w->outage.open)
            outage_end(w);
    }
}

// --- inputs -------------------------------------------------------------------------------------

void schedule_partition_gone(struct model_world *w, uint32_t attempt)
{
    SIM_ASSERT(attempt < w->n_attempts);
    SIM_ASSERT(world_attempt(w, attempt)->partition != MODEL_PARTITION_HELD);
    w->stages[world_stage_of(w, world_attempt(w, attempt)->gid)].damage++;
}

static bool output_present(struct model_world *w, uint32_t gid)
{
    const struct model_subtask *subtask = &w->subtasks[gid];

    SIM_ASSERT(gid < w->n_subtasks);
    return subtask->state == MODEL_SUBTASK_FINISHED &&
           world_attempt(w, subtask->attempt)->partition == MODEL_PARTITION_HELD;
}

// The first subtask of a stage, at or after `from` and before `to`, whose finished output is not
// there.
static uint32_t first_missing(struct model_world *w, const struct model_world_stage *stage,
                              uint32_t from, uint32_t to)
{
    SIM_ASSERT(to <= stage->parallelism);
    while (from < to && output_present(w, stage->gid_first + from))
        from++;
    return from;
}

bool schedule_inputs_present(struct model_world *w, uint32_t gid, uint32_t *missing_stage,
                             uint32_t *missing_subtask)
{
    uint32_t consumer = world_stage_of(w, gid);
    const struct model_world_stage *stage = &w->stages[consumer];

    SIM_ASSERT(stage->parallelism > 0);
    for (uint32_t e = 0; e < stage->n_in_edges; e++) {
        const struct recoup_edge_spec *edge = &w->edges[stage->in_edges[e]];
        struct model_world_stage *producer = &w->stages[edge->producer];
        uint32_t first = 0, count = producer->parallelism;
        if (edge->exchange == RECOUP_POINTWISE)
            recoup_pointwise_producers(producer->parallelism, stage->parallelism,
                                       gid - stage->gid_first, &first, &count);
        else if (producer->damage_checked == producer->damage)
            continue; // nothing was lost since the whole stage was last seen complete
        uint32_t found = first_missing(w, producer, first, first + count);
        if (found < first + count) {
            *missing_stage = edge->producer;
            *missing_subtask = found;
            return false;
        }
        if (edge->exchange == RECOUP_ALL_TO_ALL)
            producer->damage_checked = producer->damage;
    }
    return true;
}

void schedule_attempt_start(struct model_world *w, uint32_t index)
{
    struct model_attempt *attempt = world_attempt(w, index);
    uint32_t stage = world_stage_of(w, attempt->gid);
    const struct model_stage *spec = &w->config->stages[stage];
    uint32_t missing_stage, missing_subtask;

    if (attempt->state != MODEL_ATTEMPT_DEPLOYING)
        return; // its worker or its master died meanwhile, or it was cancelled
    SIM_ASSERT(attempt->start_ns == w->now_ns);
    SIM_ASSERT(w->workers.list[attempt->worker].alive);
    attempt->state = MODEL_ATTEMPT_RUNNING;
    ledger_started(w, index);
    if (!schedule_inputs_present(w, attempt->gid, &missing_stage, &missing_subtask)) {
        master_attempt_failed(w, index, missing_stage, missing_subtask);
        return;
    }
    if (w->stages[stage].coordinator != MODEL_NONE)
        coordinator_attempt_started(w, index);
    invariants_attempt_started(w, index);
    attempt->end_ns =
        w->now_ns + world_sample(w, &spec->duration, MODEL_STREAM_DURATION, attempt->gid,
                                 spec->rerun_fresh ? attempt->number : 0,
                                 attempt->gid - w->stages[stage].gid_first);
    world_push(w, attempt->end_ns, MODEL_EVENT_ATTEMPT_END, index, 0);
}

void schedule_attempt_end(struct model_world *w, uint32_t index)
{
    struct model_attempt *attempt = world_attempt(w, index);

    if (attempt->state == MODEL_ATTEMPT_RUNNING) {
        attempt->state = MODEL_ATTEMPT_REPORTING;
        ledger_stopped(w, index);
        if (w->stages[world_stage_of(w, attempt->gid)].has_consumers)
            worker_hold(w, index);
        world_push(w, w->now_ns + worker_latency_to_master(w, attempt->worker),
                   MODEL_EVENT_FINISH_REPORT, index, 0);
    } else if (attempt->state == MODEL_ATTEMPT_ORPHANED) {
        // It finishes with nobody to tell; the data exists, and the next master will be told of it.
        SIM_ASSERT(w->now_ns >= attempt->end_ns);
        ledger_orphaned(w, w->now_ns - attempt->end_ns);
        attempt->state = MODEL_ATTEMPT_ENDED;
        if (w->stages[world_stage_of(w, attempt->gid)].has_consumers)
            worker_hold(w, index);
        worker_vacate(w, index);
    }
}
