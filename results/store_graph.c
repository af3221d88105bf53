// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/store_graph.h"

#include <stdlib.h>
#include <string.h>

static bool allocate(struct results_store_graph *g, size_t stages, size_t edges,
                     size_t coordinators)
{
    memset(g, 0, sizeof *g);
    g->stages = calloc(stages + 1, sizeof *g->stages);
    g->edges = calloc(edges + 1, sizeof *g->edges);
    g->coordinators = calloc(coordinators + 1, sizeof *g->coordinators);
    g->graph.stages = g->stages;
    g->graph.edges = g->edges;
    g->graph.coordinators = g->coordinators;
    return g->stages != NULL && g->edges != NULL && g->coordinators != NULL;
}

static bool has_coordinator(const struct model_stage *stage)
{
    return stage->coordinator.present || stage->source.present;
}

static void add_stage(struct results_store_graph *g, const struct model_config *config, uint32_t i)
{
    const struct model_stage *stage = &config->stages[i];
    const struct model_auto_parallelism *rule = &config->auto_parallelism;
    uint32_t most =
        rule->default_source_parallelism > rule->max ? rule->default_source_parallelism : rule->max;

    g->stages[i].parallelism = stage->parallelism;
    g->stages[i].parallelism_max = most > 0 ? most : 1;
    for (uint32_t k = 0; k < stage->n_inputs; k++) {
        g->edges[g->graph.n_edges++] =
            (struct recoup_edge_spec){stage->inputs[k].stage, i, stage->inputs[k].exchange};
    }
    if (has_coordinator(stage)) {
        g->coordinators[g->graph.n_coordinators++] =
            (struct recoup_coordinator_spec){i, stage->coordinator.batch_snapshot};
    }
}

bool results_store_graph_config(struct results_store_graph *graph,
                                const struct model_config *config)
{
    size_t edges = 0;

    for (uint32_t i = 0; i < config->n_stages; i++) {
        edges += config->stages[i].n_inputs;
    }
    if (!allocate(graph, config->n_stages, edges, config->n_stages)) {
        return false;
    }
    graph->graph.n_stages = config->n_stages;
    for (uint32_t i = 0; i < config->n_stages; i++) {
        add_stage(graph, config, i);
    }
    return true;
}

bool results_store_graph_infer(struct results_store_graph *graph, const uint32_t *parallelism,
                               uint32_t n_stages, uint32_t n_coordinators)
{
    uint32_t stages = n_stages > n_coordinators ? n_stages : n_coordinators;

    stages = stages == 0 ? 1 : stages;
    if (!allocate(graph, stages, 0, n_coordinators)) {
        return false;
    }
    graph->inferred = true;
    graph->graph.n_stages = stages;
    graph->graph.n_coordinators = n_coordinators;
    for (uint32_t i = 0; i < stages; i++) {
        graph->stages[i].parallelism = i < n_stages ? parallelism[i] : 0;
        graph->stages[i].parallelism_max = RECOUP_PARALLELISM_MAX;
    }
    for (uint32_t i = 0; i < n_coordinators; i++) {
        graph->coordinators[i] = (struct recoup_coordinator_spec){i, true};
    }
    return true;
}

void results_store_graph_release(struct results_store_graph *graph)
{
    free(graph->stages);
    free(graph->edges);
    free(graph->coordinators);
    memset(graph, 0, sizeof *graph);
}
