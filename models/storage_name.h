// SPDX-License-Identifier: GPL-3.0-or-later
//
// Names and what they keep: the namespace of the modelled file system, open files, and which
// bytes of a file survive its writer. Internal to storage*.c.
#ifndef RECOUP_MODELS_STORAGE_NAME_H
#define RECOUP_MODELS_STORAGE_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "models/storage_state.h"

struct model_world;

// A visible file, its index through *index (may be NULL); NULL if there is none of that name.
struct model_file *storage_name_find(struct model_storage_state *s, const char *name,
                                     uint32_t *index);

// The file that the client of `incarnation` has open under `name`; NULL if none.
struct model_file *storage_name_find_open(struct model_storage_state *s, const char *name,
                                          uint32_t incarnation);

// Opens a new file, which must not exist; it is visible at once except in an object store. NULL
// when out of memory (w->error is set).
struct model_file *storage_name_create(struct model_world *w, const char *name,
                                       uint32_t incarnation);

// The first `kept` bytes of an open file are there for every new client from now on. Fewer than
// before: nothing happens.
void storage_name_keep(struct model_world *w, struct model_file *file, uint64_t kept);

// Remembers that the records up to `event` are complete with the file's present bytes.
void storage_name_mark(struct model_world *w, struct model_file *file, uint64_t event);

// The writer closed the file (all is kept), or died (what is not kept is lost).
void storage_name_close(struct model_world *w, struct model_file *file);
void storage_name_abandon(struct model_world *w, struct model_file *file);

// Removes one visible or open file, or all of them with the directory.
void storage_name_remove(struct model_world *w, struct model_file *file);
void storage_name_remove_all(struct model_world *w);

// Grows an array of the run to at least `wanted` records (twice as many as before), copying the
// first `used`. Returns the array, NULL when out of memory (w->error is set).
void *storage_grow(struct model_world *w, void *old, uint32_t used, uint32_t *capacity,
                   uint32_t wanted, size_t record_bytes);

#endif
