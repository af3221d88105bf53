// SPDX-License-Identifier: Apache-2.0
//
// The job's phases and what its parts share.
#include "recovery/job.h"

#include <string.h>

#define BIT(phase) (1u << RECOUP_PHASE_##phase)

// Allowed successors of each phase.
static const unsigned successors[] = {
    [RECOUP_PHASE_CREATED] = BIT(OPENING) | BIT(RUNNING) | BIT(STOPPING) | BIT(STOPPED),
    [RECOUP_PHASE_OPENING] = BIT(REPLAYING) | BIT(RUNNING) | BIT(STOPPING) | BIT(STOPPED),
    [RECOUP_PHASE_REPLAYING] =
        BIT(OPENING) | BIT(WAITING) | BIT(RUNNING) | BIT(STOPPING) | BIT(STOPPED),
    [RECOUP_PHASE_WAITING] = BIT(RECONCILING) | BIT(STOPPING) | BIT(STOPPED),
    [RECOUP_PHASE_RECONCILING] = BIT(RUNNING) | BIT(STOPPING) | BIT(STOPPED),
    [RECOUP_PHASE_RUNNING] = BIT(STOPPING) | BIT(STOPPED),
    [RECOUP_PHASE_STOPPING] = BIT(STOPPED),
    [RECOUP_PHASE_STOPPED] = 0,
};

// What holds in every phase, checked after each move.
static bool invariant(const struct recoup_job *job)
{
    bool open = job->store != NULL && recoup__store_state(job->store) == RECOUP__STORE_OPEN;
    RECOUP_ASSERT(job != NULL);
    switch (job->phase) {
    case RECOUP_PHASE_CREATED:
        return job->state.subtasks == 0 && job->work == RECOUP__WORK_NONE;
    case RECOUP_PHASE_OPENING:
        return job->store != NULL && job->state.subtasks == 0;
    case RECOUP_PHASE_REPLAYING:
        return job->store != NULL && job->state.finished == 0;
    case RECOUP_PHASE_WAITING:
        return open && !job->has_replay && job->state.finished <= job->state.subtasks;
    case RECOUP_PHASE_RECONCILING:
        return open && job->reports.n == 0 && job->n_resets == 0;
    case RECOUP_PHASE_RUNNING:
        return !job->has_replay && job->n_resets == 0 && job->durable_wait == 0;
    case RECOUP_PHASE_STOPPING:
        return job->work == RECOUP__WORK_NONE;
    case RECOUP_PHASE_STOPPED:
        return job->work == RECOUP__WORK_NONE;
    default:
        return false;
    }
}

void recoup__job_move(struct recoup_job *job, enum recoup_phase phase)
{
    RECOUP_ASSERT(job != NULL);
    RECOUP_CHECK(&job->memory, (successors[job->phase] & (1u << phase)) != 0);
    RECOUP_CHECK(&job->memory, phase != job->phase);
    job->phase = phase;
    RECOUP_CHECK(&job->memory, invariant(job));
}

const char *recoup_phase_name(enum recoup_phase phase)
{
    static const char *const names[] = {
        [RECOUP_PHASE_CREATED] = "created",         [RECOUP_PHASE_OPENING] = "opening",
        [RECOUP_PHASE_REPLAYING] = "replaying",     [RECOUP_PHASE_WAITING] = "waiting",
        [RECOUP_PHASE_RECONCILING] = "reconciling", [RECOUP_PHASE_RUNNING] = "running",
        [RECOUP_PHASE_STOPPING] = "stopping",       [RECOUP_PHASE_STOPPED] = "stopped",
    };
    return (unsigned)phase < sizeof names / sizeof *names ? names[phase] : "unknown";
}

int64_t recoup__job_policy(const struct recoup_job *job, enum recoup_policy policy)
{
    RECOUP_ASSERT((unsigned)policy < RECOUP_POLICY_COUNT);
    return job->options.policy[policy];
}

bool recoup__job_records(const struct recoup_job *job)
{
    RECOUP_ASSERT(job != NULL);
    return job->store != NULL && recoup__store_state(job->store) == RECOUP__STORE_OPEN;
}

int recoup__job_write(struct recoup_job *job, const struct recoup__record *record, unsigned flags,
                      uint64_t *sequence)
{
    RECOUP_ASSERT(record != NULL && sequence != NULL);
    *sequence = 0;
    if (!recoup__job_records(job)) {
        return 0;
    }
    int rc = recoup__actions_reserve(&job->actions, RECOUP__STORE_ACTIONS);
    if (rc != 0) {
        return rc;
    }
    return recoup__store_write(job->store, &job->actions, job->now_ns, record, flags, sequence);
}

void recoup__job_forget_recovery(struct recoup_job *job)
{
    RECOUP_ASSERT(job->workers_silent <= job->workers_size);
    if (job->has_replay) {
        recoup__replay_release(&job->replay);
        job->has_replay = false;
    }
    recoup__reports_clear(&job->reports, &job->memory);
    recoup__release(&job->memory, job->workers, job->workers_size * sizeof *job->workers);
    job->workers = NULL;
    job->workers_size = job->workers_silent = 0;
    job->missing = 0;
    job->work = RECOUP__WORK_NONE;
    job->durable_wait = 0;
    RECOUP_ASSERT(!job->has_replay);
}
