// SPDX-License-Identifier: GPL-3.0-or-later
//
// The state of the modelled file system, part of struct model_world. Only storage*.c look inside.
#ifndef RECOUP_MODELS_STORAGE_STATE_H
#define RECOUP_MODELS_STORAGE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/config.h"
#include "models/storage_file.h"
#include "recovery/recoup.h"

#define MODEL_FILE_NAME_MAX 32u  // with the final zero, as in struct recoup_action

// From which operation on a byte survives the kill of its writer, and is seen by a new reader.
enum model_storage_keep {
    MODEL_KEEP_APPENDED,  // the page cache: append
    MODEL_KEEP_FLUSHED,   // flush, sync or close
    MODEL_KEEP_SYNCED,    // sync or close
    MODEL_KEEP_CLOSED,    // close alone
};

struct model_file {
    char name[MODEL_FILE_NAME_MAX];
    struct model_file_bytes bytes;  // all that its writer appended, kept or not
    uint64_t kept;                  // of them: what a new client would find
    uint64_t sent;                  // of them: paid for in bandwidth
    uint32_t incarnation;           // of its writer
    uint32_t listed;                // last leading master in whose LIST it was
    uint32_t reader;                // last leading master that read it, and up to where
    uint64_t seen;
    bool open;                      // its writer lives and has not closed it
    bool visible;                   // listed; an object appears only once it is closed
    struct model_file *next;        // of the open files, or of the free ones
};

// An append whose last record is not in kept bytes yet.
struct model_storage_mark {
    struct model_file *file;
    uint64_t end;    // file offset after the append
    uint64_t event;  // last event all of whose bytes are in the file then
};

struct model_storage_operation {  // the one under way
    bool busy;
    bool torn;               // a kill of the master strikes in its midst
    uint32_t serial;
    uint32_t incarnation;
    enum model_storage_op op;
    int error;               // that a fault makes it report; 0: none
    int64_t issued_ns;
    uint64_t nth;            // of its kind in the run, from 1
    struct recoup_action action;
};

struct model_storage_state {
    enum model_storage_keep keep;
    bool object_store;              // a name appears with its first kept byte or at close
    bool directory;                 // exists
    struct model_file **files;      // visible ones, in the order in which they appeared
    uint32_t n_files;
    uint32_t files_capacity;
    struct model_file *open;        // open files, newest first
    struct model_file *free_files;
    struct model_file_pool pool;
    struct model_storage_operation operation; // of the leading master
    uint32_t view;                  // what storage_file_* show: what this incarnation saw, 0: all
    uint32_t serial;                // of the last operation issued
    uint32_t found;                 // index of the file found last, where the next search begins
    struct model_storage_mark *marks;
    uint32_t n_marks;
    uint32_t marks_capacity;
    uint64_t *durable;              // per incarnation: its last event in kept bytes
    uint32_t durable_capacity;
    unsigned char *scratch;         // what READ returns
    size_t scratch_size;
    const char **names;             // what LIST returns
    uint32_t names_capacity;
    // Ledgers. Appended bytes are held, lost (with their writer) or removed.
    uint64_t bytes_appended;
    uint64_t bytes_lost;
    uint64_t bytes_removed;
    uint64_t requests[MODEL_STORAGE_OPS];  // issued
    uint64_t done[MODEL_STORAGE_OPS];      // ended without an error
    uint64_t replay_bytes;
    uint64_t cost_nanousd;
};

#endif
