// SPDX-License-Identifier: Apache-2.0
//
// Copying and checking of the job graph, and the point-wise rule.
#include "recovery/graph.h"

#include <string.h>

// Every 64-bit product below stays far from overflow: parallelism is at most 2^24.
void recoup_pointwise_producers(uint32_t producers, uint32_t consumers, uint32_t consumer,
                                uint32_t *first, uint32_t *count)
{
    RECOUP_ASSERT(producers > 0 && consumers > 0);
    RECOUP_ASSERT(consumer < consumers);
    uint64_t p = producers;
    uint64_t begin = consumer * p / consumers;
    if (consumers > producers) {
        *first = (uint32_t)begin;
        *count = 1;
        return;
    }
    uint64_t end = (consumer + UINT64_C(1)) * p / consumers;
    RECOUP_ASSERT(end > begin);
    RECOUP_ASSERT(end <= p);
    *first = (uint32_t)begin;
    *count = (uint32_t)(end - begin);
}

void recoup_pointwise_consumers(uint32_t producers, uint32_t consumers, uint32_t producer,
                                uint32_t *first, uint32_t *count)
{
    RECOUP_ASSERT(producers > 0 && consumers > 0);
    RECOUP_ASSERT(producer < producers);
    uint64_t p = producers;
    uint64_t c = consumers;
    if (consumers <= producers) {
        // The one consumer j with floor(jp/c) <= i < floor((j+1)p/c), that is jp < (i+1)c <= ...
        uint64_t j = ((producer + UINT64_C(1)) * c - 1) / p;
        RECOUP_ASSERT(j < c);
        RECOUP_ASSERT(j * p / c <= producer && producer < (j + 1) * p / c);
        *first = (uint32_t)j;
        *count = 1;
        return;
    }
    // The consumers j with floor(jp/c) = i, that is ceil(ic/p) <= j < ceil((i+1)c/p).
    uint64_t begin = (producer * c + p - 1) / p;
    uint64_t end = ((producer + UINT64_C(1)) * c + p - 1) / p;
    RECOUP_ASSERT(begin < end);
    RECOUP_ASSERT(end <= c);
    *first = (uint32_t)begin;
    *count = (uint32_t)(end - begin);
}

static int check_stages(const struct recoup_graph *spec)
{
    if (spec->n_stages == 0 || spec->n_stages > RECOUP_STAGES_MAX || spec->stages == NULL) {
        return RECOUP_EINVAL;
    }
    for (uint32_t i = 0; i < spec->n_stages; i++) {
        const struct recoup_stage_spec *stage = &spec->stages[i];
        uint32_t bound = stage->parallelism != 0 ? stage->parallelism : stage->parallelism_max;
        if (bound == 0 || bound > RECOUP_PARALLELISM_MAX) {
            return RECOUP_EINVAL;
        }
    }
    return 0;
}

static int check_edges(const struct recoup_graph *spec)
{
    if (spec->n_edges > 0 && spec->edges == NULL) {
        return RECOUP_EINVAL;
    }
    for (uint32_t i = 0; i < spec->n_edges; i++) {
        const struct recoup_edge_spec *edge = &spec->edges[i];
        bool known = edge->exchange == RECOUP_POINTWISE || edge->exchange == RECOUP_ALL_TO_ALL;
        if (!known || edge->consumer >= spec->n_stages || edge->producer >= edge->consumer) {
            return RECOUP_EINVAL;
        }
    }
    return 0;
}

static int check_coordinators(const struct recoup_graph *spec)
{
    if (spec->n_coordinators > 0 && spec->coordinators == NULL) {
        return RECOUP_EINVAL;
    }
    if (spec->n_coordinators > RECOUP_STAGES_MAX) {
        return RECOUP_EINVAL; // one record must be able to carry the snapshots of all
    }
    for (uint32_t i = 0; i < spec->n_coordinators; i++) {
        if (spec->coordinators[i].stage >= spec->n_stages) {
            return RECOUP_EINVAL;
        }
    }
    return 0;
}

static int allocate(struct recoup__graph *graph, struct recoup__memory *memory)
{
    graph->nodes = recoup__allocate_zeroed(memory, graph->n_stages, sizeof *graph->nodes);
    if (graph->nodes == NULL) {
        return RECOUP_ENOMEM;
    }
    if (graph->n_edges > 0) {
        graph->edges = recoup__allocate_zeroed(memory, graph->n_edges, sizeof *graph->edges);
        graph->in = recoup__allocate_zeroed(memory, graph->n_edges, sizeof *graph->in);
        graph->out = recoup__allocate_zeroed(memory, graph->n_edges, sizeof *graph->out);
        if (graph->edges == NULL || graph->in == NULL || graph->out == NULL) {
            return RECOUP_ENOMEM;
        }
    }
    if (graph->n_coordinators > 0) {
        graph->coordinators =
            recoup__allocate_zeroed(memory, graph->n_coordinators, sizeof *graph->coordinators);
        graph->by_stage =
            recoup__allocate_zeroed(memory, graph->n_coordinators, sizeof *graph->by_stage);
        if (graph->coordinators == NULL || graph->by_stage == NULL) {
            return RECOUP_ENOMEM;
        }
    }
    return 0;
}

// Counting sort: counts per stage first, then the starts of the lists, then the items in order.
static void index_lists(struct recoup__graph *graph)
{
    for (uint32_t i = 0; i < graph->n_edges; i++) {
        graph->nodes[graph->edges[i].consumer].in_count++;
        graph->nodes[graph->edges[i].producer].out_count++;
    }
    for (uint32_t i = 0; i < graph->n_coordinators; i++) {
        struct recoup__node *node = &graph->nodes[graph->coordinators[i].stage];
        node->coordinator_count++;
        node->supporting += graph->coordinators[i].batch_snapshot ? 1 : 0;
    }
    uint32_t in = 0;
    uint32_t out = 0;
    uint32_t coordinator = 0;
    for (uint32_t i = 0; i < graph->n_stages; i++) {
        struct recoup__node *node = &graph->nodes[i];
        node->in_first = in;
        node->out_first = out;
        node->coordinator_first = coordinator;
        in += node->in_count;
        out += node->out_count;
        coordinator += node->coordinator_count;
        node->in_count = node->out_count = node->coordinator_count = 0;
    }
    RECOUP_ASSERT(in == graph->n_edges && out == graph->n_edges);
    RECOUP_ASSERT(coordinator == graph->n_coordinators);
    for (uint32_t i = 0; i < graph->n_edges; i++) {
        struct recoup__node *consumer = &graph->nodes[graph->edges[i].consumer];
        struct recoup__node *producer = &graph->nodes[graph->edges[i].producer];
        graph->in[consumer->in_first + consumer->in_count++] = i;
        graph->out[producer->out_first + producer->out_count++] = i;
    }
    for (uint32_t i = 0; i < graph->n_coordinators; i++) {
        struct recoup__node *node = &graph->nodes[graph->coordinators[i].stage];
        graph->by_stage[node->coordinator_first + node->coordinator_count++] = i;
    }
}

// Two edges of one pair would count one consumer twice. Each stage marks its producers in turn.
static int check_pairs(const struct recoup__graph *graph, struct recoup__memory *memory)
{
    size_t bytes = (size_t)graph->n_stages * sizeof(uint32_t);
    uint32_t *seen = recoup__allocate_zeroed(memory, graph->n_stages, sizeof *seen);
    if (seen == NULL) {
        return RECOUP_ENOMEM;
    }
    int rc = 0;
    for (uint32_t stage = 0; stage < graph->n_stages; stage++) {
        for (uint32_t i = 0; i < graph->nodes[stage].in_count; i++) {
            uint32_t producer = recoup__graph_in(graph, stage, i)->producer;
            if (seen[producer] == stage + 1) {
                rc = RECOUP_EINVAL;
            }
            seen[producer] = stage + 1;
        }
    }
    recoup__release(memory, seen, bytes);
    return rc;
}

int recoup__graph_init(struct recoup__graph *graph, struct recoup__memory *memory,
                       const struct recoup_graph *spec)
{
    RECOUP_ASSERT(graph != NULL && memory != NULL);
    memset(graph, 0, sizeof *graph);
    if (spec == NULL || check_stages(spec) != 0 || check_edges(spec) != 0 ||
        check_coordinators(spec) != 0) {
        return RECOUP_EINVAL;
    }
    memcpy(graph->digest, spec->digest, sizeof graph->digest);
    graph->n_stages = spec->n_stages;
    graph->n_edges = spec->n_edges;
    graph->n_coordinators = spec->n_coordinators;
    int rc = allocate(graph, memory);
    if (rc != 0) {
        recoup__graph_release(graph, memory);
        return rc;
    }
    for (uint32_t i = 0; i < spec->n_stages; i++) {
        graph->nodes[i].parallelism = spec->stages[i].parallelism;
        graph->nodes[i].parallelism_max = spec->stages[i].parallelism_max;
    }
    for (uint32_t i = 0; i < spec->n_edges; i++) {
        graph->edges[i] = spec->edges[i];
    }
    for (uint32_t i = 0; i < spec->n_coordinators; i++) {
        graph->coordinators[i] = spec->coordinators[i];
    }
    index_lists(graph);
    rc = check_pairs(graph, memory);
    if (rc != 0) {
        recoup__graph_release(graph, memory);
    }
    return rc;
}

void recoup__graph_release(struct recoup__graph *graph, struct recoup__memory *memory)
{
    RECOUP_ASSERT(graph != NULL && memory != NULL);
    recoup__release(memory, graph->nodes, graph->n_stages * sizeof *graph->nodes);
    recoup__release(memory, graph->edges, graph->n_edges * sizeof *graph->edges);
    recoup__release(memory, graph->in, graph->n_edges * sizeof *graph->in);
    recoup__release(memory, graph->out, graph->n_edges * sizeof *graph->out);
    recoup__release(memory, graph->coordinators,
                    graph->n_coordinators * sizeof *graph->coordinators);
    recoup__release(memory, graph->by_stage, graph->n_coordinators * sizeof *graph->by_stage);
    memset(graph, 0, sizeof *graph);
}

const struct recoup_edge_spec *recoup__graph_in(const struct recoup__graph *graph, uint32_t stage,
                                                uint32_t i)
{
    RECOUP_ASSERT(stage < graph->n_stages);
    RECOUP_ASSERT(i < graph->nodes[stage].in_count);
    return &graph->edges[graph->in[graph->nodes[stage].in_first + i]];
}

const struct recoup_edge_spec *recoup__graph_out(const struct recoup__graph *graph, uint32_t stage,
                                                 uint32_t i)
{
    RECOUP_ASSERT(stage < graph->n_stages);
    RECOUP_ASSERT(i < graph->nodes[stage].out_count);
    return &graph->edges[graph->out[graph->nodes[stage].out_first + i]];
}
