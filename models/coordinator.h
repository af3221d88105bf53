// SPDX-License-Identifier: GPL-3.0-or-later
//
// Operator coordinators: the enumerator of a source, which hands splits to its readers and takes
// them back, and plain coordinators that have state only. Snapshots hold what was handed out; a
// restored one continues from there.
#ifndef RECOUP_MODELS_COORDINATOR_H
#define RECOUP_MODELS_COORDINATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/bitset.h"
#include "sim/arena.h"

struct model_world;

#define MODEL_SNAPSHOTS_MAX                                                                        \
    4096u // snapshots under way at one time: more than stages is never asked for

struct model_coordinator_state {
    uint32_t stage;
    uint32_t splits;          // 0: a coordinator with state only
    uint64_t snapshot_bytes;  // nominal size of a snapshot
    struct model_bitset pool; // splits that nobody has
    uint32_t *owner;          // per split: index of the subtask that has it, MODEL_NONE
    uint32_t *handed;         // scratch of a snapshot: owner, of splits already handed out
};

struct model_snapshot { // taken, on its way to the master
    uint8_t *data;      // from w->master.memory; NULL when failed or empty
    size_t size;
    uint32_t id;          // the library's
    uint32_t coordinator; // or RECOUP_SHUFFLE
    bool used;
    bool failed;
};

struct model_coordinators {
    struct model_coordinator_state *list;
    uint32_t count;
    struct sim_chunks
        split_lists; // per attempt of a source: its splits (uint32_t), their number first
    struct model_snapshot *snapshots; // MODEL_SNAPSHOTS_MAX
    uint32_t snapshots_used;          // slots below this were ever used
};

int coordinators_init(struct model_world *w);
void coordinators_fresh(
    struct model_world *w); // a new master: every coordinator starts with all splits
// The attempt started: its quota is earmarked, lowest splits first; they are handed out at an equal
// pace over its duration, the first at once (contract.md "Splits"). Must be called before its end
// is scheduled.
void coordinator_attempt_started(struct model_world *w, uint32_t attempt);
// The subtasks first .. first + count - 1 of the stage are reset: their splits go back.
void coordinator_subtasks_reset(struct model_world *w, uint32_t stage, uint32_t first,
                                uint32_t count);
// The splits that the attempt, of a subtask that was reset, once had: true if all are in the pool,
// or its subtask's again, so that it may have them back.
bool coordinator_may_retake(struct model_world *w, uint32_t attempt);
// Gives them back to it; its subtask must have none.
void coordinator_retake(struct model_world *w, uint32_t attempt);
// TAKE_SNAPSHOT: captures the state now and schedules its delivery; it fails when a split that is
// on its way can never be acknowledged, because its worker died unnoticed (flink-recovery.md 2.5).
void coordinator_snapshot(struct model_world *w, uint32_t snapshot, uint32_t coordinator);
void coordinator_snapshot_deliver(struct model_world *w, uint32_t slot); // event: steps SNAPSHOT
void coordinators_master_gone(struct model_world *w); // snapshots under way are dropped
void coordinator_restore(struct model_world *w, uint32_t coordinator, const void *data,
                         size_t size);
// The splits that an attempt was given, for the lineage oracle: how many, and the k-th.
uint32_t coordinator_split_count(struct model_world *w, uint32_t attempt);
uint32_t coordinator_split(struct model_world *w, uint32_t attempt, uint32_t k);

#endif
