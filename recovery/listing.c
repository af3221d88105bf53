// SPDX-License-Identifier: Apache-2.0
//
// From the names in the directory to the files of the log, in the order in which they are read.
#include <string.h>

#include "recovery/fence.h"

static bool policy(const struct recoup__store *store, enum recoup_policy which)
{
    RECOUP_ASSERT(which != RECOUP_POLICY_SNAPSHOT_TIMEOUT);  // it is no choice
    return recoup__store_policy(store, which) != 0;
}

static bool file_before(const struct recoup__file *a, const struct recoup__file *b)
{
    RECOUP_ASSERT(!a->own && !b->own);
    if (a->ignored != b->ignored) {
        return b->ignored;  // files that do not count stand behind all others
    }
    if (a->fenced != b->fenced) {
        return b->fenced;
    }
    return a->epoch < b->epoch || (a->epoch == b->epoch && a->index < b->index);
}

static void sift(struct recoup__file *files, uint32_t root, uint32_t n)
{
    uint32_t child = 2 * root + 1;

    while (child < n) {
        struct recoup__file swap;

        if (child + 1 < n && file_before(&files[child], &files[child + 1])) {
            child++;
        }
        if (!file_before(&files[root], &files[child])) {
            return;
        }
        RECOUP_ASSERT(root < child && child < n);
        swap = files[root];
        files[root] = files[child];
        files[child] = swap;
        root = child;
        child = 2 * root + 1;
    }
}

// Heap sort: no recursion, no memory, the same order everywhere.
static void sort_files(struct recoup__file *files, uint32_t n)
{
    RECOUP_ASSERT(n <= RECOUP__FILES_MAX);
    for (uint32_t i = n / 2; i > 0; i--) {
        sift(files, i - 1, n);
    }
    for (uint32_t i = n; i > 1; i--) {
        struct recoup__file swap = files[0];

        files[0] = files[i - 1];
        files[i - 1] = swap;
        sift(files, 0, i - 1);
    }
    for (uint32_t i = 1; i < n; i++) {
        RECOUP_ASSERT(!file_before(&files[i], &files[i - 1]));
    }
}

// How many of the files, the last ones, are this master's own.
static uint32_t count_own(const struct recoup__store *store)
{
    uint32_t n = 0;

    while (n < store->n_files && store->files[store->n_files - 1 - n].own) {
        n++;
    }
    RECOUP_ASSERT(n <= store->n_files);
    return n;
}

// Some file systems list a name twice while the directory changes: of sorted files each stays once.
static uint32_t drop_repeated(struct recoup__file *files, uint32_t n)
{
    uint32_t kept = n > 0 ? 1 : 0;

    RECOUP_ASSERT(files != NULL || n == 0);
    for (uint32_t i = 1; i < n; i++) {
        if (file_before(&files[kept - 1], &files[i])) {
            files[kept++] = files[i];
        }
    }
    RECOUP_ASSERT(kept <= n);
    return kept;
}

// Takes over the names that are files of the log. This master's own files stay behind all others.
// Memory has been reserved.
void recoup__listing_take(struct recoup__store *store, const struct recoup_event *event)
{
    uint32_t own = count_own(store);
    uint32_t n = 0;
    struct recoup__file *files = store->files;

    memmove(files, files + (store->n_files - own), own * sizeof files[0]);
    store->reader.entries = event->io.n_names;
    for (uint32_t i = 0; i < event->io.n_names; i++) {
        struct recoup__file file = {.limit = UINT64_MAX};
        enum recoup__name_kind kind =
            recoup__file_name_parse(event->io.names[i], &file.epoch, &file.index);

        file.fenced = kind == RECOUP__NAME_FENCED;
        if (file.fenced && own > 0 && file.epoch == store->epoch) {
            store->reader.entries--;
        } else if (kind != RECOUP__NAME_OTHER) {
            RECOUP_ASSERT(own + n < store->files_capacity);
            files[own + n++] = file;
        }
    }
    sort_files(files + own, n);
    n = drop_repeated(files + own, n);
    memcpy(files + own + n, files, own * sizeof files[0]);
    for (uint32_t i = 0; i < own; i++) {
        files[own + n + i].ignored = true;  // until the store is open
    }
    memmove(files, files + own, (n + own) * sizeof files[0]);
    store->n_files = n + own;
    store->writer.file = store->n_files > 0 ? store->n_files - 1 : 0;
    RECOUP_ASSERT(n <= store->reader.entries);
}

// Where the run of files begins: at 0, or, since compaction removes files from the front, at the
// first there is, which must then begin with a checkpoint.
static uint32_t first_index(const struct recoup__store *store)
{
    RECOUP_ASSERT(!policy(store, RECOUP_POLICY_FENCING));
    RECOUP_ASSERT(store->n_files <= RECOUP__FILES_MAX);
    for (uint32_t i = 0; i < store->n_files && policy(store, RECOUP_POLICY_COMPACTION); i++) {
        if (!store->files[i].fenced) {
            return store->files[i].index;
        }
    }
    return 0;
}

// Flink reads events.0, events.1, ... up to the first that is missing, and nothing else.
void recoup__listing_keep_run(struct recoup__store *store)
{
    uint32_t next = policy(store, RECOUP_POLICY_FENCING) ? 0 : first_index(store);

    RECOUP_ASSERT(!policy(store, RECOUP_POLICY_ON_GAP));
    for (uint32_t i = 0; i < store->n_files; i++) {
        struct recoup__file *file = &store->files[i];
        bool fenced = policy(store, RECOUP_POLICY_FENCING);

        if (file->fenced != fenced) {
            file->ignored = true;
        } else if (!fenced && file->index != next) {
            file->ignored = true;
        } else if (!fenced) {
            next++;
        }
    }
    sort_files(store->files, store->n_files - count_own(store));
    RECOUP_ASSERT(RECOUP_ERGO(store->n_files == 0, next == 0));
}

// Marks files that do not follow on the one before. Returns true if there are any.
bool recoup__listing_mark_gaps(struct recoup__store *store)
{
    bool any = false;

    for (uint32_t i = 0; i < store->n_files; i++) {
        struct recoup__file *file = &store->files[i];
        bool continues = i > 0 && file[-1].epoch == file->epoch && file[-1].fenced == file->fenced;

        RECOUP_ASSERT(RECOUP_ERGO(continues, file->index > file[-1].index));
        file->gap = !file->ignored && file->index != (continues ? file[-1].index + 1 : 0);
        file->first = !continues;
        any = any || file->gap;
    }
    return any;
}

// The index of the first file that this master will create.
uint32_t recoup__listing_next_index(const struct recoup__store *store)
{
    uint32_t next = 0;

    if (policy(store, RECOUP_POLICY_FENCING)) {
        return store->writer.next_index;  // behind the claim
    }
    for (uint32_t i = 0; i < store->n_files; i++) {
        RECOUP_ASSERT(store->files[i].index <= RECOUP__FILE_INDEX_MAX);
        if (!store->files[i].fenced && !store->files[i].ignored && store->files[i].index >= next) {
            next = store->files[i].index + 1;
        }
    }
    return next;
}

// What the listing says against going on: a newer master, or files of another kind of log. 0 if
// nothing.
int recoup__listing_judge(const struct recoup__store *store, const struct recoup_event *event)
{
    bool fencing = policy(store, RECOUP_POLICY_FENCING);

    RECOUP_ASSERT(store->state == RECOUP__STORE_OPENING || store->reopening);
    if (fencing && recoup__fence_judge(store, event->io.names, event->io.n_names) != 0) {
        return RECOUP_EFENCED;
    }
    if (store->n_files > RECOUP__FILES_MAX) {
        return RECOUP_ELIMIT;
    }
    for (uint32_t i = 0; i < store->n_files; i++) {
        const struct recoup__file *file = &store->files[i];

        RECOUP_ASSERT(RECOUP_ERGO(!file->fenced, file->epoch == 0));
        if (file->fenced != fencing && policy(store, RECOUP_POLICY_ON_GAP)) {
            return RECOUP_EVERSION;
        }
    }
    return 0;
}
