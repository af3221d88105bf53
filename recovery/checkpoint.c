// SPDX-License-Identifier: Apache-2.0
//
// A checkpoint writes the whole state as records: after recording had stopped (H1, H2), and so that
// older files can be removed (H15). It is written in parts, as there is room, while the job goes
// on; each part is the state of its moment, and records of events may stand in between.
//
//   1  every initialized stage
//   2  every finish that the kept snapshots cover, then these snapshots: the boundary
//   3  every other finish, each with a mark that it belongs right behind the boundary
//
// What is covered must not be written behind the boundary, and what is covered can become more
// whenever a snapshot is delivered. So the end of part 2, a whole pass and the boundary, goes in
// one call or is repeated. replay.h says how this is read.
//
// The snapshots are the last ones delivered, not fresh ones: a checkpoint thus costs the
// coordinators nothing, and recovers what the log would have recovered. The next finish that is due
// takes fresh ones.
#include "recovery/job.h"

#include <string.h>

enum part { PART_NONE, PART_STAGES, PART_COVERED, PART_REST, PART_DONE };

// True if the kept snapshots cover the finish, under the rule of policy recovery.trim.
static bool covered(const struct recoup_job *job, uint32_t stage, uint32_t subtask)
{
    uint32_t take = job->state.stages[stage].takes[subtask];
    RECOUP_ASSERT(stage < job->graph.n_stages);
    RECOUP_ASSERT(recoup__state_is_finished(&job->state, stage, subtask));
    if (take == 0) {
        return true;
    }
    if (recoup__job_policy(job, RECOUP_POLICY_TRIM) == 0) {
        const struct recoup__kept *kept = recoup__snapshots_kept(&job->snapshots, RECOUP_SHUFFLE);
        return kept->present && take <= kept->take;
    }
    const struct recoup__node *node = &job->graph.nodes[stage];
    for (uint32_t i = 0; i < node->coordinator_count; i++) {
        uint32_t coordinator = job->graph.by_stage[node->coordinator_first + i];
        const struct recoup__kept *kept = recoup__snapshots_kept(&job->snapshots, coordinator);
        if (job->graph.coordinators[coordinator].batch_snapshot &&
            (!kept->present || take > kept->take)) {
            return false;
        }
    }
    return true;
}

static int write(struct recoup_job *job, const struct recoup__record *record)
{
    RECOUP_ASSERT(record->type != RECOUP__RECORD_CHECKPOINT_BEGIN);
    RECOUP_ASSERT(job->store != NULL);
    return recoup__store_checkpoint_write(job->store, job->now_ns, record);
}

static int write_stages(struct recoup_job *job)
{
    int rc = 0;
    RECOUP_ASSERT(job->checkpoint_part == PART_STAGES);
    RECOUP_ASSERT(job->checkpoint_stage <= job->graph.n_stages);
    while (rc == 0 && job->checkpoint_stage < job->graph.n_stages) {
        uint32_t parallelism = job->state.stages[job->checkpoint_stage].parallelism;
        if (parallelism > 0) {
            struct recoup__record record = {.type = RECOUP__RECORD_INITIALIZED};
            record.initialized.stage = job->checkpoint_stage;
            record.initialized.parallelism = parallelism;
            rc = write(job, &record);
        }
        job->checkpoint_stage += rc == 0 ? 1 : 0;
    }
    return rc;
}

// A mark in place of snapshots; see replay.h.
static const struct recoup__snapshot mark = {.coordinator = RECOUP__MARK};

static int write_mark(struct recoup_job *job, uint32_t stage, uint32_t subtask, uint64_t attempt)
{
    struct recoup__record record = {.type = RECOUP__RECORD_SNAPSHOT};
    RECOUP_ASSERT(attempt != 0);
    RECOUP_ASSERT(stage < job->graph.n_stages);
    record.finished.stage = stage;
    record.finished.subtask = subtask;
    record.finished.attempt = attempt;
    record.finished.n_snapshots = 1;
    record.finished.snapshots = &mark;
    return write(job, &record);
}

static int write_finish(struct recoup_job *job, uint32_t stage, uint32_t subtask, bool marked)
{
    struct recoup__subtask *t = recoup__state_subtask(&job->state, stage, subtask);
    struct recoup__record record;
    RECOUP_ASSERT((t->flags & RECOUP__FINISHED) != 0);
    record.type = RECOUP__RECORD_FINISHED;
    record.finished.stage = stage;
    record.finished.subtask = subtask;
    record.finished.attempt = t->attempt;
    record.finished.worker = t->worker;
    record.finished.has_partition = (t->flags & RECOUP__HAS_PARTITION) != 0;
    record.finished.bytes = t->bytes;
    record.finished.payload =
        recoup__payloads_get(&job->state.payloads, t->payload, &record.finished.payload_bytes);
    record.finished.n_snapshots = 0;
    record.finished.snapshots = NULL;
    int rc = write(job, &record);
    if (rc == 0 && marked) {
        rc = write_mark(job, stage, subtask, t->attempt);
    }
    if (rc == 0) {
        RECOUP_ASSERT((t->flags & RECOUP__WRITTEN) == 0);
        t->flags |= RECOUP__WRITTEN;
    }
    return rc;
}

// Writes finishes not written yet, from the cursor on; all of them, or those that are covered.
static int write_finishes(struct recoup_job *job, bool all)
{
    int rc = 0;
    RECOUP_ASSERT(job->checkpoint_part == (all ? PART_REST : PART_COVERED));
    RECOUP_ASSERT(job->checkpoint_stage <= job->graph.n_stages);
    for (; job->checkpoint_stage < job->graph.n_stages; job->checkpoint_stage++) {
        uint32_t s = job->checkpoint_stage;
        const struct recoup__stage *stage = &job->state.stages[s];
        for (; job->checkpoint_subtask < stage->parallelism; job->checkpoint_subtask++) {
            uint32_t i = job->checkpoint_subtask;
            uint32_t flags = stage->subtasks[i].flags;
            if ((flags & (RECOUP__FINISHED | RECOUP__WRITTEN)) != RECOUP__FINISHED ||
                (!all && !covered(job, s, i))) {
                continue;
            }
            rc = write_finish(job, s, i, all);
            if (rc != 0) {
                return rc;
            }
        }
        job->checkpoint_subtask = 0;
    }
    return 0;
}

static int write_boundary(struct recoup_job *job)
{
    uint32_t n = 0;
    struct recoup__snapshot *snapshots =
        recoup__actions_scratch(&job->actions, (job->graph.n_coordinators + 1) * sizeof *snapshots);
    RECOUP_ASSERT(job->checkpoint_part == PART_COVERED);
    if (snapshots == NULL) {
        return RECOUP_ENOMEM;
    }
    for (uint32_t c = 0; c <= job->graph.n_coordinators; c++) {
        uint32_t coordinator = c < job->graph.n_coordinators ? c : RECOUP_SHUFFLE;
        const struct recoup__kept *kept = recoup__snapshots_kept(&job->snapshots, coordinator);
        if (kept->present) {
            snapshots[n].coordinator = coordinator;
            snapshots[n].data = kept->data;
            snapshots[n++].size = kept->size;
        }
    }
    RECOUP_ASSERT(n <= job->graph.n_coordinators + 1);
    struct recoup__record record = {.type = RECOUP__RECORD_SNAPSHOT};
    record.finished.stage = RECOUP_NONE;
    record.finished.n_snapshots = n > 0 ? n : 1;
    record.finished.snapshots = n > 0 ? snapshots : &mark;
    return write(job, &record);
}

static void begin(struct recoup_job *job)
{
    job->checkpoint_part = PART_STAGES;
    job->checkpoint_stage = 0;
    job->checkpoint_subtask = 0;
    for (uint32_t s = 0; s < job->graph.n_stages; s++) {
        RECOUP_ASSERT(RECOUP_ERGO(job->state.stages[s].parallelism > 0,
                                  job->state.stages[s].subtasks != NULL));
        for (uint32_t i = 0; i < job->state.stages[s].parallelism; i++) {
            job->state.stages[s].subtasks[i].flags &= ~(uint32_t)RECOUP__WRITTEN;
        }
    }
}

static void next_part(struct recoup_job *job, enum part part)
{
    RECOUP_ASSERT(part <= PART_DONE);
    RECOUP_ASSERT(part == job->checkpoint_part + 1);
    job->checkpoint_part = part;
    job->checkpoint_stage = 0;
    job->checkpoint_subtask = 0;
}

// Part 2; see the head of the file. What has become covered behind the cursor since earlier calls
// is found by a pass that begins and ends within one call; only such a one is followed by the
// boundary. So a call makes at most one pass.
static int write_covered(struct recoup_job *job)
{
    bool whole = job->checkpoint_stage == 0 && job->checkpoint_subtask == 0;
    int rc = write_finishes(job, false);
    RECOUP_ASSERT(job->checkpoint_part == PART_COVERED);
    if (rc != 0) {
        return rc;
    }
    job->checkpoint_stage = 0;
    job->checkpoint_subtask = 0;
    return whole ? write_boundary(job) : RECOUP_ELIMIT;
}

bool recoup__job_behind_boundary(const struct recoup_job *job)
{
    RECOUP_ASSERT(job->checkpoint_part <= PART_DONE);
    return job->checkpoint_part == PART_REST;
}

// The part that is under way, as far as there is room. 0: it is done.
static int write_part(struct recoup_job *job)
{
    RECOUP_ASSERT(job->checkpoint_part != PART_NONE && job->checkpoint_part != PART_DONE);
    if (job->checkpoint_part == PART_STAGES) {
        return write_stages(job);
    }
    if (job->checkpoint_part == PART_COVERED) {
        return write_covered(job);
    }
    return write_finishes(job, true);
}

int recoup__job_checkpoint(void *context, bool first, bool *done)
{
    struct recoup_job *job = context;
    RECOUP_ASSERT(job != NULL && done != NULL);
    *done = false;
    if (first) {
        begin(job); // a pass of its own
        return 0;
    }
    int rc = write_part(job);
    if (rc == 0) {
        next_part(job, (enum part)(job->checkpoint_part + 1));
    }
    *done = job->checkpoint_part == PART_DONE;
    RECOUP_ASSERT(RECOUP_ERGO(*done, rc == 0));
    return rc == RECOUP_ENOMEM ? rc : 0;
}
