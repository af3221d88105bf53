// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the library does with the store, and says about it (R4, R6, R10, S1, S2, S8 to S13, S15,
// S16).
#include <string.h>

#include "models/invariants_internal.h"
#include "sim/banned.h"

#define WAITING_BYTES_MAX ((uint64_t)64 << 20) // the library's default limit; the model sets none

// --- DURABLE -------------------------------------------------------------------------------------

void invariants_durable(struct model_world *w, uint32_t incarnation, uint64_t event)
{
    struct invariant_incarnation *own;
    uint64_t kept;

    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    own = invariant_incarnation_of(w, incarnation);
    kept = storage_durable_event(w, incarnation);
    SIM_ASSERT(incarnation == w->master.incarnation);
    // After a checkpoint that replaced them the watermark covers events that never came to be
    // written.
    if (event > kept && !own->replaced) {
        bool cached = w->config->storage.durable_at == RECOUP_DURABLE_AT_SYNC;

        invariants_report(w, "S1", cached ? "H5" : "",
                          "master %u takes event %llu for durable, and the store keeps them up to "
                          "%llu",
                          incarnation, (unsigned long long)event, (unsigned long long)kept);
    }
    if (event < own->acked) {
        invariants_report(w, "S10", NULL,
                          "master %u: the durable event goes back from %llu to %llu", incarnation,
                          (unsigned long long)own->acked, (unsigned long long)event);
    }
    if (own->lost && event > own->lost_at) {
        invariants_report(w, "S11", NULL,
                          "master %u: event %llu is durable although recording stopped at event "
                          "%llu",
                          incarnation, (unsigned long long)event, (unsigned long long)own->lost_at);
    }
    own->acked = event > own->acked ? event : own->acked;
    own->accepted = event > own->accepted ? event : own->accepted;
    SIM_ASSERT(own->accepted >= own->acked);
}

// --- actions -------------------------------------------------------------------------------------

static bool store_error_fired(const struct model_world *w)
{
    SIM_ASSERT(w->config->n_faults == 0 || w->faults.state != NULL);
    for (uint32_t i = 0; i < w->config->n_faults; i++) {
        if (w->config->faults[i].kind == MODEL_FAULT_STORE_ERROR && w->faults.state[i].fired) {
            return true;
        }
    }
    SIM_ASSERT(w->config->n_faults <= MODEL_FAULTS_MAX);
    return false;
}

// True if an operation failed that can leave a file missing: a creation cannot.
static bool file_error_fired(const struct model_world *w)
{
    SIM_ASSERT(w->config->n_faults == 0 || w->faults.state != NULL);
    for (uint32_t i = 0; i < w->config->n_faults; i++) {
        const struct model_fault *fault = &w->config->faults[i];

        if (fault->kind == MODEL_FAULT_STORE_ERROR && fault->op != MODEL_STORAGE_CREATE &&
            w->faults.state[i].fired) {
            return true;
        }
    }
    SIM_ASSERT(w->config->n_faults <= MODEL_FAULTS_MAX);
    return false;
}

// S11: recording stops for good, and Flink leaves a line in its log.
static void protection_ends(struct model_world *w, const struct recoup_action *action)
{
    struct invariant_incarnation *own = invariant_incarnation_of(w, w->master.incarnation);
    const char *hazard = store_error_fired(w) ? "H1" : "H4";

    SIM_ASSERT(action->type == RECOUP_ACTION_PROTECTION_LOST);
    own->lost = true;
    own->lost_at = own->accepted;
    if (w->config->options.policy[RECOUP_POLICY_ON_ERROR] == 0) {
        invariants_report(w, "S11", hazard,
                          "master %u records nothing more from event %llu on (%s), and nobody is "
                          "told",
                          w->master.incarnation, (unsigned long long)own->lost_at,
                          recoup_error_name(action->protection_lost.error));
    }
    SIM_ASSERT(own->lost_at == own->accepted);
}

static void protection_returns(struct model_world *w)
{
    struct invariant_incarnation *own = invariant_incarnation_of(w, w->master.incarnation);

    SIM_ASSERT(w->master.alive);
    own->lost = false;
    own->replaced = true;
    SIM_ASSERT(!own->lost);
}

// R6: one recovery, one outcome, and failure never after success.
static void recovery_fails(struct model_world *w, const struct recoup_action *action)
{
    struct invariant_incarnation *own = invariant_incarnation_of(w, w->master.incarnation);

    SIM_ASSERT(w->master.incarnation > 0);
    if (own->failed || own->recovered) {
        invariants_report(w, "R6", "H25", "master %u reports a failed recovery after it had %s",
                          w->master.incarnation, own->recovered ? "recovered" : "failed already");
    }
    // S7: nothing but an operation that fails can make a log unreadable here, since no fault
    // changes bytes. A storage that takes too long says nothing about the log.
    if (action->recovery_failed.error != RECOUP_ETIMEDOUT &&
        (action->recovery_failed.error == RECOUP_EGAP ? !file_error_fired(w)
                                                      : !store_error_fired(w))) {
        invariants_report(w, "S7", "",
                          "master %u refuses the log that masters before it wrote (%s)",
                          w->master.incarnation, recoup_error_name(action->recovery_failed.error));
    }
    own->failed = true;
}

// W5: what is adopted is the output of the attempt that is held.
static void check_track(struct model_world *w, const struct recoup_partition *partition)
{
    uint32_t gid = w->stages[partition->stage].gid_first + partition->subtask;
    uint32_t held;

    SIM_ASSERT(partition->stage < w->config->n_stages);
    SIM_ASSERT(gid < w->n_subtasks);
    if (!w->master.settled) {
        return; // what this master holds is told later in this very update
    }
    held = invariant_held(w, gid);
    if (held == MODEL_NONE && w->invariants.own->adopting) {
        return; // it is held as soon as this update is carried out
    }
    if (held != (uint32_t)partition->attempt) {
        invariants_report(w, "W5", NULL,
                          "master %u adopts attempt %u of %s[%u], which is not the one it holds",
                          w->master.incarnation, (uint32_t)partition->attempt,
                          invariant_stage_name(w, gid), partition->subtask);
    }
}

static void check_partitions(struct model_world *w, const struct recoup_action *action)
{
    SIM_ASSERT(action->type == RECOUP_ACTION_TRACK || action->type == RECOUP_ACTION_RELEASE);
    for (uint32_t i = 0; i < action->partitions.n_partitions; i++) {
        const struct recoup_partition *partition = &action->partitions.partitions[i];

        if ((uint32_t)partition->attempt >= w->n_attempts) {
            invariants_report(w, "W5", NULL, "an action names attempt %u, which never was",
                              (uint32_t)partition->attempt);
        } else if (action->type == RECOUP_ACTION_TRACK) {
            check_track(w, partition);
        } else {
            invariants_check_release(w, partition);
        }
    }
    SIM_ASSERT(w->master.alive);
}

static void check_reset(struct model_world *w, const struct recoup_action *action)
{
    SIM_ASSERT(action->type == RECOUP_ACTION_RESET_SUBTASKS);
    for (uint32_t i = 0; i < action->reset_subtasks.n_ranges; i++) {
        const struct recoup_reset_range *range = &action->reset_subtasks.ranges[i];

        if (w->master.running && range->reason == RECOUP_RESET_COORDINATOR_UNSUPPORTED &&
            invariants_hazard_active(w, "H29")) {
            w->invariants.own->stage_only = true;
        }
        if (w->master.running || !w->master.settled) {
            continue;
        }
        if (range->reason == RECOUP_RESET_PARTITION_MISSING) {
            invariants_check_missing(w, &range->range);
        }
    }
    SIM_ASSERT(w->master.alive);
}

static void check_action(struct model_world *w, const struct recoup_action *action)
{
    SIM_ASSERT(action->type <= RECOUP_ACTION_ADOPT_SUBTASKS);
    if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
        protection_ends(w, action);
    } else if (action->type == RECOUP_ACTION_PROTECTION_RESTORED) {
        protection_returns(w);
    } else if (action->type == RECOUP_ACTION_RECOVERY_FAILED) {
        recovery_fails(w, action);
    } else if (action->type == RECOUP_ACTION_TRACK || action->type == RECOUP_ACTION_RELEASE) {
        check_partitions(w, action);
    } else if (action->type == RECOUP_ACTION_RESET_SUBTASKS) {
        check_reset(w, action);
    } else if (action->type == RECOUP_ACTION_ADOPT_SUBTASKS) {
        w->invariants.own->adopting = true;
    }
    SIM_ASSERT(w->master.job != NULL);
}

// --- S8, S9: what waits --------------------------------------------------------------------------

static bool snapshot_under_way(const struct model_world *w)
{
    SIM_ASSERT(w->coordinators.snapshots_used <= MODEL_SNAPSHOTS_MAX);
    for (uint32_t i = 0; i < w->coordinators.snapshots_used; i++) {
        if (w->coordinators.snapshots[i].used) {
            return true;
        }
    }
    SIM_ASSERT(SIM_ERGO(w->coordinators.snapshots_used > 0, w->coordinators.snapshots != NULL));
    return false;
}

// When an event is due that was accepted at `since_ns`: a tick of the flush timer later, or so much
// after a snapshot for which the writer began to wait before that.
static int64_t due_after(const struct model_invariant_private *own, int64_t since_ns,
                         int64_t interval_ns)
{
    int64_t due_ns = since_ns > RECOUP_NEVER - interval_ns ? RECOUP_NEVER : since_ns + interval_ns;

    SIM_ASSERT(interval_ns > 0);
    if (own->waited_until_ns >= since_ns && own->waited_since_ns <= due_ns &&
        own->waited_until_ns < RECOUP_NEVER - interval_ns) {
        due_ns = own->waited_until_ns + interval_ns;
    }
    SIM_ASSERT(due_ns >= since_ns);
    return due_ns;
}

// S9: an event waits at most until the next tick of the flush timer, if the store is idle then.
static void check_age(struct model_world *w)
{
    struct model_invariant_private *own = w->invariants.own;
    const struct recoup_options *options = &w->config->options;
    struct recoup_stats stats;
    int64_t due_ns;

    recoup_stats(w->master.job, &stats);
    SIM_ASSERT(stats.oldest_not_durable_ns >= 0);
    if (stats.bytes_waiting > WAITING_BYTES_MAX + RECOUP_EVENT_SIZE_MAX) {
        invariants_report(w, "S8", NULL, "master %u lets %llu bytes wait to be written",
                          w->master.incarnation, (unsigned long long)stats.bytes_waiting);
    }
    if (w->config->storage.durable_at != RECOUP_DURABLE_AT_FLUSH || !stats.protected_now ||
        stats.oldest_not_durable_ns == RECOUP_NEVER || own->idle_since_ns < 0) {
        return;
    }
    due_ns = due_after(own, stats.oldest_not_durable_ns, options->flush_interval_ns);
    if (w->now_ns > due_ns && own->idle_since_ns <= due_ns && !store_error_fired(w)) {
        invariants_report(w, "S9", "H14",
                          "master %u: an event accepted at %lld ns is not durable at %lld ns, and "
                          "the store was idle since %lld ns",
                          w->master.incarnation, (long long)stats.oldest_not_durable_ns,
                          (long long)w->now_ns, (long long)own->idle_since_ns);
    }
}

// Follows when the store is idle, and checks the age of what waits when it begins to work.
static void check_waiting(struct model_world *w, const struct recoup_update *update)
{
    struct model_invariant_private *own = w->invariants.own;
    bool io = false;

    for (uint32_t i = 0; i < update->n_actions; i++) {
        io = io || update->actions[i].type <= RECOUP_ACTION_REMOVE;
    }
    SIM_ASSERT(own->waited_until_ns <= w->now_ns);
    if (own->waiting) {
        own->waited_until_ns = w->now_ns;
    }
    if (!own->waiting && snapshot_under_way(w) &&
        own->waited_until_ns < w->now_ns - w->config->options.flush_interval_ns) {
        own->waited_since_ns = w->now_ns; // else it goes on from the wait before
    }
    own->waiting = snapshot_under_way(w);
    if (io) {
        check_age(w);
        own->idle_since_ns = -1;
    } else if (!w->storage.operation.busy && own->idle_since_ns < 0) {
        own->idle_since_ns = w->now_ns;
    }
    SIM_ASSERT(own->idle_since_ns <= w->now_ns);
}

void invariants_update(struct model_world *w, const struct recoup_update *update)
{
    struct invariant_incarnation *own;

    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    own = invariant_incarnation_of(w, w->master.incarnation);
    SIM_ASSERT(update->n_actions == 0 || update->actions != NULL);
    if (update->event != 0 && update->event <= own->accepted) {
        invariants_report(w, "S2", "", "master %u gives number %llu after number %llu",
                          w->master.incarnation, (unsigned long long)update->event,
                          (unsigned long long)own->accepted);
    } else if (update->event != 0) {
        own->accepted = update->event;
    }
    invariants_check_instant(w);
    check_waiting(w, update);
    w->invariants.own->adopting = false;
    for (uint32_t i = 0; i < update->n_actions; i++) {
        check_action(w, &update->actions[i]);
    }
    SIM_ASSERT(own->accepted >= update->event);
}

// --- operations ----------------------------------------------------------------------------------

static bool writes(enum recoup_action_type type)
{
    SIM_ASSERT(type <= RECOUP_ACTION_REMOVE);
    return type == RECOUP_ACTION_CREATE || type == RECOUP_ACTION_APPEND ||
           type == RECOUP_ACTION_FLUSH || type == RECOUP_ACTION_SYNC ||
           type == RECOUP_ACTION_CLOSE || type == RECOUP_ACTION_REMOVE;
}

// A new file: its number is greater than that of every file that this master created, except that
// a name whose creation (or close, where it appears by that) failed is used again (S13).
static void check_create(struct model_world *w, const char *name, uint32_t incarnation)
{
    struct model_invariant_private *own = w->invariants.own;
    uint64_t epoch = 0;
    uint64_t index = 0;
    bool known = reference_file_name(w, name, &epoch, &index);

    if (!known || (w->config->options.policy[RECOUP_POLICY_FENCING] != 0 && epoch != incarnation)) {
        invariants_report(w, "S15", NULL, "master %u creates file %s, which is no name of its log",
                          incarnation, name);
    }
    if (known && own->file[0] != '\0' && own->file_incarnation == incarnation &&
        (index < own->file_index || (index == own->file_index && !own->file_failed))) {
        invariants_report(w, "S13", "", "master %u creates file %s after file %s", incarnation,
                          name, own->file);
    }
    SIM_ASSERT(strlen(name) < sizeof(own->file));
    memcpy(own->file, name, strlen(name) + 1);
    own->file_open = true;
    own->file_failed = false;
    own->file_incarnation = incarnation;
    own->file_index = index;
}

// S15, R4: only the file that this master created last, and has not closed since, is written.
static void check_write(struct model_world *w, const struct recoup_action *action,
                        uint32_t incarnation)
{
    struct model_invariant_private *own = w->invariants.own;
    bool own_file = own->file_incarnation == incarnation && strcmp(own->file, action->io.file) == 0;

    SIM_ASSERT(action->type != RECOUP_ACTION_CREATE);
    SIM_ASSERT(action->type != RECOUP_ACTION_REMOVE);
    if (!own_file) {
        invariants_report(w, "R4", NULL, "master %u writes to file %s, which is not its open file",
                          incarnation, action->io.file);
    } else if (!own->file_open) {
        invariants_report(w, "S15", NULL, "master %u writes to file %s after closing it",
                          incarnation, action->io.file);
    }
    if (action->type == RECOUP_ACTION_APPEND) {
        own->appended += action->io.size;
    }
    if (action->type == RECOUP_ACTION_CLOSE) {
        own->file_open = false;
    }
}

void invariants_io(struct model_world *w, const struct recoup_action *action, uint32_t incarnation)
{
    if (!w->invariants.on) {
        return;
    }
    SIM_ASSERT(action->type <= RECOUP_ACTION_REMOVE);
    SIM_ASSERT(incarnation > 0);
    if (w->storage.operation.busy) {
        invariants_report(w, "S15", NULL,
                          "master %u issues a second operation while one is under way",
                          incarnation);
    }
    if (writes(action->type) && (!w->master.alive || incarnation != w->master.incarnation ||
                                 incarnation != w->election.incarnation)) {
        invariants_report(w, "R10", "H16", "master %u writes to the store, and master %u leads",
                          incarnation, w->election.incarnation);
    }
    if (action->type == RECOUP_ACTION_SYNC && (w->config->storage.kind == MODEL_STORAGE_S3 ||
                                               w->config->storage.kind == MODEL_STORAGE_GCS)) {
        invariants_report(w, "S15", NULL, "master %u syncs file %s on an object store", incarnation,
                          action->io.file);
    }
    if (action->type == RECOUP_ACTION_REMOVE && w->master.job != NULL &&
        recoup_phase(w->master.job) == RECOUP_PHASE_OPENING) {
        w->invariants.own->wiping = true;
    }
    if (action->type == RECOUP_ACTION_CREATE) {
        check_create(w, action->io.file, incarnation);
    } else if (writes(action->type) && action->type != RECOUP_ACTION_REMOVE) {
        check_write(w, action, incarnation);
    }
}

// R10: without fencing a master writes beside its successor, which may read it or not. With it the
// files that it writes bear its own epoch, so that its successors know them (S12).
void invariants_zombie_io(struct model_world *w, const struct recoup_action *action,
                          struct model_zombie *zombie)
{
    bool fencing = w->config->options.policy[RECOUP_POLICY_FENCING] != 0;
    uint64_t epoch = 0;
    uint64_t index = 0;

    SIM_ASSERT(action->type <= RECOUP_ACTION_REMOVE);
    SIM_ASSERT(zombie->incarnation < w->master.incarnation || !w->master.alive);
    if (!w->invariants.on || !writes(action->type)) {
        return;
    }
    if (action->type == RECOUP_ACTION_APPEND) {
        w->invariants.own->appended += action->io.size;
    }
    if (fencing && action->type != RECOUP_ACTION_REMOVE &&
        (!reference_file_name(w, action->io.file, &epoch, &index) ||
         epoch != zombie->incarnation)) {
        invariants_report(w, "S12", "", "master %u writes to file %s, whose epoch is not its own",
                          zombie->incarnation, action->io.file);
    }
    if (!fencing && w->master.started && !zombie->told) {
        zombie->told = true;
        invariants_report(w, "R10", "H16",
                          "master %u writes to file %s of the store, and master %u leads",
                          zombie->incarnation, action->io.file, w->master.incarnation);
    }
}

void invariants_name_taken(struct model_world *w, uint32_t incarnation,
                           const struct model_file *taken)
{
    SIM_ASSERT(incarnation > 0);
    if (!w->invariants.on || taken == NULL || taken->incarnation == incarnation ||
        (taken->incarnation > w->zombies.newest && incarnation > w->zombies.newest)) {
        return;
    }
    SIM_ASSERT(taken->name[0] != '\0');
    invariants_report(w, "S12", "H16", "masters %u and %u both want file %s", taken->incarnation,
                      incarnation, taken->name);
}

void invariants_io_failed(struct model_world *w, const struct recoup_action *action,
                          uint32_t incarnation)
{
    struct model_invariant_private *own = w->invariants.own;

    // Where a file is visible only once it is closed, one whose close failed may never have been.
    bool closes = action->type == RECOUP_ACTION_CLOSE &&
                  w->config->storage.durable_at == RECOUP_DURABLE_AT_CLOSE;

    SIM_ASSERT(incarnation > 0);
    // (A file that its master creates after it has lost the leadership was never noted.)
    if (w->invariants.on && (closes || action->type == RECOUP_ACTION_CREATE) &&
        own->file_incarnation == incarnation && strcmp(own->file, action->io.file) == 0) {
        SIM_ASSERT(own->file[0] != '\0');
        own->file_open = false;
        own->file_failed = true;
    }
}

// --- the ends of masters and of the run ---------------------------------------------------------

void invariants_master_died(struct model_world *w, uint32_t incarnation)
{
    struct invariant_incarnation *own;
    struct recoup_stats stats;

    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    own = invariant_incarnation_of(w, incarnation);
    SIM_ASSERT(incarnation == w->master.incarnation);
    w->invariants.own->idle_since_ns = -1;
    w->invariants.own->waiting = false;
    w->invariants.own->waited_until_ns = -1;
    if (w->master.job == NULL) {
        return;
    }
    recoup_stats(w->master.job, &stats);
    if (stats.events_durable > stats.events_accepted || stats.events_durable > own->acked) {
        invariants_report(
            w, "S10", NULL,
            "master %u counts %llu durable events of %llu accepted, and reported %llu", incarnation,
            (unsigned long long)stats.events_durable, (unsigned long long)stats.events_accepted,
            (unsigned long long)own->acked);
    }
    SIM_ASSERT(own->accepted >= own->acked);
}

// S16: bytes written are held, lost or removed.
void invariants_check_store(struct model_world *w)
{
    uint64_t appended = storage_bytes_appended(w);
    uint64_t rest = storage_bytes_held(w) + storage_bytes_lost(w) + storage_bytes_removed(w);

    SIM_ASSERT(w->ended);
    if (appended != rest) {
        invariants_report(w, "S16", NULL,
                          "%llu bytes were appended, and %llu are held, lost or removed",
                          (unsigned long long)appended, (unsigned long long)rest);
    }
    if (appended > w->invariants.own->appended) {
        invariants_report(w, "S16", NULL, "the store took %llu bytes, and %llu were written",
                          (unsigned long long)appended,
                          (unsigned long long)w->invariants.own->appended);
    }
    SIM_ASSERT(w->invariants.on);
}
