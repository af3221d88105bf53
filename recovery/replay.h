// SPDX-License-Identifier: Apache-2.0
//
// Replay (specification 4.3): the records of the log, one by one, become a picture of the state
// that earlier masters left: which attempt of each subtask finished, in which order, and which
// snapshots cover what. The picture has no effect on the job until it is applied (apply.h); its
// memory is freed then.
//
// Order. Every finish gets a number, its place. Under replay.order = first-finish a second finish
// of a subtask keeps the place of the first (an insertion-ordered map); a reset forgets the place,
// and with it the snapshots that came with that finish. Under replay.order = log the last finish
// counts at its own place, and snapshots stay.
//
// Checkpoints. BEGIN with `replaces` (or at the start of the log) starts a second, empty picture;
// END lets it take the place of the first; without END (another master, another BEGIN, the end of
// the log) it is forgotten. Records of events that stand in it are applied as everywhere else. The
// checkpoint's own are:
//
//   INITIALIZED, FINISHED        what its snapshots cover comes first
//   SNAPSHOT of stage NONE       the boundary: its snapshots cover every finish before it
//   FINISHED, SNAPSHOT{MARK}     a finish that they do not cover: the mark moves it to the place
//   right
//                                behind the boundary, where every later recovery point covers it
//
// In a checkpoint that does not replace, boundary and marks mean nothing: the records before it
// have said all that already.
#ifndef RECOUP_RECOVERY_REPLAY_H
#define RECOUP_RECOVERY_REPLAY_H

#include "recovery/payload.h"
#include "recovery/record.h"
#include "recovery/state.h"

#define RECOUP__MARK (UINT32_MAX - 1) // stands for a coordinator in a record that is a mark

enum {
    RECOUP__ENTRY_PRESENT = 1 << 0,
    RECOUP__ENTRY_PARTITION = 1 << 1,
    RECOUP__ENTRY_POINT = 1 << 2,   // its finish is a recovery point
    RECOUP__ENTRY_MOVED = 1 << 3,   // its place is that behind the boundary of a checkpoint
    RECOUP__ENTRY_TRIMMED = 1 << 4, // was there until the trim
};

struct recoup__entry {
    uint64_t attempt;
    uint64_t bytes;
    uint32_t worker;
    uint32_t payload;
    uint32_t place; // from 1; kept when a reset removes the entry, for late snapshots
    uint32_t flags;
};

struct recoup__replay_snapshot {
    uint32_t coordinator;
    uint32_t place; // covers finishes up to here
    uint32_t stage; // of the finish it came with, RECOUP_NONE in a checkpoint
    uint32_t subtask;
    uint64_t attempt;
    void *data;
    uint32_t size;
};

struct recoup__picture {
    uint32_t *parallelism;          // by stage
    struct recoup__entry **entries; // by stage
    uint32_t *finished;             // by stage: entries that are PRESENT
    uint32_t *order;                // stages in the order of their INITIALIZED records
    uint32_t n_order;
    struct recoup__payloads payloads;
    struct recoup__replay_snapshot *snapshots;
    uint32_t n_snapshots;
    uint32_t snapshots_capacity;
    uint32_t place;  // of the last finish
    uint32_t point;  // place of the last recovery point that no reset can remove
    uint32_t behind; // the place behind the boundary, 0: no boundary yet
    uint64_t records;
};

struct recoup__replay {
    struct recoup__state *state; // for the graph and its limits only
    bool first_finish;           // policy replay.order
    bool has_shadow;
    struct recoup__picture picture;
    struct recoup__picture shadow; // a checkpoint that is not complete yet
    uint64_t shadow_epoch;         // of the file of its BEGIN
    uint32_t shadow_file;          // its index
    uint64_t point_epoch;          // where the last recovery point stands in the log
    uint64_t point_sequence;
};

int recoup__replay_init(struct recoup__replay *replay, struct recoup__state *state,
                        bool first_finish);
void recoup__replay_release(struct recoup__replay *replay);

// One record. RECOUP_ENOMEM changes nothing. RECOUP_EFOREIGN: the record does not fit the graph.
int recoup__replay_record(struct recoup__replay *replay, const struct recoup__record *record,
                          const struct recoup__position *position);

// A finish of this subtask, which may be none, probably comes soon: asks for its entry's memory.
void recoup__replay_expect(const struct recoup__replay *replay, uint32_t stage, uint32_t subtask);

// The log is read: forgets an incomplete checkpoint.
void recoup__replay_end(struct recoup__replay *replay);

// Drops the finishes that no recovery point covers (specification 4.4, 4.5, H22) and the snapshots
// that do not count. Returns false if, under the rule for all stages, there is no recovery point at
// all.
bool recoup__replay_trim(struct recoup__replay *replay, bool coordinator_stages);

// The snapshot that `coordinator` is to be restored from, or NULL.
struct recoup__replay_snapshot *recoup__replay_snapshot(struct recoup__replay *replay,
                                                        uint32_t coordinator);

#endif
