// SPDX-License-Identifier: Apache-2.0
//
// Reconciliation of partitions (specification 4.7). Of a finished producer's partition:
//
//   a consumer is not finished, or its stage not initialized   RESERVE: waited for, tracked
//   all consumers are finished                                 OPTIONAL: by policy adopted or
//   forgotten anything else that is reported                             RELEASE
//
// The state does not change during the wait, so the class of a partition is computed when it is
// reported.
#include "recovery/adopt.h"

#include <string.h>

static bool before_wait(const struct recoup_job *job)
{
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_CREATED);
    return job->phase == RECOUP_PHASE_OPENING || job->phase == RECOUP_PHASE_REPLAYING;
}

// The subtask whose present finish the partition is, or NULL.
static struct recoup__subtask *match(const struct recoup_job *job,
                                     const struct recoup_partition *partition)
{
    RECOUP_ASSERT(partition != NULL);
    if (!recoup__state_has(&job->state, partition->stage, partition->subtask)) {
        return NULL;
    }
    struct recoup__subtask *subtask =
        recoup__state_subtask(&job->state, partition->stage, partition->subtask);
    uint32_t wanted = RECOUP__FINISHED | RECOUP__HAS_PARTITION;
    bool same = (subtask->flags & wanted) == wanted && subtask->attempt == partition->attempt;
    return same ? subtask : NULL;
}

static bool adopts_optional(const struct recoup_job *job)
{
    RECOUP_ASSERT(job != NULL);
    return recoup__job_policy(job, RECOUP_POLICY_OPTIONAL) != 0;
}

enum verdict { VERDICT_KEEP, VERDICT_ADOPT, VERDICT_IGNORE, VERDICT_RELEASE };

// What a partition reported in time is good for.
static enum verdict judge(struct recoup_job *job, const struct recoup_partition *partition)
{
    struct recoup__subtask *subtask = match(job, partition);
    RECOUP_ASSERT(partition->stage != RECOUP_NONE);
    if (subtask == NULL) {
        return VERDICT_RELEASE;
    }
    if ((subtask->flags & RECOUP__REPORTED) != 0) {
        return subtask->worker == partition->worker ? VERDICT_KEEP : VERDICT_RELEASE;
    }
    if (recoup__state_needed(&job->state, partition->stage, partition->subtask)) {
        return VERDICT_ADOPT;
    }
    // Adopted even though nobody needs it now: a consumer that is reset at the end of the wait may.
    // What is not needed then goes by the release rule (H34).
    return adopts_optional(job) ? VERDICT_ADOPT : VERDICT_IGNORE;
}

// Takes a report in time into the state. True if the partition is to be released.
static bool take_report(struct recoup_job *job, const struct recoup_partition *partition)
{
    if (partition->stage == RECOUP_NONE) {
        return false; // "this worker holds nothing"
    }
    enum verdict verdict = judge(job, partition);
    if (verdict != VERDICT_ADOPT) {
        return verdict == VERDICT_RELEASE;
    }
    struct recoup__subtask *subtask = match(job, partition);
    RECOUP_ASSERT(subtask != NULL);
    subtask->worker = partition->worker;
    subtask->flags |= RECOUP__REPORTED;
    recoup__state_set_available(&job->state, partition->stage, partition->subtask, true);
    if (recoup__state_needed(&job->state, partition->stage, partition->subtask)) {
        RECOUP_ASSERT(RECOUP_ERGO(job->phase == RECOUP_PHASE_WAITING, job->missing > 0));
        job->missing -= job->phase == RECOUP_PHASE_WAITING ? 1 : 0;
    }
    return false;
}

static uint32_t worker_hash(uint32_t worker)
{
    return worker * 2654435761u;
}

// The slot of `worker`, or the empty slot where it belongs.
static struct recoup__worker *worker_slot(struct recoup__worker *table, uint32_t size,
                                          uint32_t worker)
{
    RECOUP_ASSERT(table != NULL);
    RECOUP_ASSERT(size > 0 && (size & (size - 1)) == 0);
    uint32_t at = worker_hash(worker) & (size - 1);
    while (table[at].used && table[at].worker != worker) {
        at = (at + 1) & (size - 1);
    }
    return &table[at];
}

static int grow_workers(struct recoup_job *job)
{
    uint32_t size = job->workers_size == 0 ? 64 : job->workers_size * 2;
    struct recoup__worker *table = recoup__allocate_zeroed(&job->memory, size, sizeof *table);
    RECOUP_ASSERT((job->workers_size & (job->workers_size - 1)) == 0);
    if (table == NULL) {
        return RECOUP_ENOMEM;
    }
    for (uint32_t i = 0; i < job->workers_size; i++) {
        if (job->workers[i].used) {
            *worker_slot(table, size, job->workers[i].worker) = job->workers[i];
        }
    }
    recoup__release(&job->memory, job->workers, job->workers_size * sizeof *job->workers);
    job->workers = table;
    job->workers_size = size;
    return 0;
}

static int add_worker(struct recoup_job *job, uint32_t worker, uint32_t *used)
{
    RECOUP_ASSERT(used != NULL);
    if (job->workers_size == 0 || *used * 2 >= job->workers_size) {
        int rc = grow_workers(job);
        if (rc != 0) {
            return rc;
        }
    }
    struct recoup__worker *slot = worker_slot(job->workers, job->workers_size, worker);
    if (!slot->used) {
        RECOUP_ASSERT(*used < job->workers_size);
        *slot = (struct recoup__worker){.worker = worker, .used = true};
        *used += 1;
    }
    return 0;
}

static bool reserved(const struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    uint32_t wanted = RECOUP__FINISHED | RECOUP__HAS_PARTITION;
    RECOUP_ASSERT(recoup__state_has(&job->state, stage, subtask));
    // Asked of every subtask, so the array is looked at here.
    return (job->state.stages[stage].subtasks[subtask].flags & wanted) == wanted &&
           recoup__state_needed(&job->state, stage, subtask);
}

// True if some output of the stage can be reserved, as far as can be told without a look at each.
static bool may_reserve(const struct recoup_job *job, uint32_t stage)
{
    const struct recoup__stage *s = &job->state.stages[stage];
    RECOUP_ASSERT(stage < job->graph.n_stages);
    return s->lost + s->available > 0 &&
           recoup__state_need(&job->state, stage) != RECOUP__NEED_NONE;
}

// recovery.wait = extend: the former workers, known from the log, that hold needed partitions.
static int collect_workers(struct recoup_job *job)
{
    uint32_t used = 0;
    RECOUP_ASSERT(job->workers == NULL);
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        bool may = may_reserve(job, s);
        for (uint32_t i = 0; may && i < job->state.stages[s].parallelism; i++) {
            if (!reserved(job, s, i)) {
                continue;
            }
            int rc = add_worker(job, recoup__state_subtask(&job->state, s, i)->worker, &used);
            if (rc != 0) {
                recoup__release(&job->memory, job->workers,
                                job->workers_size * sizeof *job->workers);
                job->workers = NULL;
                job->workers_size = 0;
                return rc;
            }
        }
    }
    RECOUP_ASSERT(used <= job->workers_size);
    job->workers_silent = used;
    return 0;
}

static void worker_heard(struct recoup_job *job, uint32_t worker)
{
    RECOUP_ASSERT(job->workers_silent <= job->workers_size);
    if (job->workers_size == 0) {
        return;
    }
    struct recoup__worker *slot = worker_slot(job->workers, job->workers_size, worker);
    if (slot->used && !slot->reported) {
        RECOUP_ASSERT(job->workers_silent > 0);
        slot->reported = true;
        job->workers_silent--;
    }
}

// Looks at a report that came during the replay; true if it is to be released.
static bool hear_report(void *context, const struct recoup_partition *partition)
{
    struct recoup_job *job = context;
    RECOUP_ASSERT(job->work == RECOUP__WORK_CLASSIFY);
    worker_heard(job, partition->worker);
    return take_report(job, partition);
}

// Needed partitions of a stage that nobody has reported yet.
static uint32_t count_missing(const struct recoup_job *job, uint32_t stage)
{
    const struct recoup__stage *s = &job->state.stages[stage];
    enum recoup__need need = recoup__state_need(&job->state, stage);
    uint32_t missing = 0;
    RECOUP_ASSERT(job->work == RECOUP__WORK_CLASSIFY);
    if (need != RECOUP__NEED_EACH || s->lost == 0) {
        return need == RECOUP__NEED_NONE ? 0 : s->lost; // what is reported is available
    }
    for (uint32_t i = 0; i < s->parallelism; i++) {
        bool reported = (s->subtasks[i].flags & RECOUP__REPORTED) != 0;
        missing += !reported && reserved(job, stage, i) ? 1 : 0;
    }
    RECOUP_ASSERT(missing <= s->lost);
    return missing;
}

int recoup__job_classify(struct recoup_job *job)
{
    bool extend = recoup__job_policy(job, RECOUP_POLICY_WAIT) != 0;
    RECOUP_ASSERT(job->work == RECOUP__WORK_CLASSIFY);
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_REPLAYING);
    if (extend) {
        int rc = collect_workers(job);
        if (rc != 0) {
            return rc;
        }
    }
    recoup__reports_filter(&job->reports, &job->memory, hear_report, job);
    job->missing = 0;
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        job->missing += count_missing(job, s);
    }
    RECOUP_ASSERT(job->missing <= job->state.finished);
    job->wait_end_ns = job->now_ns > RECOUP_NEVER - job->options.worker_recovery_timeout_ns
                           ? RECOUP_NEVER
                           : job->now_ns + job->options.worker_recovery_timeout_ns;
    job->timed_out = false;
    recoup__job_move(job, RECOUP_PHASE_WAITING);
    return 0;
}

int64_t recoup__job_wait_deadline(const struct recoup_job *job)
{
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_WAITING);
    int64_t end = job->wait_end_ns;
    if (job->workers_silent > 0 &&
        job->start_ns <= RECOUP_NEVER - job->options.worker_detection_ns) {
        int64_t detected = job->start_ns + job->options.worker_detection_ns;
        end = detected > end ? detected : end;
    }
    RECOUP_ASSERT(end >= job->wait_end_ns);
    return end;
}

bool recoup__job_wait_over(const struct recoup_job *job)
{
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_WAITING);
    return job->missing == 0 || job->timed_out;
}

// A report during the replay is kept until the state is known; "nothing" is kept as well.
static void keep_report(struct recoup_job *job, uint32_t worker,
                        const struct recoup_partition *partitions, uint32_t n)
{
    RECOUP_ASSERT(job->reports.room >= (n > 0 ? n : 1));
    if (n == 0) {
        struct recoup_partition nothing = {.stage = RECOUP_NONE, .worker = worker};
        recoup__reports_add(&job->reports, &nothing);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct recoup_partition partition = partitions[i];
        partition.worker = worker;
        recoup__reports_add(&job->reports, &partition);
    }
}

static void report_in_time(struct recoup_job *job, uint32_t worker,
                           const struct recoup_partition *partitions, uint32_t n)
{
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_WAITING);
    RECOUP_ASSERT(RECOUP_ERGO(n > 0, partitions != NULL));
    worker_heard(job, worker);
    for (uint32_t i = 0; i < n; i++) {
        struct recoup_partition partition = partitions[i];
        partition.worker = worker;
        if (take_report(job, &partition)) {
            recoup__reports_add(&job->reports, &partition);
        }
    }
}

// What becomes of a partition that is reported after the wait. Flink lets the worker drop all that
// its report lists (B23), policy `adopt` keeps what the plan still needs, and what is being made
// anew for want of it (adopt.h). Neither drops what is tracked as held by this very worker, nor
// what an attempt of this master is making, whose finish may be on its way.
static enum verdict judge_late(struct recoup_job *job, const struct recoup_partition *partition,
                               bool adopt)
{
    const struct recoup__subtask *subtask = match(job, partition);
    bool release = false;
    RECOUP_ASSERT(!before_wait(job));
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_WAITING);
    if (subtask == NULL && recoup__adopt_returned(job, partition, &release)) {
        return release ? VERDICT_RELEASE : VERDICT_KEEP;
    }
    if (subtask == NULL) {
        return partition->attempt >> 32 == job->epoch ? VERDICT_KEEP : VERDICT_RELEASE;
    }
    if ((subtask->flags & RECOUP__AVAILABLE) != 0) {
        return subtask->worker == partition->worker ? VERDICT_KEEP : VERDICT_RELEASE;
    }
    if (!adopt) {
        return VERDICT_RELEASE;
    }
    if (recoup__state_needed(&job->state, partition->stage, partition->subtask)) {
        return VERDICT_ADOPT;
    }
    release =
        !adopts_optional(job) || recoup__job_policy(job, RECOUP_POLICY_RELEASE_RECOVERED) != 0;
    return release ? VERDICT_RELEASE : VERDICT_ADOPT;
}

static void push_partitions(struct recoup_job *job, enum recoup_action_type type,
                            const struct recoup_partition *partitions, uint32_t n)
{
    RECOUP_ASSERT(type == RECOUP_ACTION_TRACK || type == RECOUP_ACTION_RELEASE);
    if (n > 0) {
        RECOUP_ASSERT(partitions != NULL);
        struct recoup_action *action = recoup__actions_push(&job->actions, type);
        action->partitions.partitions = partitions;
        action->partitions.n_partitions = n;
    }
}

static int report_late(struct recoup_job *job, uint32_t worker,
                       const struct recoup_partition *partitions, uint32_t n)
{
    bool adopt = recoup__job_policy(job, RECOUP_POLICY_LATE_REPORT) != 0;
    struct recoup_partition *track = recoup__actions_scratch(&job->actions, n * sizeof *track);
    struct recoup_partition *release = recoup__actions_scratch(&job->actions, n * sizeof *release);
    RECOUP_ASSERT(RECOUP_ERGO(n > 0, partitions != NULL));
    if (track == NULL || release == NULL || recoup__actions_reserve(&job->actions, 2) != 0) {
        return RECOUP_ENOMEM;
    }
    uint32_t n_track = 0;
    uint32_t n_release = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct recoup_partition partition = partitions[i];
        partition.worker = worker;
        enum verdict verdict = judge_late(job, &partition, adopt);
        if (verdict == VERDICT_RELEASE) {
            release[n_release++] = partition;
        } else if (verdict == VERDICT_ADOPT) {
            match(job, &partition)->worker = worker;
            recoup__state_set_available(&job->state, partition.stage, partition.subtask, true);
            track[n_track++] = partition;
        }
    }
    RECOUP_ASSERT(n_track + n_release <= n);
    push_partitions(job, RECOUP_ACTION_TRACK, track, n_track);
    push_partitions(job, RECOUP_ACTION_RELEASE, release, n_release);
    return 0;
}

int recoup__job_report(struct recoup_job *job, uint32_t worker,
                       const struct recoup_partition *partitions, uint32_t n)
{
    if (n > 0 && partitions == NULL) {
        return RECOUP_EINVAL;
    }
    if (!before_wait(job) && job->phase != RECOUP_PHASE_WAITING) {
        return report_late(job, worker, partitions, n);
    }
    int rc = recoup__reports_reserve(&job->reports, &job->memory, n > 0 ? n : 1);
    if (rc != 0) {
        return rc;
    }
    if (before_wait(job)) {
        keep_report(job, worker, partitions, n);
    } else {
        report_in_time(job, worker, partitions, n);
    }
    return 0;
}

// How many partitions were adopted.
static uint32_t count_tracked(const struct recoup_job *job)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        RECOUP_ASSERT(job->state.stages[s].available <= job->state.stages[s].finished);
        n += job->state.stages[s].available;
    }
    RECOUP_ASSERT(n <= job->state.finished);
    return n;
}

// Everything that was adopted, in order. From here on nobody asks who has reported it.
static void list_tracked(struct recoup_job *job, struct recoup_partition *partitions, uint32_t n)
{
    uint32_t at = 0;
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        const struct recoup__stage *stage = &job->state.stages[s];
        for (uint32_t i = 0; stage->available > 0 && i < stage->parallelism; i++) {
            struct recoup__subtask *subtask = &stage->subtasks[i];
            RECOUP_ASSERT(RECOUP_ERGO((subtask->flags & RECOUP__REPORTED) != 0,
                                      (subtask->flags & RECOUP__AVAILABLE) != 0));
            if ((subtask->flags & RECOUP__AVAILABLE) != 0) {
                subtask->flags &= ~(uint32_t)RECOUP__REPORTED;
                partitions[at++] = recoup__state_partition(&job->state, s, i);
            }
        }
    }
    RECOUP_ASSERT(at == n);
    (void)n;
}

int recoup__job_conclude(struct recoup_job *job)
{
    uint32_t n_track = count_tracked(job);
    uint32_t n_release = job->reports.n;
    struct recoup_partition *track =
        recoup__actions_scratch(&job->actions, n_track * sizeof *track);
    struct recoup_partition *release =
        recoup__actions_scratch(&job->actions, n_release * sizeof *release);
    RECOUP_ASSERT(recoup__job_wait_over(job));
    if (track == NULL || release == NULL || recoup__actions_reserve(&job->actions, 3) != 0) {
        return RECOUP_ENOMEM;
    }
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_WAITING);
    if (n_track > 0) {
        list_tracked(job, track, n_track);
    }
    recoup__reports_copy(&job->reports, release);
    if (job->asking && recoup__job_policy(job, RECOUP_POLICY_LATE_WORKER) == 0) {
        recoup__actions_push(&job->actions, RECOUP_ACTION_ASK_WORKERS)->ask_workers.on = false;
        job->asking = false;
    }
    push_partitions(job, RECOUP_ACTION_TRACK, track, n_track);
    push_partitions(job, RECOUP_ACTION_RELEASE, release, n_release);
    recoup__reports_clear(&job->reports, &job->memory);
    recoup__release(&job->memory, job->workers, job->workers_size * sizeof *job->workers);
    job->workers = NULL;
    job->workers_size = job->workers_silent = 0;
    recoup__job_move(job, RECOUP_PHASE_RECONCILING);
    return 0;
}

int recoup__job_missing(struct recoup_job *job)
{
    uint64_t sequence;
    RECOUP_ASSERT(job->reports.n == 0);
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RECONCILING);
    recoup__closure_begin(&job->closure, RECOUP__CLOSURE_RECOVERY | RECOUP__CLOSURE_UPSTREAM |
                                             RECOUP__CLOSURE_FIXPOINT);
    recoup__closure_add_missing(&job->closure);
    recoup__closure_expand(&job->closure);
    return recoup__job_reset(job, false, &sequence);
}

static bool forgotten(const struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    uint32_t flags = job->state.stages[stage].subtasks[subtask].flags;
    RECOUP_ASSERT(recoup__state_has(&job->state, stage, subtask));
    return (flags & (RECOUP__IN_LOG | RECOUP__FINISHED)) == RECOUP__IN_LOG;
}

// The subtasks that the log holds as finished and this master does not, as ranges.
static uint32_t list_forgotten(const struct recoup_job *job, struct recoup_range *ranges)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        bool open = false;
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            if (!forgotten(job, s, i)) {
                open = false;
                continue;
            }
            if (!open && ranges != NULL) {
                ranges[n] = (struct recoup_range){.stage = s, .first = i, .count = 0};
            }
            n += open ? 0 : 1;
            open = true;
            if (ranges != NULL) {
                ranges[n - 1].count++;
            }
        }
    }
    RECOUP_ASSERT(n <= job->state.subtasks);
    return n;
}

int recoup__job_log_resets(struct recoup_job *job)
{
    RECOUP_ASSERT(job->n_resets == 0);
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RECONCILING);
    bool log = recoup__job_policy(job, RECOUP_POLICY_LOG_RESETS) != 0;
    // Whatever is finished now was finished by the log, so that equal numbers mean that nothing of
    // it was taken back: no need to look at each.
    RECOUP_ASSERT(job->state.finished <= job->in_log);
    uint32_t n = log && job->state.finished < job->in_log ? list_forgotten(job, NULL) : 0;
    RECOUP_ASSERT(RECOUP_ERGO(log && n == 0, list_forgotten(job, NULL) == 0));
    if (n > 0) {
        struct recoup_range *ranges = recoup__actions_scratch(&job->actions, n * sizeof *ranges);
        if (ranges == NULL || recoup__job_reserve_reset(job, n) != 0) {
            return RECOUP_ENOMEM;
        }
        list_forgotten(job, ranges);
        int rc =
            recoup__job_record_reset(job, ranges, n, RECOUP__WRITE_DURABLE, &job->durable_wait);
        RECOUP_ASSERT(rc == 0);
        (void)rc;
    }
    return 0;
}

// Drops what a worker, or one partition, had been reported as.
static void forget_reported(struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    struct recoup__subtask *t = recoup__state_subtask(&job->state, stage, subtask);
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_RUNNING);
    RECOUP_ASSERT((t->flags & RECOUP__AVAILABLE) != 0);
    t->flags &= ~(uint32_t)RECOUP__REPORTED;
    recoup__state_set_available(&job->state, stage, subtask, false);
    if (job->phase == RECOUP_PHASE_WAITING) {
        job->missing += reserved(job, stage, subtask) ? 1 : 0;
    } else {
        job->losses = true;
    }
}

static bool of_another_worker(void *context, const struct recoup_partition *partition)
{
    const uint32_t *worker = context;
    RECOUP_ASSERT(worker != NULL);
    return partition->worker != *worker;
}

void recoup__job_forget_worker(struct recoup_job *job, uint32_t worker)
{
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_RUNNING);
    recoup__reports_filter(&job->reports, &job->memory, of_another_worker, &worker);
    recoup__adopt_worker_lost(job, worker);
    worker_heard(job, worker); // no use to wait for it
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            const struct recoup__subtask *t = &job->state.stages[s].subtasks[i];
            if (t->worker == worker && (t->flags & RECOUP__AVAILABLE) != 0) {
                forget_reported(job, s, i);
            }
        }
    }
    RECOUP_ASSERT(RECOUP_ERGO(job->phase == RECOUP_PHASE_WAITING,
                              job->missing <= job->state.finished));
}

static bool is_another(void *context, const struct recoup_partition *other)
{
    const struct recoup_partition *partition = context;
    RECOUP_ASSERT(partition != NULL);
    bool same = other->stage == partition->stage && other->subtask == partition->subtask &&
                other->attempt == partition->attempt && other->worker == partition->worker;
    return !same;
}

void recoup__job_forget_partition(struct recoup_job *job, const struct recoup_partition *partition)
{
    struct recoup_partition lost = *partition;
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_RUNNING);
    recoup__reports_filter(&job->reports, &job->memory, is_another, &lost);
    recoup__adopt_partition_lost(job, partition);
    const struct recoup__subtask *subtask = match(job, partition);
    if (subtask != NULL && (subtask->flags & RECOUP__AVAILABLE) != 0) {
        RECOUP_ASSERT(RECOUP_ERGO(job->phase == RECOUP_PHASE_WAITING,
                                  job->missing <= job->state.finished));
        forget_reported(job, partition->stage, partition->subtask);
    }
}
