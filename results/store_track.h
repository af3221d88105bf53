// SPDX-License-Identifier: GPL-3.0-or-later
//
// What becomes of each finished subtask that a log holds: written, read by the recovery, kept or
// forgotten, and why. 24 bytes a subtask.
#ifndef RECOUP_RESULTS_STORE_TRACK_H
#define RECOUP_RESULTS_STORE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "recovery/record.h"

enum results_store_fate {
    RESULTS_STORE_KEPT,
    RESULTS_STORE_TAKEN_BACK,     // a later record of the log takes the finish back
    RESULTS_STORE_NOT_COUNTED,    // it stands where nothing counts: behind damage, or fenced
    RESULTS_STORE_NOT_COVERED,    // no recovery point covers it
    RESULTS_STORE_NO_COORDINATOR, // its stage's coordinator cannot be restored
    RESULTS_STORE_NO_PARTITION,   // needed output that no worker holds
    RESULTS_STORE_DOWNSTREAM,     // it consumed what is taken back
    RESULTS_STORE_ALL_LOST,       // the recovery failed
    RESULTS_STORE_OTHER,
    RESULTS_STORE_FATES
};

const char *results_store_fate_name(enum results_store_fate fate);     // "not-covered"
const char *results_store_fate_sentence(enum results_store_fate fate); // why

enum {
    RESULTS_STORE_IN_FILES = 1, // a readable FINISHED record names it
    RESULTS_STORE_IN_LOG = 2,   // and the recovery read it, and no later record takes it back
    RESULTS_STORE_WAS_READ = 4, // the recovery read one
    RESULTS_STORE_REPEATED = 8, // in the checkpoint that is being read
    RESULTS_STORE_HAS_PARTITION = 16,
    RESULTS_STORE_RESET = 32, // the recovery takes it back, for `fate`
};

struct results_store_subtask {
    uint64_t attempt; // of the last finish that the recovery read
    uint64_t bytes;
    uint32_t worker;
    uint8_t flags;
    uint8_t fate;
};

struct results_store_stage {
    uint32_t parallelism; // 0: no INITIALIZED record
    struct results_store_subtask *subtasks;
};

struct results_store_tracks {
    struct results_store_stage *stages;
    uint32_t n_stages;
    uint32_t n_coordinators; // greatest index that a snapshot names, + 1
    bool replacing;          // inside a checkpoint that replaces what stands before it
};

void results_store_tracks_release(struct results_store_tracks *tracks);

// A record as it stands in the files. False when out of memory.
bool results_store_track_file(struct results_store_tracks *tracks,
                              const struct recoup__record *record);
// A record as the recovery reads it, in its order.
void results_store_track_read(struct results_store_tracks *tracks,
                              const struct recoup__record *record);

// NULL if the log names no such subtask.
struct results_store_subtask *results_store_track_find(struct results_store_tracks *tracks,
                                                       uint32_t stage, uint32_t subtask);

#endif
