// SPDX-License-Identifier: GPL-3.0-or-later
//
// Lineage (T10, T4) and the presence of inputs (T3).
//
// Each stage keeps the sum, modulo 2^64, of a mix of the attempts held as finished: it does not
// depend on their order and changes in O(1). An attempt's lineage is a mix, input by input, of what
// it consumes: of the producer stage's sum (all-to-all), or of the sum over its own producers
// (point-wise). At the end each held attempt's lineage is computed anew from the attempts finally
// held: if it consumed exactly these, the two agree.
#include "models/invariants_internal.h"
#include "sim/banned.h"

static uint64_t mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t invariant_mix(uint32_t gid, uint32_t attempt)
{
    SIM_DEBUG_ASSERT((attempt & INVARIANT_TAKEN) == 0);
    return mix64(((uint64_t)gid << 32 | attempt) + UINT64_C(0x9e3779b97f4a7c15));
}

const char *invariant_mixing_hazard(const struct model_world *w)
{
    const struct model_invariant_private *own = w->invariants.own;

    SIM_ASSERT(w->invariants.on);
    if (own->phantom != NULL) {
        return own->phantom;
    }
    return own->stage_only ? "H29" : "";
}

// The sum over the producers of one consumer on a point-wise edge.
static uint64_t pointwise_sum(struct model_world *w, const struct recoup_edge_spec *edge,
                              uint32_t consumer)
{
    const struct model_world_stage *producer = &w->stages[edge->producer];
    uint64_t sum = 0;
    uint32_t first;
    uint32_t count;

    SIM_ASSERT(producer->parallelism > 0);
    recoup_pointwise_producers(producer->parallelism, w->stages[edge->consumer].parallelism,
                               consumer, &first, &count);
    SIM_ASSERT(first + count <= producer->parallelism);
    for (uint32_t i = first; i < first + count; i++) {
        uint32_t gid = producer->gid_first + i;
        uint32_t held = invariant_held(w, gid);

        sum += held != MODEL_NONE ? invariant_mix(gid, held) : 0;
    }
    return sum;
}

uint64_t invariant_inputs_lineage(struct model_world *w, uint32_t gid)
{
    const struct model_world_stage *stage = &w->stages[world_stage_of(w, gid)];
    uint64_t lineage = 0;

    SIM_ASSERT(gid >= stage->gid_first);
    for (uint32_t e = 0; e < stage->n_in_edges; e++) {
        const struct recoup_edge_spec *edge = &w->edges[stage->in_edges[e]];
        uint64_t sum = edge->exchange == RECOUP_ALL_TO_ALL
                           ? w->stages[edge->producer].lineage_sum
                           : pointwise_sum(w, edge, gid - stage->gid_first);

        SIM_ASSERT(edge->producer < w->config->n_stages);
        lineage += mix64(sum + (uint64_t)(stage->in_edges[e] + 1) * UINT64_C(0x9e3779b97f4a7c15));
    }
    return lineage;
}

// --- T3 ------------------------------------------------------------------------------------------

static void check_input(struct model_world *w, uint32_t attempt, uint32_t producer)
{
    const struct model_attempt *a = world_attempt(w, attempt);
    uint32_t held = invariant_held(w, producer);

    SIM_ASSERT(producer < w->n_subtasks);
    if (held == MODEL_NONE) {
        invariants_report(w, "T3", NULL, "%s[%u] starts (attempt %u) before %s[%u] is finished",
                          invariant_stage_name(w, a->gid), invariant_index(w, a->gid), attempt,
                          invariant_stage_name(w, producer), invariant_index(w, producer));
    } else if (world_attempt(w, held)->partition != MODEL_PARTITION_HELD) {
        invariants_report(w, "T3", NULL,
                          "%s[%u] starts (attempt %u) although the output of %s[%u] is gone",
                          invariant_stage_name(w, a->gid), invariant_index(w, a->gid), attempt,
                          invariant_stage_name(w, producer), invariant_index(w, producer));
    }
    SIM_ASSERT(SIM_ERGO(held != MODEL_NONE, held < w->n_attempts));
}

// One producer of each input, in turn, so that it costs O(1) a start: with as many consumers as
// producers each is looked at once.
void invariants_check_inputs(struct model_world *w, uint32_t attempt)
{
    uint32_t gid = world_attempt(w, attempt)->gid;
    const struct model_world_stage *stage = &w->stages[world_stage_of(w, gid)];

    SIM_ASSERT(stage->parallelism > 0);
    for (uint32_t e = 0; e < stage->n_in_edges; e++) {
        const struct recoup_edge_spec *edge = &w->edges[stage->in_edges[e]];
        const struct model_world_stage *producer = &w->stages[edge->producer];
        uint32_t *cursor = &w->invariants.own->cursor[stage->in_edges[e]];
        uint32_t first = 0;
        uint32_t count = producer->parallelism;

        if (count == 0) {
            invariants_report(w, "T3", NULL, "%s[%u] starts before stage %s is initialized",
                              invariant_stage_name(w, gid), invariant_index(w, gid),
                              w->config->stages[edge->producer].name);
            continue;
        }
        if (edge->exchange == RECOUP_POINTWISE) {
            recoup_pointwise_producers(producer->parallelism, stage->parallelism,
                                       gid - stage->gid_first, &first, &count);
        }
        SIM_ASSERT(count > 0);
        check_input(w, attempt, producer->gid_first + first + (*cursor)++ % count);
    }
}

// --- T10 -----------------------------------------------------------------------------------------

// The shadow state is not trusted at the end: the sums are made anew from what the world holds.
static void recompute_sums(struct model_world *w)
{
    for (uint32_t s = 0; s < w->config->n_stages; s++) {
        struct model_world_stage *stage = &w->stages[s];

        stage->lineage_sum = 0;
        for (uint32_t gid = stage->gid_first; gid < stage->gid_first + stage->capacity; gid++) {
            const struct model_subtask *subtask = &w->subtasks[gid];
            bool held = subtask->state == MODEL_SUBTASK_FINISHED;

            w->invariants.own->held[gid] = held ? subtask->attempt : MODEL_NONE;
            stage->lineage_sum += held ? invariant_mix(gid, subtask->attempt) : 0;
        }
        SIM_ASSERT(stage->parallelism <= stage->capacity);
    }
    SIM_ASSERT(w->invariants.on);
}

// Every subtask holds one attempt, and that consumed what is held.
static void check_stage(struct model_world *w, uint32_t s)
{
    const struct model_world_stage *stage = &w->stages[s];
    uint32_t bad = 0;
    uint32_t missing = 0;
    uint32_t first_bad = MODEL_NONE;

    SIM_ASSERT(s < w->config->n_stages);
    for (uint32_t gid = stage->gid_first; gid < stage->gid_first + stage->parallelism; gid++) {
        uint32_t held = invariant_held(w, gid);

        if (held == MODEL_NONE) {
            missing++;
        } else if (*world_lineage(w, held) != invariant_inputs_lineage(w, gid)) {
            first_bad = bad++ == 0 ? gid : first_bad;
        }
    }
    if (missing > 0 || stage->parallelism == 0) {
        invariants_report(w, "T10", invariant_mixing_hazard(w),
                          "the job is finished, but %u of %u subtasks of stage %s are not", missing,
                          stage->parallelism, w->config->stages[s].name);
    }
    if (bad > 0) {
        SIM_ASSERT(first_bad != MODEL_NONE);
        invariants_report(w, "T10", invariant_mixing_hazard(w),
                          "%u subtasks of stage %s consumed other attempts than those held at the "
                          "end; the first is %s[%u], attempt %u",
                          bad, w->config->stages[s].name, w->config->stages[s].name,
                          first_bad - stage->gid_first, invariant_held(w, first_bad));
    }
}

// Counts, per split, the held attempts that have it.
static void count_splits(struct model_world *w, uint32_t s, uint8_t *seen, uint32_t splits)
{
    const struct model_world_stage *stage = &w->stages[s];

    SIM_ASSERT(splits > 0);
    for (uint32_t gid = stage->gid_first; gid < stage->gid_first + stage->parallelism; gid++) {
        uint32_t held = invariant_held(w, gid);
        uint32_t n = held != MODEL_NONE ? coordinator_split_count(w, held) : 0;

        for (uint32_t k = 0; k < n; k++) {
            uint32_t split = coordinator_split(w, held, k);

            SIM_ASSERT(split < splits);
            seen[split] = seen[split] < 2 ? (uint8_t)(seen[split] + 1) : 2;
        }
    }
}

// Every split of a source was read by exactly one held attempt.
static void check_splits(struct model_world *w, const struct model_coordinator_state *coordinator)
{
    uint8_t *seen = world_alloc(w, coordinator->splits, 1);
    uint32_t counts[3] = {0, 0, 0};
    uint32_t first[3] = {0, 0, 0};

    if (seen == NULL) {
        return;
    }
    SIM_ASSERT(coordinator->splits > 0);
    count_splits(w, coordinator->stage, seen, coordinator->splits);
    for (uint32_t i = coordinator->splits; i > 0; i--) {
        counts[seen[i - 1]]++;
        first[seen[i - 1]] = i - 1;
    }
    SIM_ASSERT(counts[0] + counts[1] + counts[2] == coordinator->splits);
    if (counts[0] > 0) {
        invariants_report(w, "T10", invariant_mixing_hazard(w),
                          "%u of %u splits of source %s were read by no held attempt; the first is "
                          "split %u",
                          counts[0], coordinator->splits,
                          w->config->stages[coordinator->stage].name, first[0]);
    }
    if (counts[2] > 0) {
        invariants_report(w, "T10", invariant_mixing_hazard(w),
                          "%u of %u splits of source %s were read by several held attempts; the "
                          "first is split %u",
                          counts[2], coordinator->splits,
                          w->config->stages[coordinator->stage].name, first[2]);
    }
}

void invariants_check_lineage(struct model_world *w)
{
    SIM_ASSERT(w->state == MODEL_JOB_FINISHED);
    SIM_ASSERT(w->ended);
    recompute_sums(w);
    for (uint32_t s = 0; s < w->config->n_stages; s++) {
        check_stage(w, s);
    }
    for (uint32_t i = 0; i < w->coordinators.count; i++) {
        if (w->coordinators.list[i].splits > 0) {
            check_splits(w, &w->coordinators.list[i]);
        }
    }
}
