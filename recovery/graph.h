// SPDX-License-Identifier: Apache-2.0
//
// The job graph as the library keeps it: a checked copy with the edges and coordinators of each
// stage in flat lists. Edges are groups: an all-to-all edge is one item, never its m x n pairs.
#ifndef RECOUP_RECOVERY_GRAPH_H
#define RECOUP_RECOVERY_GRAPH_H

#include "recovery/memory.h"

struct recoup__node {     // one stage's place in the graph
    uint32_t parallelism; // fixed by the plan, 0: decided at run time
    uint32_t parallelism_max;
    uint32_t in_first; // its input edges: indices in graph->in
    uint32_t in_count;
    uint32_t out_first; // its output edges: indices in graph->out
    uint32_t out_count;
    uint32_t coordinator_first; // its coordinators: indices in graph->by_stage
    uint32_t coordinator_count;
    uint32_t supporting; // of them, how many can be snapshotted
};

struct recoup__graph {
    uint8_t digest[16];
    uint32_t n_stages;
    uint32_t n_edges;
    uint32_t n_coordinators;
    struct recoup__node *nodes;
    struct recoup_edge_spec *edges;
    uint32_t *in;  // edge indices by consumer, then in the order given
    uint32_t *out; // edge indices by producer, then in the order given
    struct recoup_coordinator_spec *coordinators;
    uint32_t *by_stage; // coordinator indices by stage, ascending
};

// Copies and checks `spec`. RECOUP_EINVAL: an edge that does not lead from a lower to a higher
// stage, two edges of one pair, a stage without subtasks, a coordinator of no stage, or a limit
// exceeded.
int recoup__graph_init(struct recoup__graph *graph, struct recoup__memory *memory,
                       const struct recoup_graph *spec);
void recoup__graph_release(struct recoup__graph *graph, struct recoup__memory *memory);

// The i-th input or output edge of a stage.
const struct recoup_edge_spec *recoup__graph_in(const struct recoup__graph *graph, uint32_t stage,
                                                uint32_t i);
const struct recoup_edge_spec *recoup__graph_out(const struct recoup__graph *graph, uint32_t stage,
                                                 uint32_t i);

#endif
