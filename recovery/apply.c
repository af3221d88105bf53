// SPDX-License-Identifier: Apache-2.0
//
// From the picture of the log to the job's state (specification 4.4): stages are initialized, the
// tail without a recovery point is dropped, finishes are marked, coordinators are restored, and
// what their restoring forces is reset.
#include "recovery/job.h"

#include <string.h>

#define FINISH_AT_ONCE 128u // subtasks that are turned before they are counted: 4 KiB

static bool entry_present(const struct recoup__entry *entry)
{
    RECOUP_ASSERT(entry != NULL);
    return (entry->flags & RECOUP__ENTRY_PRESENT) != 0;
}

static uint32_t count_finished_ranges(const struct recoup__picture *picture, uint32_t n_stages)
{
    uint32_t n = 0;
    RECOUP_ASSERT(n_stages > 0);
    RECOUP_ASSERT(picture->entries != NULL);
    for (uint32_t s = 0; s < n_stages; s++) {
        uint32_t finished = picture->finished[s];
        if (finished == 0 || finished == picture->parallelism[s]) {
            n += finished > 0 ? 1 : 0; // no need to look at each
            continue;
        }
        for (uint32_t i = 0; i < picture->parallelism[s]; i++) {
            bool begins = i == 0 || !entry_present(&picture->entries[s][i - 1]);
            n += begins && entry_present(&picture->entries[s][i]) ? 1 : 0;
        }
    }
    return n;
}

// The arrays go back to the picture, unchanged.
static void disown_stages(struct recoup_job *job, uint32_t n)
{
    const struct recoup__picture *picture = &job->replay.picture;
    RECOUP_ASSERT(n <= picture->n_order);
    for (uint32_t i = 0; i < n; i++) {
        RECOUP_ASSERT(picture->entries[picture->order[i]] != NULL);
        job->state.stages[picture->order[i]].subtasks = NULL;
    }
    recoup__state_clear(&job->state);
}

// Gives every stage of the log its parallelism, in the memory of the picture's entries: at a
// million subtasks a second array for each would be the peak of the whole job. RECOUP_ENOMEM: none
// has one.
static int initialize_stages(struct recoup_job *job)
{
    const struct recoup__picture *picture = &job->replay.picture;
    _Static_assert(sizeof(struct recoup__entry) == sizeof(struct recoup__subtask) &&
                       _Alignof(struct recoup__entry) == _Alignof(struct recoup__subtask),
                   "an entry turns into a subtask where it stands");
    RECOUP_ASSERT(picture->n_order <= job->graph.n_stages);
    RECOUP_ASSERT(job->state.subtasks == 0);
    for (uint32_t i = 0; i < picture->n_order; i++) {
        uint32_t stage = picture->order[i];
        int rc = recoup__state_adopt(&job->state, stage, picture->parallelism[stage],
                                     (struct recoup__subtask *)(void *)picture->entries[stage]);
        if (rc != 0) {
            disown_stages(job, i);
            return rc;
        }
    }
    return 0;
}

static void push_stages(struct recoup_job *job)
{
    const struct recoup__picture *picture = &job->replay.picture;
    for (uint32_t i = 0; i < picture->n_order; i++) {
        RECOUP_ASSERT(picture->order[i] < job->graph.n_stages);
        struct recoup_action *action =
            recoup__actions_push(&job->actions, RECOUP_ACTION_INITIALIZE_STAGE);
        action->initialize_stage.stage = picture->order[i];
        action->initialize_stage.parallelism = picture->parallelism[picture->order[i]];
        RECOUP_ASSERT(action->initialize_stage.parallelism > 0);
    }
}

// Turns an entry into its subtask, where it stands. Returns true if it is finished.
static bool turn_entry(struct recoup_job *job, const struct recoup__entry *entry,
                       struct recoup__subtask *subtask)
{
    const struct recoup__entry copy = *entry;
    bool present = entry_present(&copy);
    bool in_log = (copy.flags & (RECOUP__ENTRY_PRESENT | RECOUP__ENTRY_TRIMMED)) != 0;
    bool partition = (copy.flags & RECOUP__ENTRY_PARTITION) != 0;
    uint32_t finished = RECOUP__FINISHED | RECOUP__RECOVERED;
    RECOUP_ASSERT(RECOUP_ERGO(!present, copy.payload == 0));
    memset(subtask, 0, sizeof *subtask);
    subtask->flags = in_log ? RECOUP__IN_LOG : 0u;
    job->in_log += in_log ? 1 : 0;
    if (present) {
        subtask->attempt = copy.attempt;
        subtask->bytes = copy.bytes;
        subtask->worker = copy.worker;
        subtask->payload = copy.payload;
        subtask->flags |= finished | (partition ? RECOUP__HAS_PARTITION : 0u);
    }
    return present;
}

// A range of a stage is finished: the state counts it while it is still in the processor's cache,
// and the host is told, with ranges that follow on each other in one action.
static void finish_range(struct recoup_job *job, struct recoup_action **action, uint32_t stage,
                         uint32_t first, uint32_t count)
{
    RECOUP_ASSERT(RECOUP_ERGO(count > 0, first < job->state.stages[stage].parallelism));
    if (count == 0) {
        return;
    }
    recoup__state_recover(&job->state, stage, first, count);
    if (*action == NULL) {
        *action = recoup__actions_push(&job->actions, RECOUP_ACTION_MARK_FINISHED);
        (*action)->mark_finished = (struct recoup_range){.stage = stage, .first = first};
    }
    RECOUP_ASSERT((*action)->mark_finished.first + (*action)->mark_finished.count == first);
    (*action)->mark_finished.count += count;
}

// Turns the entries of a stage into its subtasks. Consumers count themselves at their producers, so
// stages come in topological order.
static void finish_stage(struct recoup_job *job, uint32_t stage)
{
    struct recoup__picture *picture = &job->replay.picture;
    struct recoup__subtask *subtasks = job->state.stages[stage].subtasks;
    struct recoup_action *action = NULL;
    uint32_t first = 0; // of the finishes that are not counted yet
    RECOUP_ASSERT(stage < job->graph.n_stages);
    RECOUP_ASSERT(picture->parallelism[stage] == job->state.stages[stage].parallelism);
    for (uint32_t i = 0; i < picture->parallelism[stage]; i++) {
        bool present = turn_entry(job, &picture->entries[stage][i], &subtasks[i]);
        if (present && i + 1 - first < FINISH_AT_ONCE) {
            continue;
        }
        finish_range(job, &action, stage, first, i - first + (present ? 1 : 0));
        first = i + 1;
        action = present ? action : NULL;
    }
    finish_range(job, &action, stage, first, picture->parallelism[stage] - first);
    picture->entries[stage] = NULL; // it is the state's now
}

// Every coordinator is restored once, from its last snapshot that counts; the shuffle master comes
// later.
static void restore_coordinators(struct recoup_job *job)
{
    RECOUP_ASSERT(job->has_replay);
    RECOUP_ASSERT(!recoup__snapshots_kept(&job->snapshots, RECOUP_SHUFFLE)->present);
    for (uint32_t c = 0; c <= job->graph.n_coordinators; c++) {
        bool shuffle = c == job->graph.n_coordinators;
        uint32_t coordinator = shuffle ? RECOUP_SHUFFLE : c;
        struct recoup__replay_snapshot *snapshot =
            recoup__replay_snapshot(&job->replay, coordinator);
        if (snapshot == NULL || (!shuffle && !job->graph.coordinators[c].batch_snapshot)) {
            continue;
        }
        recoup__snapshots_adopt(&job->snapshots, coordinator, snapshot->data, snapshot->size);
        snapshot->data = NULL; // taken over
        snapshot->size = 0;
        if (shuffle) {
            continue;
        }
        const struct recoup__kept *kept = recoup__snapshots_kept(&job->snapshots, coordinator);
        RECOUP_ASSERT(kept->present);
        struct recoup_action *action =
            recoup__actions_push(&job->actions, RECOUP_ACTION_RESTORE_COORDINATOR);
        action->restore_coordinator.coordinator = coordinator;
        action->restore_coordinator.data = kept->data;
        action->restore_coordinator.size = kept->size;
    }
}

int recoup__job_begin_replay(struct recoup_job *job)
{
    if (job->has_replay) {
        return 0;
    }
    bool first_finish = recoup__job_policy(job, RECOUP_POLICY_ORDER) == 0;
    int rc = recoup__replay_init(&job->replay, &job->state, first_finish);
    RECOUP_ASSERT(rc == 0 || rc == RECOUP_ENOMEM);
    job->has_replay = rc == 0;
    return rc;
}

int recoup__job_apply(struct recoup_job *job)
{
    struct recoup__picture *picture = &job->replay.picture;
    RECOUP_ASSERT(job->state.finished == 0);
    bool by_stage = recoup__job_policy(job, RECOUP_POLICY_TRIM) != 0;
    if (recoup__job_begin_replay(job) != 0) {
        return RECOUP_ENOMEM; // the log held no record, so there is no picture yet
    }
    // Trimming again, after a try without memory, drops nothing more.
    bool point = recoup__replay_trim(&job->replay, by_stage);
    uint32_t n_actions = picture->n_order + count_finished_ranges(picture, job->graph.n_stages) +
                         job->graph.n_coordinators + 1;
    int rc = recoup__actions_reserve(&job->actions, n_actions);
    if (rc == 0) {
        rc = initialize_stages(job);
    }
    if (rc != 0) {
        return rc;
    }
    RECOUP_ASSERT(job->state.payloads.live == 0);
    recoup__payloads_release(&job->state.payloads);
    job->state.payloads = picture->payloads;
    recoup__payloads_init(&picture->payloads, &job->memory);
    push_stages(job);
    job->in_log = 0;
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        finish_stage(job, s);
    }
    job->no_point = !point;
    if (point) {
        restore_coordinators(job);
    }
    recoup__replay_release(&job->replay);
    job->has_replay = false;
    return 0;
}

// Step 6 of specification 4.4 for one stage.
static void add_for_stage(struct recoup_job *job, uint32_t stage)
{
    struct recoup__stage *s = &job->state.stages[stage];
    const struct recoup__node *node = &job->graph.nodes[stage];
    RECOUP_ASSERT(stage < job->graph.n_stages);
    RECOUP_ASSERT(s->finished <= s->parallelism);
    RECOUP_ASSERT(node->supporting <= node->coordinator_count);
    if (node->coordinator_count == 0 || s->parallelism == 0) {
        return;
    }
    bool all_support = node->supporting == node->coordinator_count;
    if (!all_support && s->finished == s->parallelism) {
        s->time_bomb = true;
        return;
    }
    if (!all_support) {
        recoup__closure_add(&job->closure, stage, 0, s->parallelism,
                            RECOUP_RESET_COORDINATOR_UNSUPPORTED);
        return;
    }
    for (uint32_t i = 0; i < s->parallelism; i++) {
        if (!recoup__state_is_finished(&job->state, stage, i)) {
            recoup__closure_add(&job->closure, stage, i, 1, RECOUP_RESET_UNFINISHED);
        }
    }
}

int recoup__job_coordinator_resets(struct recoup_job *job)
{
    uint64_t sequence;
    RECOUP_ASSERT(!job->has_replay);
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_REPLAYING);
    if (job->no_point) {
        return 0;
    }
    int rc = recoup__actions_reserve(&job->actions, 1);
    if (rc != 0) {
        return rc;
    }
    recoup__closure_begin(&job->closure, RECOUP__CLOSURE_RECOVERY | RECOUP__CLOSURE_FIXPOINT);
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        add_for_stage(job, s);
    }
    recoup__closure_expand(&job->closure);
    rc = recoup__job_reset(job, false, &sequence);
    if (rc != 0) {
        return rc;
    }
    const struct recoup__kept *shuffle = recoup__snapshots_kept(&job->snapshots, RECOUP_SHUFFLE);
    if (shuffle->present) {
        struct recoup_action *action =
            recoup__actions_push(&job->actions, RECOUP_ACTION_RESTORE_COORDINATOR);
        action->restore_coordinator.coordinator = RECOUP_SHUFFLE;
        action->restore_coordinator.data = shuffle->data;
        action->restore_coordinator.size = shuffle->size;
    }
    return 0;
}
