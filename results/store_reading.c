// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "results/store_reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool results_store_host_init(struct results_store_host *host,
                             const struct results_store_files *files,
                             const struct results_store_watch *watch)
{
    uint32_t strangers = files->n_strangers < RESULTS_STORE_STRANGERS_MAX
                             ? files->n_strangers
                             : RESULTS_STORE_STRANGERS_MAX;

    memset(host, 0, sizeof *host);
    host->files = files;
    host->watch = watch;
    host->fd = -1;
    host->names = malloc((files->n_files + strangers + 1) * sizeof *host->names);
    if (host->names == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < files->n_files; i++) {
        host->names[host->n_names++] = files->files[i].name;
    }
    for (uint32_t i = 0; i < strangers; i++) {
        host->names[host->n_names++] = files->strangers[i];
    }
    return true;
}

void results_store_host_release(struct results_store_host *host)
{
    if (host->fd >= 0) {
        (void)close(host->fd);
    }
    free(host->names);
    free(host->buffer);
    memset(host, 0, sizeof *host);
    host->fd = -1;
}

static int error_of(int number)
{
    switch (number) {
    case ENOENT:
        return RECOUP_ENOENT;
    case EACCES:
    case EPERM:
        return RECOUP_EACCES;
    default:
        return RECOUP_EIO;
    }
}

static int reopen(struct results_store_host *host, const char *name)
{
    if (host->fd >= 0 && strcmp(host->file, name) == 0) {
        return 0;
    }
    if (host->fd >= 0) {
        (void)close(host->fd);
    }
    host->fd = results_store_file_open(host->files, name);
    memcpy(host->file, name, strlen(name) + 1);
    return host->fd < 0 ? error_of(errno) : 0;
}

static int read_file(struct results_store_host *host, const struct recoup_action *action,
                     struct recoup_event *event)
{
    int64_t size;
    int error;

    if (host->cancelled ||
        (host->watch != NULL && host->watch->go_on != NULL &&
         !host->watch->go_on(host->watch->context, host->done, host->files->bytes))) {
        host->cancelled = true;
        return RECOUP_EIO;
    }
    error = reopen(host, action->io.file);
    if (error != 0) {
        return error;
    }
    if (action->io.size > host->capacity) {
        free(host->buffer);
        host->buffer = malloc(action->io.size);
        host->capacity = host->buffer == NULL ? 0 : action->io.size;
        if (host->buffer == NULL) {
            return RECOUP_EIO;
        }
    }
    size = results_store_read(host->fd, action->io.offset, host->buffer, action->io.size);
    if (size < 0) {
        return error_of(errno);
    }
    host->done += (uint64_t)size;
    event->io.data = size == 0 ? NULL : host->buffer;
    event->io.size = (size_t)size;
    return 0;
}

void results_store_host_answer(struct results_store_host *host, const struct recoup_action *action,
                               struct recoup_event *event)
{
    memset(event, 0, sizeof *event);
    event->type = RECOUP_EVENT_IO;
    event->io.operation = action->io.operation;
    if (action->type == RECOUP_ACTION_LIST) {
        host->names[host->n_names] = host->created;
        event->io.names = host->names;
        event->io.n_names = host->n_names + (host->created[0] != '\0' ? 1 : 0);
    } else if (action->type == RECOUP_ACTION_READ) {
        event->io.error = read_file(host, action, event);
    } else if (action->type != RECOUP_ACTION_MKDIR) {
        host->writes_discarded++;
        if (action->type == RECOUP_ACTION_CREATE) {
            memcpy(host->created, action->io.file, sizeof host->created);
        }
    }
}

enum recoup_profile results_store_profile(const struct results_store_files *files)
{
    uint32_t hardened = 0;

    for (uint32_t i = 0; i < files->n_files; i++) {
        hardened += files->files[i].format.contiguous ? 1 : 0;
    }
    return hardened * UINT64_C(2) >= files->n_files ? RECOUP_PROFILE_HARDENED
                                                    : RECOUP_PROFILE_FLINK_1_20;
}

void results_store_options(const struct results_store_files *files, enum recoup_profile profile,
                           struct recoup_options *options)
{
    uint32_t fenced = 0, contiguous = 0, checksum = 0;

    recoup_options_init(options, profile);
    options->recovery_enabled = true;
    for (uint32_t i = 0; i < files->n_files; i++) {
        fenced += files->files[i].fenced ? 1 : 0;
        contiguous += files->files[i].format.contiguous ? 1 : 0;
        checksum += files->files[i].format.checksum ? 1 : 0;
    }
    if (files->n_files > 0) {
        options->policy[RECOUP_POLICY_FENCING] = fenced * UINT64_C(2) >= files->n_files;
        options->policy[RECOUP_POLICY_FRAMING] = contiguous * UINT64_C(2) >= files->n_files;
        options->policy[RECOUP_POLICY_CHECKSUM] = checksum * UINT64_C(2) >= files->n_files;
    }
}

uint64_t results_store_epoch(const struct results_store_files *files)
{
    uint64_t epoch = 0;

    for (uint32_t i = 0; i < files->n_files; i++) {
        const struct results_store_file *file = &files->files[i];

        epoch = file->epoch > epoch ? file->epoch : epoch;
        epoch = file->has_header && !file->fenced && file->header.epoch > epoch
                    ? file->header.epoch
                    : epoch;
    }
    return epoch < UINT64_MAX ? epoch + 1 : epoch;
}

// --- the reader ---------------------------------------------------------------------------------

static int no_checkpoint(void *context, bool first, bool *done)
{
    (void)context;
    (void)first;
    *done = true; // never asked for while the log is read
    return 0;
}

static void no_settled(void *context, uint32_t snapshot, uint64_t carrier)
{
    (void)context;
    (void)snapshot;
    (void)carrier;
}

struct reader {
    struct results_store_reading *reading;
    const struct recoup__store_callbacks *callbacks; // of the caller, or NULL
    bool limited;                                    // reading->limits are known
    struct recoup__memory memory;
    struct recoup__actions actions;
    struct recoup__store *store;
    struct results_store_host host;
    int64_t now_ns;
};

static bool reading(const struct reader *r)
{
    enum recoup__store_state state = recoup__store_state(r->store);

    return state == RECOUP__STORE_OPENING || state == RECOUP__STORE_READING;
}

// One operation, or the time until the next attempt. Returns an error of the library.
static int turn(struct reader *r)
{
    struct recoup_action action = {.type = RECOUP_ACTION_STOPPED};
    struct recoup_event event;
    int error;

    if (r->actions.n > 0) {
        action = r->actions.items[0];
    }
    recoup__actions_begin(&r->actions);
    error = recoup__actions_reserve(&r->actions, RECOUP__STORE_ACTIONS);
    if (error != 0) {
        return error;
    }
    if (action.type <= RECOUP_ACTION_REMOVE) {
        results_store_host_answer(&r->host, &action, &event);
        return recoup__store_io(r->store, &r->actions, r->now_ns, &event);
    }
    r->now_ns = recoup__store_deadline(r->store);
    return recoup__store_timer(r->store, &r->actions, r->now_ns);
}

// The store lists the same files in the same order, but for what the file system removed since.
static void take_limits(struct results_store_reading *reading, const struct reader *r,
                        const struct results_store_files *files)
{
    struct recoup__extent extent;
    uint64_t limit;

    for (uint32_t i = 0; i < files->n_files; i++) {
        reading->limits[i] = UINT64_MAX;
    }
    for (uint32_t k = 0; recoup__store_file(r->store, k, &extent, &limit); k++) {
        uint32_t low = 0, high = files->n_files;

        // Files that the reader ignores stand behind the others, so each is looked up.
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            const struct results_store_file *file = &files->files[middle];

            if (file->epoch < extent.epoch ||
                (file->epoch == extent.epoch && file->index < extent.index)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low < files->n_files && files->files[low].epoch == extent.epoch &&
            files->files[low].index == extent.index) {
            reading->limits[low] = limit;
            reading->counted[low] = extent.bytes;
        }
    }
}

// The heads have been read before the first record is delivered.
static int on_record(void *context, const struct recoup__record *record,
                     const struct recoup__position *position)
{
    struct reader *r = context;

    if (!r->limited) {
        r->limited = true;
        take_limits(r->reading, r, r->host.files);
    }
    r->reading->done = r->host.done;
    return r->callbacks->on_record(r->callbacks->context, record, position);
}

static int run(struct reader *r, const struct results_store_files *files)
{
    int error = recoup__actions_reserve(&r->actions, RECOUP__STORE_ACTIONS);

    if (error == 0) {
        error =
            recoup__store_open(r->store, &r->actions, r->now_ns, results_store_epoch(files), false);
    }
    while (error == 0 && reading(r) && !r->host.cancelled) {
        error = turn(r);
    }
    return error;
}

int results_store_read_log(struct results_store_reading *reading,
                           const struct results_store_files *files,
                           const struct recoup_options *options,
                           const struct results_store_watch *watch,
                           const struct recoup__store_callbacks *callbacks)
{
    struct recoup_allocator allocator = results_store_allocator();
    struct recoup__store_config config = {
        .options = options,
        .storage = {.durable_at = RECOUP_DURABLE_AT_FLUSH,
                    .can_sync = true,
                    .create_exclusive = true,
                    .list_consistent = true}};
    struct reader r;
    int error = RECOUP_ENOMEM;

    memset(&r, 0, sizeof r);
    memset(reading, 0, sizeof *reading);
    recoup__memory_init(&r.memory, &allocator);
    recoup__actions_init(&r.actions, &r.memory);
    config.memory = &r.memory;
    memcpy(config.digest, files->digest, sizeof config.digest);
    r.reading = reading;
    r.callbacks = callbacks;
    if (callbacks != NULL) {
        config.callbacks.context = &r;
        config.callbacks.on_record = on_record;
    }
    config.callbacks.on_checkpoint = no_checkpoint;
    config.callbacks.on_settled = no_settled;
    reading->limits = calloc(files->n_files + 1, sizeof *reading->limits);
    reading->counted = calloc(files->n_files + 1, sizeof *reading->counted);
    if (results_store_host_init(&r.host, files, watch) && reading->limits != NULL &&
        reading->counted != NULL) {
        error = recoup__store_create(&config, &r.store);
    }
    if (error == 0) {
        error = run(&r, files);
    }
    if (error == 0) {
        reading->opened = *recoup__store_opened(r.store);
        take_limits(reading, &r, files);
        reading->done = r.host.done;
    }
    recoup__store_destroy(r.store);
    recoup__actions_release(&r.actions);
    if (error == 0 && r.host.cancelled) {
        error = RECOUP_EIO;
    }
    results_store_host_release(&r.host);
    if (error == 0) {
        return RESULTS_STORE_READ;
    }
    return error == RECOUP_EIO ? RESULTS_STORE_READ_CANCELLED : RESULTS_STORE_READ_ENOMEM;
}

void results_store_reading_release(struct results_store_reading *reading)
{
    free(reading->limits);
    free(reading->counted);
    memset(reading, 0, sizeof *reading);
}
