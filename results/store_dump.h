// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup store dump`: every record of an event store, readable.
#ifndef RECOUP_RESULTS_STORE_DUMP_H
#define RECOUP_RESULTS_STORE_DUMP_H

#include "results/store_scan.h"

enum results_store_outcome {
    RESULTS_STORE_INTACT,
    RESULTS_STORE_DAMAGED,   // something is wrong with the files
    RESULTS_STORE_CANCELLED, // `watch` said so
    RESULTS_STORE_UNREAD,    // a file could not be read, or out of memory; `message` says more
    RESULTS_STORE_UNWRITTEN  // the output failed; `message` says more
};

// Text that leaves for a file descriptor whenever much of it has gathered.
struct results_store_output {
    struct results_text text;
    int fd;
    int error; // errno of the first write that failed
};

void results_store_output_init(struct results_store_output *output, int fd);
bool results_store_output_drain(struct results_store_output *output, bool all);
void results_store_output_release(struct results_store_output *output);

// Text: a line per file and an indented one per record. JSON: an object per line with "kind"
// file, record or damage.
enum results_store_outcome results_store_dump(const struct results_store_files *files, bool json,
                                              const struct results_store_watch *watch,
                                              struct results_store_output *output,
                                              struct results_text *message);

// The outcome of a scan that ended early, with its message.
enum results_store_outcome results_store_scan_outcome(const struct results_store_scan *scan,
                                                      enum results_store_step step,
                                                      struct results_text *message);

#endif
