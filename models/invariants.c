// SPDX-License-Identifier: GPL-3.0-or-later
//
// The oracles: findings, shadow state, and the hooks about attempts and masters. The others stand
// in invariants_lineage.c, invariants_recovery.c, invariants_store.c and invariants_workers.c.
//
// The shadow state is built from the hooks alone: which attempt is held as finished, and when and
// by whom one was taken back. It is the history against which recoveries are judged.
#include "models/invariants.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/invariants_internal.h"
#include "sim/banned.h"

#define SHADOWS_CHUNK_SHIFT 12u
#define TAKINGS_CHUNK_SHIFT 8u
#define INCARNATIONS_CHUNK_SHIFT 5u

// Events at one instant of virtual time beyond which it is a busy loop (L5): this many, and so many
// more for each subtask and worker, since a job of zero durations may run in one instant.
#define INSTANT_EVENTS_BASE UINT64_C(1000000)
#define INSTANT_EVENTS_EACH UINT64_C(200)

// --- findings ------------------------------------------------------------------------------------

static void finding_add(struct model_world *w, const char *invariant, const char *prefer,
                        const char *message)
{
    struct model_invariant_state *state = &w->invariants;
    const struct model_invariant_info *info = model_invariant_find(invariant);
    struct model_finding finding;

    SIM_ALWAYS_AT(info != NULL, w->now_ns);
    SIM_ASSERT(info->checked);
    state->total++;
    memset(&finding, 0, sizeof(finding));
    finding.invariant = info->id;
    finding.hazard = invariants_hazard(w, invariant, prefer);
    finding.at_ns = w->now_ns;
    finding.event = w->events;
    snprintf(finding.message, sizeof(finding.message), "%s", message);
    model_findings_keep(state->findings, &state->n_findings, &finding);
    sim_trace_instant(w->options->trace, MODEL_TRACK_MASTER, 0, info->id, w->now_ns);
}

void invariants_report(struct model_world *w, const char *invariant, const char *prefer,
                       const char *format, ...)
{
    char message[sizeof(((struct model_finding *)NULL)->message)];
    va_list arguments;

    SIM_ASSERT(format != NULL);
    if (!w->invariants.on) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    SIM_ASSERT(message[0] != '\0');
    finding_add(w, invariant, prefer, message);
}

void invariants_finding(struct model_world *w, const char *invariant, const char *message,
                        uint64_t a, uint64_t b)
{
    char text[sizeof(((struct model_finding *)NULL)->message)];
    const uint64_t values[2] = {a, b};
    uint32_t used = 0;
    size_t n = 0;

    SIM_ASSERT(message != NULL);
    if (!w->invariants.on) {
        return;
    }
    while (*message != '\0' && n + 24 < sizeof(text)) {
        if (*message != '%') {
            text[n++] = *message++;
            continue;
        }
        message += 1 + strspn(message + 1, "l");
        SIM_ALWAYS(*message == 'u' && used < 2);
        message++;
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%llu",
                              (unsigned long long)values[used++]);
    }
    text[n] = '\0';
    SIM_ASSERT(n > 0);
    finding_add(w, invariant, NULL, text);
}

uint32_t invariant_index(const struct model_world *w, uint32_t gid)
{
    uint32_t stage = world_stage_of(w, gid);

    SIM_ASSERT(stage < w->config->n_stages);
    SIM_ASSERT(gid >= w->stages[stage].gid_first);
    return gid - w->stages[stage].gid_first;
}

const char *invariant_stage_name(const struct model_world *w, uint32_t gid)
{
    uint32_t stage = world_stage_of(w, gid);

    SIM_ASSERT(stage < w->config->n_stages);
    SIM_ASSERT(w->config->stages != NULL);
    return w->config->stages[stage].name;
}

// --- set-up --------------------------------------------------------------------------------------

static uint32_t *array_of(struct model_world *w, uint32_t n, uint32_t value)
{
    uint32_t *array = world_alloc(w, n > 0 ? n : 1, sizeof(uint32_t));

    SIM_ASSERT(value == 0 || value == MODEL_NONE);
    for (uint32_t i = 0; array != NULL && i < n; i++) {
        array[i] = value;
    }
    SIM_ASSERT(array != NULL || w->error != 0);
    return array;
}

int invariants_init(struct model_world *w)
{
    struct model_invariant_private *own;
    const struct model_config *config = w->config;

    memset(&w->invariants, 0, sizeof(w->invariants));
    if (w->options->invariants != MODEL_INVARIANTS_ON) {
        return 0;
    }
    own = w->invariants.own = world_alloc(w, 1, sizeof(*own));
    w->invariants.findings =
        world_alloc_uncleared(w, MODEL_FINDINGS_MAX, sizeof(struct model_finding));
    if (own == NULL || w->invariants.findings == NULL) {
        return SIM_ENOMEM;
    }
    SIM_ASSERT(config->cluster.workers <= UINT32_MAX / config->cluster.slots);
    own->held = array_of(w, w->n_subtasks, MODEL_NONE);
    own->slots = array_of(w, config->cluster.workers * config->cluster.slots, MODEL_NONE);
    own->parallelism = array_of(w, config->n_stages, 0);
    own->stage_recovered = world_alloc(w, config->n_stages, 1);
    own->limits = array_of(w, config->n_stages, 0);
    own->limits_log = array_of(w, config->n_stages, 0);
    own->cursor = array_of(w, w->n_edges, 0);
    sim_chunks_init(&own->shadows, w->arena, sizeof(struct invariant_shadow), SHADOWS_CHUNK_SHIFT);
    sim_chunks_init(&own->takings, w->arena, sizeof(struct invariant_taking), TAKINGS_CHUNK_SHIFT);
    sim_chunks_init(&own->incarnations, w->arena, sizeof(struct invariant_incarnation),
                    INCARNATIONS_CHUNK_SHIFT);
    own->idle_since_ns = -1;
    own->waited_until_ns = -1;
    w->invariants.on = w->error == 0;
    return w->error;
}

bool invariants_reserve(struct model_world *w)
{
    struct model_invariant_private *own = w->invariants.own;

    SIM_ASSERT(w->invariants.on);
    SIM_ASSERT(w->n_attempts < INVARIANT_TAKEN);
    while (sim_chunks_count(&own->shadows) < w->n_attempts && w->error == 0) {
        w->error = sim_chunks_push(&own->shadows) == NULL ? SIM_ENOMEM : 0;
    }
    while (sim_chunks_count(&own->incarnations) <= w->master.incarnation && w->error == 0) {
        w->error = sim_chunks_push(&own->incarnations) == NULL ? SIM_ENOMEM : 0;
    }
    return w->error == 0;
}

// --- what is held --------------------------------------------------------------------------------

void invariant_hold(struct model_world *w, uint32_t attempt)
{
    uint32_t gid = world_attempt(w, attempt)->gid;

    SIM_ASSERT(invariant_held(w, gid) == MODEL_NONE);
    w->invariants.own->held[gid] = attempt;
    invariant_shadow_of(w, attempt)->taking = 0;
    w->stages[world_stage_of(w, gid)].lineage_sum += invariant_mix(gid, attempt);
    SIM_ASSERT(invariant_held(w, gid) == attempt);
}

void invariant_take(struct model_world *w, uint32_t attempt, enum invariant_how how)
{
    struct model_invariant_private *own = w->invariants.own;
    uint32_t gid = world_attempt(w, attempt)->gid;
    struct invariant_taking *taking = sim_chunks_push(&own->takings);

    SIM_ASSERT(invariant_held(w, gid) == attempt);
    if (taking == NULL) {
        w->error = SIM_ENOMEM;
        return;
    }
    taking->attempt = attempt;
    taking->incarnation = w->master.incarnation;
    taking->event = (uint32_t)invariant_incarnation_of(w, w->master.incarnation)->accepted;
    taking->how = (uint32_t)how;
    own->held[gid] |= INVARIANT_TAKEN;
    invariant_shadow_of(w, attempt)->taking = (uint32_t)sim_chunks_count(&own->takings);
    w->stages[world_stage_of(w, gid)].lineage_sum -= invariant_mix(gid, attempt);
    SIM_ASSERT(invariant_held(w, gid) == MODEL_NONE);
}

// --- attempts ------------------------------------------------------------------------------------

static uint32_t slot_of(const struct model_world *w, const struct model_attempt *a)
{
    SIM_DEBUG_ASSERT(a->slot < w->config->cluster.slots);
    return a->worker * w->config->cluster.slots + a->slot;
}

// W6: a slot runs one attempt at a time.
static void check_slot(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    uint32_t slot = slot_of(w, a);
    uint32_t before = w->invariants.own->slots[slot];
    const struct model_attempt *other = before != MODEL_NONE ? world_attempt(w, before) : NULL;

    SIM_ASSERT(a->worker < w->config->cluster.workers);
    SIM_ASSERT(a->slot < w->config->cluster.slots);
    if (other != NULL && before != attempt &&
        (other->state == MODEL_ATTEMPT_RUNNING || other->state == MODEL_ATTEMPT_ORPHANED)) {
        invariants_report(w, "W6", NULL,
                          "attempt %u starts in slot %u of worker %u while attempt %u still runs "
                          "there",
                          attempt, a->slot, a->worker, before);
    }
    if (!w->workers.list[a->worker].alive || w->workers.slot_attempt[slot] != attempt) {
        invariants_report(w, "W6", NULL,
                          "attempt %u starts in slot %u of worker %u, which it does not occupy",
                          attempt, a->slot, a->worker);
    }
    w->invariants.own->slots[slot] = attempt;
}

void invariants_expect_slot(const struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);

    SIM_ASSERT(w->invariants.on);
    SIM_ASSERT(a->worker < w->config->cluster.workers);
    __builtin_prefetch(&w->invariants.own->slots[slot_of(w, a)], 1);
    __builtin_prefetch(&w->invariants.own->held[a->gid]);
    if (attempt < sim_chunks_count(&w->lineages)) {
        __builtin_prefetch(world_lineage(w, attempt), 1);
    }
}

void invariants_expect_start(const struct model_world *w, uint32_t attempt)
{
    uint32_t before = w->invariants.own->slots[slot_of(w, world_attempt(w, attempt))];

    SIM_ASSERT(w->invariants.on);
    if (before != MODEL_NONE) {
        __builtin_prefetch(&world_attempt(w, before)->state);
    }
}

// Without a phantom in the run no hazard explains that a subtask finishes twice.
static const char *phantom_hazard(const struct model_world *w)
{
    SIM_ASSERT(w->invariants.on);
    SIM_ASSERT(w->invariants.own != NULL);
    return w->invariants.own->phantom != NULL ? w->invariants.own->phantom : "";
}

// T9: whoever runs again was taken back, for a reason.
static void check_rerun(struct model_world *w, uint32_t attempt)
{
    uint32_t gid = world_attempt(w, attempt)->gid;
    uint32_t held = w->invariants.own->held[gid];
    uint32_t before = held & ~INVARIANT_TAKEN;

    SIM_ASSERT(gid < w->n_subtasks);
    if (held == MODEL_NONE) {
        return;
    }
    SIM_ASSERT(before < w->n_attempts);
    if (before == held) {
        invariants_report(w, "T9", phantom_hazard(w),
                          "%s[%u] runs again (attempt %u) although attempt %u is held as finished",
                          invariant_stage_name(w, gid), invariant_index(w, gid), attempt, before);
    } else if (world_attempt(w, before)->cause == MODEL_CAUSE_COUNT) {
        invariants_report(w, "T9", phantom_hazard(w),
                          "%s[%u] runs again (attempt %u), and attempt %u was lost for no cause",
                          invariant_stage_name(w, gid), invariant_index(w, gid), attempt, before);
    }
}

void invariants_attempt_started(struct model_world *w, uint32_t attempt)
{
    struct model_attempt *a = world_attempt(w, attempt);
    uint32_t stage;

    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    stage = world_stage_of(w, a->gid);
    SIM_ASSERT(a->state == MODEL_ATTEMPT_RUNNING);
    SIM_ASSERT(w->stages[stage].parallelism > 0);
    check_slot(w, attempt);
    check_rerun(w, attempt);
    invariants_check_inputs(w, attempt);
    w->invariants.own->parallelism[stage] = w->stages[stage].parallelism;
    *world_lineage(w, attempt) = invariant_inputs_lineage(w, a->gid);
}

// T1, T5, R9: one finish a subtask and attempt, and none from an earlier master's time.
static void check_finish(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    struct invariant_shadow *shadow = invariant_shadow_of(w, attempt);
    uint32_t held = invariant_held(w, a->gid);

    SIM_ASSERT(a->incarnation > 0);
    if (held != MODEL_NONE) {
        invariants_report(w, "T1", phantom_hazard(w),
                          "%s[%u] finishes with attempt %u while attempt %u is held as finished",
                          invariant_stage_name(w, a->gid), invariant_index(w, a->gid), attempt,
                          held);
    }
    if ((shadow->flags & INVARIANT_FINISHED) != 0) {
        invariants_report(w, "T5", NULL, "attempt %u of %s[%u] finishes for the second time",
                          attempt, invariant_stage_name(w, a->gid), invariant_index(w, a->gid));
    }
    if (a->incarnation != w->master.incarnation) {
        invariants_report(w, "R9", NULL,
                          "master %u accepts the finish of attempt %u, which master %u started",
                          w->master.incarnation, attempt, a->incarnation);
    }
    shadow->flags |= INVARIANT_FINISHED;
}

void invariants_expect_finish(const struct model_world *w, uint32_t attempt)
{
    SIM_ASSERT(w->invariants.on);
    __builtin_prefetch(&w->invariants.own->held[world_attempt(w, attempt)->gid], 1);
    if (attempt < sim_chunks_count(&w->invariants.own->shadows)) {
        __builtin_prefetch(invariant_shadow_of(w, attempt), 1);
    }
    if (attempt < sim_chunks_count(&w->lineages)) {
        __builtin_prefetch(world_lineage(w, attempt));
    }
}

void invariants_attempt_finished(struct model_world *w, uint32_t attempt)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    uint32_t held;

    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    SIM_ASSERT(w->master.alive);
    check_finish(w, attempt);
    if (*world_lineage(w, attempt) != invariant_inputs_lineage(w, a->gid)) {
        invariants_report(w, "T4", invariant_mixing_hazard(w),
                          "%s[%u]: an input was taken back or made again while attempt %u ran",
                          invariant_stage_name(w, a->gid), invariant_index(w, a->gid), attempt);
    }
    held = invariant_held(w, a->gid);
    if (held != MODEL_NONE) {
        invariant_take(w, held, INVARIANT_RUNNING);
    }
    invariant_hold(w, attempt);
    SIM_ASSERT(invariant_held(w, a->gid) == attempt || w->error != 0);
}

void invariants_attempt_adopted(struct model_world *w, uint32_t attempt, uint32_t event)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    struct invariant_shadow *shadow;

    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    shadow = invariant_shadow_of(w, attempt);
    if (invariant_held(w, a->gid) != MODEL_NONE || (shadow->flags & INVARIANT_FINISHED) == 0) {
        invariants_report(w, "T1", phantom_hazard(w),
                          "%s[%u] is finished again by attempt %u, which never finished, or while "
                          "another is held",
                          invariant_stage_name(w, a->gid), invariant_index(w, a->gid), attempt);
        return;
    }
    SIM_ASSERT(w->master.running);
    invariant_hold(w, attempt);
    shadow->adopted = w->master.incarnation;
    shadow->adopted_event = event;
}

void invariants_check_adopted(struct model_world *w, uint32_t attempt)
{
    uint32_t gid = world_attempt(w, attempt)->gid;

    if (!w->invariants.on || w->error != 0) {
        return;
    }
    SIM_ASSERT(invariant_held(w, gid) != MODEL_NONE);
    if (*world_lineage(w, attempt) != invariant_inputs_lineage(w, gid)) {
        invariants_report(w, "T4", invariant_mixing_hazard(w),
                          "%s[%u] is finished again by attempt %u, which consumed other attempts "
                          "than those held",
                          invariant_stage_name(w, gid), invariant_index(w, gid), attempt);
    }
}

void invariants_attempt_reset(struct model_world *w, uint32_t attempt)
{
    enum invariant_how how = INVARIANT_IN_RECOVERY;

    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    if (w->master.running) {
        how = invariant_incarnation_of(w, w->master.incarnation)->lost ? INVARIANT_UNPROTECTED
                                                                       : INVARIANT_RUNNING;
    }
    SIM_ASSERT(w->master.incarnation > 0);
    if (invariant_held(w, world_attempt(w, attempt)->gid) == attempt) {
        invariant_take(w, attempt, how);
    }
    SIM_ASSERT(invariant_held(w, world_attempt(w, attempt)->gid) != attempt || w->error != 0);
}

// --- the end -------------------------------------------------------------------------------------

// What may still happen by itself: nothing runs, nothing is being reset, and workers are there.
static bool stuck(const struct model_world *w)
{
    bool worker = false;

    SIM_ASSERT(w->ended);
    if (!w->master.alive || !w->master.running) {
        return false;
    }
    for (uint32_t i = 0; i < MODEL_RESETS_MAX; i++) {
        if (w->master.resets[i].used) {
            return false;
        }
    }
    for (uint32_t gid = 0; gid < w->n_subtasks; gid++) {
        if (w->subtasks[gid].state == MODEL_SUBTASK_ACTIVE ||
            w->subtasks[gid].state == MODEL_SUBTASK_CANCELING) {
            return false;
        }
    }
    for (uint32_t i = 0; i < w->config->cluster.workers; i++) {
        worker = worker || (w->workers.list[i].alive &&
                            w->workers.list[i].registered == w->master.incarnation);
    }
    SIM_ASSERT(w->config->cluster.workers > 0);
    return worker;
}

// Which of the hazards behind a hang it looks like.
static const char *hang_hazard(const struct model_world *w, uint32_t *initialized,
                               uint32_t *unfinished)
{
    *initialized = *unfinished = 0;
    for (uint32_t s = 0; s < w->config->n_stages; s++) {
        const struct model_world_stage *stage = &w->stages[s];

        *initialized += stage->parallelism > 0 ? 1u : 0u;
        for (uint32_t i = 0; i < stage->parallelism; i++) {
            uint8_t state = w->subtasks[stage->gid_first + i].state;

            *unfinished += state == MODEL_SUBTASK_FINISHED ? 0u : 1u;
        }
    }
    SIM_ASSERT(*initialized <= w->config->n_stages);
    SIM_ASSERT(*unfinished <= w->n_subtasks);
    if (*initialized == 0) {
        return "H18"; // an empty log: nothing was ever initialized
    }
    return *initialized < w->config->n_stages ? "H7" : "H24";
}

// L1: the run came to its limit with nothing left that could happen.
static void check_hang(struct model_world *w, const struct model_result *result)
{
    uint32_t initialized;
    uint32_t unfinished;
    const char *hazard;

    SIM_ASSERT(w->ended);
    if (w->state != MODEL_JOB_TIMEOUT || result->limited || !stuck(w)) {
        return;
    }
    hazard = hang_hazard(w, &initialized, &unfinished);
    invariants_report(w, sim_queue_count(&w->queue) == 0 ? "L4" : "L1", hazard,
                      "the job hangs: %u of %u stages are initialized, %u of their subtasks are "
                      "not finished, nothing runs and workers wait",
                      initialized, w->config->n_stages, unfinished);
}

// L5.
void invariants_check_instant(struct model_world *w)
{
    struct model_invariant_private *own = w->invariants.own;
    uint64_t limit = INSTANT_EVENTS_BASE +
                     INSTANT_EVENTS_EACH * ((uint64_t)w->n_subtasks + w->config->cluster.workers);

    SIM_ASSERT(w->events >= own->instant_event);
    if (own->instant_ns != w->now_ns) {
        own->instant_ns = w->now_ns;
        own->instant_event = w->events;
        own->instant_reported = false;
    } else if (w->events - own->instant_event > limit && !own->instant_reported) {
        own->instant_reported = true;
        invariants_report(w, "L5", NULL, "more than %llu events at one instant",
                          (unsigned long long)limit);
    }
    SIM_ASSERT(own->instant_ns == w->now_ns);
}

static void hand_over(struct model_world *w, struct model_result *result)
{
    const struct model_invariant_state *state = &w->invariants;

    SIM_ASSERT(result->findings == NULL);
    SIM_ASSERT(state->n_findings <= MODEL_FINDINGS_MAX);
    result->findings_total = state->total;
    if (state->n_findings == 0) {
        return;
    }
    result->findings = malloc(state->n_findings * sizeof(*result->findings));
    if (result->findings == NULL) {
        w->error = SIM_ENOMEM;
        return;
    }
    memcpy(result->findings, state->findings, state->n_findings * sizeof(*result->findings));
    result->n_findings = state->n_findings;
}

void invariants_finish(struct model_world *w, struct model_result *result)
{
    SIM_ASSERT(w->ended);
    if (!w->invariants.on || !invariants_reserve(w)) {
        return;
    }
    if (w->state == MODEL_JOB_FINISHED) {
        invariants_check_lineage(w);
        invariants_check_leaks(w);
    }
    check_hang(w, result);
    invariants_check_store(w);
    hand_over(w, result);
    SIM_ASSERT(result->n_findings <= result->findings_total);
}
