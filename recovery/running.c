// SPDX-License-Identifier: Apache-2.0
//
// The events of normal running (specification 2.3, 2.4, 2.9, 4.10).
#include "recovery/adopt.h"

static bool enabled(const struct recoup_job *job)
{
    RECOUP_ASSERT(RECOUP_ERGO(job->options.recovery_enabled, job->store != NULL));
    return job->options.recovery_enabled;
}

int recoup__job_stage_initialized(struct recoup_job *job, const struct recoup_event *event,
                                  uint64_t *sequence)
{
    uint32_t stage = event->stage_initialized.stage;
    uint32_t parallelism = event->stage_initialized.parallelism;
    int rc = recoup__state_check_parallelism(&job->state, stage, parallelism);
    RECOUP_ASSERT(event->type == RECOUP_EVENT_STAGE_INITIALIZED);
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    if (rc != 0) {
        return rc;
    }
    if (recoup__state_initialized(&job->state, stage) ||
        !recoup__state_initializable(&job->state, stage)) {
        return RECOUP_EMISUSE;
    }
    rc = recoup__state_initialize(&job->state, stage, parallelism);
    if (rc != 0) {
        return rc;
    }
    struct recoup__record record = {.type = RECOUP__RECORD_INITIALIZED};
    record.initialized.stage = stage;
    record.initialized.parallelism = parallelism;
    rc = recoup__job_write(job, &record, RECOUP__WRITE_BOUNDARY, sequence);
    if (rc != 0) {
        recoup__state_uninitialize(&job->state, stage);
    }
    return rc;
}

static int check_finished(const struct recoup_job *job, const struct recoup_event *event)
{
    uint32_t stage = event->subtask_finished.stage;
    uint32_t subtask = event->subtask_finished.subtask;
    RECOUP_ASSERT(event->type == RECOUP_EVENT_SUBTASK_FINISHED);
    if (!recoup__state_has(&job->state, stage, subtask) ||
        event->subtask_finished.payload_bytes > RECOUP_PAYLOAD_MAX ||
        (event->subtask_finished.payload_bytes > 0 && event->subtask_finished.payload == NULL)) {
        return RECOUP_EINVAL;
    }
    uint32_t flags = recoup__state_subtask(&job->state, stage, subtask)->flags;
    return (flags & (RECOUP__FINISHED | RECOUP__RESETTING)) != 0 ? RECOUP_EMISUSE : 0;
}

// Writes the FINISHED record; with `n` > 0 it waits for the snapshots of `coordinators`.
static int write_finished(struct recoup_job *job, const struct recoup_event *event, bool stage_done,
                          const uint32_t *coordinators, uint32_t n, uint64_t *sequence)
{
    struct recoup__record record;
    RECOUP_ASSERT(RECOUP_ERGO(n > 0, coordinators != NULL));
    record.type = RECOUP__RECORD_FINISHED;
    record.finished.stage = event->subtask_finished.stage;
    record.finished.subtask = event->subtask_finished.subtask;
    record.finished.attempt = event->subtask_finished.attempt;
    record.finished.worker = event->subtask_finished.worker;
    record.finished.has_partition = event->subtask_finished.has_partition;
    record.finished.bytes = event->subtask_finished.bytes;
    record.finished.payload = event->subtask_finished.payload;
    record.finished.payload_bytes = event->subtask_finished.payload_bytes;
    record.finished.n_snapshots = 0;
    record.finished.snapshots = NULL;
    unsigned flags = stage_done ? RECOUP__WRITE_CUT : 0u;
    if (n == 0 || !recoup__job_records(job)) {
        return recoup__job_write(job, &record, flags, sequence);
    }
    RECOUP_ASSERT(coordinators[n - 1] == RECOUP_SHUFFLE);
    return recoup__store_write_waiting(job->store, &job->actions, job->now_ns, &record, flags,
                                       job->snapshots.take, coordinators, n, sequence);
}

static void push_snapshots(struct recoup_job *job, const uint32_t *coordinators, uint32_t n)
{
    uint32_t take = recoup__snapshots_taken(&job->snapshots, job->now_ns);
    RECOUP_ASSERT(RECOUP_ERGO(n > 0, coordinators[n - 1] == RECOUP_SHUFFLE));
    RECOUP_ASSERT(n > 0);
    for (uint32_t i = 0; i < n; i++) {
        struct recoup_action *action =
            recoup__actions_push(&job->actions, RECOUP_ACTION_TAKE_SNAPSHOT);
        action->take_snapshot.snapshot = take;
        action->take_snapshot.coordinator = coordinators[i];
    }
}

// A withdrawn subtask is finished by a new attempt: the output of the old one may go.
static void made_anew(struct recoup_job *job, const struct recoup__subtask *before)
{
    RECOUP_ASSERT((before->flags & RECOUP__WITHDRAWN) != 0);
    RECOUP_ASSERT(job->n_withdrawn > 0);
    recoup__payloads_remove(&job->state.payloads, before->payload);
    job->n_withdrawn--;
    if ((before->flags & RECOUP__RETURNED) != 0) {
        struct recoup_action *action = recoup__actions_push(&job->actions, RECOUP_ACTION_RELEASE);
        action->partitions.partitions = &job->replaced;
        action->partitions.n_partitions = 1;
    }
}

int recoup__job_subtask_finished(struct recoup_job *job, const struct recoup_event *event,
                                 uint64_t *sequence)
{
    uint32_t stage = event->subtask_finished.stage;
    uint32_t subtask = event->subtask_finished.subtask;
    int rc = check_finished(job, event);
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    RECOUP_ASSERT(*sequence == 0);
    if (rc != 0) {
        return rc;
    }
    const uint32_t *coordinators = NULL;
    uint32_t n = 0;
    bool done = job->state.stages[stage].finished + 1 == job->state.stages[stage].parallelism;
    if (enabled(job) && recoup__snapshots_due(&job->snapshots, job->now_ns,
                                              job->options.snapshot_min_pause_ns, done)) {
        if (job->store != NULL && recoup__store_holds_points(job->store)) {
            job->snapshots.taken = false; // the first finish after that takes them
        } else {
            n = recoup__snapshots_list(&job->snapshots, stage, &coordinators);
        }
    }
    struct recoup__finish finish = {.attempt = event->subtask_finished.attempt,
                                    .bytes = event->subtask_finished.bytes,
                                    .worker = event->subtask_finished.worker,
                                    .take = job->snapshots.take,
                                    .has_partition = event->subtask_finished.has_partition,
                                    .available = event->subtask_finished.has_partition};
    if (recoup__releases_reserve(&job->releases, stage) != 0 ||
        recoup__actions_reserve(&job->actions, RECOUP__STORE_ACTIONS + 1 + n) != 0 ||
        recoup__payloads_add(&job->state.payloads, event->subtask_finished.payload,
                             event->subtask_finished.payload_bytes, &finish.payload) != 0) {
        return RECOUP_ENOMEM;
    }
    struct recoup__subtask before = *recoup__state_subtask(&job->state, stage, subtask);
    if ((before.flags & RECOUP__WITHDRAWN) != 0) {
        job->replaced = recoup__adopt_partition(job, stage, subtask);
    }
    // The state changes first, since the store may ask for a checkpoint from within the write.
    recoup__state_finish(&job->state, stage, subtask, &finish);
    if (recoup__job_behind_boundary(job)) {
        // Its own record says all; the checkpoint must not move it before later recovery points.
        recoup__state_subtask(&job->state, stage, subtask)->flags |= RECOUP__WRITTEN;
    }
    rc = write_finished(job, event, done, coordinators, n, sequence);
    if (rc != 0) {
        recoup__state_unfinish(&job->state, stage, subtask);
        *recoup__state_subtask(&job->state, stage, subtask) = before;
        return rc;
    }
    if ((before.flags & RECOUP__WITHDRAWN) != 0) {
        made_anew(job, &before);
    }
    if (enabled(job)) {
        recoup__snapshots_finished(&job->snapshots, stage);
    }
    if (n > 0) {
        push_snapshots(job, coordinators, n);
    }
    recoup__releases_finished(&job->releases, stage, subtask, finish.take);
    return 0;
}

int recoup__job_subtasks_failed(struct recoup_job *job, const struct recoup_event *event,
                                uint64_t *sequence)
{
    uint32_t n = event->subtasks_failed.n_ranges;
    const struct recoup_range *ranges = event->subtasks_failed.ranges;
    RECOUP_ASSERT(event->type == RECOUP_EVENT_SUBTASKS_FAILED);
    if (n == 0 || ranges == NULL) {
        return RECOUP_EINVAL;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (ranges[i].count == 0 || ranges[i].stage >= job->graph.n_stages ||
            ranges[i].first >= job->state.stages[ranges[i].stage].parallelism ||
            ranges[i].count > job->state.stages[ranges[i].stage].parallelism - ranges[i].first) {
            return RECOUP_EINVAL;
        }
    }
    bool fixpoint = recoup__job_policy(job, RECOUP_POLICY_CLOSURE) != 0;
    recoup__closure_begin(&job->closure,
                          RECOUP__CLOSURE_UPSTREAM | (fixpoint ? RECOUP__CLOSURE_FIXPOINT : 0u));
    for (uint32_t i = 0; i < n; i++) {
        RECOUP_ASSERT(recoup__state_initialized(&job->state, ranges[i].stage));
        recoup__closure_add(&job->closure, ranges[i].stage, ranges[i].first, ranges[i].count,
                            RECOUP_RESET_FAILED);
    }
    recoup__closure_expand(&job->closure);
    return recoup__job_reset(job, true, sequence);
}

int recoup__job_snapshot(struct recoup_job *job, const struct recoup_event *event)
{
    uint32_t take = event->snapshot.snapshot;
    uint32_t coordinator = event->snapshot.coordinator;
    const void *data = event->snapshot.data;
    size_t size = event->snapshot.size;
    RECOUP_ASSERT(event->type == RECOUP_EVENT_SNAPSHOT);
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    if (!recoup__snapshots_known(&job->snapshots, take, coordinator) ||
        (!event->snapshot.failed && size > 0 && data == NULL)) {
        return RECOUP_EINVAL;
    }
    bool failed = event->snapshot.failed || size > RECOUP_EVENT_SIZE_MAX;
    int rc = failed ? 0 : recoup__snapshots_reserve(&job->snapshots, coordinator, size);
    if (rc == 0) {
        rc = recoup__actions_reserve(&job->actions, RECOUP__STORE_ACTIONS);
    }
    if (rc == 0 && recoup__job_records(job)) {
        rc = recoup__store_snapshot(job->store, &job->actions, job->now_ns, take, coordinator,
                                    failed, failed ? NULL : data, failed ? 0 : size);
    }
    if (rc != 0) {
        return rc;
    }
    if (!failed) {
        recoup__snapshots_keep(&job->snapshots, coordinator, take, data, size);
    } else if (recoup__job_policy(job, RECOUP_POLICY_SNAPSHOT_FAILURE) != 0) {
        recoup__snapshots_failed(&job->snapshots, coordinator);
    }
    return 0;
}

int recoup__job_reset_missing(struct recoup_job *job, uint64_t *sequence)
{
    bool fixpoint = recoup__job_policy(job, RECOUP_POLICY_CLOSURE) != 0;
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    recoup__closure_begin(&job->closure,
                          RECOUP__CLOSURE_UPSTREAM | (fixpoint ? RECOUP__CLOSURE_FIXPOINT : 0u));
    recoup__closure_add_missing(&job->closure);
    recoup__closure_expand(&job->closure);
    return recoup__job_reset(job, true, sequence);
}

// Takes AVAILABLE from what `worker` holds and notes it by a flag, or gives it back (`undo`), or
// forgets the flags. Returns how many partitions are concerned.
static uint64_t lose_partitions(struct recoup_job *job, uint32_t worker, bool lose, bool undo)
{
    uint64_t n = 0;
    RECOUP_ASSERT(!(lose && undo));
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        struct recoup__stage *stage = &job->state.stages[s];
        RECOUP_ASSERT(stage->finished <= stage->parallelism);
        for (uint32_t i = 0; i < stage->parallelism; i++) {
            struct recoup__subtask *subtask = &stage->subtasks[i];
            if (lose && subtask->worker == worker && (subtask->flags & RECOUP__AVAILABLE) != 0) {
                subtask->flags |= RECOUP__REPORTED;
                recoup__state_set_available(&job->state, s, i, false);
                n++;
            } else if (!lose && (subtask->flags & RECOUP__REPORTED) != 0) {
                subtask->flags &= ~(uint32_t)RECOUP__REPORTED;
                if (undo) {
                    recoup__state_set_available(&job->state, s, i, true);
                }
                n++;
            }
        }
    }
    return n;
}

int recoup__job_worker_lost(struct recoup_job *job, uint32_t worker, uint64_t *sequence)
{
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    recoup__adopt_worker_lost(job, worker);
    if (lose_partitions(job, worker, true, false) == 0) {
        return 0;
    }
    int rc = recoup__job_reset_missing(job, sequence);
    lose_partitions(job, worker, false, rc != 0);
    return rc;
}

int recoup__job_partition_lost(struct recoup_job *job, const struct recoup_partition *partition,
                               uint64_t *sequence)
{
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    if (!recoup__state_has(&job->state, partition->stage, partition->subtask)) {
        return RECOUP_EINVAL;
    }
    recoup__adopt_partition_lost(job, partition);
    const struct recoup__subtask *subtask =
        recoup__state_subtask(&job->state, partition->stage, partition->subtask);
    uint32_t wanted = RECOUP__FINISHED | RECOUP__HAS_PARTITION;
    if ((subtask->flags & wanted) != wanted || subtask->attempt != partition->attempt) {
        return 0; // of an attempt that does not count any more
    }
    bool available = (subtask->flags & RECOUP__AVAILABLE) != 0;
    recoup__state_set_available(&job->state, partition->stage, partition->subtask, false);
    if (!recoup__state_needed(&job->state, partition->stage, partition->subtask)) {
        return 0;
    }
    bool fixpoint = recoup__job_policy(job, RECOUP_POLICY_CLOSURE) != 0;
    recoup__closure_begin(&job->closure,
                          RECOUP__CLOSURE_UPSTREAM | (fixpoint ? RECOUP__CLOSURE_FIXPOINT : 0u));
    recoup__closure_add(&job->closure, partition->stage, partition->subtask, 1,
                        RECOUP_RESET_PARTITION_MISSING);
    recoup__closure_expand(&job->closure);
    int rc = recoup__job_reset(job, true, sequence);
    if (rc != 0 && available) {
        RECOUP_ASSERT(recoup__state_is_finished(&job->state, partition->stage, partition->subtask));
        recoup__state_set_available(&job->state, partition->stage, partition->subtask, true);
    }
    return rc;
}
