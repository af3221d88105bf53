// SPDX-License-Identifier: GPL-3.0-or-later
//
// The namespace of the modelled file system; see storage_name.h.
//
// A byte is appended, then perhaps kept, then perhaps removed. A name is created, then visible (at
// once, or in an object store with its first kept byte or at close). Files of a client that died
// hold what was kept; an object that was never visible is gone.
#include "models/storage_name.h"

#include <string.h>

#include "models/world.h"

#include "sim/banned.h"

#define GROW_MIN 16u

void *storage_grow(struct model_world *w, void *old, uint32_t used, uint32_t *capacity,
                   uint32_t wanted, size_t record_bytes)
{
    uint32_t limit = *capacity < GROW_MIN ? GROW_MIN : *capacity;
    void *grown;

    SIM_ASSERT(used <= *capacity);
    SIM_ASSERT(wanted <= UINT32_MAX / 2);
    if (wanted <= *capacity) {
        return old;
    }
    while (limit < wanted) {
        limit *= 2;
    }
    grown = world_alloc(w, limit, record_bytes);
    if (grown == NULL) {
        return NULL;
    }
    memset(grown, 0, limit * record_bytes);
    if (used > 0) {
        memcpy(grown, old, used * record_bytes);
    }
    *capacity = limit;
    return grown;
}

struct model_file *storage_name_find(struct model_storage_state *s, const char *name,
                                     uint32_t *index)
{
    SIM_ASSERT(name != NULL);
    SIM_ASSERT(SIM_ERGO(s->n_files > 0, s->files != NULL));
    // A replay reads the files in order, so the one found last or the next one is mostly meant.
    for (uint32_t i = 0; i < s->n_files; i++) {
        uint32_t at = s->found + i;

        at = at >= s->n_files ? at - s->n_files : at;
        if (strcmp(s->files[at]->name, name) == 0) {
            s->found = at;
            if (index != NULL) {
                *index = at;
            }
            return s->files[at];
        }
    }
    return NULL;
}

struct model_file *storage_name_find_open(struct model_storage_state *s, const char *name,
                                          uint32_t incarnation)
{
    SIM_ASSERT(name != NULL);
    for (struct model_file *file = s->open; file != NULL; file = file->next) {
        SIM_ASSERT(file->open);
        if (file->incarnation == incarnation && strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

static void show(struct model_world *w, struct model_file *file)
{
    struct model_storage_state *s = &w->storage;
    struct model_file **files;

    SIM_ASSERT(!file->visible);
    if (w->zombies.newest > 0) {
        // An object of that name which another master has put there meanwhile is replaced.
        struct model_file *other = storage_name_find(s, file->name, NULL);

        if (other != NULL) {
            invariants_name_taken(w, file->incarnation, other);
            storage_name_remove(w, other);
        }
    }
    files = storage_grow(w, s->files, s->n_files, &s->files_capacity, s->n_files + 1,
                         sizeof(struct model_file *));
    if (files == NULL) {
        return;
    }
    s->files = files;
    s->files[s->n_files] = file;
    s->n_files++;
    file->visible = true;
    SIM_ASSERT(s->n_files <= s->files_capacity);
}

struct model_file *storage_name_create(struct model_world *w, const char *name,
                                       uint32_t incarnation)
{
    struct model_storage_state *s = &w->storage;
    struct model_file *file = s->free_files;

    SIM_ASSERT(name[0] != '\0');
    SIM_ASSERT(storage_name_find(s, name, NULL) == NULL);
    if (file != NULL) {
        s->free_files = file->next;
    } else {
        file = world_alloc(w, 1, sizeof(*file));
        if (file == NULL) {
            return NULL;
        }
    }
    *file = (struct model_file){.incarnation = incarnation, .open = true, .next = s->open};
    SIM_ASSERT(strlen(name) < sizeof(file->name));
    memcpy(file->name, name, strlen(name) + 1);
    s->open = file;
    if (!s->object_store) {
        show(w, file);
    }
    return file;
}

// The watermark of an incarnation: up to which event its records are in kept bytes.
static void durable(struct model_world *w, uint32_t incarnation, uint64_t event)
{
    struct model_storage_state *s = &w->storage;
    uint64_t *grown = storage_grow(w, s->durable, s->durable_capacity, &s->durable_capacity,
                                   incarnation + 1, sizeof(uint64_t));

    SIM_ASSERT(incarnation > 0);
    if (grown == NULL) {
        return;
    }
    s->durable = grown;
    SIM_ASSERT(incarnation < s->durable_capacity);
    if (s->durable[incarnation] < event) {
        s->durable[incarnation] = event;
    }
}

// Drops the marks of a file that are kept now, or all of them.
static void settle_marks(struct model_world *w, const struct model_file *file, bool all)
{
    struct model_storage_state *s = &w->storage;
    uint32_t left = 0;

    for (uint32_t i = 0; i < s->n_marks; i++) {
        struct model_storage_mark *mark = &s->marks[i];

        if (mark->file == file && mark->end <= file->kept) {
            durable(w, file->incarnation, mark->event);
        } else if (mark->file != file || !all) {
            s->marks[left] = *mark;
            left++;
        }
    }
    SIM_ASSERT(left <= s->n_marks);
    s->n_marks = left;
}

void storage_name_keep(struct model_world *w, struct model_file *file, uint64_t kept)
{
    SIM_ASSERT(file->open);
    SIM_ASSERT(kept <= file->bytes.size);
    if (kept <= file->kept) {
        return;
    }
    file->kept = kept;
    if (!file->visible) {
        show(w, file);
    }
    settle_marks(w, file, false);
}

void storage_name_mark(struct model_world *w, struct model_file *file, uint64_t event)
{
    struct model_storage_state *s = &w->storage;
    struct model_storage_mark *last = s->n_marks > 0 ? &s->marks[s->n_marks - 1] : NULL;
    struct model_storage_mark *marks;

    SIM_ASSERT(file->open);
    SIM_ASSERT(file->bytes.size >= file->kept);
    // What is kept at close is kept as a whole, so only the last append of a file matters.
    if (s->keep == MODEL_KEEP_CLOSED && last != NULL && last->file == file) {
        last->end = file->bytes.size;
        last->event = event > last->event ? event : last->event;
        return;
    }
    marks = storage_grow(w, s->marks, s->n_marks, &s->marks_capacity, s->n_marks + 1,
                         sizeof(struct model_storage_mark));
    if (marks == NULL) {
        return;
    }
    s->marks = marks;
    s->marks[s->n_marks] = (struct model_storage_mark){file, file->bytes.size, event};
    s->n_marks++;
}

static void unlink_open(struct model_storage_state *s, struct model_file *file)
{
    struct model_file **link = &s->open;

    SIM_ASSERT(file->open);
    while (*link != file) {
        SIM_ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    *link = file->next;
    file->next = NULL;
    file->open = false;
}

void storage_name_close(struct model_world *w, struct model_file *file)
{
    SIM_ASSERT(file->open);
    storage_name_keep(w, file, file->bytes.size);
    if (!file->visible) {
        show(w, file);
    }
    unlink_open(&w->storage, file);
    SIM_ASSERT(file->kept == file->bytes.size);
}

static void release(struct model_storage_state *s, struct model_file *file)
{
    SIM_ASSERT(!file->open);
    SIM_ASSERT(!file->visible);
    model_file_clear(&s->pool, &file->bytes);
    file->next = s->free_files;
    s->free_files = file;
}

void storage_name_abandon(struct model_world *w, struct model_file *file)
{
    struct model_storage_state *s = &w->storage;

    SIM_ASSERT(file->open);
    SIM_ASSERT(file->kept <= file->bytes.size);
    s->bytes_lost += file->bytes.size - file->kept;
    settle_marks(w, file, true);
    unlink_open(s, file);
    if (!file->visible) {
        SIM_ASSERT(file->kept == 0);
        release(s, file);
    }
}

void storage_name_remove(struct model_world *w, struct model_file *file)
{
    struct model_storage_state *s = &w->storage;

    s->bytes_removed += file->open ? file->bytes.size : file->kept;
    settle_marks(w, file, true);
    if (file->open) {
        unlink_open(s, file);
    }
    if (file->visible) {
        uint32_t index = 0;
        struct model_file *found = storage_name_find(s, file->name, &index);

        SIM_ASSERT(found == file);
        SIM_ASSERT(index < s->n_files);
        memmove(&s->files[index], &s->files[index + 1],
                (s->n_files - index - 1) * sizeof(struct model_file *));
        s->n_files--;
        s->found = 0;
        file->visible = false;
    }
    release(s, file);
}

void storage_name_remove_all(struct model_world *w)
{
    struct model_storage_state *s = &w->storage;

    while (s->n_files > 0) {
        storage_name_remove(w, s->files[s->n_files - 1]);
    }
    while (s->open != NULL) {
        storage_name_remove(w, s->open);
    }
    s->directory = false;
    SIM_ASSERT(s->n_files == 0);
    SIM_ASSERT(s->n_marks == 0);
}
