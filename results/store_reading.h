// SPDX-License-Identifier: GPL-3.0-or-later
//
// The library's own reader over a directory: what a new master would make of it. The host answers
// reads from the files and every write from memory, so that nothing in the directory changes.
#ifndef RECOUP_RESULTS_STORE_READING_H
#define RECOUP_RESULTS_STORE_READING_H

#include "recovery/store.h"
#include "results/store_scan.h"

struct results_store_host {
    const struct results_store_files *files;
    const struct results_store_watch *watch;
    const char **names; // of the listing
    uint32_t n_names;
    uint8_t *buffer;
    size_t capacity;
    int fd; // of the file read last, -1: none
    char file[32];
    uint64_t done;
    bool cancelled; // `watch` said so; every read fails from then on
    uint64_t writes_discarded;
    char created[32]; // last; a listing shows it, although nothing is created
};

// False when out of memory. To be released in both cases.
bool results_store_host_init(struct results_store_host *host,
                             const struct results_store_files *files,
                             const struct results_store_watch *watch);
void results_store_host_release(struct results_store_host *host);
// Carries out an I/O action; `event` is the IO event to be stepped. Valid until the next call.
void results_store_host_answer(struct results_store_host *host, const struct recoup_action *action,
                               struct recoup_event *event);

// The policies of `profile` with the format that the files have.
void results_store_options(const struct results_store_files *files, enum recoup_profile profile,
                           struct recoup_options *options);
// The profile that the files look like: that of the framing of most.
enum recoup_profile results_store_profile(const struct results_store_files *files);
// An epoch greater than that of every file.
uint64_t results_store_epoch(const struct results_store_files *files);

struct results_store_reading {
    struct recoup__opened opened;
    uint64_t *limits;  // per file of `files`: bytes that may count; UINT64_MAX: all
    uint64_t *counted; // per file: bytes that did
    uint64_t done;     // bytes that were read
};

// Reads the log under `options`; without callbacks nothing is delivered, and with them on_record is
// called, from whose first call on the limits are known.
// READ: see opened; CANCELLED; ENOMEM. The reading is to be released.
int results_store_read_log(struct results_store_reading *reading,
                           const struct results_store_files *files,
                           const struct recoup_options *options,
                           const struct results_store_watch *watch,
                           const struct recoup__store_callbacks *callbacks);
void results_store_reading_release(struct results_store_reading *reading);

enum { RESULTS_STORE_READ = 0, RESULTS_STORE_READ_CANCELLED = 1, RESULTS_STORE_READ_ENOMEM = 2 };

#endif
