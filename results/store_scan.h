// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every record of every file of an event store, one after the other, whether or not a recovery
// would count it. Memory is bounded by the longest record, however long the log is.
#ifndef RECOUP_RESULTS_STORE_SCAN_H
#define RECOUP_RESULTS_STORE_SCAN_H

#include "recovery/record.h"
#include "results/store_files.h"

enum results_store_step {
    RESULTS_STORE_FILE,        // scan->file begins
    RESULTS_STORE_RECORD,      // scan->frame, scan->record
    RESULTS_STORE_UNREADABLE,  // scan->frame is well framed, but scan->damage says TYPE or BODY
    RESULTS_STORE_DAMAGE,      // scan->damage at scan->offset; nothing more comes from the file
    RESULTS_STORE_FILE_END,    // scan->offset: where reading ended
    RESULTS_STORE_DONE,
    RESULTS_STORE_INTERRUPTED, // `watch` said so
    RESULTS_STORE_FAILED       // scan->error (errno) at scan->file
};

// Asked before each read; false ends the work.
struct results_store_watch {
    bool (*go_on)(void *context, uint64_t done, uint64_t total); // bytes; may be NULL
    void *context;
};

struct results_store_scan {
    const struct results_store_files *files;
    const struct results_store_file *file;
    const struct results_store_watch *watch;
    struct recoup__memory memory;
    struct recoup__scanner scanner;
    struct recoup__decoder decoder;
    struct recoup__frame frame;
    struct recoup__record record;
    enum recoup__damage_kind damage;
    uint64_t offset;
    int error;
    // Private.
    uint32_t next;
    int fd;
    uint8_t *buffer;
    uint64_t done;
    bool begun;
    bool eof;
    bool stop;
};

// False when out of memory. To be released in both cases. `watch` may be NULL.
bool results_store_scan_init(struct results_store_scan *scan,
                             const struct results_store_files *files,
                             const struct results_store_watch *watch);
void results_store_scan_release(struct results_store_scan *scan);

// Goes on with file `file`, between two files. `done`: bytes that others have read since, for the
// watch.
void results_store_scan_at(struct results_store_scan *scan, uint32_t file, uint64_t done);

enum results_store_step results_store_scan_next(struct results_store_scan *scan);

#endif
