// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/master.h"

#include <string.h>

#include "models/world.h"

#include "sim/banned.h"

// --- creation and death of an incarnation --------------------------------------------------------

static void fill_graph(struct model_world *w, struct recoup_stage_spec *stages,
                       struct recoup_coordinator_spec *coordinators)
{
    for (uint32_t i = 0; i < w->config->n_stages; i++) {
        SIM_ASSERT(w->stages[i].capacity > 0);
        stages[i].parallelism = w->config->stages[i].parallelism;
        stages[i].parallelism_max = w->stages[i].capacity;
    }
    for (uint32_t i = 0; i < w->coordinators.count; i++) {
        const struct model_stage *spec = &w->config->stages[w->coordinators.list[i].stage];
        coordinators[i].stage = w->coordinators.list[i].stage;
        coordinators[i].batch_snapshot = spec->coordinator.batch_snapshot;
    }
}

static struct recoup_storage capabilities(const struct model_storage *storage)
{
    bool object_store = storage->kind == MODEL_STORAGE_S3 || storage->kind == MODEL_STORAGE_GCS;

    SIM_ASSERT(storage->kind < MODEL_STORAGE_KINDS);
    return (struct recoup_storage){.durable_at = storage->durable_at,
                                   .can_sync = !object_store,
                                   .create_exclusive = true,
                                   .list_consistent = true};
}

// Creates the library's job of the present incarnation. False when out of memory.
static bool create_job(struct model_world *w)
{
    struct model_master_state *m = &w->master;
    struct recoup_graph graph = {.n_stages = w->config->n_stages,
                                 .n_edges = w->n_edges,
                                 .edges = w->edges,
                                 .n_coordinators = w->coordinators.count,
                                 .stages = m->stage_specs,
                                 .coordinators = m->coordinator_specs};
    struct recoup_config config = {.graph = &graph,
                                   .options = &w->config->options,
                                   .storage = capabilities(&w->config->storage),
                                   .allocator = memory_allocator(&m->memory),
                                   .limits = {.accept_ns = w->config->accept_ns}};

    SIM_ASSERT(m->job == NULL);
    memcpy(graph.digest, "recoup-simulated", sizeof(graph.digest));
    int error = recoup_create(&config, &m->job);
    if (error == 0)
        return true;
    w->error = error == RECOUP_ENOMEM ? SIM_ENOMEM : SIM_EINVAL;
    m->job = NULL;
    return false;
}

static void start(struct model_world *w)
{
    struct model_master_state *m = &w->master;
    struct recoup_event event = {.type = RECOUP_EVENT_START};

    SIM_ASSERT(m->alive && !m->started);
    if (!create_job(w))
        return;
    m->started = true;
    event.start.epoch = m->incarnation;
    event.start.first = m->incarnation == 1;
    master_step(w, &event);
}

int master_init(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    memory_init(&m->memory, w->arena);
    restart_init(w);
    m->stage_specs = world_alloc(w, w->config->n_stages, sizeof(*m->stage_specs));
    m->coordinator_specs = world_alloc(w, w->coordinators.count + 1, sizeof(*m->coordinator_specs));
    if (m->stage_specs == NULL || m->coordinator_specs == NULL)
        return SIM_ENOMEM;
    fill_graph(w, m->stage_specs, m->coordinator_specs);
    m->incarnation = 1;
    m->alive = true;
    m->deadline_ns = RECOUP_NEVER;
    m->settled = true;
    m->granted_ns = w->now_ns;
    w->election.incarnation = 1;
    w->election.leading = true;
    protection_leader_started(w);
    for (uint32_t i = 0; i < w->config->cluster.workers; i++)
        schedule_worker_usable(w, i);
    faults_master_alive(w);
    start(w);
    SIM_ASSERT(SIM_ERGO(w->error == 0, m->started));
    return w->error;
}

static void stop_attempt_of_dead_master(struct model_world *w, uint32_t index)
{
    struct model_attempt *attempt = world_attempt(w, index);
    enum model_attempt_state state = (enum model_attempt_state)attempt->state;

    SIM_ASSERT(state != MODEL_ATTEMPT_ORPHANED);
    if (state == MODEL_ATTEMPT_RUNNING) {
        attempt->state = MODEL_ATTEMPT_ORPHANED;
        ledger_stopped(w, index);
        ledger_lose_unfinished(w, index, MODEL_CAUSE_RUNNING_AT_CRASH);
    } else if (state == MODEL_ATTEMPT_DEPLOYING) {
        attempt->state = MODEL_ATTEMPT_ENDED; // the order to deploy dies with its master
        worker_vacate(w, index);
    } else if (state == MODEL_ATTEMPT_REPORTING) {
        attempt->state = MODEL_ATTEMPT_ENDED;
        ledger_lose_unfinished(w, index, attempt->worker_died ? MODEL_CAUSE_WORKER_FAILURE
                                                              : MODEL_CAUSE_RUNNING_AT_CRASH);
        worker_vacate(w, index);
    }
}

// What the dead master was running is lost; what it held as finished is decided by its successor.
static void abandon_subtasks(struct model_world *w)
{
    for (uint32_t gid = 0; gid < w->n_subtasks; gid++) {
        struct model_subtask *subtask = &w->subtasks[gid];
        subtask->marked = MODEL_NONE; // by a recovery that was never concluded
        if (subtask->state == MODEL_SUBTASK_FINISHED)
            continue;
        bool active =
            subtask->state == MODEL_SUBTASK_ACTIVE || subtask->state == MODEL_SUBTASK_CANCELING;
        if (active && subtask->attempt != MODEL_NONE)
            stop_attempt_of_dead_master(w, subtask->attempt);
        subtask->state = MODEL_SUBTASK_WAITING;
        subtask->attempt = MODEL_NONE;
    }
    schedule_clear(w);
    SIM_ASSERT(w->schedule.ready.count == 0);
}

// Forgets what belongs to a job that is gone.
static void forget_job(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(m->job == NULL);
    SIM_ASSERT(!m->stepping);
    sim_queue_cancel(&w->queue, m->timer);
    m->timer = SIM_NO_HANDLE;
    m->deadline_ns = RECOUP_NEVER;
    memset(m->resets, 0, sizeof(m->resets));
}

// The library's memory is gone with its process.
static void drop_job(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    if (m->job == NULL)
        return;
    SIM_ASSERT(!m->stepping);
    master_collect_stats(w);
    coordinators_master_gone(w);
    recoup_destroy(m->job);
    m->job = NULL;
    SIM_ASSERT(m->memory.live_bytes == 0 || w->zombies.alive > 0);
    forget_job(w);
}

// Remembers which subtasks count as held at this death. A master that dies before it has said what
// it recovered leaves those of the one before it.
static void note_held(struct model_world *w)
{
    SIM_ASSERT(!w->master.alive);
    if (w->outage.open && !w->outage.settled)
        return;
    for (uint32_t gid = 0; gid < w->n_subtasks; gid++)
        w->subtasks[gid].held_at_death = w->subtasks[gid].state == MODEL_SUBTASK_FINISHED;
    SIM_ASSERT(w->master.finished <= w->n_subtasks);
}

enum death { DEATH_KILLED, DEATH_IN_ORDER, DEATH_CUT_OFF };

static void die(struct model_world *w, enum death how)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(m->alive);
    sim_trace_span(w->options->trace, MODEL_TRACK_MASTER, m->incarnation, "master", m->granted_ns,
                   w->now_ns);
    if (m->started) {
        uint8_t hash[16];
        recoup_state_hash(m->job, hash);
        sim_fingerprint_bytes(&w->fingerprint, SIM_LAYER_STATE, hash, sizeof(hash));
    }
    m->alive = false;
    // A master that had not yet told what it recovered leaves the count of the one before it.
    uint64_t held = m->finished;
    invariants_master_died(w, m->incarnation);
    ledger_recovery_ends(w);
    // First the file system: half of an append under way may be kept, and its bytes are the job's.
    if (how == DEATH_CUT_OFF) {
        zombie_begin(w, m->unaware_ns);
        if (w->error != 0)
            return;
        forget_job(w);
    } else {
        storage_client_died(w, m->incarnation);
        drop_job(w);
    }
    abandon_subtasks(w);
    note_held(w);
    if (m->started)
        protection_leader_ended(w);
    m->started = m->running = m->terminating = m->asking = m->failed = false;
    m->todo.adopted = false;
    m->todo.adoption = 0;
    outage_begin(w, held);
    faults_master_dead(w);
    if (how == DEATH_IN_ORDER)
        workers_master_disconnects(w);
    else
        workers_master_killed(w);
    election_leader_gone(w, how == DEATH_IN_ORDER);
}

void master_kill(struct model_world *w)
{
    if (!w->master.alive || w->ended)
        return;
    SIM_ASSERT(SIM_ERGO(w->master.started, w->master.job != NULL));
    if (w->master.stepping)
        w->master.kill_pending = true; // it dies when its step's effects have been issued
    else
        die(w, DEATH_KILLED);
}

void master_cut_off(struct model_world *w, int64_t unaware_ns)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(unaware_ns >= 0);
    if (!m->alive || w->ended)
        return;
    m->unaware_ns = unaware_ns;
    if (m->stepping)
        m->cut_pending = true;
    else if (m->job != NULL && !m->terminating)
        die(w, DEATH_CUT_OFF);
    else
        die(w, DEATH_KILLED);
    SIM_ASSERT(SIM_ERGO(m->alive, m->cut_pending || w->error != 0));
}

void master_terminate(struct model_world *w, int64_t grace_ns)
{
    struct model_master_state *m = &w->master;
    struct recoup_event event = {.type = RECOUP_EVENT_STOP};

    SIM_ASSERT(grace_ns >= 0);
    if (!m->alive || w->ended || m->terminating)
        return;
    if (!m->started) {
        die(w, DEATH_IN_ORDER);
        return;
    }
    m->terminating = true;
    m->running = false;
    world_push(w, w->now_ns + grace_ns, MODEL_EVENT_GRACE_END, 0, m->incarnation);
    event.stop.clear = false;
    if (m->stepping)
        m->stop_pending = true;
    else
        master_step(w, &event);
}

// A successor that is being terminated, too, has a grace of its own.
void master_grace_end(struct model_world *w, uint32_t incarnation)
{
    SIM_ASSERT(incarnation <= w->master.incarnation);
    if (incarnation != w->master.incarnation)
        return;
    if (w->master.alive && w->master.terminating)
        master_kill(w);
    SIM_ASSERT(
        SIM_ERGO(w->master.alive, !w->master.terminating || w->master.kill_pending || w->ended));
}

void master_granted(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    SIM_ASSERT(!m->alive && m->job == NULL);
    m->incarnation++;
    m->alive = true;
    m->settled = false;
    m->granted_ns = w->now_ns;
    faults_master_alive(w);
}

void master_start(struct model_world *w)
{
    struct model_master_state *m = &w->master;

    if (!m->alive || m->started || w->ended)
        return;
    SIM_ASSERT(m->incarnation == w->election.incarnation);
    outage_enter(w, MODEL_PHASE_REPLAY);
    protection_leader_started(w);
    for (uint32_t i = 0; i < w->config->n_stages; i++) {
        w->stages[i].parallelism = 0;
        w->stages[i].blocked_inputs = 0;
        w->stages[i].output_bytes = 0;
    }
    m->subtasks_total = 0;
    restart_begin(w);
    coordinators_fresh(w);
    if (w->config->options.recovery_enabled) {
        ledger_recovery_begins(w);
        w->zombies.removed = false;
        reference_read(w);
    }
    workers_leader_published(w);
    start(w);
}

void master_stopped(struct model_world *w)
{
    SIM_ASSERT(w->master.terminating);
    if (w->master.alive)
        die(w, DEATH_IN_ORDER);
    SIM_ASSERT(!w->master.alive);
}
