// SPDX-License-Identifier: GPL-3.0-or-later
//
// Failover within one master: cancelling, back-off, and what a reset takes back.
#include "models/master.h"
#include "models/world.h"

#include "sim/banned.h"

// --- what a reset takes back --------------------------------------------------------------------

static enum model_cause cause_of(struct model_world *w, uint32_t attempt,
                                 enum recoup_reset_reason reason)
{
    SIM_ASSERT(attempt < w->n_attempts);
    switch (reason) {
    case RECOUP_RESET_COORDINATOR_UNSUPPORTED:
        return MODEL_CAUSE_COORDINATOR_UNSUPPORTED;
    case RECOUP_RESET_PARTITION_MISSING:
        return ledger_missing_cause(w, attempt);
    case RECOUP_RESET_GLOBAL:
        return MODEL_CAUSE_RECOVERY_FAILED;
    case RECOUP_RESET_FAILED:
    case RECOUP_RESET_UNFINISHED:
    case RECOUP_RESET_DOWNSTREAM:
        break;
    }
    return MODEL_CAUSE_DOWNSTREAM_OF_RESET;
}

// A finished subtask is taken back.
static void take_back(struct model_world *w, uint32_t gid, enum recoup_reset_reason reason)
{
    struct model_subtask *subtask = &w->subtasks[gid];
    uint32_t attempt = subtask->attempt;
    struct model_world_stage *stage = &w->stages[world_stage_of(w, gid)];

    SIM_ASSERT(subtask->state == MODEL_SUBTASK_FINISHED);
    SIM_ASSERT(w->master.finished > 0);
    invariants_attempt_reset(w, attempt);
    ledger_lose_finished(w, attempt, cause_of(w, attempt, reason));
    uint64_t bytes = schedule_output_bytes(w, world_attempt(w, attempt));
    stage->output_bytes -= bytes <= stage->output_bytes ? bytes : stage->output_bytes;
    subtask->taken_back = true;
    subtask->attempt = MODEL_NONE;
    subtask->state = MODEL_SUBTASK_WAITING;
    w->master.finished--;
}

static bool ended(const struct model_attempt *attempt)
{
    return attempt->state == MODEL_ATTEMPT_ENDED;
}

// Orders the attempt of an active subtask to be cancelled; returns when its end is known to the
// master.
static int64_t cancel(struct model_world *w, uint32_t gid)
{
    struct model_subtask *subtask = &w->subtasks[gid];
    const struct model_attempt *attempt = world_attempt(w, subtask->attempt);
    int64_t there_ns = 0, back_ns = 0;

    SIM_ASSERT(subtask->state == MODEL_SUBTASK_ACTIVE);
    subtask->state = MODEL_SUBTASK_CANCELING;
    if (ended(attempt))
        return w->now_ns; // it failed, or its worker is gone
    there_ns = worker_latency_to_worker(w, attempt->worker);
    back_ns = worker_latency_to_master(w, attempt->worker);
    world_push(w, w->now_ns + there_ns, MODEL_EVENT_WORKER_CANCEL, subtask->attempt, 0);
    return w->now_ns + there_ns + back_ns;
}

// Applies one range; returns when the last of its attempts is known to have ended.
static int64_t apply_range(struct model_world *w, const struct recoup_reset_range *reset,
                           bool confirm)
{
    const struct model_world_stage *stage = &w->stages[reset->range.stage];
    int64_t done_ns = w->now_ns;

    SIM_ASSERT(reset->range.first + reset->range.count <= stage->capacity);
    for (uint32_t i = 0; i < reset->range.count; i++) {
        uint32_t gid = stage->gid_first + reset->range.first + i;
        struct model_subtask *subtask = &w->subtasks[gid];
        if (subtask->state == MODEL_SUBTASK_FINISHED)
            take_back(w, gid, reset->reason);
        if (subtask->state == MODEL_SUBTASK_ACTIVE) {
            int64_t at_ns = cancel(w, gid);
            done_ns = at_ns > done_ns ? at_ns : done_ns;
        } else if (confirm && subtask->state != MODEL_SUBTASK_CANCELING) {
            if (subtask->state == MODEL_SUBTASK_READY)
                bitset_remove(&w->schedule.ready, gid);
            subtask->state = MODEL_SUBTASK_CANCELING;
        }
    }
    coordinator_subtasks_reset(w, reset->range.stage, reset->range.first, reset->range.count);
    return done_ns;
}

static uint32_t free_reset(struct model_world *w)
{
    uint32_t slot = 0;

    while (slot < MODEL_RESETS_MAX && w->master.resets[slot].used)
        slot++;
    if (slot == MODEL_RESETS_MAX)
        w->error = SIM_ELIMIT;
    SIM_ASSERT(SIM_ERGO(slot < MODEL_RESETS_MAX, !w->master.resets[slot].used));
    return slot;
}

void failover_reset(struct model_world *w, const struct recoup_action *action)
{
    struct model_master_state *m = &w->master;
    int64_t done_ns = w->now_ns;

    SIM_ASSERT(action->type == RECOUP_ACTION_RESET_SUBTASKS);
    for (uint32_t i = 0; i < action->reset_subtasks.n_ranges; i++) {
        int64_t at_ns =
            apply_range(w, &action->reset_subtasks.ranges[i], action->reset_subtasks.confirm);
        done_ns = at_ns > done_ns ? at_ns : done_ns;
    }
    if (!action->reset_subtasks.confirm)
        return;
    if (!restart_allowed(w)) {
        world_end(w, MODEL_JOB_FAILED);
        return;
    }
    uint32_t slot = free_reset(w);
    if (slot == MODEL_RESETS_MAX)
        return;
    m->resets[slot] = (struct model_reset){.used = true, .id = action->reset_subtasks.reset};
    m->recompute = true;
    world_push(w, done_ns, MODEL_EVENT_CANCELED, slot, m->incarnation);
    world_push(w, w->now_ns + m->restart_delay_ns, MODEL_EVENT_RESTART_DELAY, slot, m->incarnation);
}

// --- and gives free again -----------------------------------------------------------------------

// The subtasks of a confirmed reset may run again.
static void resume_subtasks(struct model_world *w)
{
    SIM_ASSERT(w->master.job != NULL);
    for (uint32_t s = 0; s < w->config->n_stages; s++) {
        const struct model_world_stage *stage = &w->stages[s];
        for (uint32_t i = 0; i < stage->parallelism; i++) {
            struct model_subtask *subtask = &w->subtasks[stage->gid_first + i];
            struct recoup_subtask state;
            if (subtask->state != MODEL_SUBTASK_CANCELING)
                continue;
            recoup_subtask(w->master.job, s, i, &state);
            if (state.resetting)
                continue;
            SIM_ASSERT(!state.finished);
            subtask->state = MODEL_SUBTASK_WAITING;
            subtask->attempt = MODEL_NONE;
        }
    }
    schedule_recompute(w);
}

static void reset_done(struct model_world *w, uint32_t slot)
{
    struct model_reset *reset = &w->master.resets[slot];
    struct recoup_event event = {.type = RECOUP_EVENT_RESETS_DONE};

    SIM_ASSERT(reset->used);
    if (!reset->canceled || !reset->delayed)
        return;
    reset->used = false;
    event.resets_done.reset = reset->id;
    master_step(w, &event);
    if (!w->master.alive || !w->master.running)
        return;
    resume_subtasks(w);
    master_initialize_possible(w);
    schedule_deploy(w);
}

void master_canceled(struct model_world *w, uint32_t slot, uint64_t incarnation)
{
    SIM_ASSERT(slot < MODEL_RESETS_MAX);
    if (incarnation != w->master.incarnation || !w->master.running || !w->master.resets[slot].used)
        return;
    w->master.resets[slot].canceled = true;
    reset_done(w, slot);
}

void master_restart_delay(struct model_world *w, uint32_t slot, uint64_t incarnation)
{
    SIM_ASSERT(slot <= MODEL_RESETS_MAX);
    if (slot == MODEL_RESETS_MAX) {
        if (incarnation == w->master.incarnation && w->master.failed && !w->master.running)
            master_restart_over(w);
        return;
    }
    if (incarnation != w->master.incarnation || !w->master.running || !w->master.resets[slot].used)
        return;
    w->master.resets[slot].delayed = true;
    reset_done(w, slot);
}

// --- failures -----------------------------------------------------------------------------------

// Readiness after a step that took something back.
static void after_failure(struct model_world *w)
{
    if (w->master.alive && w->master.running && w->master.recompute) {
        w->master.recompute = false;
        schedule_recompute(w);
        schedule_deploy(w);
    }
    SIM_ASSERT(SIM_ERGO(w->master.running, w->master.job != NULL));
}

static void step_failed(struct model_world *w, uint32_t stage, uint32_t subtask)
{
    struct recoup_range range = {stage, subtask, 1};
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASKS_FAILED};

    SIM_ASSERT(subtask < w->stages[stage].parallelism);
    event.subtasks_failed.ranges = &range;
    event.subtasks_failed.n_ranges = 1;
    master_step(w, &event);
}

void master_attempt_failed(struct model_world *w, uint32_t index, uint32_t missing_stage,
                           uint32_t missing_subtask)
{
    struct model_attempt *attempt = world_attempt(w, index);

    SIM_ASSERT(attempt->state == MODEL_ATTEMPT_RUNNING);
    ledger_stopped(w, index);
    ledger_lose_unfinished(w, index, MODEL_CAUSE_TASK_FAILURE);
    attempt->state = MODEL_ATTEMPT_ENDED;
    worker_vacate(w, index);
    world_push(w, w->now_ns + worker_latency_to_master(w, attempt->worker),
               MODEL_EVENT_FAILURE_REPORT, index, (uint64_t)missing_stage << 32 | missing_subtask);
}

// Tells the library that the output which the master believes to be there is not.
static void step_partition_lost(struct model_world *w, uint32_t stage, uint32_t subtask)
{
    struct recoup_event event = {.type = RECOUP_EVENT_PARTITION_LOST};
    struct recoup_subtask state;

    recoup_subtask(w->master.job, stage, subtask, &state);
    if (!state.finished)
        return; // it was taken back meanwhile
    SIM_ASSERT(state.attempt != 0);
    event.partition_lost.stage = stage;
    event.partition_lost.subtask = subtask;
    event.partition_lost.attempt = state.attempt;
    event.partition_lost.worker = state.worker;
    master_step(w, &event);
}

void master_failure_report(struct model_world *w, uint32_t index, uint64_t missing)
{
    struct model_master_state *m = &w->master;
    const struct model_attempt *attempt = world_attempt(w, index);
    uint32_t stage = world_stage_of(w, attempt->gid);

    SIM_ASSERT(attempt->state == MODEL_ATTEMPT_ENDED);
    if (!m->running || attempt->incarnation != m->incarnation ||
        w->subtasks[attempt->gid].attempt != index)
        return;
    step_partition_lost(w, (uint32_t)(missing >> 32), (uint32_t)missing);
    if (m->alive && m->running && w->subtasks[attempt->gid].state == MODEL_SUBTASK_ACTIVE &&
        !w->ended)
        step_failed(w, stage, attempt->gid - w->stages[stage].gid_first);
    after_failure(w);
}

void master_worker_registered(struct model_world *w, uint32_t worker)
{
    SIM_ASSERT(w->workers.list[worker].alive);
    SIM_ASSERT(w->workers.list[worker].registered == w->master.incarnation);
}

void master_worker_lost(struct model_world *w, uint32_t worker)
{
    struct model_master_state *m = &w->master;
    struct recoup_event event = {.type = RECOUP_EVENT_WORKER_LOST};

    SIM_ASSERT(worker < w->config->cluster.workers);
    schedule_worker_gone(w, worker);
    if (m->job == NULL || m->terminating)
        return;
    event.worker_lost.worker = worker;
    master_step(w, &event);
    for (uint32_t gid = 0; gid < w->n_subtasks && m->running && m->alive && !w->ended; gid++) {
        const struct model_subtask *subtask = &w->subtasks[gid];
        if (subtask->state != MODEL_SUBTASK_ACTIVE ||
            world_attempt(w, subtask->attempt)->worker != worker)
            continue;
        if (!ended(world_attempt(w, subtask->attempt)))
            continue; // of a newer registration of the same worker
        uint32_t stage = world_stage_of(w, gid);
        step_failed(w, stage, gid - w->stages[stage].gid_first);
    }
    after_failure(w);
}

// RECOVERY_FAILED after the replay was accounted for: what this master holds, it never held.
void failover_void(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(m->settled && !m->running);
    invariants_recovery_void(w);
    for (uint32_t gid = 0; gid < w->n_subtasks; gid++) {
        struct model_subtask *subtask = &w->subtasks[gid];
        uint32_t attempt = subtask->attempt;
        SIM_ASSERT(subtask->state == MODEL_SUBTASK_WAITING ||
                   subtask->state == MODEL_SUBTASK_FINISHED);
        subtask->state = MODEL_SUBTASK_WAITING;
        subtask->attempt = MODEL_NONE;
        // Held all along, or regained by the replay: then that is taken back with the rest.
        if (attempt != MODEL_NONE && world_attempt(w, attempt)->cause == MODEL_CAUSE_COUNT)
            ledger_lose_finished(w, attempt, MODEL_CAUSE_RECOVERY_FAILED);
    }
    m->finished = 0;
    ledger_recovery_void(w);
}

// RECOVERY_FAILED: the log is given up. Flink fails the job globally, and the restart strategy
// decides.
void failover_global(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(m->failed);
    for (uint32_t i = 0; i < w->config->n_stages; i++) {
        w->stages[i].parallelism = 0;
        w->stages[i].output_bytes = 0;
    }
    m->subtasks_total = 0;
    coordinators_fresh(w);
    if (!restart_allowed(w)) {
        world_end(w, MODEL_JOB_FAILED);
        return;
    }
    m->todo.recovered = true;
    m->todo.nothing_there = true;
}
