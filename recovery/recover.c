// SPDX-License-Identifier: Apache-2.0
//
// The sequence of recovery: from the opened store to RECOVERED or RECOVERY_FAILED, exactly one of
// them.
#include "recovery/job.h"

#include <string.h>

static void ask(struct recoup_job *job, bool on)
{
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_CREATED);
    if (job->asking != on) {
        job->asking = on;
        recoup__actions_push(&job->actions, RECOUP_ACTION_ASK_WORKERS)->ask_workers.on = on;
    }
    RECOUP_ASSERT(job->asking == on);
}

// The end of the wait, or of everything that could lead to it.
static void stop_asking(struct recoup_job *job)
{
    RECOUP_ASSERT(job->phase != RECOUP_PHASE_RUNNING);
    if (recoup__job_policy(job, RECOUP_POLICY_LATE_WORKER) == 0) {
        ask(job, false);
    }
}

static int write_incarnation(struct recoup_job *job)
{
    bool log_resets = recoup__job_policy(job, RECOUP_POLICY_LOG_RESETS) != 0;
    RECOUP_ASSERT(job->work == RECOUP__WORK_INCARNATION);
    RECOUP_ASSERT(recoup__job_records(job));
    if (!recoup__store_wants_incarnation(job->store)) {
        return 0;
    }
    int rc = recoup__actions_reserve(&job->actions, RECOUP__STORE_ACTIONS);
    if (rc != 0) {
        return rc;
    }
    uint64_t sequence = 0;
    rc = recoup__store_write_incarnation(job->store, &job->actions, job->now_ns,
                                         job->has_replay ? job->replay.point_epoch : 0,
                                         job->has_replay ? job->replay.point_sequence : 0,
                                         log_resets ? RECOUP__WRITE_DURABLE : 0u, &sequence);
    if (rc == 0 && log_resets && !job->nothing) {
        job->durable_wait = sequence;
    }
    return rc;
}

// Everything is as if nothing had ever been read.
static void clear_state(struct recoup_job *job)
{
    recoup__job_forget_recovery(job);
    recoup__job_forget_resets(job);
    recoup__state_clear(&job->state);
    recoup__snapshots_clear(&job->snapshots);
    recoup__releases_clear(&job->releases);
    job->n_withdrawn = 0;
    job->adoption_due = job->losses = false;
    RECOUP_ASSERT(job->state.finished == 0);
    RECOUP_ASSERT(job->work == RECOUP__WORK_NONE);
}

static void push_failed(struct recoup_job *job, int error)
{
    RECOUP_ASSERT(job->n_resets == 0);
    RECOUP_ASSERT(error != 0);
    recoup__actions_push(&job->actions, RECOUP_ACTION_RECOVERY_FAILED)->recovery_failed.error =
        error;
}

// An earlier master has ended the job, and perhaps died while it removed the log: that goes on.
// What there is no memory for is done with the next step.
static void end_job(struct recoup_job *job)
{
    RECOUP_ASSERT(job->store != NULL);
    RECOUP_ASSERT(recoup__store_state(job->store) == RECOUP__STORE_ENDED);
    if (recoup__actions_reserve(&job->actions, RECOUP__STORE_ACTIONS + 2) != 0 ||
        recoup__store_stop(job->store, &job->actions, job->now_ns, true) != 0) {
        return;
    }
    clear_state(job);
    ask(job, false);
    recoup__actions_push(&job->actions, RECOUP_ACTION_JOB_ENDED);
    recoup__job_move(job, RECOUP_PHASE_STOPPING);
}

// The log is left alone; the job runs on unprotected, or, fenced by another master, not at all.
static void fail_without_wipe(struct recoup_job *job, int error)
{
    RECOUP_ASSERT(error != 0);
    RECOUP_ASSERT(job->store != NULL);
    clear_state(job);
    stop_asking(job);
    push_failed(job, error);
    bool told = recoup__store_state(job->store) == RECOUP__STORE_OPEN &&
                !recoup__store_protected(job->store);
    recoup__store_leadership_lost(job->store);
    job->store_error = error;
    job->store_error_ns = told ? RECOUP_NEVER : job->now_ns;
    if (error == RECOUP_EFENCED) {
        recoup__job_move(job, RECOUP_PHASE_STOPPED);
        return;
    }
    if (!told) {
        recoup__actions_push(&job->actions, RECOUP_ACTION_PROTECTION_LOST)->protection_lost.error =
            error;
    }
    recoup__job_move(job, RECOUP_PHASE_RUNNING);
}

static int wipe(struct recoup_job *job)
{
    int rc = recoup__actions_reserve(&job->actions, RECOUP__STORE_ACTIONS);
    RECOUP_ASSERT(job->failure != 0);
    RECOUP_ASSERT(!job->failing);
    if (rc == 0) {
        rc = recoup__store_wipe(job->store, &job->actions, job->now_ns);
    }
    if (rc != 0) {
        return rc;
    }
    clear_state(job);
    stop_asking(job);
    job->failing = true;
    recoup__job_move(job, RECOUP_PHASE_OPENING);
    return 0;
}

static void failed_opening(struct recoup_job *job, int error)
{
    bool wipes = recoup__job_policy(job, RECOUP_POLICY_ON_DAMAGE) == 0;
    RECOUP_ASSERT(job->work == RECOUP__WORK_NONE);
    RECOUP_ASSERT(error != 0);
    if (job->failing || !wipes || job->phase == RECOUP_PHASE_OPENING || error == RECOUP_EFENCED) {
        // A storage that cannot be opened, or not even wiped, is not worth a second try.
        fail_without_wipe(job, job->failing ? job->failure : error);
        return;
    }
    job->failure = error;
    job->work = RECOUP__WORK_WIPE;
}

static void push_recovered(struct recoup_job *job)
{
    bool checks = job->nothing || recoup__job_policy(job, RECOUP_POLICY_LIVENESS_CHECKS) != 0;
    job->finished_recovered = job->state.finished;
    struct recoup_action *action = recoup__actions_push(&job->actions, RECOUP_ACTION_RECOVERED);
    action->recovered.kind = job->nothing ? RECOUP_RECOVERED_NOTHING : RECOUP_RECOVERED_LOG;
    action->recovered.initialize_possible = checks;
    action->recovered.check_completion = checks;
    RECOUP_ASSERT(RECOUP_ERGO(job->nothing, job->state.finished == 0));
}

// Nothing to recover, or the log has been removed: the job starts from scratch.
static void start_afresh(struct recoup_job *job)
{
    RECOUP_ASSERT(job->nothing);
    RECOUP_ASSERT(RECOUP_ERGO(job->failing, job->failure != 0));
    clear_state(job);
    stop_asking(job);
    if (job->failing) {
        push_failed(job, job->failure);
        job->failing = false;
    } else {
        push_recovered(job);
    }
    recoup__job_move(job, RECOUP_PHASE_RUNNING);
}

void recoup__job_opened(struct recoup_job *job)
{
    enum recoup__store_state state = recoup__store_state(job->store);
    const struct recoup__opened *opened = recoup__store_opened(job->store);
    RECOUP_ASSERT(job->store != NULL);
    RECOUP_ASSERT(opened != NULL);
    bool found = opened->result == RECOUP__OPENED_LOG || state == RECOUP__STORE_READING ||
                 (opened->result == RECOUP__OPENED_FAILED && opened->bytes > 0);
    if (job->phase == RECOUP_PHASE_OPENING && found && !job->failing) {
        recoup__job_move(job, RECOUP_PHASE_REPLAYING);
        ask(job, true); // before the replay, so that the workers' answers overlap with it (B22)
    }
    if (job->work != RECOUP__WORK_NONE ||
        (job->phase != RECOUP_PHASE_OPENING && job->phase != RECOUP_PHASE_REPLAYING)) {
        return;
    }
    switch (opened->result) {
    case RECOUP__OPENED_PENDING:
        return;
    case RECOUP__OPENED_NOTHING:
        job->nothing = true;
        break;
    case RECOUP__OPENED_LOG:
        if (job->has_replay) {
            recoup__replay_end(&job->replay);
        }
        break;
    case RECOUP__OPENED_UNREAD:
        job->nothing = true;
        start_afresh(job);
        return;
    case RECOUP__OPENED_ENDED:
        end_job(job);
        return;
    case RECOUP__OPENED_FAILED:
        failed_opening(job, opened->error);
        return;
    default:
        RECOUP_CHECK(&job->memory, opened->result <= RECOUP__OPENED_FAILED);
        return;
    }
    if (state == RECOUP__STORE_OPEN) {
        job->work = RECOUP__WORK_INCARNATION;
    }
}

static int64_t later(int64_t time_ns, int64_t by_ns)
{
    RECOUP_ASSERT(by_ns >= 0);
    return time_ns > RECOUP_NEVER - 1 - by_ns ? RECOUP_NEVER - 1 : time_ns + by_ns;
}

static bool durable_enough(const struct recoup_job *job)
{
    RECOUP_ASSERT(job->store != NULL);
    if (job->durable_wait == 0 || recoup__store_durable(job->store) >= job->durable_wait) {
        return true;
    }
    // When recording has stopped for good nothing will become durable, and waiting helps nobody.
    return !recoup__store_protected(job->store) &&
           recoup__job_policy(job, RECOUP_POLICY_ON_ERROR) == 0;
}

// Running again: what was lost since the wait is reset like any other loss.
static int reset_losses(struct recoup_job *job)
{
    uint64_t sequence = 0;
    RECOUP_ASSERT(job->phase == RECOUP_PHASE_RUNNING);
    int rc = job->losses ? recoup__job_reset_missing(job, &sequence) : 0;
    job->losses = job->losses && rc != 0;
    return rc;
}

static int end_recovery(struct recoup_job *job)
{
    int rc = recoup__actions_reserve(&job->actions, 1);
    RECOUP_ASSERT(job->durable_wait == 0);
    if (rc == 0) {
        rc = recoup__releases_recovered(&job->releases);
    }
    if (rc == 0) {
        push_recovered(job);
        recoup__job_move(job, RECOUP_PHASE_RUNNING);
    }
    return rc;
}

// True if the next part has to wait for something that is not memory.
static bool blocked(const struct recoup_job *job)
{
    RECOUP_ASSERT(job->work != RECOUP__WORK_NONE);
    return (job->work == RECOUP__WORK_CONCLUDE && !recoup__job_wait_over(job)) ||
           (job->work == RECOUP__WORK_DURABLE && !durable_enough(job));
}

// Does the next part, which is not blocked.
static int do_work(struct recoup_job *job)
{
    RECOUP_ASSERT(!blocked(job));
    switch (job->work) {
    case RECOUP__WORK_WIPE:
        return wipe(job);
    case RECOUP__WORK_INCARNATION:
        return write_incarnation(job);
    case RECOUP__WORK_APPLY:
        return recoup__job_apply(job);
    case RECOUP__WORK_COORDINATORS:
        return recoup__job_coordinator_resets(job);
    case RECOUP__WORK_CLASSIFY:
        return recoup__job_classify(job);
    case RECOUP__WORK_CONCLUDE:
        return recoup__job_conclude(job);
    case RECOUP__WORK_MISSING:
        return recoup__job_missing(job);
    case RECOUP__WORK_LOG_RESETS:
        return recoup__job_log_resets(job);
    case RECOUP__WORK_DURABLE:
        job->durable_wait = 0;
        return 0;
    case RECOUP__WORK_RECOVERED:
        return end_recovery(job);
    case RECOUP__WORK_LOSSES:
        return reset_losses(job);
    case RECOUP__WORK_NONE:
    default:
        RECOUP_CHECK(&job->memory, job->work == RECOUP__WORK_LOSSES);
        return 0;
    }
}

// What follows a part that is done; wiping and starting afresh have set it themselves.
static void next_work(struct recoup_job *job, enum recoup__work done)
{
    RECOUP_ASSERT(done != RECOUP__WORK_NONE);
    if (done == RECOUP__WORK_WIPE) {
        RECOUP_ASSERT(job->work == RECOUP__WORK_NONE);
        return;
    }
    if (done == RECOUP__WORK_INCARNATION && job->nothing) {
        start_afresh(job);
        return;
    }
    if (done + 1 == RECOUP__WORK_DURABLE) {
        job->accept_end_ns = later(job->now_ns, job->accept_ns);
    }
    bool last = done == RECOUP__WORK_LOSSES;
    job->work = last ? RECOUP__WORK_NONE : (enum recoup__work)(done + 1);
}

int recoup__job_continue(struct recoup_job *job)
{
    RECOUP_ASSERT(RECOUP_ERGO(job->work != RECOUP__WORK_NONE, job->store != NULL));
    if (job->work == RECOUP__WORK_DURABLE && !durable_enough(job) &&
        job->now_ns >= job->accept_end_ns) {
        // What this master takes back would come back with the next one, if it went on like this.
        fail_without_wipe(job, recoup__store_lost_error(job->store));
        return 0;
    }
    // At most one turn a part: every turn goes on to the next or ends the loop.
    for (unsigned turn = 0; turn <= RECOUP__WORK_LOSSES; turn++) {
        enum recoup__work work = job->work;
        if (work == RECOUP__WORK_NONE || blocked(job)) {
            return 0;
        }
        int rc = do_work(job);
        if (rc != 0) {
            return rc;
        }
        next_work(job, work);
        RECOUP_ASSERT(job->work == RECOUP__WORK_NONE || job->work > work);
    }
    return 0;
}
