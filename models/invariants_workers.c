// SPDX-License-Identifier: GPL-3.0-or-later
//
// Partitions on workers (W1, W3, W4). What a worker holds is the world's truth; what masters asked,
// were told and ordered is known from the hooks.
#include "models/invariants_internal.h"
#include "sim/banned.h"

// --- reports -------------------------------------------------------------------------------------

void invariants_worker_report(struct model_world *w, uint32_t worker,
                              const struct recoup_partition *partitions, uint32_t n)
{
    if (!w->invariants.on || !invariants_reserve(w) || w->master.job == NULL) {
        return;
    }
    SIM_ASSERT(worker < w->config->cluster.workers);
    SIM_ASSERT(n == 0 || partitions != NULL);
    if (recoup_phase(w->master.job) > RECOUP_PHASE_WAITING) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t attempt = (uint32_t)partitions[i].attempt;

        SIM_ASSERT(attempt < w->n_attempts);
        invariant_shadow_of(w, attempt)->reported = w->master.incarnation;
    }
}

static bool holds(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    const struct model_worker *worker = &w->workers.list[a->worker];

    SIM_ASSERT(a->worker < w->config->cluster.workers);
    return a->partition == MODEL_PARTITION_HELD && worker->alive &&
           worker->registered == w->master.incarnation;
}

// W3: a producer is reset for want of its output, which its worker holds and has reported in time.
void invariants_check_missing(struct model_world *w, const struct recoup_range *range)
{
    const struct model_world_stage *stage = &w->stages[range->stage];

    SIM_ASSERT(range->stage < w->config->n_stages);
    for (uint32_t i = range->first; i < range->first + range->count; i++) {
        uint32_t gid = stage->gid_first + i;
        uint32_t held = invariant_held(w, gid);

        SIM_ASSERT(i < stage->capacity);
        if (held != MODEL_NONE && holds(w, held) &&
            invariant_shadow_of(w, held)->reported == w->master.incarnation) {
            invariants_report(w, "W3", "H33",
                              "master %u takes %s[%u] back as missing, and worker %u has reported "
                              "attempt %u in time",
                              w->master.incarnation, invariant_stage_name(w, gid), i,
                              world_attempt(w, held)->worker, held);
        }
    }
}

// --- releases ------------------------------------------------------------------------------------

// True if every subtask that reads the output of `gid` is finished, as far as the library knows.
static bool consumed(const struct model_world *w, uint32_t gid)
{
    const struct model_world_stage *stage = &w->stages[world_stage_of(w, gid)];

    SIM_ASSERT(w->master.job != NULL);
    for (uint32_t e = 0; e < stage->n_out_edges; e++) {
        const struct recoup_edge_spec *edge = &w->edges[stage->out_edges[e]];
        struct recoup_stage consumer;
        uint32_t first = 0;
        uint32_t count;

        recoup_stage(w->master.job, edge->consumer, &consumer);
        if (!consumer.initialized) {
            return false;
        }
        if (consumer.finished == consumer.parallelism) {
            continue;
        }
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            return false;
        }
        recoup_pointwise_consumers(stage->parallelism, consumer.parallelism, gid - stage->gid_first,
                                   &first, &count);
        SIM_ASSERT(first + count <= consumer.parallelism);
        for (uint32_t i = first; i < first + count; i++) {
            struct recoup_subtask subtask;

            recoup_subtask(w->master.job, edge->consumer, i, &subtask);
            if (!subtask.finished) {
                return false;
            }
        }
    }
    return true;
}

// True if this master took the attempt back for want of its output, nobody makes it anew yet, and
// it could count again: its inputs are still those that it consumed, and its splits are free.
static bool still_wanted(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    uint32_t stage = world_stage_of(w, a->gid);
    uint32_t index = invariant_shadow_of(w, attempt)->taking;
    const struct invariant_taking *taking;
    uint8_t state = w->subtasks[a->gid].state;

    if (index == 0 || a->cause != MODEL_CAUSE_WORKER_LATE ||
        (state != MODEL_SUBTASK_WAITING && state != MODEL_SUBTASK_READY)) {
        return false;
    }
    taking = sim_chunks_at(&w->invariants.own->takings, index - 1);
    SIM_ASSERT(taking->attempt == attempt);
    SIM_ASSERT(a->gid < w->n_subtasks);
    if (w->stages[stage].coordinator != MODEL_NONE &&
        (!w->config->stages[stage].coordinator.batch_snapshot ||
         !coordinator_may_retake(w, attempt))) {
        return false;
    }
    return taking->incarnation == w->master.incarnation &&
           *world_lineage(w, attempt) == invariant_inputs_lineage(w, a->gid);
}

// True if the library holds the attempt as finished, too: else it has just taken it back, and the
// release belongs to that.
static bool library_holds(const struct model_world *w, const struct recoup_partition *partition)
{
    struct recoup_subtask subtask;

    SIM_ASSERT(w->master.job != NULL);
    recoup_subtask(w->master.job, partition->stage, partition->subtask, &subtask);
    SIM_ASSERT(!subtask.finished || !subtask.resetting);
    return subtask.finished && subtask.attempt == partition->attempt;
}

void invariants_check_release(struct model_world *w, const struct recoup_partition *partition)
{
    uint32_t attempt = (uint32_t)partition->attempt;
    struct invariant_shadow *shadow = invariant_shadow_of(w, attempt);
    const struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(attempt < w->n_attempts);
    SIM_ASSERT(a->gid < w->n_subtasks);
    shadow->flags |= INVARIANT_RELEASED;
    if (!w->master.settled || a->partition != MODEL_PARTITION_HELD) {
        return;
    }
    if (!w->master.running) {
        return;
    }
    // What this very update adopts is held by the library already, and may be consumed, too.
    bool holds_it = library_holds(w, partition);
    bool held = invariant_held(w, a->gid) == attempt || w->invariants.own->adopting;

    if (held && holds_it && !consumed(w, a->gid)) {
        invariants_report(w, "W3", NULL,
                          "the output of %s[%u] (attempt %u) is released before all its consumers "
                          "are finished",
                          invariant_stage_name(w, a->gid), partition->subtask, attempt);
    } else if (!holds_it && still_wanted(w, attempt)) {
        // No other hazard of W3 excuses it.
        invariants_report(w, "W3", invariants_hazard_active(w, "H30") ? "H30" : "",
                          "worker %u reports the output of %s[%u] late, and is told to drop it "
                          "although nobody has begun to make it anew",
                          a->worker, invariant_stage_name(w, a->gid), partition->subtask);
    }
}

// --- W1 ------------------------------------------------------------------------------------------

// True if the worker dropped the output by itself, within the time for which it has to keep it, and
// is back with the present master.
static bool dropped_early(struct model_world *w, const struct invariant_taking *taking)
{
    const struct model_attempt *a = world_attempt(w, taking->attempt);
    const struct invariant_shadow *shadow = invariant_shadow_of(w, taking->attempt);
    const struct model_worker *worker = &w->workers.list[a->worker];

    SIM_ASSERT(worker->expired_ns <= w->now_ns);
    SIM_ASSERT(taking->incarnation == w->master.incarnation);
    return taking->how == INVARIANT_IN_RECOVERY && a->cause == MODEL_CAUSE_PARTITION_RELEASED &&
           a->partition == MODEL_PARTITION_RELEASED && (shadow->flags & INVARIANT_RELEASED) == 0 &&
           worker->alive && worker->registered == w->master.incarnation &&
           worker->expired_ns < a->end_ns; // else its time was over
}

// By a timer that belonged to an earlier disconnect, or else by the way it learned of the loss.
static const char *drop_hazard(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(a->partition == MODEL_PARTITION_RELEASED);
    SIM_ASSERT(a->worker < w->config->cluster.workers);
    return w->workers.list[a->worker].early_ns >= a->end_ns ? "H36" : "H35";
}

void invariants_check_retention(struct model_world *w)
{
    struct model_invariant_private *own = w->invariants.own;
    uint32_t n = 0;
    uint32_t first = MODEL_NONE;

    if (!w->outage.open || !w->config->worker_policy.recovery_enabled) {
        return; // H37: a worker that keeps nothing breaks no promise
    }
    SIM_ASSERT(w->outage.n_failovers > 0);
    for (uint64_t i = own->takings_first; i < sim_chunks_count(&own->takings); i++) {
        const struct invariant_taking *taking = sim_chunks_at(&own->takings, i);

        if (dropped_early(w, taking)) {
            first = n++ == 0 ? taking->attempt : first;
        }
    }
    if (n > 0) {
        SIM_ASSERT(first != MODEL_NONE);
        invariants_report(w, "W1", drop_hazard(w, first),
                          "%u output%s dropped by workers that came back in time; the first is "
                          "attempt %u on worker %u",
                          n, n == 1 ? " was" : "s were", first, world_attempt(w, first)->worker);
    }
}

// --- W4 ------------------------------------------------------------------------------------------

// True if one of these subtasks came back as finished from an earlier master's log.
static bool any_recovered(struct model_world *w, const struct model_world_stage *stage,
                          uint32_t first, uint32_t count)
{
    SIM_ASSERT(first + count <= stage->parallelism);
    for (uint32_t i = first; i < first + count; i++) {
        uint32_t held = invariant_held(w, stage->gid_first + i);

        if (held != MODEL_NONE && world_attempt(w, held)->incarnation < w->master.incarnation) {
            return true;
        }
    }
    return false;
}

// The same of a whole stage, looked up once: every output of an all-to-all edge asks for it.
static bool any_recovered_of_stage(struct model_world *w, uint32_t stage)
{
    uint8_t *known = &w->invariants.own->stage_recovered[stage];

    SIM_ASSERT(stage < w->config->n_stages);
    SIM_ASSERT(w->ended);
    if (*known == 0) {
        *known = any_recovered(w, &w->stages[stage], 0, w->stages[stage].parallelism) ? 2 : 1;
    }
    return *known == 2;
}

// True if a consumer of it came back as finished from an earlier master's log.
static bool consumer_recovered(struct model_world *w, uint32_t gid)
{
    const struct model_world_stage *stage = &w->stages[world_stage_of(w, gid)];

    SIM_ASSERT(gid >= stage->gid_first);
    for (uint32_t e = 0; e < stage->n_out_edges; e++) {
        const struct recoup_edge_spec *edge = &w->edges[stage->out_edges[e]];
        const struct model_world_stage *consumer = &w->stages[edge->consumer];
        uint32_t first = 0;
        uint32_t count = consumer->parallelism;

        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            if (any_recovered_of_stage(w, edge->consumer)) {
                return true;
            }
            continue;
        }
        recoup_pointwise_consumers(stage->parallelism, consumer->parallelism,
                                   gid - stage->gid_first, &first, &count);
        if (any_recovered(w, consumer, first, count)) {
            return true;
        }
    }
    return false;
}

// Why nobody ordered the release of this output, as far as hazards explain it.
static const char *leak_hazard(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    const struct invariant_shadow *shadow = invariant_shadow_of(w, attempt);
    bool held = invariant_held(w, a->gid) == attempt;

    SIM_ASSERT(a->partition == MODEL_PARTITION_HELD);
    if (a->incarnation < w->master.incarnation && shadow->reported != w->master.incarnation &&
        invariants_hazard_active(w, "H31")) {
        return "H31";
    }
    if (held && invariants_hazard_active(w, "H34") && consumer_recovered(w, a->gid)) {
        return "H34";
    }
    if (a->incarnation < w->master.incarnation && held && invariants_hazard_active(w, "H33")) {
        return "H33";
    }
    if (!held && a->incarnation < w->master.incarnation &&
        invariant_incarnation_of(w, w->master.incarnation)->failed &&
        invariants_hazard_active(w, "H11")) {
        return "H11"; // reported, and forgotten with the log that was given up
    }
    if (held && w->invariants.own->stage_only) {
        return "H29"; // made anew for consumers that were not restarted
    }
    SIM_ASSERT(a->gid < w->n_subtasks);
    return NULL;
}

// A job without failover, whose inputs go when they are consumed, leaves nothing behind.
static bool leaves_nothing(const struct model_world *w)
{
    SIM_ASSERT(w->state == MODEL_JOB_FINISHED);
    return w->config->release_partitions && w->master.incarnation == 1 &&
           w->config->options.policy[RECOUP_POLICY_RELEASE_AFTER] == 0;
}

// Outputs that are still there when the job is done, on workers of the last master, and whose
// release nobody ordered. With release after a recovery point the end of the job comes first: then
// only what a hazard explains is told.
void invariants_check_leaks(struct model_world *w)
{
    uint32_t n = 0;
    uint32_t first = MODEL_NONE;
    const char *prefer = NULL;

    SIM_ASSERT(w->state == MODEL_JOB_FINISHED);
    if (!w->config->release_partitions || !w->config->options.recovery_enabled) {
        return;
    }
    for (uint32_t i = 0; i < w->n_attempts; i++) {
        const struct model_attempt *a = world_attempt(w, i);
        const char *hazard;

        if (!holds(w, i) || (invariant_shadow_of(w, i)->flags & INVARIANT_RELEASED) != 0) {
            continue;
        }
        SIM_ASSERT(a->incarnation <= w->master.incarnation);
        hazard = leak_hazard(w, i);
        if (hazard == NULL && !leaves_nothing(w)) {
            continue;
        }
        prefer = n == 0 ? hazard : prefer;
        first = n++ == 0 ? i : first;
    }
    if (n > 0) {
        SIM_ASSERT(first != MODEL_NONE);
        invariants_report(w, "W4", prefer,
                          "%u output%s left on workers at the job's end; the first is attempt %u "
                          "of %s[%u] on worker %u",
                          n, n == 1 ? " is" : "s are", first,
                          invariant_stage_name(w, world_attempt(w, first)->gid),
                          invariant_index(w, world_attempt(w, first)->gid),
                          world_attempt(w, first)->worker);
    }
}
