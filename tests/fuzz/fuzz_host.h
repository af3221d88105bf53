// SPDX-License-Identifier: GPL-3.0-or-later
//
// A master of a small job over a directory in memory, for the fuzz target of the whole replay and
// for the program that makes its seeds.
#ifndef TESTS_FUZZ_FUZZ_HOST_H
#define TESTS_FUZZ_FUZZ_HOST_H

#include "fuzz.h"
#include "recovery/recorder.h"

#define FUZZ_FILES_MAX 32u
#define FUZZ_FILE_BYTES_MAX (1u << 20)

struct fuzz_file {
    char name[32];
    uint8_t *bytes;
    size_t size;
    bool exists;
};

struct fuzz_host {
    struct fuzz_memory memory;
    struct fuzz_file files[FUZZ_FILES_MAX];
    struct recoup_options options;
    struct recoup_job *job;
    struct recoup_action operation;
    bool busy;
    bool asking;
    bool recovered;
    bool failed;
    bool stopped;
    bool fails_once; // the next append is refused
    bool ended; // the log said that the job had ended
    uint32_t snapshots[64]; // asked for: id, coordinator
    uint32_t coordinators[64];
    uint32_t n_snapshots;
    uint32_t confirms[64];
    uint32_t n_confirms;
    int64_t now_ns;
    uint64_t epoch;
    uint64_t steps;
    uint64_t attempts;
    bool records; // each master from now on is recorded; the tape holds the last one
    struct recoup_recorder recorder;
    uint8_t *tape;
    size_t tape_size;
};

#define FUZZ_STAGES 3u
#define FUZZ_DIGEST "a small fuzz job"

void fuzz_host_init(struct fuzz_host *host, enum recoup_profile profile);
void fuzz_host_release(struct fuzz_host *host);
void fuzz_host_put(struct fuzz_host *host, const char *name, const uint8_t *bytes, size_t size);

// A new master of the next epoch takes over and runs until it has recovered, or failed to.
void fuzz_host_start(struct fuzz_host *host);
// The job is over and its log is to be removed; before the first file is.
void fuzz_host_end(struct fuzz_host *host);
// It dies; what was appended stays.
void fuzz_host_crash(struct fuzz_host *host);
// Everything that is under way is carried out; virtual time passes for `for_ns`.
void fuzz_host_pump(struct fuzz_host *host, int64_t for_ns);
// Subtasks finish, in order, at most `n` of them; stages are initialized as they can be.
void fuzz_host_work(struct fuzz_host *host, uint32_t n);

#endif
