// SPDX-License-Identifier: Apache-2.0
//
// The recoverable state: see state.h for its invariants.
#include "recovery/state.h"

#include <string.h>

#include "recovery/bytes.h"

// Every finish, recorded or replayed, pays for one hash of 16 bytes: a dozen instructions where it
// is inlined, several times that as a call.
#define XXH_INLINE_ALL
#define XXH_VECTOR 0 // XXH_SCALAR: nothing here is long enough for more
#include <xxhash.h>

int recoup__state_init(struct recoup__state *state, struct recoup__memory *memory,
                       const struct recoup__graph *graph)
{
    RECOUP_ASSERT(state != NULL && memory != NULL);
    RECOUP_ASSERT(graph->n_stages > 0);
    memset(state, 0, sizeof *state);
    state->memory = memory;
    state->graph = graph;
    recoup__payloads_init(&state->payloads, memory);
    state->stages = recoup__allocate_zeroed(memory, graph->n_stages, sizeof *state->stages);
    return state->stages != NULL ? 0 : RECOUP_ENOMEM;
}

static void free_arrays(struct recoup__state *state, struct recoup__stage *stage, uint32_t n)
{
    RECOUP_ASSERT(stage != NULL);
    RECOUP_ASSERT(RECOUP_ERGO(stage->subtasks != NULL, n > 0));
    recoup__release(state->memory, stage->subtasks, n * sizeof *stage->subtasks);
    recoup__release(state->memory, stage->takes, n * sizeof *stage->takes);
    recoup__release(state->memory, stage->marks, n * sizeof *stage->marks);
    memset(stage, 0, sizeof *stage);
}

void recoup__state_clear(struct recoup__state *state)
{
    RECOUP_ASSERT(state != NULL && state->memory != NULL);
    for (uint32_t i = 0; state->stages != NULL && i < state->graph->n_stages; i++) {
        free_arrays(state, &state->stages[i], state->stages[i].parallelism);
    }
    recoup__payloads_release(&state->payloads);
    state->subtasks = 0;
    state->finished = 0;
    state->hash[0] = state->hash[1] = 0;
}

void recoup__state_release(struct recoup__state *state)
{
    RECOUP_ASSERT(state != NULL);
    if (state->memory == NULL) {
        return;
    }
    recoup__state_clear(state);
    recoup__release(state->memory, state->stages, state->graph->n_stages * sizeof *state->stages);
    state->stages = NULL;
}

// Adds the hash of one fact to the sum, or takes it away. A fact is 16 bytes, the same on every
// machine.
static void hash_fact(struct recoup__state *state, uint32_t stage, uint32_t item, uint64_t value,
                      bool add)
{
    uint8_t bytes[16];
    recoup__put64(bytes, (uint64_t)item << 32 | stage);
    recoup__put64(bytes + 8, value);
    XXH128_hash_t hash = XXH3_128bits(bytes, sizeof bytes);
    state->hash[0] = add ? state->hash[0] + hash.low64 : state->hash[0] - hash.low64;
    state->hash[1] = add ? state->hash[1] + hash.high64 : state->hash[1] - hash.high64;
}

int recoup__state_check_parallelism(const struct recoup__state *state, uint32_t stage,
                                    uint32_t parallelism)
{
    RECOUP_ASSERT(state->graph != NULL);
    if (stage >= state->graph->n_stages || parallelism == 0) {
        return RECOUP_EINVAL;
    }
    const struct recoup__node *node = &state->graph->nodes[stage];
    RECOUP_ASSERT(node->parallelism <= RECOUP_PARALLELISM_MAX);
    if (node->parallelism != 0) {
        return parallelism == node->parallelism ? 0 : RECOUP_EINVAL;
    }
    RECOUP_ASSERT(node->parallelism_max > 0);
    return parallelism <= node->parallelism_max ? 0 : RECOUP_EINVAL;
}

bool recoup__state_initialized(const struct recoup__state *state, uint32_t stage)
{
    RECOUP_ASSERT(stage < state->graph->n_stages);
    return state->stages[stage].parallelism != 0;
}

bool recoup__state_initializable(const struct recoup__state *state, uint32_t stage)
{
    RECOUP_ASSERT(stage < state->graph->n_stages);
    for (uint32_t i = 0; i < state->graph->nodes[stage].in_count; i++) {
        if (!recoup__state_initialized(state, recoup__graph_in(state->graph, stage, i)->producer)) {
            return false;
        }
    }
    return true;
}

int recoup__state_initialize(struct recoup__state *state, uint32_t stage, uint32_t parallelism)
{
    struct recoup__subtask *subtasks =
        recoup__allocate_zeroed(state->memory, parallelism, sizeof *subtasks);
    int rc =
        subtasks == NULL ? RECOUP_ENOMEM : recoup__state_adopt(state, stage, parallelism, subtasks);
    RECOUP_ASSERT(rc == 0 || rc == RECOUP_ENOMEM);
    if (rc != 0) {
        recoup__release(state->memory, subtasks, parallelism * sizeof *subtasks);
    }
    return rc;
}

int recoup__state_adopt(struct recoup__state *state, uint32_t stage, uint32_t parallelism,
                        struct recoup__subtask *subtasks)
{
    RECOUP_ASSERT(recoup__state_check_parallelism(state, stage, parallelism) == 0);
    RECOUP_ASSERT(!recoup__state_initialized(state, stage));
    struct recoup__stage fresh = {0};
    fresh.takes = recoup__allocate_zeroed(state->memory, parallelism, sizeof *fresh.takes);
    fresh.marks = recoup__allocate_zeroed(state->memory, parallelism, sizeof *fresh.marks);
    if (fresh.takes == NULL || fresh.marks == NULL) {
        free_arrays(state, &fresh, parallelism);
        return RECOUP_ENOMEM;
    }
    fresh.subtasks = subtasks;
    fresh.parallelism = parallelism;
    state->stages[stage] = fresh;
    state->subtasks += parallelism;
    hash_fact(state, stage, UINT32_MAX, parallelism, true);
    return 0;
}

void recoup__state_uninitialize(struct recoup__state *state, uint32_t stage)
{
    RECOUP_ASSERT(recoup__state_initialized(state, stage));
    struct recoup__stage *s = &state->stages[stage];
    RECOUP_ASSERT(s->finished == 0);
    uint32_t parallelism = s->parallelism;
    hash_fact(state, stage, UINT32_MAX, parallelism, false);
    state->subtasks -= parallelism;
    free_arrays(state, s, parallelism);
}

struct recoup__subtask *recoup__state_subtask(const struct recoup__state *state, uint32_t stage,
                                              uint32_t subtask)
{
    RECOUP_ASSERT(stage < state->graph->n_stages);
    RECOUP_ASSERT(subtask < state->stages[stage].parallelism);
    return &state->stages[stage].subtasks[subtask];
}

// Tells the producers on point-wise edges that one of their consumers finished, or no longer is.
static void count_for_producers(struct recoup__state *state, uint32_t stage, uint32_t subtask,
                                bool finished)
{
    const struct recoup__graph *graph = state->graph;
    RECOUP_ASSERT(subtask < state->stages[stage].parallelism);
    for (uint32_t e = 0; e < graph->nodes[stage].in_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_in(graph, stage, e);
        if (edge->exchange != RECOUP_POINTWISE) {
            continue;
        }
        struct recoup__stage *producer = &state->stages[edge->producer];
        RECOUP_ASSERT(producer->parallelism > 0);
        uint32_t first;
        uint32_t count;
        recoup_pointwise_producers(producer->parallelism, state->stages[stage].parallelism, subtask,
                                   &first, &count);
        for (uint32_t i = first; i < first + count; i++) {
            RECOUP_ASSERT(finished || producer->subtasks[i].consumers_done > 0);
            producer->subtasks[i].consumers_done += finished ? 1u : UINT32_MAX;
        }
    }
}

void recoup__state_finish(struct recoup__state *state, uint32_t stage, uint32_t subtask,
                          const struct recoup__finish *finish)
{
    struct recoup__stage *s = &state->stages[stage];
    struct recoup__subtask *t = recoup__state_subtask(state, stage, subtask);
    RECOUP_ASSERT((t->flags & (RECOUP__FINISHED | RECOUP__RESETTING)) == 0);
    RECOUP_ASSERT(s->finished < s->parallelism);
    RECOUP_ASSERT(RECOUP_ERGO(finish->available, finish->has_partition));
    t->attempt = finish->attempt;
    t->bytes = finish->bytes;
    t->worker = finish->worker;
    t->payload = finish->payload;
    t->flags = (t->flags & RECOUP__IN_LOG) | RECOUP__FINISHED |
               (finish->has_partition ? RECOUP__HAS_PARTITION : 0u) |
               (finish->available ? RECOUP__AVAILABLE : 0u) |
               (finish->recovered ? RECOUP__RECOVERED : 0u);
    s->takes[subtask] = finish->take;
    s->finished++;
    s->lost += finish->has_partition && !finish->available ? 1 : 0;
    s->available += finish->available ? 1 : 0;
    s->recovered += finish->recovered ? 1 : 0;
    state->finished++;
    hash_fact(state, stage, subtask, finish->attempt, true);
    count_for_producers(state, stage, subtask, true);
}

// True if an input of the stage is point-wise, so that its finishes count at their producers.
static bool has_pointwise_input(const struct recoup__state *state, uint32_t stage)
{
    const struct recoup__graph *graph = state->graph;
    RECOUP_ASSERT(stage < graph->n_stages);
    for (uint32_t e = 0; e < graph->nodes[stage].in_count; e++) {
        if (recoup__graph_in(graph, stage, e)->exchange == RECOUP_POINTWISE) {
            return true;
        }
    }
    return false;
}

void recoup__state_recover(struct recoup__state *state, uint32_t stage, uint32_t first,
                           uint32_t count)
{
    struct recoup__stage *s = &state->stages[stage];
    uint32_t partition = RECOUP__HAS_PARTITION;
    uint32_t lost = 0;
    RECOUP_ASSERT(first <= s->parallelism && count <= s->parallelism - first);
    RECOUP_ASSERT(count <= s->parallelism - s->finished);
    for (uint32_t i = first; i < first + count; i++) {
        const struct recoup__subtask *t = &s->subtasks[i];
        RECOUP_ASSERT((t->flags & RECOUP__FINISHED) != 0 && (t->flags & RECOUP__AVAILABLE) == 0);
        RECOUP_ASSERT((t->flags & RECOUP__RECOVERED) != 0 && s->takes[i] == 0);
        lost += (t->flags & partition) != 0 ? 1 : 0;
        hash_fact(state, stage, i, t->attempt, true);
    }
    s->finished += count;
    s->lost += lost;
    s->recovered += count;
    state->finished += count;
    if (has_pointwise_input(state, stage)) {
        for (uint32_t i = first; i < first + count; i++) {
            count_for_producers(state, stage, i, true);
        }
    }
}

void recoup__state_unfinish(struct recoup__state *state, uint32_t stage, uint32_t subtask)
{
    struct recoup__stage *s = &state->stages[stage];
    struct recoup__subtask *t = recoup__state_subtask(state, stage, subtask);
    RECOUP_ASSERT((t->flags & RECOUP__FINISHED) != 0);
    RECOUP_ASSERT(s->finished > 0 && state->finished > 0);
    bool available = (t->flags & RECOUP__AVAILABLE) != 0;
    bool lost = (t->flags & RECOUP__HAS_PARTITION) != 0 && !available;
    s->lost -= lost ? 1 : 0;
    s->available -= available ? 1 : 0;
    s->recovered -= (t->flags & RECOUP__RECOVERED) != 0 ? 1 : 0;
    s->finished--;
    state->finished--;
    hash_fact(state, stage, subtask, t->attempt, false);
    recoup__payloads_remove(&state->payloads, t->payload);
    // Attempt, worker and bytes stay: recoup_subtask() tells a host that is still carrying out this
    // step's MARK_FINISHED what was marked, although the same step took it back.
    t->payload = 0;
    t->flags &= RECOUP__IN_LOG;
    count_for_producers(state, stage, subtask, false);
}

void recoup__state_set_available(struct recoup__state *state, uint32_t stage, uint32_t subtask,
                                 bool available)
{
    struct recoup__subtask *t = recoup__state_subtask(state, stage, subtask);
    RECOUP_ASSERT((t->flags & RECOUP__FINISHED) != 0);
    RECOUP_ASSERT((t->flags & RECOUP__HAS_PARTITION) != 0);
    if (((t->flags & RECOUP__AVAILABLE) != 0) == available) {
        return;
    }
    t->flags ^= RECOUP__AVAILABLE;
    RECOUP_ASSERT(RECOUP_ERGO(available, state->stages[stage].lost > 0));
    RECOUP_ASSERT(available || state->stages[stage].available > 0);
    state->stages[stage].lost += available ? UINT32_MAX : 1u;
    state->stages[stage].available += available ? 1u : UINT32_MAX;
}

bool recoup__state_has(const struct recoup__state *state, uint32_t stage, uint32_t subtask)
{
    RECOUP_ASSERT(state->stages != NULL);
    return stage < state->graph->n_stages && subtask < state->stages[stage].parallelism;
}

bool recoup__state_is_finished(const struct recoup__state *state, uint32_t stage, uint32_t subtask)
{
    RECOUP_ASSERT(recoup__state_has(state, stage, subtask));
    return (recoup__state_subtask(state, stage, subtask)->flags & RECOUP__FINISHED) != 0;
}

bool recoup__state_stage_done(const struct recoup__state *state, uint32_t stage)
{
    RECOUP_ASSERT(stage < state->graph->n_stages);
    const struct recoup__stage *s = &state->stages[stage];
    RECOUP_ASSERT(s->finished <= s->parallelism);
    return s->parallelism > 0 && s->finished == s->parallelism;
}

struct recoup_partition recoup__state_partition(const struct recoup__state *state, uint32_t stage,
                                                uint32_t subtask)
{
    const struct recoup__subtask *t = recoup__state_subtask(state, stage, subtask);
    RECOUP_ASSERT((t->flags & RECOUP__FINISHED) != 0);
    return (struct recoup_partition){.stage = stage,
                                     .subtask = subtask,
                                     .attempt = t->attempt,
                                     .bytes = t->bytes,
                                     .worker = t->worker};
}

bool recoup__state_needed(const struct recoup__state *state, uint32_t stage, uint32_t subtask)
{
    const struct recoup__graph *graph = state->graph;
    uint32_t pointwise = 0;
    RECOUP_ASSERT(recoup__state_has(state, stage, subtask));
    for (uint32_t e = 0; e < graph->nodes[stage].out_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_out(graph, stage, e);
        const struct recoup__stage *consumer = &state->stages[edge->consumer];
        if (consumer->parallelism == 0) {
            return true;
        }
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            if (consumer->finished < consumer->parallelism) {
                return true;
            }
            continue;
        }
        uint32_t first;
        uint32_t count;
        recoup_pointwise_consumers(state->stages[stage].parallelism, consumer->parallelism, subtask,
                                   &first, &count);
        pointwise += count;
    }
    uint32_t done = recoup__state_subtask(state, stage, subtask)->consumers_done;
    RECOUP_ASSERT(done <= pointwise);
    return done < pointwise;
}

enum recoup__need recoup__state_need(const struct recoup__state *state, uint32_t stage)
{
    const struct recoup__graph *graph = state->graph;
    enum recoup__need need = RECOUP__NEED_NONE;
    RECOUP_ASSERT(stage < graph->n_stages);
    for (uint32_t e = 0; e < graph->nodes[stage].out_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_out(graph, stage, e);
        const struct recoup__stage *consumer = &state->stages[edge->consumer];
        RECOUP_ASSERT(consumer->finished <= consumer->parallelism);
        if (consumer->parallelism == 0) {
            return RECOUP__NEED_ALL;
        }
        if (consumer->finished == consumer->parallelism) {
            continue;
        }
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            return RECOUP__NEED_ALL;
        }
        need = RECOUP__NEED_EACH;
    }
    return need;
}

bool recoup__state_consumer_recovered(const struct recoup__state *state, uint32_t stage,
                                      uint32_t subtask)
{
    const struct recoup__graph *graph = state->graph;
    RECOUP_ASSERT(stage < graph->n_stages);
    RECOUP_ASSERT(subtask < state->stages[stage].parallelism);
    for (uint32_t e = 0; e < graph->nodes[stage].out_count; e++) {
        const struct recoup_edge_spec *edge = recoup__graph_out(graph, stage, e);
        const struct recoup__stage *consumer = &state->stages[edge->consumer];
        if (consumer->recovered == 0) {
            continue;
        }
        if (edge->exchange == RECOUP_ALL_TO_ALL) {
            return true;
        }
        uint32_t first;
        uint32_t count;
        recoup_pointwise_consumers(state->stages[stage].parallelism, consumer->parallelism, subtask,
                                   &first, &count);
        for (uint32_t i = first; i < first + count; i++) {
            if ((consumer->subtasks[i].flags & RECOUP__RECOVERED) != 0) {
                return true;
            }
        }
    }
    return false;
}

static bool stage_consistent(const struct recoup__state *state, uint32_t stage)
{
    const struct recoup__stage *s = &state->stages[stage];
    uint32_t finished = 0;
    uint32_t lost = 0;
    uint32_t held = 0;
    uint32_t recovered = 0;
    for (uint32_t i = 0; i < s->parallelism; i++) {
        uint32_t flags = s->subtasks[i].flags;
        bool is_finished = (flags & RECOUP__FINISHED) != 0;
        bool available = (flags & RECOUP__AVAILABLE) != 0;
        bool has = (flags & RECOUP__HAS_PARTITION) != 0;
        if ((available && !(is_finished && has)) ||
            (is_finished && (flags & RECOUP__RESETTING) != 0) || s->marks[i] != 0) {
            return false;
        }
        finished += is_finished ? 1 : 0;
        lost += is_finished && has && !available ? 1 : 0;
        held += available ? 1 : 0;
        recovered += (flags & RECOUP__RECOVERED) != 0 ? 1 : 0;
    }
    return finished == s->finished && lost == s->lost && held == s->available &&
           recovered == s->recovered;
}

// Counts the finished point-wise consumers of every subtask of the stage anew.
static bool consumers_consistent(const struct recoup__state *state, uint32_t stage)
{
    const struct recoup__stage *s = &state->stages[stage];
    for (uint32_t i = 0; i < s->parallelism; i++) {
        uint32_t done = 0;
        for (uint32_t e = 0; e < state->graph->nodes[stage].out_count; e++) {
            const struct recoup_edge_spec *edge = recoup__graph_out(state->graph, stage, e);
            const struct recoup__stage *consumer = &state->stages[edge->consumer];
            if (edge->exchange != RECOUP_POINTWISE || consumer->parallelism == 0) {
                continue;
            }
            uint32_t first;
            uint32_t count;
            recoup_pointwise_consumers(s->parallelism, consumer->parallelism, i, &first, &count);
            for (uint32_t j = first; j < first + count; j++) {
                done += (consumer->subtasks[j].flags & RECOUP__FINISHED) != 0 ? 1 : 0;
            }
        }
        if (done != s->subtasks[i].consumers_done) {
            return false;
        }
    }
    return true;
}

bool recoup__state_consistent(const struct recoup__state *state)
{
    uint64_t subtasks = 0;
    uint64_t finished = 0;
    for (uint32_t i = 0; i < state->graph->n_stages; i++) {
        subtasks += state->stages[i].parallelism;
        finished += state->stages[i].finished;
        if (!stage_consistent(state, i) || !consumers_consistent(state, i)) {
            return false;
        }
    }
    return subtasks == state->subtasks && finished == state->finished;
}
