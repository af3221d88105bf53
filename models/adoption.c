// SPDX-License-Identifier: GPL-3.0-or-later
//
// Outputs that come back after the wait for workers (H30, policy recovery.late-report = adopt): how
// the modelled engine answers the library's question, and gives up what it was making anew.
//
// It agrees to everything that has not finished meanwhile. An attempt that it gives up so is lost
// by cause `speculation`: two attempts of one subtask were in the race, and the other one won.
#include "models/world.h"

#include "sim/banned.h"

// True if the subtask's old attempt may take the place of what is being made anew.
static bool agrees(struct model_world *w, uint32_t stage, uint32_t index)
{
    const struct model_subtask *subtask = &w->subtasks[w->stages[stage].gid_first + index];
    struct recoup_subtask state;

    SIM_ASSERT(index < w->stages[stage].parallelism);
    recoup_subtask(w->master.job, stage, index, &state);
    SIM_ALWAYS((uint32_t)state.attempt < w->n_attempts);
    SIM_ASSERT(!state.finished);
    if (subtask->state == MODEL_SUBTASK_ACTIVE) {
        enum model_attempt_state is =
            (enum model_attempt_state)world_attempt(w, subtask->attempt)->state;
        if (is != MODEL_ATTEMPT_DEPLOYING && is != MODEL_ATTEMPT_RUNNING)
            return false; // its finish or failure is on its way
    } else if (state.resetting) {
        return false; // its attempt has not ended yet, or its pause
    }
    return coordinator_may_retake(w, (uint32_t)state.attempt);
}

static bool reserve(struct model_world *w, uint32_t n)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(n <= UINT32_MAX / 2);
    if (n > m->agreed_capacity) {
        m->agreed = world_alloc(w, (size_t)n * 2, sizeof(*m->agreed));
        m->agreed_capacity = m->agreed != NULL ? n * 2 : 0;
    }
    SIM_ASSERT(m->agreed != NULL || n == 0 || w->error != 0);
    return m->agreed_capacity >= n;
}

static void add(struct model_world *w, uint32_t stage, uint32_t index)
{
    struct model_master_state *m = &w->master;
    struct recoup_range *last = m->n_agreed > 0 ? &m->agreed[m->n_agreed - 1] : NULL;

    if (last != NULL && last->stage == stage && last->first + last->count == index) {
        last->count++;
        return;
    }
    if (!reserve(w, m->n_agreed + 1))
        return;
    m->agreed[m->n_agreed++] = (struct recoup_range){stage, index, 1};
    SIM_ASSERT(m->n_agreed <= m->agreed_capacity);
}

void adoption_asked(struct model_world *w, const struct recoup_action *action)
{
    const struct recoup_range *ranges = action->ask_adoption.ranges;
    uint32_t subtasks = 0;

    SIM_ASSERT(action->type == RECOUP_ACTION_ASK_ADOPTION);
    w->master.n_agreed = 0;
    for (uint32_t r = 0; r < action->ask_adoption.n_ranges; r++)
        subtasks += ranges[r].count;
    if (!reserve(w, subtasks)) // as many ranges as there can be
        return;
    for (uint32_t r = 0; r < action->ask_adoption.n_ranges; r++)
        for (uint32_t i = ranges[r].first; i < ranges[r].first + ranges[r].count; i++)
            if (agrees(w, ranges[r].stage, i))
                add(w, ranges[r].stage, i);
    w->master.todo.adoption = action->ask_adoption.adoption;
    SIM_ASSERT(w->master.todo.adoption != 0);
}

void adoption_answer(struct model_world *w)
{
    struct model_master_state *m = &w->master;
    struct recoup_event event = {.type = RECOUP_EVENT_ADOPTION};

    event.adoption.adoption = m->todo.adoption;
    event.adoption.ranges = m->agreed;
    event.adoption.n_ranges = m->n_agreed;
    m->todo.adoption = 0;
    SIM_ASSERT(event.adoption.adoption != 0);
    if (m->alive && m->running && !w->ended)
        master_step(w, &event);
}

// Gives up the attempt that was making the subtask anew.
static void displace(struct model_world *w, uint32_t index)
{
    struct model_attempt *attempt = world_attempt(w, index);

    SIM_ASSERT(attempt->incarnation == w->master.incarnation);
    if (attempt->state == MODEL_ATTEMPT_DEPLOYING) {
        attempt->state = MODEL_ATTEMPT_ENDED;
        worker_vacate(w, index);
        return;
    }
    SIM_ASSERT(attempt->state == MODEL_ATTEMPT_RUNNING);
    ledger_stopped(w, index);
    ledger_lose_unfinished(w, index, MODEL_CAUSE_SPECULATION);
    attempt->state = MODEL_ATTEMPT_ORPHANED;
    world_push(w, w->now_ns + worker_latency_to_worker(w, attempt->worker),
               MODEL_EVENT_WORKER_CANCEL, index, 1);
}

static void adopt(struct model_world *w, uint32_t stage, uint32_t index)
{
    struct model_world_stage *s = &w->stages[stage];
    uint32_t gid = s->gid_first + index;
    struct model_subtask *subtask = &w->subtasks[gid];
    struct recoup_subtask state;

    recoup_subtask(w->master.job, stage, index, &state);
    SIM_ALWAYS(state.finished && (uint32_t)state.attempt < w->n_attempts);
    if (subtask->state == MODEL_SUBTASK_ACTIVE)
        displace(w, subtask->attempt);
    else if (subtask->state == MODEL_SUBTASK_READY)
        bitset_remove(&w->schedule.ready, gid);
    coordinator_subtasks_reset(w, stage, index, 1);
    coordinator_retake(w, (uint32_t)state.attempt);
    ledger_regain(w, (uint32_t)state.attempt);
    subtask->attempt = (uint32_t)state.attempt;
    subtask->state = MODEL_SUBTASK_FINISHED;
    s->output_bytes += schedule_output_bytes(w, world_attempt(w, subtask->attempt));
    w->master.finished++;
    invariants_attempt_adopted(w, subtask->attempt, w->master.step_event);
    SIM_ASSERT(w->master.finished <= w->master.subtasks_total);
}

void adoption_adopt(struct model_world *w, const struct recoup_action *action)
{
    const struct recoup_range *ranges = action->adopt_subtasks.ranges;
    uint32_t n = action->adopt_subtasks.n_ranges;

    SIM_ASSERT(action->type == RECOUP_ACTION_ADOPT_SUBTASKS);
    for (uint32_t r = 0; r < n; r++)
        for (uint32_t i = ranges[r].first; i < ranges[r].first + ranges[r].count; i++)
            adopt(w, ranges[r].stage, i);
    for (uint32_t r = 0; r < n; r++)
        for (uint32_t i = ranges[r].first; i < ranges[r].first + ranges[r].count; i++)
            invariants_check_adopted(
                w, w->subtasks[w->stages[ranges[r].stage].gid_first + i].attempt);
    w->master.todo.adopted = true;
    SIM_ASSERT(n > 0);
}

void adoption_resume(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(m->todo.adopted);
    m->todo.adopted = false;
    if (!m->alive || !m->running || w->ended)
        return;
    schedule_recompute(w);
    master_initialize_possible(w);
    master_check_completion(w);
    if (m->alive && m->running && !w->ended)
        schedule_deploy(w);
}
