// SPDX-License-Identifier: GPL-3.0-or-later
//
// The graph of the job that wrote an event store. The log does not hold it: it comes from the
// scenario that produced the log, or is guessed from the log, without edges.
#ifndef RECOUP_RESULTS_STORE_GRAPH_H
#define RECOUP_RESULTS_STORE_GRAPH_H

#include "models/config.h"
#include "results/store_scan.h"

struct results_store_graph {
    struct recoup_graph graph; // its arrays belong to this struct
    struct recoup_stage_spec *stages;
    struct recoup_edge_spec *edges;
    struct recoup_coordinator_spec *coordinators;
    bool inferred;
};

// Both return false when out of memory; the graph is to be released in every case.
bool results_store_graph_config(struct results_store_graph *graph,
                                const struct model_config *config);

// From what the log's records name: a stage per INITIALIZED record, a coordinator per snapshot,
// coordinator i belonging to stage i. `parallelism` is that of each of n_stages stages, 0: never
// initialized.
bool results_store_graph_infer(struct results_store_graph *graph, const uint32_t *parallelism,
                               uint32_t n_stages, uint32_t n_coordinators);
void results_store_graph_release(struct results_store_graph *graph);

#endif
