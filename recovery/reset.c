// SPDX-License-Identifier: Apache-2.0
//
// Resets: the closure's set becomes an action, and later a record. The state changes when the reset
// is decided; the record is written when the host has carried it out (Flink), or at once (policy
// event-store.reset-early, H21).
#include "recovery/adopt.h"

#include <string.h>

static struct recoup__reset *reserve_pending(struct recoup_job *job, uint32_t n_ranges)
{
    void *items = job->resets;
    int rc = recoup__grow(&job->memory, &items, &job->resets_capacity, sizeof *job->resets,
                          job->n_resets + 1);
    RECOUP_ASSERT(n_ranges > 0);
    RECOUP_ASSERT(job->n_resets <= job->resets_capacity);
    job->resets = items;
    if (rc != 0) {
        return NULL;
    }
    struct recoup__reset *reset = &job->resets[job->n_resets];
    memset(reset, 0, sizeof *reset);
    reset->ranges = recoup__allocate(&job->memory, n_ranges * sizeof *reset->ranges);
    reset->n_ranges = n_ranges;
    return reset->ranges != NULL ? reset : NULL;
}

static uint32_t records_of(uint32_t n_ranges)
{
    RECOUP_ASSERT(n_ranges < UINT32_MAX);
    return n_ranges / RECOUP__RANGES_MAX + 1;
}

int recoup__job_reserve_reset(struct recoup_job *job, uint32_t n_ranges)
{
    uint32_t records = records_of(n_ranges);
    RECOUP_ASSERT(records > 0);
    if (!recoup__job_records(job)) {
        return 0;
    }
    // A range takes 12 bytes in a body, a body has a few more of its own.
    int rc = recoup__store_reserve(job->store, records, n_ranges * (size_t)16 + records * 64u);
    if (rc == 0) {
        rc = recoup__actions_reserve(&job->actions, records * RECOUP__STORE_ACTIONS);
    }
    return rc;
}

int recoup__job_record_reset(struct recoup_job *job, const struct recoup_range *ranges,
                             uint32_t n_ranges, unsigned flags, uint64_t *sequence)
{
    int rc = 0;
    RECOUP_ASSERT(sequence != NULL);
    RECOUP_ASSERT(RECOUP_ERGO(n_ranges > 0, ranges != NULL));
    for (uint32_t first = 0; rc == 0 && first < n_ranges; first += RECOUP__RANGES_MAX) {
        uint32_t left = n_ranges - first;
        struct recoup__record record = {.type = RECOUP__RECORD_RESET};
        record.reset.ranges = ranges + first;
        record.reset.n_ranges = left < RECOUP__RANGES_MAX ? left : RECOUP__RANGES_MAX;
        rc = recoup__job_write(job, &record, flags, sequence);
    }
    RECOUP_CHECK(&job->memory, rc == 0); // room has been reserved
    return rc;
}

// Takes the subtasks of one range back; collects their available partitions.
static uint32_t take_back(struct recoup_job *job, const struct recoup_reset_range *reset,
                          bool confirm, struct recoup_partition *partitions)
{
    struct recoup__state *state = &job->state;
    struct recoup_range range = reset->range;
    bool forget = reset->reason == RECOUP_RESET_GLOBAL; // else a late output may still count
    uint32_t n = 0;
    bool withdraw = !confirm && recoup__adopt_possible(job, range.stage);
    RECOUP_ASSERT(RECOUP_ERGO(confirm, job->phase == RECOUP_PHASE_RUNNING));
    RECOUP_ASSERT(range.count > 0);
    for (uint32_t i = range.first; i < range.first + range.count; i++) {
        struct recoup__subtask *subtask = recoup__state_subtask(state, range.stage, i);
        RECOUP_ASSERT((subtask->flags & RECOUP__RESETTING) == 0);
        if ((subtask->flags & RECOUP__FINISHED) != 0 && withdraw) {
            recoup__adopt_withdraw(job, range.stage, i);
            continue;
        }
        if ((subtask->flags & RECOUP__AVAILABLE) != 0) {
            partitions[n++] = recoup__state_partition(state, range.stage, i);
        } else if ((subtask->flags & RECOUP__RETURNED) != 0 && forget) {
            partitions[n++] = recoup__adopt_partition(job, range.stage, i);
        }
        if ((subtask->flags & RECOUP__FINISHED) != 0) {
            recoup__state_unfinish(state, range.stage, i);
        } else if ((subtask->flags & RECOUP__WITHDRAWN) != 0 && forget) {
            recoup__adopt_forget(job, range.stage, i);
        }
        subtask->flags |= confirm ? (uint32_t)RECOUP__RESETTING : 0u;
    }
    return n;
}

static void push_reset(struct recoup_job *job, const struct recoup_reset_range *ranges,
                       uint32_t n_ranges, bool confirm)
{
    struct recoup_action *action =
        recoup__actions_push(&job->actions, RECOUP_ACTION_RESET_SUBTASKS);
    RECOUP_ASSERT(n_ranges > 0);
    action->reset_subtasks.reset = ++job->reset_id;
    action->reset_subtasks.confirm = confirm;
    action->reset_subtasks.ranges = ranges;
    action->reset_subtasks.n_ranges = n_ranges;
}

static void push_release(struct recoup_job *job, const struct recoup_partition *partitions,
                         uint32_t n)
{
    if (n > 0) {
        RECOUP_ASSERT(partitions != NULL);
        struct recoup_action *action = recoup__actions_push(&job->actions, RECOUP_ACTION_RELEASE);
        action->partitions.partitions = partitions;
        action->partitions.n_partitions = n;
    }
}

// Everything that can fail, then everything else.
static int apply_set(struct recoup_job *job, uint32_t n_ranges, uint32_t n_partitions, bool confirm,
                     uint64_t *sequence)
{
    bool early = confirm && recoup__job_policy(job, RECOUP_POLICY_RESET_EARLY) != 0;
    struct recoup_reset_range *ranges =
        recoup__actions_scratch(&job->actions, n_ranges * sizeof *ranges);
    struct recoup_partition *partitions =
        recoup__actions_scratch(&job->actions, n_partitions * sizeof *partitions);
    RECOUP_ASSERT(n_ranges > 0);
    if (ranges == NULL || partitions == NULL ||
        (early && recoup__job_reserve_reset(job, n_ranges) != 0) ||
        recoup__actions_reserve(&job->actions, 2 + records_of(n_ranges) * RECOUP__STORE_ACTIONS) !=
            0) {
        return RECOUP_ENOMEM;
    }
    struct recoup__reset *pending = NULL;
    if (confirm) {
        pending = reserve_pending(job, n_ranges);
        if (pending == NULL) {
            return RECOUP_ENOMEM;
        }
        job->n_resets++;
    }
    recoup__closure_ranges(&job->closure, ranges, n_ranges);
    recoup__closure_disarm(&job->closure);
    push_reset(job, ranges, n_ranges, confirm);
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_ranges; i++) {
        n += take_back(job, &ranges[i], confirm, partitions + n);
        if (pending != NULL) {
            pending->ranges[i] = ranges[i].range;
        }
    }
    RECOUP_ASSERT(n <= n_partitions); // what is withdrawn keeps its partition
    push_release(job, partitions, n);
    if (pending != NULL) {
        pending->id = job->reset_id;
    }
    return early ? recoup__job_record_reset(job, pending->ranges, n_ranges, 0, sequence) : 0;
}

int recoup__job_reset(struct recoup_job *job, bool confirm, uint64_t *sequence)
{
    uint32_t n_ranges;
    uint32_t n_partitions;
    int rc = 0;
    recoup__closure_count(&job->closure, &n_ranges, &n_partitions);
    RECOUP_ASSERT(RECOUP_ERGO(n_partitions > 0, n_ranges > 0));
    if (n_ranges > 0) {
        rc = apply_set(job, n_ranges, n_partitions, confirm, sequence);
    }
    recoup__closure_clear(&job->closure);
    return rc;
}

int recoup__job_resets_done(struct recoup_job *job, uint32_t id, uint64_t *sequence)
{
    uint32_t at = 0;
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    while (at < job->n_resets && job->resets[at].id != id) {
        at++;
    }
    if (at == job->n_resets) {
        return RECOUP_EMISUSE;
    }
    struct recoup__reset reset = job->resets[at];
    if (recoup__job_policy(job, RECOUP_POLICY_RESET_EARLY) == 0) {
        int rc = recoup__job_reserve_reset(job, reset.n_ranges);
        if (rc != 0) {
            return rc;
        }
        rc = recoup__job_record_reset(job, reset.ranges, reset.n_ranges, 0, sequence);
        RECOUP_ASSERT(rc == 0);
        (void)rc;
    }
    for (uint32_t i = 0; i < reset.n_ranges; i++) {
        struct recoup_range range = reset.ranges[i];
        for (uint32_t k = range.first; k < range.first + range.count; k++) {
            struct recoup__subtask *subtask = recoup__state_subtask(&job->state, range.stage, k);
            RECOUP_ASSERT((subtask->flags & RECOUP__RESETTING) != 0);
            subtask->flags &= ~(uint32_t)RECOUP__RESETTING;
        }
    }
    job->adoption_due = job->n_withdrawn > 0; // they were out of the question until now
    recoup__release(&job->memory, reset.ranges, reset.n_ranges * sizeof *reset.ranges);
    memmove(&job->resets[at], &job->resets[at + 1], (job->n_resets - at - 1) * sizeof *job->resets);
    job->n_resets--;
    return 0;
}

int recoup__job_global_failure(struct recoup_job *job, uint64_t *sequence)
{
    struct recoup__state *state = &job->state;
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    recoup__closure_begin(&job->closure, 0);
    for (uint32_t s = 0; s < state->graph->n_stages; s++) {
        if (recoup__state_initialized(state, s)) {
            recoup__closure_add(&job->closure, s, 0, state->stages[s].parallelism,
                                RECOUP_RESET_GLOBAL);
        }
    }
    int rc = recoup__job_reset(job, true, sequence);
    for (uint32_t s = 0; rc == 0 && s < state->graph->n_stages; s++) {
        RECOUP_ASSERT(state->stages[s].finished == 0);
        state->stages[s].time_bomb =
            false; // the coordinators start afresh, and know everything again
    }
    return rc;
}

void recoup__job_forget_resets(struct recoup_job *job)
{
    for (uint32_t i = 0; i < job->n_resets; i++) {
        RECOUP_ASSERT(job->resets[i].ranges != NULL);
        recoup__release(&job->memory, job->resets[i].ranges,
                        job->resets[i].n_ranges * sizeof *job->resets[i].ranges);
    }
    recoup__release(&job->memory, job->resets, job->resets_capacity * sizeof *job->resets);
    job->resets = NULL;
    job->n_resets = job->resets_capacity = 0;
}
