// SPDX-License-Identifier: GPL-3.0-or-later
//
// Writes what an observer of a run sees (sim/trace.h) as a Chrome trace-event file, which Perfetto
// (ui.perfetto.dev) and chrome://tracing open:
//
//     {"displayTimeUnit":"ms","traceEvents":[
//     {"ph":"X","pid":2,"tid":0,"ts":12.345,"dur":1000.000,"name":"scan","args":{"subtask":7}},
//     ...
//     ]}
//
// One event a line, streamed while the run goes on. A track of the simulator is a process of the
// trace and a lane a thread; both are named by metadata events when they are first seen. Times are
// microseconds with three decimals, so no nanosecond is lost.
//
// The file is written under a temporary name and renamed when it is complete, so an existing file
// is only ever replaced by a complete one. A path that is no regular file (a pipe, a device) is
// written directly.
#ifndef RECOUP_RESULTS_TRACE_FILE_H
#define RECOUP_RESULTS_TRACE_FILE_H

#include "models/config.h"
#include "results/text.h"
#include "sim/trace.h"

// (track, lane) pairs that are named; later ones show under their numbers.
#define RESULTS_TRACE_LANES_MAX (UINT32_C(1) << 22)

struct results_trace_file {
    struct sim_trace observer; // to be given to the run; lives as long as this
    const struct model_config *config;
    struct results_text text; // not yet written
    int fd;                   // -1: closed
    int error;                // the first errno value that went wrong; 0: none
    bool temporary;           // `written` is to be renamed to `target`
    bool first;               // no event yet
    char *target;
    char *written;
    uint64_t *seen;         // open addressing; a key is track * 2^32 + lane + 1, 0 is free
    uint32_t seen_capacity; // a power of two
    uint32_t seen_count;
    uint64_t events;
};

// Creates the file. `config` (of the run that will be observed) supplies names and is borrowed.
// `unique` makes the temporary name one's own (a process id). Returns 0 or an errno value; then
// nothing is to be released.
int results_trace_file_open(struct results_trace_file *file, const char *path,
                            const struct model_config *config, uint64_t unique);
// Ends the file and puts it in its place. Returns 0, or the first errno value of all that was
// written; then the temporary file is gone and an existing file is untouched. Releases everything.
int results_trace_file_finish(struct results_trace_file *file);
// Gives the file up: nothing remains of it. Accepts a zeroed file.
void results_trace_file_abandon(struct results_trace_file *file);

#endif
