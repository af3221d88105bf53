// SPDX-License-Identifier: Apache-2.0
//
// When coordinators and the shuffle master are snapshotted (specification 2.4), and the last
// snapshot of each, kept for checkpoints of the whole job.
//
// Recovery points ("takes") are numbered from 1 in each incarnation. A finish carries the number of
// the first take at or after it; a coordinator's snapshot of take t therefore covers the finishes
// of its stage with numbers up to t. Finishes of earlier masters have number 0: the snapshot they
// were restored from covers them.
#ifndef RECOUP_RECOVERY_SNAPSHOT_H
#define RECOUP_RECOVERY_SNAPSHOT_H

#include "recovery/graph.h"

struct recoup__kept { // the last snapshot of one coordinator
    void *data;
    uint32_t capacity;
    uint32_t size;
    uint32_t take;
    bool present;
};

struct recoup__snapshots {
    struct recoup__memory *memory;
    const struct recoup__graph *graph;
    bool *dirty;          // stages with finishes since the last take
    uint32_t *dirty_list; // these stages
    uint32_t n_dirty;
    uint32_t *due;   // the coordinators of the take that is being made
    int64_t last_ns; // of the last take
    bool taken;      // false until the first take of this incarnation, and after a failure
    uint32_t take;   // the number that the next take will have
    struct recoup__kept *kept; // by coordinator, the shuffle master last
    uint64_t delivered;
    uint64_t delivered_bytes;
};

int recoup__snapshots_init(struct recoup__snapshots *snapshots, struct recoup__memory *memory,
                           const struct recoup__graph *graph);
void recoup__snapshots_release(struct recoup__snapshots *snapshots);

// Forgets everything but the numbering of takes.
void recoup__snapshots_clear(struct recoup__snapshots *snapshots);

// True if a finish of `stage` at `now_ns` is to take a snapshot: it ends the stage, or it is the
// first of the incarnation, or the last take is at least min_pause_ns ago.
bool recoup__snapshots_due(const struct recoup__snapshots *snapshots, int64_t now_ns,
                           int64_t min_pause_ns, bool stage_done);

// Whom a take that a finish of `stage` triggers would ask: the supporting coordinators of the
// stages with finishes since the last take, ascending, then RECOUP_SHUFFLE. At least 1. Changes
// nothing else.
uint32_t recoup__snapshots_list(struct recoup__snapshots *snapshots, uint32_t stage,
                                const uint32_t **coordinators);

// A finish of `stage` has been accepted.
void recoup__snapshots_finished(struct recoup__snapshots *snapshots, uint32_t stage);
// The take has been made; its number is returned.
uint32_t recoup__snapshots_taken(struct recoup__snapshots *snapshots, int64_t now_ns);
// A coordinator could not deliver: its stage counts as changed, and the next finish tries again.
void recoup__snapshots_failed(struct recoup__snapshots *snapshots, uint32_t coordinator);

// True if `coordinator` could have been asked by take `take`.
bool recoup__snapshots_known(const struct recoup__snapshots *snapshots, uint32_t take,
                             uint32_t coordinator);

// Room for a snapshot of `size` bytes. Then recoup__snapshots_keep cannot fail.
int recoup__snapshots_reserve(struct recoup__snapshots *snapshots, uint32_t coordinator,
                              size_t size);
void recoup__snapshots_keep(struct recoup__snapshots *snapshots, uint32_t coordinator,
                            uint32_t take, const void *data, size_t size);
// Takes over memory from recoup__allocate (NULL for size 0) as the snapshot restored at recovery.
void recoup__snapshots_adopt(struct recoup__snapshots *snapshots, uint32_t coordinator, void *data,
                             uint32_t size);

const struct recoup__kept *recoup__snapshots_kept(const struct recoup__snapshots *snapshots,
                                                  uint32_t coordinator);

#endif
