// SPDX-License-Identifier: GPL-3.0-or-later
//
// An independent reader of the event log, written from docs/disk-format.md and flink-recovery.md 3
// and 4.3-4.4, not from recovery/: lists and one pass, no memory between reads. It tells the ledger
// and the oracles what the surviving bytes hold, and which finishes a master with the active
// policies may conclude from them.
#ifndef RECOUP_MODELS_REFERENCE_H
#define RECOUP_MODELS_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/arena.h"

struct model_world;

struct model_reference_entry { // of one subtask, as the log has it
    uint32_t attempt;          // MODEL_NONE: none
    uint32_t place;            // among all finishes, from 1; kept when a reset removes the entry
    bool present;
    bool point; // its record is a recovery point
    bool moved; // by a mark of a checkpoint, to the place behind its boundary
};

struct model_reference_snapshot {
    uint32_t coordinator; // RECOUP_SHUFFLE: not kept here
    uint32_t place;       // covers finishes up to here
    uint32_t gid;         // of the finish it came with, MODEL_NONE in a checkpoint
    uint32_t attempt;
};

struct model_reference_picture {
    struct model_reference_entry *entries; // by gid
    uint32_t *parallelism;                 // by stage, 0: not initialized
    struct sim_chunks snapshots;           // in the order of the log
    uint32_t place;
    uint32_t point;  // place of the last recovery point that no reset can remove
    uint32_t behind; // place behind the boundary of a checkpoint, 0: none yet
    uint64_t records;
};

struct model_reference {
    bool read;             // reference_read was called for the present failover
    uint8_t *attempt_bits; // bit 0: a readable Finished record of the attempt exists
    uint32_t n_attempts;   // covered by attempt_bits
    uint32_t capacity;     // of attempt_bits
    bool failed;           // the log cannot be replayed
    bool gap;              // a file is missing in the sequence of names
    uint32_t damaged;      // files cut short
    uint64_t records;
    uint32_t *readable; // per incarnation: last event of a readable Finished record of it
    uint32_t readable_capacity;
    // With invariants on: the state that follows, by the active order of replay [0], and by the
    // order of the log [1] where that is another.
    struct model_reference_picture pictures[2];
    struct model_reference_picture shadows[2]; // of a checkpoint that is not complete yet
    bool has_shadow;
    bool pictures_ready;
};

// Reads the surviving store as the master of the new incarnation will find it. Called when that
// master starts, with recovery enabled. Out of memory sets w->error.
void reference_read(struct model_world *w);

// True if `name` is that of a file of the log under the active policies; what it says.
bool reference_file_name(const struct model_world *w, const char *name, uint64_t *epoch,
                         uint64_t *index);

// A Finished record of the attempt is readable. False before the first reference_read.
bool reference_readable(const struct model_world *w, uint32_t attempt);

// The last event of an incarnation of which a Finished record is readable, 0: none.
uint32_t reference_readable_event(const struct model_world *w, uint32_t incarnation);

// Fills `limits` with, per stage, the place up to which finishes count after the trim of the active
// policies (UINT32_MAX: all). `log_order` asks for the order of the log instead of the active one.
// Only with invariants on, after reference_read.
void reference_limits(struct model_world *w, bool log_order, uint32_t *limits);

// The attempt that the log holds as finished at a place up to `limit`, before any reset of the
// recovery; MODEL_NONE: none.
uint32_t reference_entry_under(struct model_world *w, uint32_t gid, bool log_order, uint32_t limit);

// Only in the order first-finish: true if the log holds the subtask as finished and covered by a
// snapshot of `coordinator` (of its stage), but that snapshot does not count any more, since the
// finish that carried it was taken back.
bool reference_cover_forgotten(struct model_world *w, uint32_t coordinator, uint32_t gid);

#endif
