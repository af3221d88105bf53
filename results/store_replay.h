// SPDX-License-Identifier: GPL-3.0-or-later
//
// Replays a recording of a job (recovery/recorder.h) through the library, and prints what happened:
// each event, what the library answered, and the state that it came to.
#ifndef RESULTS_STORE_REPLAY_H
#define RESULTS_STORE_REPLAY_H

#include "results/store_files.h"
#include "results/text.h"

enum results_store_replayed {
    RESULTS_STORE_REPLAYED,           // to its end
    RESULTS_STORE_REPLAYED_TRUNCATED, // it ends within an entry: its process died in writing it
    RESULTS_STORE_REPLAYED_DAMAGED,
    RESULTS_STORE_REPLAYED_FOREIGN,   // no recording, or one of another version
    RESULTS_STORE_REPLAYED_DIVERGED,  // this library does something else
    RESULTS_STORE_REPLAYED_UNREAD,    // the file cannot be read, or no memory
    RESULTS_STORE_REPLAYED_UNWRITTEN, // the output cannot be written
};

// Reads `path`, writes text to the descriptor `fd`; `message` gets what is to be said of the end.
enum results_store_replayed results_store_replay(const char *path, int fd,
                                                 struct results_text *message);

#endif
