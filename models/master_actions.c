// SPDX-License-Identifier: GPL-3.0-or-later
//
// Carrying out what the recovery code says: steps, actions, and what follows from them.
#include "models/master.h"
#include "models/wide.h"
#include "models/world.h"

#include "sim/banned.h"

static uint32_t attempt_index(uint64_t id)
{
    return (uint32_t)id;
}

static uint64_t attempt_id(const struct model_attempt *attempt, uint32_t index)
{
    SIM_DEBUG_ASSERT(attempt->incarnation > 0);
    return (uint64_t)attempt->incarnation << 32 | index;
}

// --- recovery -----------------------------------------------------------------------------------

// Accounts for what the master before held as finished and this one does not, once per incarnation:
// everything that this one marked finished is told by then, and nothing has been taken back yet.
static void settle(struct model_world *w)
{
    struct model_master_state *m = &w->master;
    uint64_t held = 0;

    if (m->settled)
        return;
    m->settled = true;
    if (w->zombies.newest > 0 && w->config->options.recovery_enabled) {
        // Others may have written since this master started: it is judged by what it found.
        storage_view(w, m->incarnation);
        reference_read(w);
        storage_view(w, 0);
    }
    for (uint32_t gid = 0; gid < w->n_subtasks; gid++) {
        struct model_subtask *subtask = &w->subtasks[gid];
        uint32_t marked = subtask->marked;
        bool was_held = subtask->state == MODEL_SUBTASK_FINISHED;
        subtask->marked = MODEL_NONE;
        if (was_held && subtask->attempt != marked) {
            ledger_lose_finished(w, subtask->attempt, ledger_forgotten_cause(w, subtask->attempt));
            subtask->taken_back = true;
        }
        if (marked != MODEL_NONE && !(was_held && subtask->attempt == marked))
            ledger_regain(w, marked);
        subtask->state = marked != MODEL_NONE ? MODEL_SUBTASK_FINISHED : MODEL_SUBTASK_WAITING;
        subtask->attempt = marked;
        held += marked != MODEL_NONE ? 1u : 0u;
    }
    m->finished = held;
    invariants_replayed(w);
}

// The bytes of what comes back decide parallelism like those of what finishes under this master.
static void mark_finished(struct model_world *w, const struct recoup_range *range)
{
    struct model_world_stage *stage = &w->stages[range->stage];

    SIM_ASSERT(!w->master.settled);
    SIM_ASSERT(range->first + range->count <= stage->parallelism);
    for (uint32_t i = range->first; i < range->first + range->count; i++) {
        struct recoup_subtask state;
        recoup_subtask(w->master.job, range->stage, i, &state);
        SIM_ALWAYS(attempt_index(state.attempt) < w->n_attempts);
        SIM_ASSERT(w->subtasks[stage->gid_first + i].marked == MODEL_NONE);
        w->subtasks[stage->gid_first + i].marked = attempt_index(state.attempt);
        stage->output_bytes += state.bytes;
    }
}

static void initialize_stage(struct model_world *w, uint32_t index, uint32_t parallelism)
{
    struct model_world_stage *stage = &w->stages[index];

    SIM_ASSERT(stage->parallelism == 0);
    SIM_ALWAYS(parallelism > 0 && parallelism <= stage->capacity);
    stage->parallelism = parallelism;
    w->master.subtasks_total += parallelism;
}

static void ask_workers(struct model_world *w, bool on)
{
    w->master.asking = on;
    SIM_ASSERT(w->master.alive);
    for (uint32_t i = 0; on && i < w->config->cluster.workers; i++)
        if (w->workers.list[i].registered == w->master.incarnation)
            worker_ask(w, i);
}

static void release(struct model_world *w, const struct recoup_partition *partitions, uint32_t n)
{
    SIM_ASSERT(n == 0 || partitions != NULL);
    if (!w->config->release_partitions && w->master.running)
        return; // jobmanager.partition.release-during-job-execution: false
    for (uint32_t i = 0; i < n; i++) {
        SIM_ALWAYS(attempt_index(partitions[i].attempt) < w->n_attempts);
        worker_release(w, attempt_index(partitions[i].attempt));
    }
}

static void feed_state(struct model_world *w)
{
    uint8_t hash[16];

    SIM_ASSERT(w->master.job != NULL);
    recoup_state_hash(w->master.job, hash);
    sim_fingerprint_bytes(&w->fingerprint, SIM_LAYER_STATE, hash, sizeof(hash));
}

static void recovered(struct model_world *w, const struct recoup_action *action)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(!m->running);
    settle(w);
    ledger_recovery_ends(w);
    m->todo.recovered = true;
    m->todo.nothing_there = action->recovered.kind == RECOUP_RECOVERED_NOTHING;
    m->todo.initialize_possible = action->recovered.initialize_possible;
    m->todo.check_completion = action->recovered.check_completion;
}

// RECOVERY_FAILED: all that this master was told since START is void. What the one before held is
// lost, whatever this one had marked, restored or reset by then.
static void recovery_failed(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(!m->running && !m->failed);
    m->failed = true;
    m->todo.failed = true;
    if (!m->settled) {
        for (uint32_t gid = 0; gid < w->n_subtasks; gid++)
            w->subtasks[gid].marked = MODEL_NONE;
        settle(w);
        if (w->ledger.recovering)
            ledger_recovery_ends(w);
    } else if (w->ledger.recovering) {
        failover_void(w);
    }
    SIM_ASSERT(m->finished == 0);
}

static void recovery_action(struct model_world *w, const struct recoup_action *action)
{
    if (action->type == RECOUP_ACTION_INITIALIZE_STAGE) {
        initialize_stage(w, action->initialize_stage.stage, action->initialize_stage.parallelism);
    } else if (action->type == RECOUP_ACTION_MARK_FINISHED) {
        mark_finished(w, &action->mark_finished);
    } else if (action->type == RECOUP_ACTION_RESTORE_COORDINATOR) {
        settle(w);
        coordinator_restore(w, action->restore_coordinator.coordinator,
                            action->restore_coordinator.data, action->restore_coordinator.size);
    } else if (action->type == RECOUP_ACTION_ASK_WORKERS) {
        ask_workers(w, action->ask_workers.on);
    } else if (action->type == RECOUP_ACTION_RECOVERED) {
        recovered(w, action);
    } else if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
        recovery_failed(w);
    } else {
        SIM_ALWAYS(false && "an action without a handler");
    }
    SIM_ASSERT(w->master.alive);
}

void master_action(struct model_world *w, const struct recoup_action *action)
{
    SIM_ASSERT(w->master.stepping);
    if (action->type <= RECOUP_ACTION_REMOVE) {
        invariants_io(w, action, w->master.incarnation);
        storage_issue(w, action, w->master.incarnation);
    } else if (action->type == RECOUP_ACTION_TAKE_SNAPSHOT) {
        coordinator_snapshot(w, action->take_snapshot.snapshot, action->take_snapshot.coordinator);
    } else if (action->type == RECOUP_ACTION_RESET_SUBTASKS) {
        settle(w);
        failover_reset(w, action);
    } else if (action->type == RECOUP_ACTION_RELEASE) {
        release(w, action->partitions.partitions, action->partitions.n_partitions);
    } else if (action->type == RECOUP_ACTION_DURABLE) {
        invariants_durable(w, w->master.incarnation, action->durable.event);
        feed_state(w);
    } else if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
        protection_recording(w, false);
    } else if (action->type == RECOUP_ACTION_PROTECTION_RESTORED) {
        protection_recording(w, true);
    } else if (action->type == RECOUP_ACTION_STOPPED) {
        w->master.stopped = true;
    } else if (action->type == RECOUP_ACTION_ASK_ADOPTION) {
        adoption_asked(w, action);
    } else if (action->type == RECOUP_ACTION_ADOPT_SUBTASKS) {
        adoption_adopt(w, action);
    } else if (action->type != RECOUP_ACTION_TRACK && action->type != RECOUP_ACTION_THROTTLE) {
        // A modelled engine keeps no tracker of its own, and holds nothing back: a throttled
        // library says so by ending protection at its bound.
        recovery_action(w, action);
    }
}

// --- stepping -----------------------------------------------------------------------------------

static void rearm(struct model_world *w)
{
    struct model_master_state *m = &w->master;
    int64_t deadline_ns = recoup_deadline(m->job);

    if (deadline_ns == m->deadline_ns)
        return;
    sim_queue_cancel(&w->queue, m->timer);
    m->timer = SIM_NO_HANDLE;
    m->deadline_ns = deadline_ns;
    if (deadline_ns == RECOUP_NEVER)
        return;
    SIM_ASSERT(deadline_ns >= w->now_ns);
    m->timer = world_push_cancellable(w, deadline_ns, MODEL_EVENT_MASTER_TIMER, m->incarnation, 0);
}

static void follow_phase(struct model_world *w)
{
    enum recoup_phase phase = recoup_phase(w->master.job);

    SIM_ASSERT(w->outage.open);
    if (phase == RECOUP_PHASE_WAITING)
        outage_enter(w, MODEL_PHASE_WAIT_WORKERS);
    else if (phase == RECOUP_PHASE_RECONCILING)
        outage_enter(w, MODEL_PHASE_RECONCILE);
    else if (phase == RECOUP_PHASE_RUNNING)
        outage_enter(w, MODEL_PHASE_REDEPLOY);
}

// Which of the subtasks held at the death this master holds, too. Others that it holds (phantoms)
// make up for none that it forgot.
static uint64_t held_again(const struct model_world *w)
{
    uint64_t n = 0;

    for (uint32_t gid = 0; gid < w->n_subtasks; gid++)
        if (w->subtasks[gid].held_at_death && w->subtasks[gid].state == MODEL_SUBTASK_FINISHED)
            n++;
    SIM_ASSERT(n <= w->master.finished);
    return n;
}

// RECOVERED: the master schedules from here.
static void begin_running(struct model_world *w)
{
    struct model_master_state *m = &w->master;
    bool nothing = m->todo.nothing_there, possible = m->todo.initialize_possible,
         check = m->todo.check_completion;
    struct recoup_stats stats;

    m->todo.recovered = false;
    recoup_stats(m->job, &stats);
    if (w->config->options.recovery_enabled)
        protection_recording(w, stats.protected_now);
    invariants_recovered(w);
    outage_recovered(w, nothing || m->failed ? MODEL_FAILOVER_RESTARTED : MODEL_FAILOVER_RECOVERED,
                     stats.events_replayed, held_again(w));
    m->running = !m->terminating;
    if (!m->running)
        return;
    schedule_recompute(w);
    if (nothing || possible)
        master_initialize_possible(w);
    if (nothing || check)
        master_check_completion(w);
    if (m->alive && m->running)
        schedule_deploy(w);
}

// What the last step asked for that needs further steps of its own.
static void follow_up(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    if (m->kill_pending) {
        m->kill_pending = m->stop_pending = m->cut_pending = false;
        master_kill(w);
        return;
    }
    if (m->cut_pending) {
        m->cut_pending = m->stop_pending = false;
        master_cut_off(w, m->unaware_ns);
        return;
    }
    if (m->stop_pending) {
        struct recoup_event event = {.type = RECOUP_EVENT_STOP};
        m->stop_pending = false;
        master_step(w, &event);
        return;
    }
    if (m->stopped) {
        m->stopped = false;
        master_stopped(w);
        return;
    }
    SIM_ASSERT(m->job != NULL);
    if (m->todo.failed) {
        m->todo.failed = false;
        failover_global(w);
    }
    if (m->todo.adopted)
        adoption_resume(w);
    if (m->todo.adoption != 0)
        adoption_answer(w);
    if (!m->alive || !m->todo.recovered || w->ended)
        return;
    if (m->failed && m->restart_delay_ns > 0) {
        // The global failover's back-off; a master that is stopped meanwhile never runs.
        m->todo.recovered = false;
        world_push(w, w->now_ns + m->restart_delay_ns, MODEL_EVENT_RESTART_DELAY, MODEL_RESETS_MAX,
                   m->incarnation);
        return;
    }
    begin_running(w);
}

void master_restart_over(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(m->failed && !m->running);
    if (m->alive && m->started && !m->terminating && !w->ended)
        begin_running(w);
}

// How much waits to be written, for whoever watches.
static void trace_buffer(struct model_world *w)
{
    struct recoup_stats stats;

    if (!sim_trace_on(w->options->trace))
        return;
    SIM_ASSERT(w->master.job != NULL);
    recoup_stats(w->master.job, &stats);
    if (stats.bytes_waiting == w->master.traced_bytes)
        return;
    w->master.traced_bytes = stats.bytes_waiting;
    SIM_ASSERT(stats.bytes_waiting <= INT64_MAX);
    sim_trace_counter(w->options->trace, MODEL_TRACK_STORE, 1, "buffer bytes", w->now_ns,
                      (int64_t)stats.bytes_waiting);
}

uint64_t master_step(struct model_world *w, const struct recoup_event *event)
{
    struct model_master_state *m = &w->master;
    struct recoup_update update;

    if (m->job == NULL)
        return 0;
    SIM_ASSERT(!m->stepping);
    int error = recoup_step(m->job, w->now_ns, event, &update);
    if (error != 0) {
        SIM_ALWAYS_AT(error == RECOUP_ENOMEM,
                      w->now_ns); // anything else is a duty of the host that was broken
        w->error = SIM_ENOMEM;
        return 0;
    }
    m->stepping = true;
    m->step_event = (uint32_t)update.event;
    invariants_update(w, &update);
    for (uint32_t i = 0; i < update.n_actions; i++)
        master_action(w, &update.actions[i]);
    uint64_t recorded = update.event;
    m->stepping = false;
    trace_buffer(w);
    rearm(w);
    if (w->outage.open)
        follow_phase(w);
    if (m->kill_pending || m->cut_pending || m->stop_pending || m->stopped || m->todo.failed ||
        m->todo.recovered || m->todo.adopted || m->todo.adoption != 0)
        follow_up(w);
    return recorded;
}

void master_timer(struct model_world *w, uint32_t incarnation)
{
    struct model_master_state *m = &w->master;
    struct recoup_event event = {.type = RECOUP_EVENT_TIMER};

    if (m->job == NULL || incarnation != m->incarnation)
        return;
    SIM_ASSERT(m->deadline_ns == w->now_ns);
    m->timer = SIM_NO_HANDLE;
    m->deadline_ns = RECOUP_NEVER;
    master_step(w, &event);
}

// --- a finish -----------------------------------------------------------------------------------

static void record_finish(struct model_world *w, uint32_t index, uint32_t stage)
{
    struct model_attempt *attempt = world_attempt(w, index);
    struct recoup_event event = {.type = RECOUP_EVENT_SUBTASK_FINISHED};
    uint64_t bytes = schedule_output_bytes(w, attempt);

    event.subtask_finished.stage = stage;
    event.subtask_finished.subtask = attempt->gid - w->stages[stage].gid_first;
    event.subtask_finished.attempt = attempt_id(attempt, index);
    event.subtask_finished.worker = attempt->worker;
    event.subtask_finished.has_partition = w->stages[stage].has_consumers;
    event.subtask_finished.bytes = w->stages[stage].has_consumers ? bytes : 0;
    w->stages[stage].output_bytes += bytes;
    uint32_t incarnation = w->master.incarnation;
    uint64_t recorded = master_step(w, &event);
    attempt->event = (uint32_t)recorded;
    attempt->dropped = recorded == 0 && w->config->options.recovery_enabled;
    SIM_ASSERT(recorded < UINT32_MAX);
    SIM_ASSERT(SIM_ERGO(w->master.alive, w->master.incarnation == incarnation));
}

void master_finish_report(struct model_world *w, uint32_t index)
{
    struct model_master_state *m = &w->master;
    struct model_attempt *attempt = world_attempt(w, index);

    if (attempt->state != MODEL_ATTEMPT_REPORTING || !m->running ||
        attempt->incarnation != m->incarnation)
        return; // cancelled, or its master is gone or stopping
    struct model_subtask *subtask = &w->subtasks[attempt->gid];
    uint32_t stage = world_stage_of(w, attempt->gid);
    if (subtask->state != MODEL_SUBTASK_ACTIVE || subtask->attempt != index)
        return; // being cancelled: the order is on its way to the worker
    SIM_ASSERT(world_attempt(w, subtask->attempt) == attempt);
    attempt->state = MODEL_ATTEMPT_FINISHED;
    subtask->state = MODEL_SUBTASK_FINISHED;
    m->finished++;
    worker_vacate(w, index);
    invariants_attempt_finished(w, index);
    record_finish(w, index, stage);
    if (!m->alive || !m->running || w->error != 0)
        return; // a fault by store operation struck within the step
    schedule_finished(w, attempt->gid);
    struct recoup_stage state;
    recoup_stage(m->job, stage, &state);
    if (state.finished == state.parallelism) {
        master_initialize_possible(w);
        master_check_completion(w);
    }
    if (!m->alive || !m->running)
        return;
    schedule_deploy(w);
    if (w->faults.progress_armed)
        faults_progress(w, stage, state.finished, state.parallelism);
}

// --- stages and the end -------------------------------------------------------------------------

uint32_t world_auto_limit(const struct model_config *config, uint32_t stage)
{
    const struct model_auto_parallelism *rule = &config->auto_parallelism;

    SIM_ASSERT(config->stages[stage].parallelism == 0);
    if (config->stages[stage].n_inputs == 0)
        return rule->default_source_parallelism != 0 ? rule->default_source_parallelism : rule->max;
    return rule->max;
}

// Flink's DefaultVertexParallelismAndInputInfosDecider: the bytes of all inputs over the volume per
// subtask, bounded.
static uint32_t decide_parallelism(const struct model_world *w, uint32_t stage)
{
    const struct model_auto_parallelism *rule = &w->config->auto_parallelism;
    const struct model_world_stage *s = &w->stages[stage];
    struct sim_wide bytes = {0, rule->bytes_per_subtask - 1}; // rounds the quotient up

    if (w->config->stages[stage].parallelism != 0)
        return w->config->stages[stage].parallelism;
    if (s->n_in_edges == 0)
        return world_auto_limit(w->config, stage);
    SIM_ASSERT(rule->bytes_per_subtask > 0 && rule->min <= rule->max);
    for (uint32_t e = 0; e < s->n_in_edges; e++)
        bytes = sim_wide_add(bytes, w->stages[w->edges[s->in_edges[e]].producer].output_bytes);
    uint64_t wanted = sim_wide_quotient(bytes, rule->bytes_per_subtask);
    if (wanted < rule->min)
        return rule->min;
    return wanted > rule->max ? rule->max : (uint32_t)wanted;
}

static bool may_initialize(const struct model_world *w, uint32_t stage)
{
    const struct model_world_stage *s = &w->stages[stage];

    if (s->parallelism != 0)
        return false;
    for (uint32_t e = 0; e < s->n_in_edges; e++) {
        struct recoup_stage producer;
        recoup_stage(w->master.job, w->edges[s->in_edges[e]].producer, &producer);
        if (!producer.initialized)
            return false;
        if (w->config->stages[stage].parallelism == 0 && producer.finished != producer.parallelism)
            return false;
    }
    SIM_ASSERT(w->master.job != NULL);
    return true;
}

void master_initialize_possible(struct model_world *w)
{
    SIM_ASSERT(w->master.job != NULL);
    for (uint32_t i = 0; i < w->config->n_stages && w->master.alive && w->master.running; i++) {
        struct recoup_event event = {.type = RECOUP_EVENT_STAGE_INITIALIZED};
        if (!may_initialize(w, i))
            continue;
        event.stage_initialized.stage = i;
        event.stage_initialized.parallelism = decide_parallelism(w, i);
        initialize_stage(w, i, event.stage_initialized.parallelism);
        master_step(w, &event);
        if (w->master.alive && w->master.running)
            schedule_stage_initialized(w, i);
    }
}

void master_check_completion(struct model_world *w)
{
    if (!w->master.alive || !w->master.running || w->ended)
        return;
    for (uint32_t i = 0; i < w->config->n_stages; i++) {
        struct recoup_stage state;
        recoup_stage(w->master.job, i, &state);
        if (!state.initialized || state.finished != state.parallelism)
            return;
    }
    SIM_ASSERT(w->master.finished == w->master.subtasks_total);
    world_end(w, MODEL_JOB_FINISHED);
}

void master_collect_stats(struct model_world *w)
{
    SIM_ASSERT(w->master.job != NULL);
    SIM_ASSERT(w->master.started);
    master_collect_job(w, w->master.job);
}

void master_collect_job(struct model_world *w, const struct recoup_job *job)
{
    struct recoup_stats stats;

    SIM_ASSERT(job != NULL);
    recoup_stats(job, &stats);
    w->io.events_accepted += stats.events_accepted;
    w->io.events_durable += stats.events_durable;
    w->io.events_dropped += stats.events_dropped;
    w->io.bytes_appended += stats.bytes_appended;
    w->io.appends += stats.appends;
    w->io.flushes += stats.flushes;
    w->io.syncs += stats.syncs;
    w->io.files += stats.files;
    w->io.snapshots += stats.snapshots;
    w->io.snapshot_bytes += stats.snapshot_bytes;
    w->io.replay_bytes += stats.replay_bytes;
    w->io.events_replayed += stats.events_replayed;
    SIM_ASSERT(w->io.events_accepted >= stats.events_accepted);
}
