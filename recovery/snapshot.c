// SPDX-License-Identifier: Apache-2.0
//
// The snapshot policy: min-pause only throttles, nothing is taken on a timer (specification 2.4).
#include "recovery/snapshot.h"

#include <string.h>

int recoup__snapshots_init(struct recoup__snapshots *snapshots, struct recoup__memory *memory,
                           const struct recoup__graph *graph)
{
    RECOUP_ASSERT(snapshots != NULL && memory != NULL);
    RECOUP_ASSERT(graph->n_stages > 0);
    memset(snapshots, 0, sizeof *snapshots);
    snapshots->memory = memory;
    snapshots->graph = graph;
    snapshots->take = 1;
    snapshots->dirty = recoup__allocate_zeroed(memory, graph->n_stages, sizeof *snapshots->dirty);
    snapshots->dirty_list =
        recoup__allocate_zeroed(memory, graph->n_stages, sizeof *snapshots->dirty_list);
    snapshots->due =
        recoup__allocate_zeroed(memory, graph->n_coordinators + 1u, sizeof *snapshots->due);
    snapshots->kept =
        recoup__allocate_zeroed(memory, graph->n_coordinators + 1u, sizeof *snapshots->kept);
    bool complete = snapshots->dirty != NULL && snapshots->dirty_list != NULL &&
                    snapshots->due != NULL && snapshots->kept != NULL;
    return complete ? 0 : RECOUP_ENOMEM;
}

static void forget_kept(struct recoup__snapshots *snapshots)
{
    RECOUP_ASSERT(snapshots->graph != NULL);
    for (uint32_t i = 0; snapshots->kept != NULL && i <= snapshots->graph->n_coordinators; i++) {
        RECOUP_ASSERT(snapshots->kept[i].size <= snapshots->kept[i].capacity);
        recoup__release(snapshots->memory, snapshots->kept[i].data, snapshots->kept[i].capacity);
        memset(&snapshots->kept[i], 0, sizeof snapshots->kept[i]);
    }
}

void recoup__snapshots_release(struct recoup__snapshots *snapshots)
{
    RECOUP_ASSERT(snapshots != NULL);
    struct recoup__memory *memory = snapshots->memory;
    if (memory == NULL) {
        return;
    }
    forget_kept(snapshots);
    uint32_t n_stages = snapshots->graph->n_stages;
    uint32_t n_kept = snapshots->graph->n_coordinators + 1;
    recoup__release(memory, snapshots->dirty, n_stages * sizeof *snapshots->dirty);
    recoup__release(memory, snapshots->dirty_list, n_stages * sizeof *snapshots->dirty_list);
    recoup__release(memory, snapshots->due, n_kept * sizeof *snapshots->due);
    recoup__release(memory, snapshots->kept, n_kept * sizeof *snapshots->kept);
    memset(snapshots, 0, sizeof *snapshots);
}

void recoup__snapshots_clear(struct recoup__snapshots *snapshots)
{
    RECOUP_ASSERT(snapshots->memory != NULL);
    forget_kept(snapshots);
    for (uint32_t i = 0; i < snapshots->n_dirty; i++) {
        RECOUP_ASSERT(snapshots->dirty[snapshots->dirty_list[i]]);
        snapshots->dirty[snapshots->dirty_list[i]] = false;
    }
    snapshots->n_dirty = 0;
    snapshots->taken = false;
}

bool recoup__snapshots_due(const struct recoup__snapshots *snapshots, int64_t now_ns,
                           int64_t min_pause_ns, bool stage_done)
{
    RECOUP_ASSERT(min_pause_ns >= 0);
    RECOUP_ASSERT(RECOUP_ERGO(snapshots->taken, now_ns >= snapshots->last_ns));
    return stage_done || !snapshots->taken || now_ns - snapshots->last_ns >= min_pause_ns;
}

static uint32_t list_stage(struct recoup__snapshots *snapshots, uint32_t stage)
{
    const struct recoup__node *node = &snapshots->graph->nodes[stage];
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->coordinator_count; i++) {
        uint32_t coordinator = snapshots->graph->by_stage[node->coordinator_first + i];
        RECOUP_ASSERT(snapshots->graph->coordinators[coordinator].stage == stage);
        if (snapshots->graph->coordinators[coordinator].batch_snapshot) {
            snapshots->due[n++] = coordinator;
        }
    }
    RECOUP_ASSERT(n == node->supporting);
    return n;
}

uint32_t recoup__snapshots_list(struct recoup__snapshots *snapshots, uint32_t stage,
                                const uint32_t **coordinators)
{
    const struct recoup__graph *graph = snapshots->graph;
    RECOUP_ASSERT(stage < graph->n_stages);
    bool alone =
        snapshots->n_dirty == 0 || (snapshots->n_dirty == 1 && snapshots->dirty_list[0] == stage);
    uint32_t n = 0;
    if (alone) {
        n = list_stage(snapshots, stage);
    } else {
        for (uint32_t i = 0; i < graph->n_coordinators; i++) {
            uint32_t its_stage = graph->coordinators[i].stage;
            if (graph->coordinators[i].batch_snapshot &&
                (its_stage == stage || snapshots->dirty[its_stage])) {
                snapshots->due[n++] = i;
            }
        }
    }
    snapshots->due[n++] = RECOUP_SHUFFLE;
    RECOUP_ASSERT(n <= graph->n_coordinators + 1);
    *coordinators = snapshots->due;
    return n;
}

void recoup__snapshots_finished(struct recoup__snapshots *snapshots, uint32_t stage)
{
    RECOUP_ASSERT(stage < snapshots->graph->n_stages);
    if (!snapshots->dirty[stage]) {
        RECOUP_ASSERT(snapshots->n_dirty < snapshots->graph->n_stages);
        snapshots->dirty[stage] = true;
        snapshots->dirty_list[snapshots->n_dirty++] = stage;
    }
}

uint32_t recoup__snapshots_taken(struct recoup__snapshots *snapshots, int64_t now_ns)
{
    RECOUP_ASSERT(snapshots->take < UINT32_MAX);
    RECOUP_ASSERT(snapshots->n_dirty > 0);
    for (uint32_t i = 0; i < snapshots->n_dirty; i++) {
        snapshots->dirty[snapshots->dirty_list[i]] = false;
    }
    snapshots->n_dirty = 0;
    snapshots->last_ns = now_ns;
    snapshots->taken = true;
    return snapshots->take++;
}

void recoup__snapshots_failed(struct recoup__snapshots *snapshots, uint32_t coordinator)
{
    snapshots->taken = false;
    if (coordinator != RECOUP_SHUFFLE) {
        RECOUP_ASSERT(coordinator < snapshots->graph->n_coordinators);
        recoup__snapshots_finished(snapshots, snapshots->graph->coordinators[coordinator].stage);
    }
}

bool recoup__snapshots_known(const struct recoup__snapshots *snapshots, uint32_t take,
                             uint32_t coordinator)
{
    RECOUP_ASSERT(snapshots->take > 0);
    if (take == 0 || take >= snapshots->take) {
        return false;
    }
    return coordinator == RECOUP_SHUFFLE ||
           (coordinator < snapshots->graph->n_coordinators &&
            snapshots->graph->coordinators[coordinator].batch_snapshot);
}

static struct recoup__kept *slot(const struct recoup__snapshots *snapshots, uint32_t coordinator)
{
    uint32_t n = snapshots->graph->n_coordinators;
    RECOUP_ASSERT(coordinator < n || coordinator == RECOUP_SHUFFLE);
    return &snapshots->kept[coordinator == RECOUP_SHUFFLE ? n : coordinator];
}

int recoup__snapshots_reserve(struct recoup__snapshots *snapshots, uint32_t coordinator,
                              size_t size)
{
    struct recoup__kept *kept = slot(snapshots, coordinator);
    if (size > RECOUP_EVENT_SIZE_MAX) {
        return RECOUP_ELIMIT;
    }
    if (size <= kept->capacity) {
        return 0;
    }
    int rc = recoup__grow(snapshots->memory, &kept->data, &kept->capacity, 1, (uint32_t)size);
    RECOUP_ASSERT(RECOUP_ERGO(rc == 0, kept->capacity >= size));
    return rc;
}

void recoup__snapshots_keep(struct recoup__snapshots *snapshots, uint32_t coordinator,
                            uint32_t take, const void *data, size_t size)
{
    struct recoup__kept *kept = slot(snapshots, coordinator);
    RECOUP_ASSERT(size <= kept->capacity);
    snapshots->delivered++;
    snapshots->delivered_bytes += size;
    if (kept->present && take < kept->take) {
        return; // a straggler, older than what is kept
    }
    if (size > 0) {
        memcpy(kept->data, data, size);
    }
    kept->size = (uint32_t)size;
    kept->take = take;
    kept->present = true;
}

void recoup__snapshots_adopt(struct recoup__snapshots *snapshots, uint32_t coordinator, void *data,
                             uint32_t size)
{
    struct recoup__kept *kept = slot(snapshots, coordinator);
    RECOUP_ASSERT(RECOUP_ERGO(size > 0, data != NULL));
    RECOUP_ASSERT(!kept->present);
    recoup__release(snapshots->memory, kept->data, kept->capacity);
    *kept = (struct recoup__kept){.data = data, .capacity = size, .size = size, .present = true};
}

const struct recoup__kept *recoup__snapshots_kept(const struct recoup__snapshots *snapshots,
                                                  uint32_t coordinator)
{
    RECOUP_ASSERT(snapshots->kept != NULL);
    return slot(snapshots, coordinator);
}
