// SPDX-License-Identifier: GPL-3.0-or-later
//
// What reference.c (files, frames) and reference_replay.c (meaning) share. Not for the rest.
#ifndef RECOUP_MODELS_REFERENCE_INTERNAL_H
#define RECOUP_MODELS_REFERENCE_INTERNAL_H

#include "models/world.h"

#define REFERENCE_WINDOW_BYTES 4096u

enum reference_record { // types on disk
    REFERENCE_FINISHED = 1,
    REFERENCE_RESET = 2,
    REFERENCE_INITIALIZED = 3,
    REFERENCE_INCARNATION = 4,
    REFERENCE_SNAPSHOT = 5,
    REFERENCE_CHECKPOINT_BEGIN = 6,
    REFERENCE_CHECKPOINT_END = 7,
    REFERENCE_GAP = 8,
};

struct reference_file {
    uint64_t epoch;
    uint64_t index;
    uint64_t limit; // bytes that may count
    uint64_t valid; // bytes up to the end of the last record that counted
    uint32_t file;  // of the storage
    bool gap;       // a file before it is missing
    bool first;     // of its epoch
};

struct reference_log { // being read
    struct reference_file *files;
    uint32_t n;
    bool broken; // holes = prefix: nothing counts until something mends the log
    bool gap;    // a file is missing, and no checkpoint has made up for it
    bool in_checkpoint;
    uint64_t stream;   // epoch of the records read last
    uint64_t expected; // next number in it, 0: any
};

struct reference_cursor {
    struct model_world *w;
    uint32_t file;
    uint64_t end; // bytes of the file that count
    uint64_t at;
    uint64_t seed;     // of the file's checksums
    uint64_t epoch;    // of the file's header
    bool replaces;     // the checkpoint at hand replaces all before it, whatever it says
    uint32_t previous; // type of the record before, 0 at the start of the file
    uint32_t type;     // of the record at hand, and where it stands
    uint64_t sequence;
    uint64_t start;
    uint64_t body;
    uint64_t body_end;
    uint64_t frame_end;
    bool ended; // something was read beyond the end
    bool torn;  // the file ends within a record
    uint64_t window_at;
    size_t window_size;
    uint8_t window[REFERENCE_WINDOW_BYTES];
    uint8_t zeros[REFERENCE_WINDOW_BYTES];
};

// `n` bytes at `offset`, valid until the next call; zeros, and c->ended, beyond the end.
const uint8_t *reference_bytes(struct reference_cursor *c, uint64_t offset, size_t n);
// The little-endian number of up to 8 bytes at c->at, which moves on.
uint64_t reference_number(struct reference_cursor *c, uint32_t bytes);
// Finds the next record; false at the end of what is whole.
bool reference_next(struct reference_cursor *c);
// reference_replay.c
int reference_pictures_clear(struct model_world *w);
void reference_record(struct reference_cursor *c); // the cursor stands at its body
void reference_replay_end(struct model_world *w);

#endif
