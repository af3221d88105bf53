// SPDX-License-Identifier: GPL-3.0-or-later
//
// Event stores for tests, written record by record into a folder of the build.
#ifndef TESTS_RESULTS_SUPPORT_STORE_H
#define TESTS_RESULTS_SUPPORT_STORE_H

#include "check.h"
#include "recovery/format.h"
#include "recovery/record.h"

#define STORE_BYTES_MAX 65536u

struct store_writer { // one file
    struct recoup__format format;
    uint8_t bytes[STORE_BYTES_MAX];
    size_t size;
    uint64_t sequence; // of the next record
    size_t at[64];     // where each record begins
    uint32_t n;
};

// An empty folder of that name; `path` has room for 512 bytes.
void store_folder(char *path, const char *name);
void store_save(const char *folder, const char *name, const void *bytes, size_t size);

// Begins a file: hardened with a header of (epoch, index), else Flink's framing.
void store_begin(struct store_writer *writer, bool hardened, uint64_t epoch, uint32_t index,
                 uint64_t sequence);
void store_add(struct store_writer *writer, const struct recoup__record *record);
void store_add_initialized(struct store_writer *writer, uint32_t stage, uint32_t parallelism);
void store_add_finished(struct store_writer *writer, uint32_t stage, uint32_t subtask,
                        bool recovery_point);
void store_add_incarnation(struct store_writer *writer, uint64_t epoch,
                           const struct recoup__extent *files, uint32_t n_files);
void store_add_begin(struct store_writer *writer, bool replaces);
void store_add_end(struct store_writer *writer);
void store_write(const struct store_writer *writer, const char *folder, uint64_t epoch,
                 uint32_t index);

#endif
