// SPDX-License-Identifier: GPL-3.0-or-later
//
// Replays a recording of a job (recovery/recorder.h) through the library, and prints what happened:
// each event, what the library answered, and the state that it came to.
#ifndef RESULTS_STORE_REPLAY_H
#define RESULTS_STORE_REPLAY_H

#include "recovery/recorder.h"
#include "results/store_dump.h"

enum results_store_replayed {
    RESULTS_STORE_REPLAYED,           // to its end
    RESULTS_STORE_REPLAYED_TRUNCATED, // it ends within an entry: its process died in writing it
    RESULTS_STORE_REPLAYED_DAMAGED,
    RESULTS_STORE_REPLAYED_FOREIGN,   // no recording, or one of another version
    RESULTS_STORE_REPLAYED_DIVERGED,  // this library does something else
    RESULTS_STORE_REPLAYED_UNREAD,    // the file cannot be read, or no memory
    RESULTS_STORE_REPLAYED_UNWRITTEN, // the output cannot be written
};

// Reads `path`, prints text, or with `json` one object a line (docs/store-tools.md); `message` gets
// what is to be said of the end. The output is drained.
enum results_store_replayed results_store_replay(const char *path, bool json,
                                                 struct results_store_output *output,
                                                 struct results_text *message);

const char *results_store_event_name(enum recoup_event_type type);    // "SUBTASK_FINISHED"
const char *results_store_action_name(enum recoup_action_type type);  // "APPEND"

// Lines of the JSON output: an event with what came of it, the state, the verdict.
void results_store_replay_json_step(const struct recoup_replay *step, struct results_text *text);
void results_store_replay_json_state(const struct recoup_job *job, uint64_t steps,
                                     struct results_text *text);
void results_store_replay_json_verdict(const struct recoup_replay *end, struct results_text *text);

#endif
