// SPDX-License-Identifier: Apache-2.0
//
// Adoption of outputs that come back after the wait: see adopt.h for the rules.
#include "recovery/adopt.h"

#include <string.h>

static struct recoup__subtask *withdrawn(const struct recoup_job *job, uint32_t stage,
                                         uint32_t subtask)
{
    struct recoup__subtask *t = recoup__state_subtask(&job->state, stage, subtask);
    RECOUP_ASSERT(RECOUP_ERGO((t->flags & RECOUP__WITHDRAWN) != 0,
                              (t->flags & RECOUP__FINISHED) == 0 && job->n_withdrawn > 0));
    return (t->flags & RECOUP__WITHDRAWN) != 0 ? t : NULL;
}

bool recoup__adopt_possible(const struct recoup_job *job, uint32_t stage)
{
    const struct recoup__node *node = &job->graph.nodes[stage];
    RECOUP_ASSERT(stage < job->graph.n_stages);
    return job->phase == RECOUP_PHASE_RECONCILING &&
           recoup__job_policy(job, RECOUP_POLICY_LATE_REPORT) != 0 &&
           node->supporting == node->coordinator_count;
}

void recoup__adopt_withdraw(struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    struct recoup__subtask *t = recoup__state_subtask(&job->state, stage, subtask);
    uint32_t kept = t->flags & RECOUP__HAS_PARTITION;
    uint32_t payload = t->payload;
    RECOUP_ASSERT((t->flags & RECOUP__FINISHED) != 0);
    kept |= (t->flags & RECOUP__AVAILABLE) != 0 ? (uint32_t)RECOUP__RETURNED : 0u;
    t->payload = 0; // it stays alive
    recoup__state_unfinish(&job->state, stage, subtask);
    t->payload = payload;
    t->flags |= kept | RECOUP__WITHDRAWN;
    job->n_withdrawn++;
}

void recoup__adopt_forget(struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    struct recoup__subtask *t = withdrawn(job, stage, subtask);
    RECOUP_ASSERT(t != NULL);
    recoup__payloads_remove(&job->state.payloads, t->payload);
    t->payload = 0;
    t->flags &= ~(uint32_t)(RECOUP__WITHDRAWN | RECOUP__RETURNED | RECOUP__HAS_PARTITION);
    job->n_withdrawn--;
}

struct recoup_partition recoup__adopt_partition(const struct recoup_job *job, uint32_t stage,
                                                uint32_t subtask)
{
    const struct recoup__subtask *t = withdrawn(job, stage, subtask);
    RECOUP_ASSERT(t != NULL);
    return (struct recoup_partition){.stage = stage,
                                     .subtask = subtask,
                                     .attempt = t->attempt,
                                     .bytes = t->bytes,
                                     .worker = t->worker};
}

// The withdrawn subtask whose output the partition is, or NULL.
static struct recoup__subtask *match(const struct recoup_job *job,
                                     const struct recoup_partition *partition)
{
    RECOUP_ASSERT(partition != NULL);
    if (job->n_withdrawn == 0 ||
        !recoup__state_has(&job->state, partition->stage, partition->subtask)) {
        return NULL;
    }
    struct recoup__subtask *t = withdrawn(job, partition->stage, partition->subtask);
    bool same = t != NULL && t->attempt == partition->attempt &&
                (t->flags & RECOUP__HAS_PARTITION) != 0;
    return same ? t : NULL;
}

bool recoup__adopt_returned(struct recoup_job *job, const struct recoup_partition *partition,
                            bool *release)
{
    struct recoup__subtask *t = match(job, partition);
    RECOUP_ASSERT(release != NULL);
    *release = false;
    if (t == NULL) {
        return false;
    }
    if ((t->flags & RECOUP__RETURNED) != 0) {
        *release = t->worker != partition->worker;
        return true;
    }
    t->flags |= RECOUP__RETURNED;
    t->worker = partition->worker;
    job->adoption_due = true;
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_WAITING);
    return true;
}

void recoup__adopt_worker_lost(struct recoup_job *job, uint32_t worker)
{
    RECOUP_ASSERT(job->n_withdrawn <= job->state.subtasks);
    for (uint32_t s = 0; job->n_withdrawn > 0 && s < job->graph.n_stages; s++) {
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            struct recoup__subtask *t = withdrawn(job, s, i);
            if (t != NULL && t->worker == worker) {
                t->flags &= ~(uint32_t)RECOUP__RETURNED;
            }
        }
    }
}

void recoup__adopt_partition_lost(struct recoup_job *job, const struct recoup_partition *partition)
{
    struct recoup__subtask *t = match(job, partition);
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_CREATED);
    if (t != NULL && t->worker == partition->worker) {
        t->flags &= ~(uint32_t)RECOUP__RETURNED;
    }
}

// ---------------------------------------------------------------------------------------------
// The set

// How many subtasks of each stage count, while the set is computed.
struct chosen_stage {
    uint32_t held; // finished since an earlier master, or chosen
    uint32_t done; // finished, or chosen
};

static uint32_t flags_of(const struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    RECOUP_ASSERT(subtask < job->state.stages[stage].parallelism);
    return job->state.stages[stage].subtasks[subtask].flags;
}

static bool is_held(const struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    uint32_t flags = flags_of(job, stage, subtask);
    uint32_t wanted = RECOUP__FINISHED | RECOUP__RECOVERED;
    RECOUP_ASSERT((flags & (RECOUP__FINISHED | RECOUP__CHOSEN)) !=
                  (RECOUP__FINISHED | RECOUP__CHOSEN));
    return (flags & wanted) == wanted || (flags & RECOUP__CHOSEN) != 0;
}

static bool is_done(const struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    RECOUP_ASSERT(stage < job->graph.n_stages);
    return (flags_of(job, stage, subtask) & (RECOUP__FINISHED | RECOUP__CHOSEN)) != 0;
}

static void count(const struct recoup_job *job, struct chosen_stage *counts, uint32_t stage)
{
    RECOUP_ASSERT(stage < job->graph.n_stages);
    counts[stage] = (struct chosen_stage){0, 0};
    for (uint32_t i = 0; i < job->state.stages[stage].parallelism; i++) {
        counts[stage].held += is_held(job, stage, i) ? 1 : 0;
        counts[stage].done += is_done(job, stage, i) ? 1 : 0;
    }
    RECOUP_ASSERT(counts[stage].held <= counts[stage].done);
}

// Every attempt that it consumed counts.
static bool inputs_hold(const struct recoup_job *job, const struct chosen_stage *counts,
                        uint32_t stage, uint32_t subtask)
{
    for (uint32_t e = 0; e < job->graph.nodes[stage].in_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_in(&job->graph, stage, e);
        uint32_t producers = job->state.stages[edge->producer].parallelism;
        uint32_t first = 0;
        uint32_t n = 0;
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            if (counts[edge->producer].held < producers) {
                return false;
            }
            continue;
        }
        RECOUP_ASSERT(producers > 0);
        recoup_pointwise_producers(producers, job->state.stages[stage].parallelism, subtask, &first,
                                   &n);
        for (uint32_t i = first; i < first + n; i++) {
            if (!is_held(job, edge->producer, i)) {
                return false;
            }
        }
    }
    RECOUP_ASSERT(withdrawn(job, stage, subtask) != NULL);
    return true;
}

// Some consumer would still read its output.
static bool needed_then(const struct recoup_job *job, const struct chosen_stage *counts,
                        uint32_t stage, uint32_t subtask)
{
    for (uint32_t e = 0; e < job->graph.nodes[stage].out_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_out(&job->graph, stage, e);
        uint32_t consumers = job->state.stages[edge->consumer].parallelism;
        uint32_t first = 0;
        uint32_t n = 0;
        if (consumers == 0) {
            return true;
        }
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            if (counts[edge->consumer].done < consumers) {
                return true;
            }
            continue;
        }
        recoup_pointwise_consumers(job->state.stages[stage].parallelism, consumers, subtask, &first,
                                   &n);
        for (uint32_t i = first; i < first + n; i++) {
            if (!is_done(job, edge->consumer, i)) {
                return true;
            }
        }
    }
    RECOUP_ASSERT(withdrawn(job, stage, subtask) != NULL);
    return false;
}

static bool keeps(const struct recoup_job *job, const struct chosen_stage *counts, uint32_t stage,
                  uint32_t subtask, bool downwards)
{
    uint32_t flags = flags_of(job, stage, subtask);
    RECOUP_ASSERT((flags & RECOUP__CHOSEN) != 0);
    if (downwards) {
        return inputs_hold(job, counts, stage, subtask);
    }
    bool absent = (flags & (RECOUP__HAS_PARTITION | RECOUP__RETURNED)) == RECOUP__HAS_PARTITION;
    return !absent || !needed_then(job, counts, stage, subtask);
}

// Strikes out what breaks a rule, in one pass; true if there was any.
static bool strike(struct recoup_job *job, struct chosen_stage *counts, bool downwards)
{
    uint32_t n_stages = job->graph.n_stages;
    bool any = false;
    RECOUP_ASSERT(n_stages > 0);
    for (uint32_t k = 0; k < n_stages; k++) {
        uint32_t s = downwards ? k : n_stages - 1 - k;
        bool here = false;
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            struct recoup__subtask *t = recoup__state_subtask(&job->state, s, i);
            if ((t->flags & RECOUP__CHOSEN) != 0 && !keeps(job, counts, s, i, downwards)) {
                t->flags &= ~(uint32_t)RECOUP__CHOSEN;
                here = true;
            }
        }
        if (here) {
            count(job, counts, s);
            any = true;
        }
        RECOUP_ASSERT(counts[s].done <= job->state.stages[s].parallelism);
    }
    return any;
}

// Chooses the largest set; with `agreed` out of what the host agreed to. Returns its size.
static uint64_t choose(struct recoup_job *job, struct chosen_stage *counts, bool agreed)
{
    uint32_t wanted = RECOUP__WITHDRAWN | (agreed ? RECOUP__AGREED : 0u);
    uint64_t n = 0;
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            struct recoup__subtask *t = recoup__state_subtask(&job->state, s, i);
            RECOUP_ASSERT((t->flags & RECOUP__CHOSEN) == 0);
            if ((t->flags & wanted) == wanted && (t->flags & RECOUP__RESETTING) == 0) {
                t->flags |= RECOUP__CHOSEN;
            }
        }
        count(job, counts, s);
    }
    bool more = job->n_withdrawn > 0;
    while (more) { // each turn strikes out at least one
        more = strike(job, counts, true);
        more = strike(job, counts, false) || more;
    }
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            n += (flags_of(job, s, i) & RECOUP__CHOSEN) != 0 ? 1 : 0;
        }
    }
    RECOUP_ASSERT(n <= job->n_withdrawn);
    return n;
}

static void clear_marks(struct recoup_job *job)
{
    RECOUP_ASSERT(job->graph.n_stages > 0);
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            recoup__state_subtask(&job->state, s, i)->flags &=
                ~(uint32_t)(RECOUP__CHOSEN | RECOUP__AGREED);
        }
    }
}

// The chosen subtasks as ranges: counts them, and writes them where `ranges` is given.
static uint32_t list_chosen(const struct recoup_job *job, struct recoup_range *ranges)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        bool open = false;
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            bool is = (flags_of(job, s, i) & RECOUP__CHOSEN) != 0;
            if (is && !open && ranges != NULL) {
                ranges[n] = (struct recoup_range){.stage = s, .first = i, .count = 0};
            }
            n += is && !open ? 1 : 0;
            open = is;
            if (is && ranges != NULL) {
                ranges[n - 1].count++;
            }
        }
    }
    RECOUP_ASSERT(n <= job->n_withdrawn);
    return n;
}

static struct recoup_range *chosen_ranges(struct recoup_job *job, uint32_t *n)
{
    *n = list_chosen(job, NULL);
    struct recoup_range *ranges = recoup__actions_scratch(&job->actions, *n * sizeof *ranges);
    if (ranges != NULL) {
        (void)list_chosen(job, ranges);
    }
    RECOUP_ASSERT(*n <= job->n_withdrawn);
    return ranges;
}

// ---------------------------------------------------------------------------------------------
// The question

int recoup__adopt_ask(struct recoup_job *job)
{
    RECOUP_ASSERT(recoup__adopt_due(job));
    struct chosen_stage *counts =
        recoup__actions_scratch(&job->actions, job->graph.n_stages * sizeof *counts);
    if (counts == NULL || recoup__actions_reserve(&job->actions, 1) != 0) {
        return RECOUP_ENOMEM;
    }
    uint32_t n = 0;
    (void)choose(job, counts, false);
    struct recoup_range *ranges = chosen_ranges(job, &n);
    clear_marks(job);
    if (ranges == NULL) {
        return RECOUP_ENOMEM;
    }
    job->adoption_due = false;
    if (n > 0) {
        struct recoup_action *action =
            recoup__actions_push(&job->actions, RECOUP_ACTION_ASK_ADOPTION);
        action->ask_adoption.adoption = ++job->adoption;
        action->ask_adoption.ranges = ranges;
        action->ask_adoption.n_ranges = n;
    }
    RECOUP_ASSERT(!recoup__adopt_due(job));
    return 0;
}

// ---------------------------------------------------------------------------------------------
// The answer

static int check_answer(const struct recoup_job *job, const struct recoup_event *event)
{
    const struct recoup_range *ranges = event->adoption.ranges;
    RECOUP_ASSERT(event->type == RECOUP_EVENT_ADOPTION);
    if (event->adoption.adoption == 0 || event->adoption.adoption > job->adoption ||
        (event->adoption.n_ranges > 0 && ranges == NULL)) {
        return RECOUP_EINVAL;
    }
    for (uint32_t i = 0; i < event->adoption.n_ranges; i++) {
        uint32_t stage = ranges[i].stage;
        if (ranges[i].count == 0 || stage >= job->graph.n_stages ||
            ranges[i].first >= job->state.stages[stage].parallelism ||
            ranges[i].count > job->state.stages[stage].parallelism - ranges[i].first) {
            return RECOUP_EINVAL;
        }
    }
    return 0;
}

static void mark_agreed(struct recoup_job *job, const struct recoup_event *event)
{
    for (uint32_t r = 0; r < event->adoption.n_ranges; r++) {
        struct recoup_range range = event->adoption.ranges[r];
        RECOUP_ASSERT(range.stage < job->graph.n_stages);
        for (uint32_t i = range.first; i < range.first + range.count; i++) {
            recoup__state_subtask(&job->state, range.stage, i)->flags |= RECOUP__AGREED;
        }
    }
}

// The record of a finish that counts again: as that of any finish.
static void finish_record(const struct recoup_job *job, uint32_t stage, uint32_t subtask,
                          struct recoup__record *record)
{
    const struct recoup__subtask *t = recoup__state_subtask(&job->state, stage, subtask);
    *record = (struct recoup__record){.type = RECOUP__RECORD_FINISHED};
    RECOUP_ASSERT(t->attempt != 0);
    record->finished.stage = stage;
    record->finished.subtask = subtask;
    record->finished.attempt = t->attempt;
    record->finished.worker = t->worker;
    record->finished.has_partition = (t->flags & RECOUP__HAS_PARTITION) != 0;
    record->finished.bytes = t->bytes;
    record->finished.payload =
        recoup__payloads_get(&job->state.payloads, t->payload, &record->finished.payload_bytes);
}

// Room for everything that adopting the chosen subtasks writes and pushes.
static int reserve(struct recoup_job *job, uint32_t n)
{
    size_t bytes = 0;
    size_t edges = 0;
    RECOUP_ASSERT(n > 0);
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            struct recoup__record record;
            size_t size = 0;
            if ((flags_of(job, s, i) & RECOUP__CHOSEN) == 0) {
                continue;
            }
            finish_record(job, s, i, &record);
            int rc = recoup__record_size(&record, &size);
            RECOUP_ASSERT(rc == 0); // it has been written before
            (void)rc;
            bytes += size;
            edges += job->graph.nodes[s].in_count;
        }
    }
    if (edges > UINT32_MAX / 2 || recoup__releases_reserve_more(&job->releases, (uint32_t)edges)) {
        return RECOUP_ENOMEM;
    }
    if (recoup__job_records(job) && recoup__store_reserve(job->store, n, bytes) != 0) {
        return RECOUP_ENOMEM;
    }
    return recoup__actions_reserve(&job->actions, 3 + n * RECOUP__STORE_ACTIONS);
}

// Returns true if that completes its stage. The `last` one cuts the block if one before it did so
// (`cut`), or it does.
static bool adopt_one(struct recoup_job *job, uint32_t stage, uint32_t subtask, bool cut,
                      bool last, uint64_t *sequence)
{
    struct recoup__subtask *t = withdrawn(job, stage, subtask);
    struct recoup__record record;
    RECOUP_ASSERT(t != NULL);
    struct recoup__finish finish = {.attempt = t->attempt,
                                    .bytes = t->bytes,
                                    .worker = t->worker,
                                    .payload = t->payload,
                                    .take = job->snapshots.take,
                                    .has_partition = (t->flags & RECOUP__HAS_PARTITION) != 0,
                                    .available = (t->flags & RECOUP__RETURNED) != 0,
                                    .recovered = true};
    job->n_withdrawn--;
    recoup__state_finish(&job->state, stage, subtask, &finish);
    if (recoup__job_behind_boundary(job)) {
        t->flags |= RECOUP__WRITTEN; // as in recoup__job_subtask_finished
    }
    finish_record(job, stage, subtask, &record);
    bool done = recoup__state_stage_done(&job->state, stage);
    unsigned flags = last && (cut || done) ? RECOUP__WRITE_CUT : 0u;
    int rc = recoup__job_write(job, &record, flags, sequence);
    RECOUP_CHECK(&job->memory, rc == 0); // room has been reserved
    if (job->store != NULL) {
        // The snapshots that follow cover it; the next finish takes them, whatever the pause.
        recoup__snapshots_finished(&job->snapshots, stage);
        job->snapshots.taken = false;
    }
    recoup__releases_finished(&job->releases, stage, subtask, finish.take);
    return done;
}

static void push_adopted(struct recoup_job *job, const struct recoup_range *ranges, uint32_t n,
                         struct recoup_partition *track)
{
    uint32_t n_track = 0;
    struct recoup_action *action =
        recoup__actions_push(&job->actions, RECOUP_ACTION_ADOPT_SUBTASKS);
    action->adopt_subtasks.ranges = ranges;
    action->adopt_subtasks.n_ranges = n;
    for (uint32_t r = 0; r < n; r++) {
        for (uint32_t i = ranges[r].first; i < ranges[r].first + ranges[r].count; i++) {
            if ((flags_of(job, ranges[r].stage, i) & RECOUP__AVAILABLE) != 0) {
                track[n_track++] = recoup__state_partition(&job->state, ranges[r].stage, i);
            }
        }
    }
    RECOUP_ASSERT(RECOUP_ERGO(n_track > 0, n > 0));
    if (n_track > 0) {
        action = recoup__actions_push(&job->actions, RECOUP_ACTION_TRACK);
        action->partitions.partitions = track;
        action->partitions.n_partitions = n_track;
    }
}

// Adopts the chosen subtasks. RECOUP_ENOMEM changes nothing.
static int adopt(struct recoup_job *job, uint64_t n_subtasks, uint64_t *sequence)
{
    uint32_t n = 0;
    struct recoup_range *ranges = chosen_ranges(job, &n);
    struct recoup_partition *track =
        recoup__actions_scratch(&job->actions, n_subtasks * sizeof *track);
    RECOUP_ASSERT(n_subtasks <= UINT32_MAX / RECOUP__STORE_ACTIONS);
    if (ranges == NULL || track == NULL || reserve(job, (uint32_t)n_subtasks) != 0) {
        return RECOUP_ENOMEM;
    }
    // In topological order, and as one block: a part of it would make the next master wait for
    // outputs that only the rest makes superfluous.
    bool cut = false;
    for (uint32_t r = 0; r < n; r++) {
        for (uint32_t i = ranges[r].first; i < ranges[r].first + ranges[r].count; i++) {
            n_subtasks--;
            bool last = n_subtasks == 0;
            cut = adopt_one(job, ranges[r].stage, i, cut, last, sequence) || cut;
        }
    }
    push_adopted(job, ranges, n, track);
    return 0;
}

int recoup__job_adoption(struct recoup_job *job, const struct recoup_event *event,
                         uint64_t *sequence)
{
    int rc = check_answer(job, event);
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    if (rc != 0 || event->adoption.adoption != job->adoption || job->n_withdrawn == 0) {
        return rc; // an older question: what it asked about may have changed since
    }
    struct chosen_stage *counts =
        recoup__actions_scratch(&job->actions, job->graph.n_stages * sizeof *counts);
    if (counts == NULL) {
        return RECOUP_ENOMEM;
    }
    mark_agreed(job, event);
    uint64_t n = choose(job, counts, true);
    rc = n > 0 ? adopt(job, n, sequence) : 0;
    clear_marks(job);
    RECOUP_ASSERT(RECOUP_ERGO(rc != 0, rc == RECOUP_ENOMEM));
    return rc;
}
