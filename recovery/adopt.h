// SPDX-License-Identifier: Apache-2.0
//
// Outputs that come back after the wait for workers (hazard H30, policy recovery.late-report =
// adopt).
//
// What the end of the wait takes back for want of an output is *withdrawn*: attempt, worker, size
// and payload stay known, and what is at hand of its output is not released yet (RETURNED). When a
// worker reports late, the library looks for withdrawn subtasks that could all count as finished
// again, as if the wait had ended only now, and asks the host which of them it can give up making
// anew. What remains of them after the answer is finished again.
//
//   WITHDRAWN -> finished          adopted
//   WITHDRAWN -> not finished      made anew (its finish is stepped), or taken back once more
//
// A set may be adopted if, for each of its subtasks,
//   the inputs that it consumed count: every producer is finished since an earlier master, or in
//   the set. So no consumer ever mixes outputs of two attempts;
//   its output is at hand, or nobody needs it: every consumer is finished or in the set.
// The largest such set is unique: what breaks a rule is struck out until nothing does.
#ifndef RECOUP_RECOVERY_ADOPT_H
#define RECOUP_RECOVERY_ADOPT_H

#include "recovery/job.h"

// True if the finish that is being taken back may count again later: the wait has ended, the policy
// says so, and the stage's coordinators could be restored.
bool recoup__adopt_possible(const struct recoup_job *job, uint32_t stage);

// Takes a finish back, and keeps what is needed to adopt it.
void recoup__adopt_withdraw(struct recoup_job *job, uint32_t stage, uint32_t subtask);

// It cannot be adopted any more. The RETURNED flag must have been looked at before.
void recoup__adopt_forget(struct recoup_job *job, uint32_t stage, uint32_t subtask);

// The partition of a withdrawn subtask as actions name it.
struct recoup_partition recoup__adopt_partition(const struct recoup_job *job, uint32_t stage,
                                                uint32_t subtask);

// True if the reported partition is one that has been missing, or is at hand already; notes where
// it lies. *release: another worker holds it, too, and this one may drop it.
bool recoup__adopt_returned(struct recoup_job *job, const struct recoup_partition *partition,
                            bool *release);

// What was at hand is gone.
void recoup__adopt_worker_lost(struct recoup_job *job, uint32_t worker);
void recoup__adopt_partition_lost(struct recoup_job *job, const struct recoup_partition *partition);

// True if the host has to be asked; it may be done in phase RUNNING only.
static inline bool recoup__adopt_due(const struct recoup_job *job)
{
    RECOUP_ASSERT(RECOUP_ERGO(job->n_withdrawn > 0, job->state.subtasks > 0));
    return job->adoption_due && job->n_withdrawn > 0 && job->phase == RECOUP_PHASE_RUNNING;
}
// Asks. RECOUP_ENOMEM changes nothing.
int recoup__adopt_ask(struct recoup_job *job);

// The host's answer.
int recoup__job_adoption(struct recoup_job *job, const struct recoup_event *event,
                         uint64_t *sequence);

#endif
