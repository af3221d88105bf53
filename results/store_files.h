// SPDX-License-Identifier: GPL-3.0-or-later
//
// The directory of an event store as somebody outside the job finds it: which files are the log's,
// in the order in which they are read, and in which format each is. Nothing is ever written.
#ifndef RECOUP_RESULTS_STORE_FILES_H
#define RECOUP_RESULTS_STORE_FILES_H

#include "recovery/format.h"
#include "results/text.h"

#define RESULTS_STORE_FILES_MAX RECOUP__FILES_MAX
#define RESULTS_STORE_STRANGERS_MAX 16u // names kept of entries that are no files of the log

enum results_store_framing {
    RESULTS_STORE_AUTO,     // each file tells
    RESULTS_STORE_HARDENED, // contiguous, with file headers
    RESULTS_STORE_FLINK     // three-writes
};

struct results_store_file {
    char name[32];
    bool fenced;    // the name holds the epoch
    uint64_t epoch; // as in the name, 0 without
    uint32_t index;
    uint64_t size;
    bool own_format; // its first bytes tell the format; else it is that of its neighbours
    struct recoup__format format;
    bool has_header;
    struct recoup__header header;
};

struct results_store_files {
    int directory;                    // descriptor, -1: none
    struct results_store_file *files; // as they are read: plain names, then by (epoch, index)
    uint32_t n_files;
    uint32_t capacity;
    char strangers[RESULTS_STORE_STRANGERS_MAX][64]; // sorted; long names are cut
    uint32_t n_strangers;                            // all of them
    uint64_t bytes;                                  // of all files
    bool has_digest;
    uint8_t digest[16]; // of the job, as most headers have it
};

// Lists `directory` and looks at the first bytes of each file. `framing` other than AUTO is taken
// for every file. Returns 0 or an errno value with a sentence in `message`. To be released in both
// cases.
int results_store_files_open(struct results_store_files *files, const char *directory,
                             enum results_store_framing framing, struct results_text *message);
void results_store_files_release(struct results_store_files *files);

// Opens a file of the store for reading, -1 with errno.
int results_store_file_open(const struct results_store_files *files, const char *name);

// As pread, but goes on after a short read and EINTR: fewer bytes only at the end. -1 with errno.
int64_t results_store_read(int fd, uint64_t offset, void *buffer, size_t size);

// "hardened" or "flink".
const char *results_store_framing_name(const struct recoup__format *format);

// malloc as the library wants it.
struct recoup_allocator results_store_allocator(void);

#endif
