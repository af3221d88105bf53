// SPDX-License-Identifier: Apache-2.0
//
// The public interface: creation, the step, the deadline, and reading the state. See recoup.h.
#include "recovery/adopt.h"

#include <string.h>

static int on_record(void *context, const struct recoup__record *record,
                     const struct recoup__position *position)
{
    struct recoup_job *job = context;
    RECOUP_ASSERT(record != NULL && position != NULL);
    RECOUP_ASSERT(job->store != NULL);
    int rc = job->has_replay ? 0 : recoup__job_begin_replay(job);
    if (rc != 0) {
        return rc;
    }
    return recoup__replay_record(&job->replay, record, position);
}

static void on_expected(void *context, uint32_t stage, uint32_t subtask)
{
    const struct recoup_job *job = context;
    RECOUP_ASSERT(job->store != NULL);
    if (job->has_replay) {
        recoup__replay_expect(&job->replay, stage, subtask);
    }
}

static void on_settled(void *context, uint32_t snapshot, uint64_t carrier)
{
    struct recoup_job *job = context;
    RECOUP_ASSERT(job->store != NULL);
    RECOUP_ASSERT(snapshot <= job->snapshots.take);
    RECOUP_ASSERT(snapshot > 0);
    if (carrier > 0) {
        recoup__releases_point(&job->releases, snapshot, carrier);
        job->recovery_point_event =
            carrier > job->recovery_point_event ? carrier : job->recovery_point_event;
    }
}

static int check_config(const struct recoup_config *config)
{
    if (config == NULL || config->graph == NULL || config->options == NULL ||
        config->allocator.allocate == NULL || config->allocator.release == NULL) {
        return RECOUP_EINVAL;
    }
    const struct recoup_options *options = config->options;
    if (options->snapshot_min_pause_ns < 0 || options->worker_recovery_timeout_ns < 0 ||
        options->worker_detection_ns < 0 || options->flush_interval_ns <= 0 ||
        options->write_buffer_bytes == 0 || config->limits.opening_ns < 0 ||
        config->limits.accept_ns < 0) {
        return RECOUP_EINVAL;
    }
    for (unsigned i = 0; i < RECOUP_POLICY_COUNT; i++) {
        const struct recoup_policy_info *info = recoup_policy_info((enum recoup_policy)i);
        int64_t value = options->policy[i];
        bool two = info->kind == RECOUP_POLICY_BOOLEAN;
        bool choice = info->kind == RECOUP_POLICY_CHOICE;
        if (value < 0 || (two && value > 1) ||
            (choice && (value > 3 || info->choices[value] == NULL))) {
            return RECOUP_EINVAL;
        }
    }
    return 0;
}

static int create_parts(struct recoup_job *job, const struct recoup_config *config)
{
    int rc = recoup__graph_init(&job->graph, &job->memory, config->graph);
    RECOUP_ASSERT(job->memory.bytes > 0);
    RECOUP_ASSERT(job->store == NULL);
    if (rc == 0) {
        rc = recoup__state_init(&job->state, &job->memory, &job->graph);
    }
    if (rc == 0) {
        rc = recoup__closure_init(&job->closure, &job->state);
    }
    if (rc == 0) {
        rc = recoup__snapshots_init(&job->snapshots, &job->memory, &job->graph);
    }
    if (rc != 0) {
        return rc;
    }
    bool enabled = job->options.recovery_enabled;
    recoup__releases_init(&job->releases, &job->state,
                          enabled && recoup__job_policy(job, RECOUP_POLICY_RELEASE_AFTER) != 0,
                          recoup__job_policy(job, RECOUP_POLICY_RELEASE_RECOVERED) != 0);
    if (!enabled) {
        return 0;
    }
    struct recoup__store_config store = {.memory = &job->memory,
                                         .options = &job->options,
                                         .storage = config->storage,
                                         .limits = config->limits};
    memcpy(store.digest, job->graph.digest, sizeof store.digest);
    store.callbacks.context = job;
    store.callbacks.on_record = on_record;
    store.callbacks.on_checkpoint = recoup__job_checkpoint;
    store.callbacks.on_settled = on_settled;
    store.callbacks.on_expected = on_expected;
    return recoup__store_create(&store, &job->store);
}

int recoup_create(const struct recoup_config *config, struct recoup_job **job)
{
    if (job == NULL) {
        return RECOUP_EINVAL;
    }
    *job = NULL;
    int rc = check_config(config);
    if (rc != 0) {
        return rc;
    }
    struct recoup__memory memory;
    recoup__memory_init(&memory, &config->allocator);
    struct recoup_job *made = recoup__allocate_zeroed(&memory, 1, sizeof *made);
    if (made == NULL) {
        return RECOUP_ENOMEM;
    }
    made->memory = memory;
    made->options = *config->options;
    made->accept_ns =
        config->limits.accept_ns > 0 ? config->limits.accept_ns : RECOUP_ACCEPT_NS_DEFAULT;
    made->now_ns = INT64_MIN;
    recoup__actions_init(&made->actions, &made->memory);
    rc = create_parts(made, config);
    if (rc != 0) {
        recoup_destroy(made);
        return rc;
    }
    RECOUP_ASSERT(made->phase == RECOUP_PHASE_CREATED);
    *job = made;
    return 0;
}

void recoup_destroy(struct recoup_job *job)
{
    if (job == NULL) {
        return;
    }
    recoup__store_destroy(job->store);
    recoup__job_forget_recovery(job);
    recoup__job_forget_resets(job);
    recoup__releases_release(&job->releases);
    recoup__snapshots_release(&job->snapshots);
    recoup__closure_release(&job->closure);
    recoup__state_release(&job->state);
    recoup__graph_release(&job->graph, &job->memory);
    recoup__actions_release(&job->actions);
    struct recoup__memory memory = job->memory;
    RECOUP_ASSERT(memory.bytes == sizeof *job);
    recoup__release(&memory, job, sizeof *job);
}

static int step_start(struct recoup_job *job, const struct recoup_event *event)
{
    RECOUP_ASSERT(event->type == RECOUP_EVENT_START);
    RECOUP_ASSERT(job->state.subtasks == 0);
    if (job->phase != RECOUP_PHASE_CREATED) {
        return RECOUP_EMISUSE;
    }
    if (job->store != NULL) {
        int rc = recoup__store_open(job->store, &job->actions, job->now_ns, event->start.epoch,
                                    event->start.first);
        if (rc != 0) {
            return rc;
        }
    }
    job->epoch = event->start.epoch;
    job->start_ns = job->now_ns;
    if (job->store != NULL) {
        recoup__job_move(job, RECOUP_PHASE_OPENING);
        return 0;
    }
    struct recoup_action *action = recoup__actions_push(&job->actions, RECOUP_ACTION_RECOVERED);
    action->recovered.kind = RECOUP_RECOVERED_NOTHING;
    action->recovered.initialize_possible = true;
    action->recovered.check_completion = true;
    recoup__job_move(job, RECOUP_PHASE_RUNNING);
    return 0;
}

static int step_timer(struct recoup_job *job)
{
    int rc = 0;
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_CREATED);
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_STOPPED);
    if (job->store != NULL && job->now_ns >= recoup__store_deadline(job->store)) {
        rc = recoup__store_timer(job->store, &job->actions, job->now_ns);
    }
    if (job->phase == RECOUP_PHASE_WAITING && job->now_ns >= recoup__job_wait_deadline(job)) {
        job->timed_out = true;
    }
    return rc;
}

static int step_stop(struct recoup_job *job, bool clear)
{
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_STOPPING);
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_STOPPED);
    if (job->phase == RECOUP_PHASE_CREATED || job->store == NULL) {
        recoup__job_forget_recovery(job);
        recoup__job_move(job, RECOUP_PHASE_STOPPED);
        recoup__actions_push(&job->actions, RECOUP_ACTION_STOPPED);
        return 0;
    }
    enum recoup__store_state state = recoup__store_state(job->store);
    if (state != RECOUP__STORE_LOST) {
        int rc = recoup__store_stop(job->store, &job->actions, job->now_ns, clear);
        if (rc != 0) {
            return rc;
        }
    }
    recoup__job_forget_recovery(job);
    recoup__job_move(job, RECOUP_PHASE_STOPPING);
    if (state == RECOUP__STORE_LOST) {
        recoup__job_move(job, RECOUP_PHASE_STOPPED);
        recoup__actions_push(&job->actions, RECOUP_ACTION_STOPPED)->stopped.error =
            clear ? job->store_error : 0;
    }
    return 0;
}

static int step_leadership_lost(struct recoup_job *job)
{
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_STOPPED);
    if (job->store != NULL) {
        recoup__store_leadership_lost(job->store);
    }
    recoup__job_forget_recovery(job);
    recoup__job_move(job, RECOUP_PHASE_STOPPED);
    return 0;
}

// An error is one of this library's codes, not the system's; names are there.
static bool answer_ok(const struct recoup_event *event)
{
    bool ok = event->io.error <= 0 && event->io.error >= RECOUP_EINTERNAL;
    RECOUP_ASSERT(event->type == RECOUP_EVENT_IO);
    ok = ok && (event->io.n_names == 0 || event->io.names != NULL);
    for (uint32_t i = 0; ok && i < event->io.n_names; i++) {
        ok = event->io.names[i] != NULL;
    }
    return ok;
}

static int step_io(struct recoup_job *job, const struct recoup_event *event)
{
    RECOUP_ASSERT(event->type == RECOUP_EVENT_IO);
    if (job->store == NULL || !recoup__store_expects(job->store, event->io.operation)) {
        return RECOUP_EMISUSE;
    }
    if (!answer_ok(event)) {
        return RECOUP_EINVAL;
    }
    return recoup__store_io(job->store, &job->actions, job->now_ns, event);
}

// True if recovery still reads, waits or makes its resets durable.
static bool recovering(const struct recoup_job *job)
{
    RECOUP_ASSERT(job != NULL);
    return job->phase == RECOUP_PHASE_OPENING || job->phase == RECOUP_PHASE_REPLAYING ||
           job->phase == RECOUP_PHASE_WAITING || job->phase == RECOUP_PHASE_RECONCILING;
}

static int step_loss(struct recoup_job *job, const struct recoup_event *event, uint64_t *sequence)
{
    bool worker = event->type == RECOUP_EVENT_WORKER_LOST;
    RECOUP_ASSERT(event->type == RECOUP_EVENT_WORKER_LOST ||
                  event->type == RECOUP_EVENT_PARTITION_LOST);
    if (!recovering(job)) {
        return worker ? recoup__job_worker_lost(job, event->worker_lost.worker, sequence)
                      : recoup__job_partition_lost(job, &event->partition_lost, sequence);
    }
    if (worker) {
        recoup__job_forget_worker(job, event->worker_lost.worker);
    } else {
        recoup__job_forget_partition(job, &event->partition_lost);
    }
    return 0;
}

// Whether the host may step an event of this type in this phase.
static bool allowed(const struct recoup_job *job, enum recoup_event_type type)
{
    bool running = job->phase == RECOUP_PHASE_RUNNING;
    bool started = running || recovering(job);
    RECOUP_ASSERT(job != NULL);
    switch (type) {
    case RECOUP_EVENT_START:
        return job->phase == RECOUP_PHASE_CREATED;
    case RECOUP_EVENT_TIMER:
    case RECOUP_EVENT_IO:
        return started || job->phase == RECOUP_PHASE_STOPPING;
    case RECOUP_EVENT_WORKER_REPORT:
    case RECOUP_EVENT_WORKER_LOST:
    case RECOUP_EVENT_PARTITION_LOST:
        return started;
    case RECOUP_EVENT_STAGE_INITIALIZED:
    case RECOUP_EVENT_SUBTASK_FINISHED:
    case RECOUP_EVENT_SUBTASKS_FAILED:
    case RECOUP_EVENT_RESETS_DONE:
    case RECOUP_EVENT_SNAPSHOT:
    case RECOUP_EVENT_GLOBAL_FAILURE:
    case RECOUP_EVENT_ADOPTION:
        return running;
    case RECOUP_EVENT_LEADERSHIP_LOST:
        return job->phase != RECOUP_PHASE_STOPPED;
    case RECOUP_EVENT_STOP:
        return job->phase != RECOUP_PHASE_STOPPED && job->phase != RECOUP_PHASE_STOPPING;
    default:
        return false;
    }
}

static int dispatch(struct recoup_job *job, const struct recoup_event *event, uint64_t *sequence)
{
    RECOUP_ASSERT(allowed(job, event->type));
    RECOUP_ASSERT(*sequence == 0);
    switch (event->type) {
    case RECOUP_EVENT_START:
        return step_start(job, event);
    case RECOUP_EVENT_TIMER:
        return step_timer(job);
    case RECOUP_EVENT_IO:
        return step_io(job, event);
    case RECOUP_EVENT_STAGE_INITIALIZED:
        return recoup__job_stage_initialized(job, event, sequence);
    case RECOUP_EVENT_SUBTASK_FINISHED:
        return recoup__job_subtask_finished(job, event, sequence);
    case RECOUP_EVENT_SUBTASKS_FAILED:
        return recoup__job_subtasks_failed(job, event, sequence);
    case RECOUP_EVENT_RESETS_DONE:
        return recoup__job_resets_done(job, event->resets_done.reset, sequence);
    case RECOUP_EVENT_SNAPSHOT:
        return recoup__job_snapshot(job, event);
    case RECOUP_EVENT_WORKER_REPORT:
        return recoup__job_report(job, event->worker_report.worker, event->worker_report.partitions,
                                  event->worker_report.n_partitions);
    case RECOUP_EVENT_WORKER_LOST:
    case RECOUP_EVENT_PARTITION_LOST:
        return step_loss(job, event, sequence);
    case RECOUP_EVENT_GLOBAL_FAILURE:
        return recoup__job_global_failure(job, sequence);
    case RECOUP_EVENT_LEADERSHIP_LOST:
        return step_leadership_lost(job);
    case RECOUP_EVENT_STOP:
        return step_stop(job, event->stop.clear);
    case RECOUP_EVENT_ADOPTION:
        return recoup__job_adoption(job, event, sequence);
    default:
        return RECOUP_EINVAL;
    }
}

// What follows from any event: recovery goes on, partitions become releasable, a stop is complete.
// Without memory it is left for a later step; the deadline then asks for one.
static int follow_up(struct recoup_job *job)
{
    int rc = 0;
    RECOUP_ASSERT(RECOUP_ERGO(job->store == NULL, job->work == RECOUP__WORK_NONE));
    if (job->store == NULL) {
        return recoup__releases_drain(&job->releases, &job->actions);
    }
    if (recovering(job)) {
        recoup__job_opened(job);
    }
    if (job->work != RECOUP__WORK_NONE) {
        rc = recoup__job_continue(job);
    }
    if (job->releases.n_points > 0) {
        recoup__releases_durable(&job->releases, recoup__store_durable(job->store));
    }
    if (rc == 0 && job->phase == RECOUP_PHASE_RUNNING) {
        rc = recoup__actions_reserve(&job->actions, 1);
        rc = rc == 0 ? recoup__releases_drain(&job->releases, &job->actions) : rc;
    }
    if (rc == 0 && recoup__adopt_due(job)) {
        rc = recoup__adopt_ask(job);
    }
    if (job->phase == RECOUP_PHASE_STOPPING &&
        recoup__store_state(job->store) == RECOUP__STORE_STOPPED) {
        recoup__job_move(job, RECOUP_PHASE_STOPPED);
        recoup__actions_push(&job->actions, RECOUP_ACTION_STOPPED)->stopped.error =
            recoup__store_end_error(job->store);
    }
    return rc;
}

// A broken internal check ends protection, or recovery, with a code; the process lives on.
static void report_broken(struct recoup_job *job)
{
    RECOUP_ASSERT(job->memory.broken != 0);
    if (job->broken_reported) {
        return;
    }
    job->broken_reported = true;
    if (job->store != NULL) {
        recoup__store_leadership_lost(job->store);
        job->store_error = job->memory.broken;
        job->store_error_ns = job->now_ns;
    }
    if (recovering(job)) {
        recoup__job_forget_recovery(job);
        recoup__actions_push(&job->actions, RECOUP_ACTION_RECOVERY_FAILED)->recovery_failed.error =
            job->memory.broken;
        job->phase = RECOUP_PHASE_RUNNING;
    }
    if (job->phase == RECOUP_PHASE_RUNNING) {
        recoup__actions_push(&job->actions, RECOUP_ACTION_PROTECTION_LOST)->protection_lost.error =
            job->memory.broken;
    }
}

// Room for what a step may push without a reservation of its own.
#define ACTIONS_BASE (4 * RECOUP__STORE_ACTIONS)

int recoup_step(struct recoup_job *job, int64_t now_ns, const struct recoup_event *event,
                struct recoup_update *update)
{
    uint64_t sequence = 0;
    if (job == NULL || event == NULL || update == NULL) {
        return RECOUP_EINVAL;
    }
    *update = (struct recoup_update){0};
    if (now_ns < 0 || now_ns < job->now_ns || !allowed(job, event->type)) {
        return RECOUP_EMISUSE;
    }
    recoup__actions_begin(&job->actions);
    int rc = recoup__actions_reserve(&job->actions, ACTIONS_BASE);
    if (rc != 0) {
        return rc;
    }
    int64_t before_ns = job->now_ns;
    job->now_ns = now_ns;
    rc = dispatch(job, event, &sequence);
    if (rc != 0) {
        job->now_ns = before_ns;
        recoup__actions_begin(&job->actions);
        return rc;
    }
    rc = recoup__actions_reserve(&job->actions, ACTIONS_BASE);
    if (rc == 0) {
        rc = follow_up(job);
    }
    if (job->memory.broken != 0) {
        report_broken(job);
    }
    // The event itself has been accepted. Only a TIMER, which exists to go on, says that it could
    // not.
    bool idle = job->actions.n == 0 && event->type == RECOUP_EVENT_TIMER;
    update->actions = job->actions.items;
    update->n_actions = job->actions.n;
    update->event = sequence;
    return idle ? rc : 0;
}

int64_t recoup_deadline(const struct recoup_job *job)
{
    RECOUP_ASSERT(job != NULL);
    if (job->phase == RECOUP_PHASE_CREATED || job->phase == RECOUP_PHASE_STOPPED) {
        return RECOUP_NEVER;
    }
    int64_t deadline = job->store != NULL ? recoup__store_deadline(job->store) : RECOUP_NEVER;
    bool waiting = job->phase == RECOUP_PHASE_WAITING;
    if (waiting) {
        int64_t end = recoup__job_wait_deadline(job);
        deadline = end < deadline ? end : deadline;
    }
    bool blocked = job->work == RECOUP__WORK_DURABLE ||
                   (job->work == RECOUP__WORK_CONCLUDE && !recoup__job_wait_over(job));
    if (job->work == RECOUP__WORK_DURABLE && job->accept_end_ns < deadline) {
        deadline = job->accept_end_ns;
    }
    bool unfinished =
        (recovering(job) && recoup__store_state(job->store) == RECOUP__STORE_ENDED) ||
        (job->work != RECOUP__WORK_NONE && !blocked) ||
        (job->phase == RECOUP_PHASE_RUNNING && recoup__releases_ready(&job->releases)) ||
        recoup__adopt_due(job);
    if (unfinished) {
        deadline = job->now_ns;
    }
    return deadline < job->now_ns ? job->now_ns : deadline;
}

enum recoup_phase recoup_phase(const struct recoup_job *job)
{
    RECOUP_ASSERT(job != NULL);
    return job->phase;
}

void recoup_stage(const struct recoup_job *job, uint32_t stage, struct recoup_stage *out)
{
    RECOUP_ASSERT(job != NULL && out != NULL);
    *out = (struct recoup_stage){0};
    if (stage < job->graph.n_stages) {
        out->parallelism = job->state.stages[stage].parallelism;
        out->finished = job->state.stages[stage].finished;
        out->initialized = out->parallelism > 0;
    }
}

void recoup_subtask(const struct recoup_job *job, uint32_t stage, uint32_t subtask,
                    struct recoup_subtask *out)
{
    RECOUP_ASSERT(job != NULL && out != NULL);
    *out = (struct recoup_subtask){0};
    if (!recoup__state_has(&job->state, stage, subtask)) {
        return;
    }
    const struct recoup__subtask *t = recoup__state_subtask(&job->state, stage, subtask);
    out->finished = (t->flags & RECOUP__FINISHED) != 0;
    out->resetting = (t->flags & RECOUP__RESETTING) != 0;
    out->attempt = t->attempt;
    out->worker = t->worker;
    out->bytes = t->bytes;
    if (!out->finished) {
        return;
    }
    out->available = (t->flags & RECOUP__AVAILABLE) != 0;
    out->payload = recoup__payloads_get(&job->state.payloads, t->payload, &out->payload_bytes);
}

void recoup_expect_finish(const struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    RECOUP_ASSERT(job != NULL);
    if (recoup__state_has(&job->state, stage, subtask)) {
        __builtin_prefetch(recoup__state_subtask(&job->state, stage, subtask), 1);
        __builtin_prefetch(&job->state.stages[stage].takes[subtask], 1);
    }
}

void recoup_stats(const struct recoup_job *job, struct recoup_stats *out)
{
    RECOUP_ASSERT(job != NULL && out != NULL);
    *out = (struct recoup_stats){.oldest_not_durable_ns = RECOUP_NEVER};
    if (job->store != NULL) {
        recoup__store_stats(job->store, out);
    }
    if (job->store_error != 0 && job->store_error_ns <= job->now_ns) {
        out->interruptions++; // for good
        out->unprotected_ns += job->now_ns - job->store_error_ns;
    }
    out->snapshots = job->snapshots.delivered;
    out->snapshot_bytes = job->snapshots.delivered_bytes;
    out->recovery_point_event = job->recovery_point_event;
    out->finished_recovered = job->finished_recovered;
}

void recoup_state_hash(const struct recoup_job *job, uint8_t hash[16])
{
    RECOUP_ASSERT(job != NULL);
    for (unsigned i = 0; i < 8; i++) {
        hash[i] = (uint8_t)(job->state.hash[0] >> (8 * i));
        hash[8 + i] = (uint8_t)(job->state.hash[1] >> (8 * i));
    }
}
