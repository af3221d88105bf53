// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a recovery brings back (S1 to S3, R1, R2, R5, R7, T6, T9).
//
// Replay is judged three times. Against the reference model under the active policies: a difference
// is divergence, which nothing excuses. Against the store: what was acknowledged and not taken back
// must be readable, without holes. Against history: an attempt that a master took back must not be
// finished again once the log holds anything that this master, or a later one, recorded after it;
// before that the log is as it was, and the same recovery from the same log is the same state.
#include "models/invariants_internal.h"
#include "sim/banned.h"

// What one replay shows, counted, with the first case of each.
struct tally {
    uint32_t n;
    uint32_t gid;
    uint32_t attempt;
};

static void tally_add(struct tally *tally, uint32_t gid, uint32_t attempt)
{
    SIM_ASSERT(attempt != MODEL_NONE || gid != MODEL_NONE);
    if (tally->n == 0) {
        tally->gid = gid;
        tally->attempt = attempt;
    }
    tally->n++;
    SIM_ASSERT(tally->n > 0);
}

static void tally_report(struct model_world *w, const struct tally *tally, const char *invariant,
                         const char *prefer, const char *what)
{
    SIM_ASSERT(what != NULL);
    if (tally->n == 0) {
        return;
    }
    SIM_ASSERT(tally->gid < w->n_subtasks);
    invariants_report(w, invariant, prefer, "master %u: %u subtasks %s; the first is %s[%u]%s%d",
                      w->master.incarnation, tally->n, what, invariant_stage_name(w, tally->gid),
                      invariant_index(w, tally->gid),
                      tally->attempt != MODEL_NONE ? ", attempt " : ", no attempt ",
                      tally->attempt != MODEL_NONE ? (int)tally->attempt : -1);
}

// Notes the hazard of the first phantom of the run, which explains what follows from it.
static void note_phantom(struct model_world *w, const struct tally *tally, const char *invariant,
                         const char *prefer, const char *what)
{
    SIM_ASSERT(prefer != NULL);
    if (tally->n > 0 && w->invariants.own->phantom == NULL) {
        w->invariants.own->phantom = prefer;
    }
    tally_report(w, tally, invariant, prefer, what);
    SIM_ASSERT(SIM_ERGO(tally->n > 0, w->invariants.own->phantom != NULL));
}

static uint32_t marked(const struct model_world *w, uint32_t gid)
{
    const struct model_subtask *subtask = &w->subtasks[gid];

    SIM_ASSERT(gid < w->n_subtasks);
    return subtask->state == MODEL_SUBTASK_FINISHED ? subtask->attempt : MODEL_NONE;
}

// True if the reference model read what this master replayed.
static bool comparable(const struct model_world *w)
{
    const struct model_reference *reference = &w->invariants.reference;

    SIM_ASSERT(w->invariants.on);
    // What a master that is cut off removed meanwhile cannot be read again.
    return w->config->options.recovery_enabled && reference->read && reference->pictures_ready &&
           !w->master.failed && !w->zombies.removed;
}

// --- S1, S2: the store ---------------------------------------------------------------------------

// Only kills happen here, which the storage model settles exactly: no missing sync excuses a loss.
static const char *lost_hazard(const struct model_world *w)
{
    SIM_ASSERT(comparable(w));
    if (w->invariants.reference.gap) {
        return "H12";
    }
    // A master died while it removed a log that it could not read: what it left is a shorter log.
    return w->invariants.own->wiping && invariants_hazard_active(w, "H11") ? "H11" : "";
}

static void check_readable(struct model_world *w)
{
    struct tally lost = {0, MODEL_NONE, MODEL_NONE};
    struct tally hole = {0, MODEL_NONE, MODEL_NONE};

    SIM_ASSERT(comparable(w));
    for (uint32_t gid = 0; gid < w->n_subtasks; gid++) {
        uint32_t held = invariant_held(w, gid);
        const struct model_attempt *a = held != MODEL_NONE ? world_attempt(w, held) : NULL;

        const struct invariant_shadow *shadow = a != NULL ? invariant_shadow_of(w, held) : NULL;
        bool again = shadow != NULL && shadow->adopted != 0; // by its last record
        uint32_t event = a == NULL ? 0 : again ? shadow->adopted_event : a->event;
        uint32_t incarnation = again ? shadow->adopted : a != NULL ? a->incarnation : 0;

        if (event == 0 || (a->dropped && !again) || reference_readable(w, held)) {
            continue;
        }
        if (event <= invariant_incarnation_of(w, incarnation)->acked) {
            tally_add(&lost, gid, held);
        } else if (event < reference_readable_event(w, incarnation)) {
            tally_add(&hole, gid, held);
        }
    }
    tally_report(w, &lost, "S1", lost_hazard(w),
                 "were acknowledged as durable, and their records are gone");
    tally_report(w, &hole, "S2", "H9", "are missing in the log before later events of one master");
    SIM_ASSERT(lost.n <= w->n_subtasks);
}

// --- R1: the reference model ---------------------------------------------------------------------

// Finishes of sources that count although the snapshot that covered them went with the finish that
// carried it: the coordinator has their splits again.
static void check_cover(struct model_world *w)
{
    struct tally bare = {0, MODEL_NONE, MODEL_NONE};

    SIM_ASSERT(comparable(w));
    if (!invariants_hazard_active(w, "H20")) {
        return;
    }
    for (uint32_t i = 0; i < w->coordinators.count; i++) {
        uint32_t s = w->coordinators.list[i].stage;
        uint32_t end = w->stages[s].gid_first + w->stages[s].capacity;

        for (uint32_t gid = w->stages[s].gid_first; gid < end; gid++) {
            if (w->config->stages[s].coordinator.batch_snapshot &&
                w->coordinators.list[i].splits > 0 && marked(w, gid) != MODEL_NONE &&
                reference_cover_forgotten(w, i, gid)) {
                tally_add(&bare, gid, marked(w, gid));
            }
        }
    }
    note_phantom(w, &bare, "R1", "H20",
                 "count as finished, and the snapshot that covered them was forgotten");
    SIM_ASSERT(bare.n <= w->n_subtasks);
}

static void check_reference(struct model_world *w)
{
    struct model_invariant_private *own = w->invariants.own;
    struct tally more = {0, MODEL_NONE, MODEL_NONE};
    struct tally other = {0, MODEL_NONE, MODEL_NONE};
    struct tally order = {0, MODEL_NONE, MODEL_NONE};

    SIM_ASSERT(comparable(w));
    reference_limits(w, false, own->limits);
    reference_limits(w, true, own->limits_log);
    for (uint32_t s = 0; s < w->config->n_stages; s++) {
        uint32_t end = w->stages[s].gid_first + w->stages[s].capacity;

        for (uint32_t gid = w->stages[s].gid_first; gid < end; gid++) {
            uint32_t is = marked(w, gid);
            uint32_t should = reference_entry_under(w, gid, false, own->limits[s]);

            if (is != should) {
                tally_add(is == MODEL_NONE ? &other : &more, gid, is == MODEL_NONE ? should : is);
            } else if (is != MODEL_NONE &&
                       reference_entry_under(w, gid, true, own->limits_log[s]) != is) {
                tally_add(&order, gid, is);
            }
        }
    }
    note_phantom(w, &order, "R1", "H20", "count as finished behind the last recovery point");
    // Divergence: the policies are those of the reference model, too, so they explain nothing.
    if (more.n + other.n > 0) {
        const struct tally *first = more.n > 0 ? &more : &other;

        invariants_report(w, "S3", "",
                          "divergence: master %u replays %u subtasks otherwise than the reference "
                          "model; the first is %s[%u], attempt %u, which is %s",
                          w->master.incarnation, more.n + other.n,
                          invariant_stage_name(w, first->gid), invariant_index(w, first->gid),
                          first->attempt, more.n > 0 ? "held" : "forgotten");
    }
}

// --- R2, T9: history -----------------------------------------------------------------------------

enum phantom {
    PHANTOM_NONE,
    PHANTOM_ZOMBIE,
    PHANTOM_RECOVERY,
    PHANTOM_RUNNING,
    PHANTOM_UNPROTECTED,
    PHANTOMS
};

// True if the log holds something recorded after the decision.
static bool contradicted(const struct model_world *w, const struct invariant_taking *taking)
{
    SIM_ASSERT(taking->incarnation > 0);
    SIM_ASSERT(taking->incarnation <= w->master.incarnation);
    if (reference_readable_event(w, taking->incarnation) > taking->event) {
        return true;
    }
    for (uint32_t i = taking->incarnation + 1; i < w->master.incarnation; i++) {
        if (reference_readable_event(w, i) > 0) {
            return true;
        }
    }
    return false;
}

// S12: its record came to the log of a master that was cut off after a successor had read that.
static bool came_late(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    const struct invariant_incarnation *writer = invariant_incarnation_of(w, a->incarnation);

    SIM_ASSERT(a->incarnation < w->master.incarnation);
    SIM_ASSERT(SIM_ERGO(writer->fence > 0, writer->fenced));
    return a->incarnation <= w->zombies.newest && writer->fenced && a->event > writer->fence;
}

// What the first successor that recovered has read of a master is all that may ever count.
static void fence(struct model_world *w)
{
    SIM_ASSERT(comparable(w));
    for (uint32_t i = 1; i < w->master.incarnation; i++) {
        struct invariant_incarnation *writer = invariant_incarnation_of(w, i);

        SIM_ASSERT(SIM_ERGO(!writer->fenced, writer->fence == 0));
        writer->fence = writer->fenced ? writer->fence : reference_readable_event(w, i);
        writer->fenced = true;
    }
}

static enum phantom phantom_of(struct model_world *w, uint32_t attempt)
{
    uint32_t index = invariant_shadow_of(w, attempt)->taking;
    const struct invariant_taking *taking;

    if (w->zombies.newest > 0 && came_late(w, attempt)) {
        return PHANTOM_ZOMBIE;
    }

    SIM_ASSERT(index <= sim_chunks_count(&w->invariants.own->takings));
    if (index == 0) {
        return PHANTOM_NONE;
    }
    taking = sim_chunks_at(&w->invariants.own->takings, index - 1);
    SIM_ASSERT(taking->attempt == attempt);
    if (taking->how == INVARIANT_UNPROTECTED) {
        // A stale prefix is trusted: Flink's way (H2). Without re-arming it is all there is.
        return invariants_hazard_active(w, "H2") || contradicted(w, taking) ? PHANTOM_UNPROTECTED
                                                                            : PHANTOM_NONE;
    }
    if (!contradicted(w, taking)) {
        return PHANTOM_NONE;
    }
    return taking->how == INVARIANT_RUNNING ? PHANTOM_RUNNING : PHANTOM_RECOVERY;
}

static void check_history(struct model_world *w)
{
    struct tally tallies[PHANTOMS] = {{0, MODEL_NONE, MODEL_NONE}};
    struct tally invented = {0, MODEL_NONE, MODEL_NONE};

    SIM_ASSERT(w->invariants.on);
    for (uint32_t gid = 0; gid < w->n_subtasks; gid++) {
        uint32_t is = marked(w, gid);

        if (is == MODEL_NONE) {
            continue;
        }
        SIM_ASSERT(is < w->n_attempts);
        if (world_attempt(w, is)->gid != gid ||
            (invariant_shadow_of(w, is)->flags & INVARIANT_FINISHED) == 0) {
            tally_add(&invented, gid, is);
        } else if (phantom_of(w, is) != PHANTOM_NONE) {
            tally_add(&tallies[phantom_of(w, is)], gid, is);
        }
    }
    tally_report(w, &invented, "S2", "", "are finished by attempts that never finished");
    // A log that was taken for shorter than it is may come to light again.
    note_phantom(w, &tallies[PHANTOM_RECOVERY], "R2", w->invariants.own->gap_seen ? "H12" : "H19",
                 "are finished again that an earlier recovery had taken back");
    // Or the successor went on before it had said durably how much of the log counts.
    note_phantom(w, &tallies[PHANTOM_ZOMBIE], "S12",
                 invariants_hazard_active(w, "H16") ? "H16" : "H19",
                 "are finished by records written after a successor of their master read the log");
    note_phantom(w, &tallies[PHANTOM_RUNNING], "T9", "H21",
                 "are finished again although an earlier master had reset them");
    note_phantom(w, &tallies[PHANTOM_UNPROTECTED], "R1", "H2",
                 "are finished again although they were reset while recording was off");
}

// The shadow state follows the replay.
static void follow(struct model_world *w)
{
    SIM_ASSERT(w->invariants.on);
    SIM_ASSERT(w->master.alive);
    for (uint32_t gid = 0; gid < w->n_subtasks && w->error == 0; gid++) {
        uint32_t held = invariant_held(w, gid);
        uint32_t is = marked(w, gid);

        if (held == is) {
            continue;
        }
        if (held != MODEL_NONE) {
            invariant_take(w, held, INVARIANT_FORGOTTEN);
        }
        if (is != MODEL_NONE && world_attempt(w, is)->gid == gid) {
            invariant_hold(w, is);
        }
    }
}

void invariants_replayed(struct model_world *w)
{
    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    SIM_ASSERT(w->master.incarnation > 1);
    SIM_ASSERT(!w->master.running);
    invariant_incarnation_of(w, w->master.incarnation)->replayed = true;
    w->invariants.own->takings_first = sim_chunks_count(&w->invariants.own->takings);
    if (comparable(w) && !w->invariants.reference.failed) {
        check_readable(w);
        check_reference(w);
        check_cover(w);
    } else if (comparable(w)) {
        invariants_report(w, "S3", "",
                          "divergence: master %u replays a log that the reference model refuses",
                          w->master.incarnation);
    }
    if (comparable(w) && w->invariants.reference.gap) {
        w->invariants.own->gap_seen = true;
        invariants_report(w, "S13", "H12",
                          "master %u reads a log in which a file is missing as if it ended there",
                          w->master.incarnation);
    }
    check_history(w);
    follow(w);
}

void invariants_recovery_void(struct model_world *w)
{
    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    SIM_ASSERT(invariant_incarnation_of(w, w->master.incarnation)->failed);
    SIM_ASSERT(!w->master.running);
    for (uint32_t gid = 0; gid < w->n_subtasks && w->error == 0; gid++) {
        if (invariant_held(w, gid) != MODEL_NONE) {
            invariant_take(w, invariant_held(w, gid), INVARIANT_FORGOTTEN);
        }
    }
}

// --- RECOVERED -----------------------------------------------------------------------------------

// R7: from nothing, or from a failed recovery, nothing is kept.
static void check_clean_start(struct model_world *w)
{
    struct tally kept = {0, MODEL_NONE, MODEL_NONE};

    SIM_ASSERT(w->master.alive);
    if (!w->master.failed && !w->master.todo.nothing_there) {
        return;
    }
    for (uint32_t gid = 0; gid < w->n_subtasks; gid++) {
        if (marked(w, gid) != MODEL_NONE) {
            tally_add(&kept, gid, marked(w, gid));
        }
    }
    SIM_ASSERT(kept.n <= w->n_subtasks);
    tally_report(w, &kept, "R7", "", "are finished although the job starts over");
}

// R1: the library and the world agree on who is finished.
static void check_agreement(struct model_world *w)
{
    struct tally differ = {0, MODEL_NONE, MODEL_NONE};

    SIM_ASSERT(w->master.job != NULL);
    for (uint32_t s = 0; s < w->config->n_stages; s++) {
        const struct model_world_stage *stage = &w->stages[s];

        for (uint32_t i = 0; i < stage->parallelism; i++) {
            uint32_t is = marked(w, stage->gid_first + i);
            struct recoup_subtask subtask;

            recoup_subtask(w->master.job, s, i, &subtask);
            if (subtask.finished != (is != MODEL_NONE) ||
                (subtask.finished && (uint32_t)subtask.attempt != is)) {
                tally_add(&differ, stage->gid_first + i, is);
            }
        }
    }
    SIM_ASSERT(differ.n <= w->n_subtasks);
    tally_report(w, &differ, "R1", "", "are held otherwise by the library and by the world");
}

// R5: the wait for workers is bounded by its timeout, or by how long a worker may be unaware.
static void check_wait(struct model_world *w)
{
    const struct recoup_options *options = &w->config->options;
    int64_t limit_ns = options->worker_recovery_timeout_ns;
    int64_t waited_ns;

    if (!w->outage.open) {
        return;
    }
    SIM_ASSERT(w->outage.n_failovers > 0);
    if (options->policy[RECOUP_POLICY_WAIT] != 0) {
        limit_ns += options->worker_detection_ns;
    }
    waited_ns = w->outage.failovers[w->outage.n_failovers - 1].phase_ns[MODEL_PHASE_WAIT_WORKERS];
    SIM_ASSERT(waited_ns >= 0);
    if (waited_ns > limit_ns) {
        invariants_report(w, "R5", NULL, "master %u waited %lld ns for workers, %lld are allowed",
                          w->master.incarnation, (long long)waited_ns, (long long)limit_ns);
    }
}

// R5: and that for a storage to accept what must be durable first, by the library's limit.
static void check_acceptance(struct model_world *w)
{
    int64_t limit_ns = w->config->accept_ns > 0 ? w->config->accept_ns : RECOUP_ACCEPT_NS_DEFAULT;
    int64_t waited_ns;

    if (!w->outage.open) {
        return;
    }
    SIM_ASSERT(w->outage.n_failovers > 0);
    waited_ns = w->outage.failovers[w->outage.n_failovers - 1].phase_ns[MODEL_PHASE_RECONCILE];
    SIM_ASSERT(waited_ns >= 0);
    if (waited_ns > limit_ns) {
        invariants_report(w, "R5", NULL,
                          "master %u waited %lld ns for its first records to be durable, %lld are "
                          "allowed",
                          w->master.incarnation, (long long)waited_ns, (long long)limit_ns);
    }
}

// T6: a stage with recovered finishes has the parallelism with which they ran.
static void check_parallelism(struct model_world *w)
{
    for (uint32_t s = 0; s < w->config->n_stages; s++) {
        const struct model_world_stage *stage = &w->stages[s];
        uint32_t before = w->invariants.own->parallelism[s];
        bool any = false;

        for (uint32_t i = 0; i < stage->capacity && !any; i++) {
            any = marked(w, stage->gid_first + i) != MODEL_NONE;
        }
        SIM_ASSERT(SIM_ERGO(any, before > 0));
        if (any && before != stage->parallelism) {
            invariants_report(w, "T6", NULL,
                              "stage %s ran with parallelism %u and is recovered with %u",
                              w->config->stages[s].name, before, stage->parallelism);
        }
        SIM_ASSERT(stage->parallelism <= stage->capacity);
    }
}

void invariants_recovered(struct model_world *w)
{
    struct invariant_incarnation *incarnation;

    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    incarnation = invariant_incarnation_of(w, w->master.incarnation);
    SIM_ASSERT(SIM_ERGO(w->master.incarnation > 1, incarnation->replayed));
    SIM_ASSERT(!w->master.running);
    check_clean_start(w);
    check_agreement(w);
    check_wait(w);
    check_acceptance(w);
    check_parallelism(w);
    invariants_check_retention(w);
    if (incarnation->recovered) {
        invariants_report(w, "R6", NULL, "master %u reports that it recovered for the second time",
                          w->master.incarnation);
    }
    incarnation->recovered = true;
    if (w->zombies.newest > 0 && comparable(w)) {
        fence(w);
    }
}
