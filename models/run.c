// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/run.h"

#include <stdlib.h>
#include <string.h>

#include "models/world.h"

#include "sim/banned.h"

#define INTERRUPT_EVERY 4096u // events between two looks at the caller's interrupt
#define STOP_AT_FACTOR 20     // contract.md: 20 times the fault-free makespan plus all timeouts
// A run without faults has no earlier makespan to bound it. It stalls when so many events pass
// without an attempt being deployed or ending; every event of a healthy run belongs to one of
// those, to I/O or to a timer between them.
#define STALL_EVENTS 1000000u

// --- the result ---------------------------------------------------------------------------------

static void feed_result(struct model_world *w, const struct model_result *r)
{
    const int64_t values[] = {(int64_t)r->state,
                              r->makespan_ns,
                              (int64_t)r->tasks,
                              (int64_t)r->attempts,
                              (int64_t)r->tasks_rerun,
                              (int64_t)r->finished_forgotten,
                              r->outage_ns,
                              r->busy_ns,
                              r->useful_ns,
                              r->lost_ns,
                              r->orphaned_ns,
                              r->recording_ns,
                              r->unprotected_ns,
                              (int64_t)r->io.events,
                              (int64_t)r->io.bytes,
                              (int64_t)r->io.cost_nanousd,
                              (int64_t)r->n_failovers};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_RESULT, (uint64_t)values[i]);
    for (uint32_t i = 0; i < r->n_stages * (uint32_t)MODEL_CAUSE_COUNT; i++) {
        sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_RESULT, (uint64_t)r->lost[i].ns);
        sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_RESULT, r->lost[i].attempts);
    }
    for (uint32_t i = 0; i < r->n_failovers; i++)
        for (uint32_t p = 0; p < MODEL_PHASE_COUNT; p++)
            sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_RESULT,
                                (uint64_t)r->failovers[i].phase_ns[p]);
    SIM_ASSERT(r->n_stages == w->config->n_stages);
}

static void fill_io(struct model_world *w, struct model_result *r)
{
    r->io.events = w->io.events_accepted;
    r->io.bytes = w->io.bytes_appended;
    r->io.appends = w->io.appends;
    r->io.flushes = w->io.flushes;
    r->io.syncs = w->io.syncs;
    r->io.files = w->io.files;
    r->io.snapshots = w->io.snapshots;
    r->io.snapshot_bytes = w->io.snapshot_bytes;
    r->io.replay_bytes = w->io.replay_bytes;
    SIM_ASSERT(w->io.events_durable <= w->io.events_accepted);
}

static int fill_stages(struct model_world *w, struct model_result *r)
{
    r->stage_parallelism = calloc(w->config->n_stages, sizeof(uint32_t));
    if (r->stage_parallelism == NULL)
        return SIM_ENOMEM;
    r->n_stages = w->config->n_stages;
    for (uint32_t i = 0; i < r->n_stages; i++) {
        r->stage_parallelism[i] = w->stages[i].parallelism;
        r->tasks += w->stages[i].parallelism;
    }
    SIM_ASSERT(r->tasks <= w->n_subtasks);
    return 0;
}

// Attempts as spans on their worker's slot, when somebody watches.
static void trace_attempts(struct model_world *w)
{
    if (!sim_trace_on(w->options->trace))
        return;
    for (uint32_t i = 0; i < w->n_attempts; i++) {
        const struct model_attempt *attempt = world_attempt(w, i);
        uint32_t stage = world_stage_of(w, attempt->gid);
        struct sim_trace_record record = {
            .time_ns = attempt->start_ns,
            .duration_ns = attempt->end_ns - attempt->start_ns,
            .phase = SIM_TRACE_SPAN,
            .track = MODEL_TRACK_WORKER + attempt->worker,
            .lane = attempt->slot,
            .args_count = 4,
            .name = w->config->stages[stage].name,
            .arg_names = {"subtask", "attempt", "master", "lost"},
            .arg_values = {attempt->gid - w->stages[stage].gid_first, attempt->number,
                           attempt->incarnation,
                           attempt->cause == MODEL_CAUSE_COUNT ? 0 : 1 + (int64_t)attempt->cause}};
        if (attempt->end_ns >= attempt->start_ns && attempt->start_ns <= w->end_ns)
            sim_trace_emit(w->options->trace, &record);
    }
    SIM_ASSERT(w->ended);
}

static int fill_result(struct model_world *w, struct model_result *r)
{
    SIM_ASSERT(w->ended);
    r->state = w->state;
    r->makespan_ns = w->end_ns;
    r->limited = w->limited;
    r->events = w->events;
    if (w->master.job != NULL)
        master_collect_stats(w);
    zombies_finish(w);
    if (w->master.alive && w->master.started)
        protection_leader_ended(w);
    if (w->master.alive)
        sim_trace_span(w->options->trace, MODEL_TRACK_MASTER, w->master.incarnation, "master",
                       w->master.granted_ns, w->end_ns);
    int error = fill_stages(w, r);
    if (error != 0)
        return error;
    ledger_finish(w, r);
    outage_finish(w, r);
    faults_finish(w, r);
    fill_io(w, r);
    storage_finish(w, r);
    invariants_finish(w, r);
    if (w->error != 0)
        return w->error;
    trace_attempts(w);
    sim_fingerprint_draws(&w->fingerprint, &w->draws);
    feed_result(w, r);
    sim_fingerprint_finish(&w->fingerprint, r->layers, r->fingerprint);
    r->memory_bytes = sim_arena_bytes(w->arena);
    return 0;
}

// --- the run ------------------------------------------------------------------------------------

static int64_t sum_of_timeouts(const struct model_config *c)
{
    const int64_t parts[] = {c->options.worker_recovery_timeout_ns,
                             c->options.snapshot_min_pause_ns,
                             c->timeouts.heartbeat_timeout_ns,
                             c->timeouts.worker_registration_timeout_ns,
                             c->timeouts.slot_timeout_ns,
                             c->timeouts.registration_max_timeout_ns,
                             c->ha.session_timeout_ns,
                             c->ha.lease_duration_ns,
                             c->ha.retry_period_ns,
                             sim_law_mean_approximate(&c->master.start),
                             sim_law_mean_approximate(&c->master.restart),
                             sim_law_mean_approximate(&c->cluster.restart),
                             c->restart.delay_ns};
    int64_t sum = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        SIM_ASSERT(parts[i] >= 0);
        sum = parts[i] > SIM_LAW_MAX - sum ? SIM_LAW_MAX : sum + parts[i];
    }
    return sum;
}

static int64_t stop_at(const struct model_config *config, const struct model_run_options *options)
{
    if (config->stop_at_ns != 0)
        return config->stop_at_ns;
    if (options->without_faults || options->faultless_makespan_ns == 0)
        return 0;
    if (options->faultless_makespan_ns > SIM_LAW_MAX / (2 * STOP_AT_FACTOR))
        return SIM_LAW_MAX;
    SIM_ASSERT(options->faultless_makespan_ns > 0);
    int64_t bound_ns = options->faultless_makespan_ns * STOP_AT_FACTOR,
            rest_ns = sum_of_timeouts(config);
    return rest_ns > SIM_LAW_MAX - bound_ns ? SIM_LAW_MAX : bound_ns + rest_ns;
}

static bool stalled(const struct model_world *w, uint64_t *seen_at, uint32_t *seen_attempts,
                    uint64_t *seen_finished)
{
    if (w->n_attempts != *seen_attempts || w->master.finished != *seen_finished) {
        *seen_attempts = w->n_attempts;
        *seen_finished = w->master.finished;
        *seen_at = w->events;
    }
    SIM_ASSERT(w->events >= *seen_at);
    return w->events - *seen_at > STALL_EVENTS + (uint64_t)w->n_subtasks * 4;
}

static int loop(struct model_world *w, bool bounded)
{
    const bool observed = w->options->observer != NULL;
    uint64_t seen_at = 0, seen_finished = 0;
    uint32_t seen_attempts = 0;
    struct sim_event event;

    while (!w->ended && w->error == 0) {
        if (!sim_queue_pop(&w->queue, &event)) {
            world_end(w,
                      MODEL_JOB_TIMEOUT); // nothing will ever happen again, although work remains
            break;
        }
        ahead_popped(w);
        if (!observed)
            world_dispatch(w, &event);
        else
            observe_dispatch(w, &event);
        if (w->config->events_max != 0 && w->events >= w->config->events_max && !w->ended) {
            w->limited = true;
            world_end(w, MODEL_JOB_TIMEOUT);
        }
        if (w->events % INTERRUPT_EVERY != 0)
            continue;
        if (w->options->interrupted != NULL &&
            w->options->interrupted(w->options->interrupted_context))
            return SIM_EINTERRUPTED;
        if (!bounded && stalled(w, &seen_at, &seen_attempts, &seen_finished)) {
            world_end(w, MODEL_JOB_TIMEOUT);
        }
    }
    SIM_ASSERT(SIM_ERGO(w->error == 0, w->ended));
    return w->error;
}

static void destroy_job(struct model_world *w)
{
    if (w->master.job != NULL)
        recoup_destroy(w->master.job);
    w->master.job = NULL;
    zombies_destroy(w);
    SIM_ASSERT(!w->master.stepping || w->error != 0);
}

static int run_world(struct model_world *w, const struct model_config *config,
                     const struct model_run_options *options, struct sim_arena *arena,
                     struct model_result *result)
{
    uint64_t allocations = 0;
    int64_t stop_ns = stop_at(config, options);
    int error = world_init(w, config, options, arena);

    SIM_ASSERT(stop_ns >= 0);
    allocations = sim_arena_system_allocations(arena);
    if (error == 0 && stop_ns != 0)
        world_push(w, stop_ns, MODEL_EVENT_STOP_AT, 0, 0);
    if (error == 0)
        error = loop(w, stop_ns != 0);
    if (error == 0)
        error = fill_result(w, result);
    result->system_allocations = sim_arena_system_allocations(arena) - allocations;
    destroy_job(w);
    return error;
}

static bool needs_makespan(const struct model_config *config)
{
    for (uint32_t i = 0; i < config->n_faults; i++)
        if (config->faults[i].trigger == MODEL_TRIGGER_AT_SHARE)
            return true;
    return false;
}

int model_run(const struct model_config *config, const struct model_run_options *options,
              struct sim_arena *arena, struct model_result *result)
{
    SIM_ASSERT(config->n_stages > 0 && config->cluster.workers > 0);
    if (!options->without_faults && options->faultless_makespan_ns == 0 && needs_makespan(config))
        return SIM_EINVAL;
    sim_arena_reset(arena);
    memset(result, 0, sizeof(*result));
    struct model_world *w = SIM_ARENA_NEW(arena, struct model_world, 1);
    if (w == NULL)
        return SIM_ENOMEM;
    int error = run_world(w, config, options, arena, result);
    if (error != 0) {
        model_result_release(result);
        memset(result, 0, sizeof(*result));
    }
    SIM_ASSERT(SIM_ERGO(error == 0, result->state != MODEL_JOB_RUNNING));
    return error;
}

// --- the pair of runs ---------------------------------------------------------------------------

// What no policy explains is a bug of Recoup, whichever of the two runs shows it. Keeps these
// findings of the run without faults, in front, and says so in them; returns their number.
static uint32_t keep_unexplained(struct model_finding *findings, uint32_t count)
{
    static const char where[] = "in the run without faults: ";
    uint32_t kept = 0;

    SIM_ASSERT(count <= MODEL_FINDINGS_MAX);
    SIM_ASSERT(SIM_ERGO(count > 0, findings != NULL));
    for (uint32_t i = 0; i < count; i++) {
        if (findings[i].hazard != NULL)
            continue;
        struct model_finding *finding = &findings[kept++];
        *finding = findings[i];
        finding->without_faults = true;
        memmove(finding->message + sizeof(where) - 1, finding->message,
                sizeof(finding->message) - sizeof(where));
        memcpy(finding->message, where, sizeof(where) - 1);
        finding->message[sizeof(finding->message) - 1] = '\0';
    }
    return kept;
}

// Puts `count` findings of the run without faults, at most as many as one run keeps, before the
// result's own. Of what then is too many one of each kind is kept.
static int join_findings(struct model_result *result, const struct model_finding *findings,
                         uint32_t count)
{
    struct model_finding *joined = malloc(MODEL_FINDINGS_MAX * sizeof(*joined));
    uint32_t n = 0;

    SIM_ASSERT(count > 0 && count <= MODEL_FINDINGS_MAX);
    if (joined == NULL)
        return SIM_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        model_findings_keep(joined, &n, &findings[i]);
    for (uint32_t i = 0; i < result->n_findings; i++)
        model_findings_keep(joined, &n, &result->findings[i]);
    free(result->findings);
    result->findings = joined;
    result->n_findings = n;
    result->findings_total += count;
    SIM_ASSERT(result->n_findings <= result->findings_total);
    return 0;
}

int model_run_beside(const struct model_config *config, const struct model_run_options *options,
                     struct sim_arena *arena, struct model_result *result)
{
    struct model_run_options with = *options;
    struct model_finding *findings = result->findings;
    uint32_t count = keep_unexplained(findings, result->n_findings);

    // A job that takes no time at all is known, too: any share of 1 ns is 0.
    with.faultless_makespan_ns = result->makespan_ns > 0 ? result->makespan_ns : 1;
    result->findings = NULL;
    result->n_findings = 0;
    model_result_release(result);
    int error = model_run(config, &with, arena, result);
    if (error == 0 && count > 0)
        error = join_findings(result, findings, count);
    if (error != 0)
        model_result_release(result);
    free(findings);
    SIM_ASSERT(SIM_ERGO(error != 0, result->findings == NULL));
    return error;
}

int model_run_pair(const struct model_config *config, const struct model_run_options *options,
                   struct sim_arena *arena, struct model_result *result,
                   int64_t *faultless_makespan_ns)
{
    struct model_run_options twin = *options;
    int error;

    SIM_ASSERT(result != NULL);
    twin.without_faults = true;
    if (config->n_faults != 0) {
        // Nothing but how long it takes, and whether it is sound, is asked of it.
        twin.trace = NULL;
        twin.store_piece = NULL;
        twin.observer = NULL;
    }
    error = model_run(config, &twin, arena, result);
    if (error != 0)
        return error;
    // A twin that the run's limit has cut short says nothing about how long the job takes.
    bool cut = result->state == MODEL_JOB_TIMEOUT;
    if (faultless_makespan_ns != NULL)
        *faultless_makespan_ns = cut ? MODEL_MAKESPAN_UNKNOWN : result->makespan_ns;
    if (config->n_faults == 0)
        return 0;
    return model_run_beside(config, options, arena, result);
}
