// SPDX-License-Identifier: GPL-3.0-or-later
//
// The ledger of work. Sums are kept as things happen; at the end they are computed a second time
// from the attempts alone, and a difference is a finding (T8).
#include "models/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "models/world.h"
#include "sim/banned.h"

#define LEDGER_STARTED 1u
#define LEDGER_STOPPED 2u
#define LEDGER_CHANGES_SHIFT 10u

int ledger_init(struct model_world *w)
{
    struct model_ledger *ledger = &w->ledger;

    SIM_ASSERT(w->config->n_stages > 0);
    SIM_ASSERT(w->config->n_stages <= MODEL_STAGES_MAX);
    memset(ledger, 0, sizeof(*ledger));
    sim_chunks_init(&ledger->changes, w->arena, sizeof(struct model_ledger_change),
                    LEDGER_CHANGES_SHIFT);
    ledger->lost =
        world_alloc(w, (size_t)w->config->n_stages * MODEL_CAUSE_COUNT, sizeof(*ledger->lost));
    if (ledger->lost == NULL) {
        return SIM_ENOMEM;
    }
    memset(ledger->lost, 0,
           (size_t)w->config->n_stages * MODEL_CAUSE_COUNT * sizeof(*ledger->lost));
    outage_init(w);
    return 0;
}

static uint8_t ledger_marks(const struct model_world *w, uint32_t attempt)
{
    SIM_DEBUG_ASSERT(attempt < w->n_attempts);
    return world_attempt(w, attempt)->marks;
}

void ledger_started(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);
    struct model_subtask *subtask = &w->subtasks[a->gid];

    SIM_ASSERT((ledger_marks(w, attempt) & LEDGER_STARTED) == 0);
    SIM_ASSERT(a->start_ns == w->now_ns);
    a->marks |= LEDGER_STARTED;
    a->cause = MODEL_CAUSE_COUNT;
    w->ledger.attempts++;
    if (subtask->taken_back) {
        subtask->taken_back = false;
        w->ledger.tasks_rerun++;
    }
}

void ledger_stopped(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(ledger_marks(w, attempt) == LEDGER_STARTED || w->error != 0);
    SIM_ASSERT(a->start_ns <= w->now_ns);
    a->end_ns = w->now_ns;
    if (a->end_ns - a->start_ns > INT64_MAX - w->ledger.busy_ns) {
        w->error = SIM_ELIMIT; // more slot time than a result can hold: the run ends without one
        a->end_ns = a->start_ns;
    }
    w->ledger.busy_ns += a->end_ns - a->start_ns;
    a->marks |= LEDGER_STOPPED;
}

bool ledger_is_stopped(const struct model_world *w, uint32_t attempt)
{
    SIM_ASSERT(attempt < w->n_attempts);
    return (ledger_marks(w, attempt) & LEDGER_STOPPED) != 0;
}

void ledger_orphaned(struct model_world *w, int64_t ns)
{
    SIM_ASSERT(ns >= 0);
    SIM_ASSERT(w->ledger.orphaned_ns >= 0);
    if (ns > INT64_MAX - w->ledger.orphaned_ns) {
        w->error = SIM_ELIMIT;
        return;
    }
    w->ledger.orphaned_ns += ns;
}

static struct model_lost *ledger_lost_of(struct model_world *w, const struct model_attempt *a,
                                         enum model_cause cause)
{
    uint32_t stage = world_stage_of(w, a->gid);

    SIM_ASSERT(cause < MODEL_CAUSE_COUNT);
    SIM_ASSERT(stage < w->config->n_stages);
    return &w->ledger.lost[(size_t)stage * MODEL_CAUSE_COUNT + cause];
}

static void ledger_lose(struct model_world *w, uint32_t attempt, enum model_cause cause)
{
    struct model_attempt *a = world_attempt(w, attempt);
    struct model_lost *lost = ledger_lost_of(w, a, cause);
    int64_t ns = a->end_ns - a->start_ns;

    SIM_ASSERT(ledger_is_stopped(w, attempt) || w->error != 0);
    SIM_ASSERT(a->cause == MODEL_CAUSE_COUNT);
    SIM_ASSERT(ns >= 0);
    a->cause = (uint8_t)cause;
    lost->ns += ns;
    lost->attempts++;
    w->ledger.lost_ns += ns;
    if (w->options->observer != NULL) {
        observe_loss(w, attempt, cause, false);
    }
}

// While a recovery may still fail: what the attempt and its subtask were before a change.
static void ledger_note(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    struct model_ledger_change *change;

    if (!w->ledger.recovering) {
        return;
    }
    SIM_ASSERT(!w->master.running);
    change = sim_chunks_push(&w->ledger.changes);
    if (change == NULL) {
        w->error = w->error != 0 ? w->error : SIM_ENOMEM;
        return;
    }
    SIM_ASSERT(a->cause <= MODEL_CAUSE_COUNT);
    *change = (struct model_ledger_change){attempt, a->cause, w->subtasks[a->gid].taken_back};
}

void ledger_lose_unfinished(struct model_world *w, uint32_t attempt, enum model_cause cause)
{
    SIM_ASSERT(cause <= MODEL_CAUSE_RUNNING_AT_CRASH || cause == MODEL_CAUSE_DOWNSTREAM_OF_RESET ||
               cause == MODEL_CAUSE_JOB_FAILED);
    SIM_ASSERT(attempt < w->n_attempts);
    if ((ledger_marks(w, attempt) & LEDGER_STARTED) != 0) {
        ledger_lose(w, attempt, cause);
    }
}

void ledger_lose_finished(struct model_world *w, uint32_t attempt, enum model_cause cause)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    struct model_subtask *subtask = &w->subtasks[a->gid];

    SIM_ASSERT(cause > MODEL_CAUSE_RUNNING_AT_CRASH);
    SIM_ASSERT(cause < MODEL_CAUSE_COUNT);
    ledger_note(w, attempt);
    ledger_lose(w, attempt, cause);
    if (subtask->attempt == attempt || subtask->attempt == MODEL_NONE) {
        subtask->taken_back = true;
    }
}

void ledger_regain(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);
    struct model_lost *lost;
    int64_t ns = a->end_ns - a->start_ns;

    SIM_ASSERT(ledger_is_stopped(w, attempt));
    if (a->cause == MODEL_CAUSE_COUNT) {
        return;
    }
    ledger_note(w, attempt);
    lost = ledger_lost_of(w, a, (enum model_cause)a->cause);
    SIM_ASSERT(lost->attempts > 0);
    SIM_ASSERT(lost->ns >= ns);
    lost->attempts--;
    lost->ns -= ns;
    w->ledger.lost_ns -= ns;
    if (w->options->observer != NULL) {
        observe_loss(w, attempt, (enum model_cause)a->cause, true);
    }
    a->cause = MODEL_CAUSE_COUNT;
    w->subtasks[a->gid].taken_back = false;
}

// --- a recovery that may still fail --------------------------------------------------------------

void ledger_recovery_begins(struct model_world *w)
{
    SIM_ASSERT(!w->ledger.recovering);
    SIM_ASSERT(!w->master.running);
    sim_chunks_truncate(&w->ledger.changes, 0);
    w->ledger.recovering = true;
}

void ledger_recovery_ends(struct model_world *w)
{
    SIM_ASSERT(SIM_ERGO(w->ledger.recovering, !w->master.running));
    SIM_ASSERT(sim_chunks_count(&w->ledger.changes) <= (uint64_t)w->n_subtasks * 4);
    w->ledger.recovering = false;
}

// Takes one change back.
static void ledger_undo(struct model_world *w, const struct model_ledger_change *change)
{
    const struct model_attempt *a = world_attempt(w, change->attempt);

    SIM_ASSERT(a->cause != change->cause);
    if (a->cause != MODEL_CAUSE_COUNT) {
        ledger_regain(w, change->attempt);
    }
    if (change->cause != MODEL_CAUSE_COUNT) {
        ledger_lose(w, change->attempt, (enum model_cause)change->cause);
    }
    w->subtasks[a->gid].taken_back = change->taken_back;
    SIM_ASSERT(a->cause == change->cause);
}

void ledger_recovery_void(struct model_world *w)
{
    struct sim_chunks *changes = &w->ledger.changes;

    SIM_ASSERT(w->ledger.recovering);
    SIM_ASSERT(w->master.failed);
    w->ledger.recovering = false;
    for (uint64_t i = sim_chunks_count(changes); i > 0; i--) {
        ledger_undo(w, sim_chunks_at(changes, i - 1));
    }
    for (uint64_t i = 0; i < sim_chunks_count(changes); i++) {
        const struct model_ledger_change *change = sim_chunks_at(changes, i);

        if (world_attempt(w, change->attempt)->cause == MODEL_CAUSE_COUNT) {
            ledger_lose_finished(w, change->attempt, MODEL_CAUSE_RECOVERY_FAILED);
        }
    }
}

enum model_cause ledger_forgotten_cause(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(ledger_is_stopped(w, attempt));
    SIM_ASSERT(a->incarnation > 0);
    if (!w->config->options.recovery_enabled) {
        return MODEL_CAUSE_RECOVERY_DISABLED;
    }
    if (w->master.failed) {
        return MODEL_CAUSE_RECOVERY_FAILED;
    }
    // A record that can be read settles it, whatever became of the event at first: a checkpoint may
    // hold what was dropped, and a page cache what was never acknowledged.
    if (reference_readable(w, attempt)) {
        return MODEL_CAUSE_NOT_SNAPSHOTTED;
    }
    if (a->dropped) {
        return MODEL_CAUSE_RECORDING_STOPPED;
    }
    // Of a master that was cut off it may have become durable since, too late to be read.
    if (a->event == 0 || storage_durable_event(w, a->incarnation) < a->event ||
        a->incarnation <= w->zombies.newest) {
        return MODEL_CAUSE_NOT_RECORDED;
    }
    return MODEL_CAUSE_LOG_DAMAGED;
}

enum model_cause ledger_missing_cause(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    bool alive = w->workers.list[a->worker].alive;

    SIM_ASSERT(ledger_is_stopped(w, attempt));
    SIM_ASSERT(a->worker < w->config->cluster.workers);
    switch ((enum model_partition_state)a->partition) {
    case MODEL_PARTITION_HELD:
        return alive ? MODEL_CAUSE_WORKER_LATE : MODEL_CAUSE_PARTITION_LOST;
    case MODEL_PARTITION_RELEASED:
        return alive ? MODEL_CAUSE_PARTITION_RELEASED : MODEL_CAUSE_PARTITION_LOST;
    case MODEL_PARTITION_NONE:
    case MODEL_PARTITION_LOST:
        break;
    }
    return MODEL_CAUSE_PARTITION_LOST;
}

// --- the end -------------------------------------------------------------------------------------

static bool ledger_is_held(const struct model_world *w, uint32_t gid, uint32_t attempt)
{
    const struct model_subtask *subtask = &w->subtasks[gid];

    SIM_DEBUG_ASSERT(gid < w->n_subtasks);
    SIM_DEBUG_ASSERT(attempt < w->n_attempts);
    return subtask->state == MODEL_SUBTASK_FINISHED && subtask->attempt == attempt;
}

// An attempt of the finished job that is held: it is useful.
static void ledger_settle_held(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(w->state == MODEL_JOB_FINISHED);
    SIM_ASSERT(a->end_ns >= a->start_ns);
    if (a->cause != MODEL_CAUSE_COUNT) {
        invariants_finding(w, "T8",
                           "attempt %llu is held at the job's end, but was counted as lost for "
                           "cause %llu",
                           attempt, a->cause);
        ledger_regain(w, attempt);
    }
    w->ledger.useful_ns += a->end_ns - a->start_ns;
}

// Any other started attempt: lost, and in a finished job by an earlier decision.
static void ledger_settle_rest(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(ledger_is_stopped(w, attempt) || w->error != 0);
    SIM_ASSERT(!ledger_is_held(w, a->gid, attempt) || w->state != MODEL_JOB_FINISHED);
    if (a->cause != MODEL_CAUSE_COUNT) {
        return;
    }
    if (w->state == MODEL_JOB_FINISHED) {
        invariants_finding(w, "T8",
                           "attempt %llu of subtask %llu is neither held at the job's end nor lost "
                           "for a cause",
                           attempt, a->gid);
    }
    ledger_lose(w, attempt, MODEL_CAUSE_JOB_FAILED);
}

static void ledger_settle(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    uint8_t marks = ledger_marks(w, attempt);

    SIM_ASSERT(marks != LEDGER_STOPPED);
    if ((marks & LEDGER_STARTED) == 0) {
        SIM_ASSERT(!ledger_is_held(w, a->gid, attempt));
        return;
    }
    if ((marks & LEDGER_STOPPED) == 0) {
        ledger_stopped(w, attempt);
    }
    if (a->state == MODEL_ATTEMPT_ORPHANED) {
        ledger_orphaned(w, w->now_ns - a->end_ns);
    }
    if (w->state == MODEL_JOB_FINISHED && ledger_is_held(w, a->gid, attempt)) {
        ledger_settle_held(w, attempt);
    } else {
        ledger_settle_rest(w, attempt);
    }
}

// The second opinion: sums over the attempts as they stand, blind to what was added up on the way.
static void ledger_recount(struct model_world *w, struct model_lost *total, int64_t *busy_ns,
                           int64_t *useful_ns)
{
    SIM_ASSERT(total->ns == 0);
    SIM_ASSERT(total->attempts == 0);
    for (uint32_t i = 0; i < w->n_attempts; i++) {
        const struct model_attempt *a = world_attempt(w, i);
        int64_t ns = a->end_ns - a->start_ns;

        if ((ledger_marks(w, i) & LEDGER_STARTED) == 0) {
            continue;
        }
        *busy_ns += ns;
        if (w->state == MODEL_JOB_FINISHED && ledger_is_held(w, a->gid, i)) {
            *useful_ns += ns;
        } else {
            total->ns += ns;
            total->attempts++;
        }
    }
}

static void ledger_check(struct model_world *w)
{
    const struct model_ledger *ledger = &w->ledger;
    struct model_lost recount = {0, 0};
    struct model_lost sum = {0, 0};
    int64_t busy_ns = 0;
    int64_t useful_ns = 0;

    SIM_ASSERT(w->ended);
    if (!w->invariants.on) {
        return;
    }
    ledger_recount(w, &recount, &busy_ns, &useful_ns);
    for (uint32_t i = 0; i < w->config->n_stages * (uint32_t)MODEL_CAUSE_COUNT; i++) {
        SIM_ASSERT(ledger->lost[i].ns >= 0);
        sum.ns += ledger->lost[i].ns;
        sum.attempts += ledger->lost[i].attempts;
    }
    if (busy_ns != ledger->busy_ns || useful_ns != ledger->useful_ns) {
        invariants_finding(w, "T8",
                           "busy time is %llu ns in the ledger but %llu ns over all attempts",
                           (uint64_t)ledger->busy_ns, (uint64_t)busy_ns);
    }
    if (recount.ns != ledger->lost_ns || sum.ns != ledger->lost_ns ||
        recount.attempts != sum.attempts) {
        invariants_finding(w, "T8", "lost work is %llu ns by cause but %llu ns over all attempts",
                           (uint64_t)sum.ns, (uint64_t)recount.ns);
    }
    if (ledger->useful_ns + ledger->lost_ns != ledger->busy_ns) {
        invariants_finding(w, "T8", "useful and lost work are %llu ns, busy time is %llu ns",
                           (uint64_t)(ledger->useful_ns + ledger->lost_ns),
                           (uint64_t)ledger->busy_ns);
    }
}

void ledger_finish(struct model_world *w, struct model_result *result)
{
    struct model_ledger *ledger = &w->ledger;
    size_t count = (size_t)w->config->n_stages * MODEL_CAUSE_COUNT;

    SIM_ASSERT(w->ended);
    SIM_ASSERT(result->lost == NULL);
    for (uint32_t i = 0; i < w->n_attempts; i++) {
        ledger_settle(w, i);
    }
    ledger_check(w);
    result->lost = malloc(count * sizeof(*result->lost));
    if (result->lost == NULL) {
        w->error = SIM_ENOMEM;
        return;
    }
    memcpy(result->lost, ledger->lost, count * sizeof(*result->lost));
    result->n_stages = w->config->n_stages;
    result->attempts = ledger->attempts;
    result->tasks_rerun = ledger->tasks_rerun;
    result->finished_forgotten = ledger->finished_forgotten;
    result->busy_ns = ledger->busy_ns;
    result->useful_ns = ledger->useful_ns;
    result->lost_ns = ledger->lost_ns;
    result->orphaned_ns = ledger->orphaned_ns;
}
