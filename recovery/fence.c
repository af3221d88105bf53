// SPDX-License-Identifier: Apache-2.0
//
// What keeps two masters of one job apart (policy event-store.fencing). docs/disk-format.md gives
// the protocol and the argument why it is safe; in short:
//
//   claim   A master creates a file of its own epoch before it lists the directory, so that
//           whoever lists later sees that it is there.
//   look    A master lists the directory before it removes anything, and before it takes recording
//           up again after an error. A file of a greater epoch, or the absence of its own newest
//           file, says that a successor has taken over: it then writes and removes nothing more.
//   cover   Only what a complete, durable checkpoint (or the record ENDED) stands for is removed,
//           and it was durable before the look. So a successor that claimed after the look lists
//           that checkpoint, and needs nothing that is removed.
#include "recovery/fence.h"

#include <string.h>

// A longer log is not searched for strangers: they do no harm, and the next look comes.
#define ADOPT_FILES_MAX 4096u

bool recoup__fences(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->options != NULL);
    return recoup__store_policy(store, RECOUP_POLICY_FENCING) != 0;
}

// The newest file of this master that others must find, or NULL.
static const struct recoup__file *newest_visible(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->n_files <= store->files_capacity);
    for (uint32_t i = store->n_files; i > 0; i--) {
        if (store->files[i - 1].own && store->files[i - 1].visible) {
            return &store->files[i - 1];
        }
    }
    return NULL;
}

int recoup__fence_judge(const struct recoup__store *store, const char *const *names,
                        uint32_t n_names)
{
    const struct recoup__file *own = newest_visible(store);
    bool found = own == NULL || !store->storage.list_consistent;

    RECOUP_ASSERT(recoup__fences(store));
    RECOUP_ASSERT(RECOUP_ERGO(n_names > 0, names != NULL));
    for (uint32_t i = 0; i < n_names; i++) {
        uint64_t epoch;
        uint32_t index;

        if (recoup__file_name_parse(names[i], &epoch, &index) != RECOUP__NAME_FENCED) {
            continue;
        }
        // A name of this epoch that this master has not used: two masters have the same epoch.
        if (epoch > store->epoch
            || (epoch == store->epoch && index >= store->writer.next_index)) {
            return RECOUP_EFENCED;
        }
        found = found || (own != NULL && epoch == own->epoch && index == own->index);
    }
    return found ? 0 : RECOUP_EFENCED;
}

static bool known(const struct recoup__store *store, uint64_t epoch, uint32_t index)
{
    RECOUP_ASSERT(store->n_files <= store->files_capacity);
    for (uint32_t i = 0; i < store->n_files; i++) {
        const struct recoup__file *file = &store->files[i];

        if (file->fenced && file->epoch == epoch && file->index == index) {
            return true;
        }
    }
    return false;
}

// Files that appeared after this master had listed: an older one, fenced by now, has made them.
// Nobody reads them, and they go with the others. Memory has been reserved.
static void adopt(struct recoup__store *store, const char *const *names, uint32_t n_names)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(store->files_capacity >= store->n_files);
    for (uint32_t i = 0; i < n_names && store->n_files <= ADOPT_FILES_MAX; i++) {
        struct recoup__file file = {.fenced = true};

        if (recoup__file_name_parse(names[i], &file.epoch, &file.index) != RECOUP__NAME_FENCED
            || file.epoch >= store->epoch || known(store, file.epoch, file.index)) {
            continue;
        }
        RECOUP_ASSERT(store->n_files < store->files_capacity);
        memmove(store->files + 1, store->files, store->n_files * sizeof store->files[0]);
        store->files[0] = file;
        store->n_files++;
        writer->file++;
        writer->checkpoint_file++;
        writer->remove_end += writer->remove_end > 0 ? 1 : 0;
    }
}

// A creation that was reported to have failed, and is listed, has taken its name all the same.
static void note_created(struct recoup__store *store, const char *const *names, uint32_t n_names)
{
    struct recoup__file *last = store->n_files > 0 ? &store->files[store->n_files - 1] : NULL;

    RECOUP_ASSERT(RECOUP_ERGO(n_names > 0, names != NULL));
    for (uint32_t i = 0; last != NULL && last->failed && i < n_names; i++) {
        uint64_t epoch;
        uint32_t index;

        last->failed = recoup__file_name_parse(names[i], &epoch, &index) != RECOUP__NAME_FENCED
                       || epoch != last->epoch || index != last->index;
    }
}

int recoup__fence_reserve(struct recoup__store *store, uint32_t n_names)
{
    void *files = store->files;
    int error;

    if (n_names > RECOUP__FILES_MAX * 2) {
        return RECOUP_EINVAL;
    }
    RECOUP_ASSERT(store->n_files <= store->files_capacity);
    error = recoup__grow(store->memory, &files, &store->files_capacity, sizeof store->files[0],
                         store->n_files + n_names + 2);
    store->files = files;
    return error;
}

int recoup__fence_listed(struct recoup__store *store, const struct recoup_event *event)
{
    int error = event->io.error;

    RECOUP_ASSERT(store->io.type == RECOUP_ACTION_LIST);
    if (error == RECOUP_ENOENT && newest_visible(store) != NULL) {
        return RECOUP_EFENCED;  // the directory is gone, with this master's own file
    }
    if (error == 0) {
        error = recoup__fence_judge(store, event->io.names, event->io.n_names);
    }
    if (error == 0) {
        adopt(store, event->io.names, event->io.n_names);
        note_created(store, event->io.names, event->io.n_names);
    }
    RECOUP_ASSERT(store->writer.file <= store->n_files);
    return error;
}
