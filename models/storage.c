// SPDX-License-Identifier: GPL-3.0-or-later
//
// Operations of the modelled file system: their latency, their effect, their faults, their price.
// An operation takes effect when it completes; until then only its request is counted.
#include "models/storage.h"

#include <string.h>

#include "models/storage_name.h"
#include "models/wide.h"
#include "models/world.h"

#include "sim/banned.h"

#define SECOND_NS UINT64_C(1000000000)
#define FINISH_BYTES 65536u  // read at a time when the surviving bytes are hashed

_Static_assert((int)RECOUP_ACTION_REMOVE - (int)RECOUP_ACTION_MKDIR ==
                   (int)MODEL_STORAGE_REMOVE - (int)MODEL_STORAGE_MKDIR,
               "I/O actions and storage operations have the same order");

static enum model_storage_keep keep_of(const struct model_storage *config)
{
    static const enum model_storage_keep at[MODEL_STORAGE_KINDS][3] = {
        [MODEL_STORAGE_IDEAL] = {MODEL_KEEP_FLUSHED, MODEL_KEEP_SYNCED, MODEL_KEEP_CLOSED},
        [MODEL_STORAGE_HDFS] = {MODEL_KEEP_FLUSHED, MODEL_KEEP_SYNCED, MODEL_KEEP_CLOSED},
        [MODEL_STORAGE_S3] = {MODEL_KEEP_FLUSHED, MODEL_KEEP_SYNCED, MODEL_KEEP_CLOSED},
        [MODEL_STORAGE_GCS] = {MODEL_KEEP_FLUSHED, MODEL_KEEP_SYNCED, MODEL_KEEP_CLOSED},
        [MODEL_STORAGE_POSIX] = {MODEL_KEEP_APPENDED, MODEL_KEEP_APPENDED, MODEL_KEEP_CLOSED},
        [MODEL_STORAGE_NFS] = {MODEL_KEEP_FLUSHED, MODEL_KEEP_FLUSHED, MODEL_KEEP_CLOSED},
    };

    SIM_ASSERT(config->kind < MODEL_STORAGE_KINDS);
    SIM_ASSERT((int)config->durable_at >= 0 && (int)config->durable_at < 3);
    return at[config->kind][config->durable_at];
}

int storage_init(struct model_world *w)
{
    const struct model_storage *config = &w->config->storage;
    struct model_storage_state *s = &w->storage;

    SIM_ASSERT(w->arena != NULL);
    *s = (struct model_storage_state){.keep = keep_of(config)};
    s->object_store = config->kind == MODEL_STORAGE_S3 || config->kind == MODEL_STORAGE_GCS;
    model_file_pool_init(&s->pool, w->arena);
    SIM_ASSERT(SIM_ERGO(s->object_store, s->keep != MODEL_KEEP_APPENDED));
    return 0;
}

static int64_t transfer_ns(uint64_t bytes, uint64_t bandwidth)
{
    uint64_t ns = bandwidth > 0 ? wide_muldiv(bytes, SECOND_NS, bandwidth) : 0;

    SIM_ASSERT(bytes <= INT64_MAX);
    return ns < (uint64_t)SIM_LAW_MAX ? (int64_t)ns : SIM_LAW_MAX;
}

// Bytes that an operation moves between client and storage.
static uint64_t bytes_moved(struct model_world *w, const struct recoup_action *action,
                            enum model_storage_op op, uint32_t incarnation)
{
    struct model_storage_state *s = &w->storage;
    bool append_moves = s->keep == MODEL_KEEP_APPENDED;
    bool flush_moves = !append_moves && !(s->object_store && s->keep == MODEL_KEEP_CLOSED);
    struct model_file *file;

    SIM_ASSERT(op < MODEL_STORAGE_OPS);
    if (op == MODEL_STORAGE_READ) {
        file = storage_name_find(s, action->io.file, NULL);
        if (file == NULL || action->io.offset >= file->kept) {
            return 0;
        }
        return action->io.size < file->kept - action->io.offset ? action->io.size
                                                                : file->kept - action->io.offset;
    }
    if (op == MODEL_STORAGE_APPEND) {
        return append_moves ? action->io.size : 0;
    }
    if (op == MODEL_STORAGE_CLOSE ||
        (flush_moves && (op == MODEL_STORAGE_FLUSH || op == MODEL_STORAGE_SYNC))) {
        file = storage_name_find_open(s, action->io.file, incarnation);
        SIM_ASSERT(SIM_ERGO(file != NULL, file->sent <= file->bytes.size));
        return file != NULL ? file->bytes.size - file->sent : 0;
    }
    return 0;
}

// Layer F3: operation, path, offset, length, content.
static void feed(struct model_world *w, const struct recoup_action *action,
                 enum model_storage_op op, uint32_t incarnation)
{
    size_t name_bytes = strlen(action->io.file);
    bool appends = op == MODEL_STORAGE_APPEND;

    SIM_ASSERT(name_bytes < sizeof(action->io.file));
    SIM_ASSERT(SIM_ERGO(appends && action->io.size > 0, action->io.data != NULL));
    sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_IO, (uint64_t)op | (uint64_t)incarnation << 32);
    sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_IO, name_bytes);
    sim_fingerprint_bytes(&w->fingerprint, SIM_LAYER_IO, action->io.file, name_bytes);
    sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_IO, action->io.offset);
    sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_IO, action->io.size);
    if (appends && action->io.size > 0) {
        sim_fingerprint_bytes(&w->fingerprint, SIM_LAYER_IO, action->io.data, action->io.size);
    }
}

// The operation that a client has under way: the leading master, or one that is cut off.
static struct model_storage_operation *operation_of(struct model_world *w, uint32_t incarnation)
{
    struct model_zombie *zombie = w->zombies.alive > 0 ? zombie_of(w, incarnation) : NULL;

    SIM_ASSERT(incarnation > 0);
    SIM_DEBUG_ASSERT(zombie == NULL || zombie->incarnation == incarnation);
    return zombie != NULL ? &zombie->operation : &w->storage.operation;
}

void storage_issue(struct model_world *w, const struct recoup_action *action,
                   uint32_t incarnation)
{
    const struct model_storage *config = &w->config->storage;
    struct model_storage_state *s = &w->storage;
    enum model_storage_op op =
        (enum model_storage_op)((int)action->type - (int)RECOUP_ACTION_MKDIR);
    struct model_storage_operation *operation = operation_of(w, incarnation);
    struct model_op_fault fault;
    int64_t latency_ns;

    SIM_ASSERT(action->type <= RECOUP_ACTION_REMOVE);
    SIM_ASSERT(!operation->busy);
    fault = faults_store_op(w, op);
    latency_ns = world_sample(w, &config->latency[op], MODEL_STREAM_STORAGE, op, s->requests[op],
                              s->requests[op]);
    latency_ns += transfer_ns(bytes_moved(w, action, op, incarnation), config->bandwidth);
    s->requests[op]++;
    s->cost_nanousd += config->price_nanousd[op];
    s->serial++;
    *operation = (struct model_storage_operation){
        .busy = true, .torn = fault.torn, .serial = s->serial, .incarnation = incarnation,
        .op = op, .error = fault.error, .issued_ns = w->now_ns, .nth = fault.nth,
        .action = *action};
    feed(w, action, op, incarnation);
    world_push(w, w->now_ns + latency_ns, MODEL_EVENT_IO_DONE, s->serial, incarnation);
}

// --- effects; each returns 0 or the error that the operation reports ----------------------------

static int do_list(struct model_world *w, uint32_t incarnation, struct recoup_event *event)
{
    struct model_storage_state *s = &w->storage;
    const char **names;

    if (!s->directory && !s->object_store) {
        return RECOUP_ENOENT;
    }
    names = storage_grow(w, s->names, 0, &s->names_capacity, s->n_files + 1, sizeof(char *));
    if (names == NULL) {
        return RECOUP_ENOMEM;
    }
    s->names = names;
    for (uint32_t i = 0; i < s->n_files; i++) {
        SIM_ASSERT(s->files[i]->visible);
        s->names[i] = s->files[i]->name;
        if (incarnation == w->master.incarnation) {
            s->files[i]->listed = incarnation;
        }
    }
    event->io.names = s->names;
    event->io.n_names = s->n_files;
    SIM_ASSERT(s->n_files < s->names_capacity);
    return 0;
}

static int do_create(struct model_world *w, const struct model_storage_operation *operation)
{
    struct model_storage_state *s = &w->storage;
    const char *name = operation->action.io.file;

    SIM_ASSERT(operation->op == MODEL_STORAGE_CREATE);
    if (!s->directory && !s->object_store) {
        return RECOUP_ENOENT;
    }
    if (storage_name_find(s, name, NULL) != NULL ||
        storage_name_find_open(s, name, operation->incarnation) != NULL) {
        invariants_name_taken(w, operation->incarnation, storage_name_find(s, name, NULL));
        return RECOUP_EEXIST;
    }
    if (storage_name_create(w, name, operation->incarnation) == NULL) {
        return RECOUP_ENOMEM;
    }
    return 0;
}

// The first `size` bytes of an append reach the file.
static int do_append(struct model_world *w, struct model_file *file,
                     const struct model_storage_operation *operation, size_t size)
{
    struct model_storage_state *s = &w->storage;
    const struct recoup_action *action = &operation->action;

    SIM_ASSERT(operation->op == MODEL_STORAGE_APPEND);
    SIM_ASSERT(size <= action->io.size);
    if (!model_file_append(&s->pool, &file->bytes, action->io.data, size)) {
        w->error = w->error != 0 ? w->error : SIM_ENOMEM;
        return RECOUP_ENOMEM;
    }
    s->bytes_appended += size;
    if (size == action->io.size) {
        storage_name_mark(w, file, action->io.event_last);
    }
    if (s->keep == MODEL_KEEP_APPENDED) {
        storage_name_keep(w, file, file->bytes.size);
        file->sent = file->bytes.size;
    }
    return 0;
}

static int do_flush(struct model_world *w, struct model_file *file, enum model_storage_op op)
{
    struct model_storage_state *s = &w->storage;
    enum model_storage_keep needed =
        op == MODEL_STORAGE_FLUSH ? MODEL_KEEP_FLUSHED : MODEL_KEEP_SYNCED;

    SIM_ASSERT(op == MODEL_STORAGE_FLUSH || op == MODEL_STORAGE_SYNC);
    SIM_ASSERT(file->sent <= file->bytes.size);
    if (s->keep <= needed) {
        storage_name_keep(w, file, file->bytes.size);
    }
    if (!(s->object_store && s->keep == MODEL_KEEP_CLOSED)) {
        file->sent = file->bytes.size;
    }
    return 0;
}

static int do_read(struct model_world *w, const struct model_storage_operation *operation,
                   struct recoup_event *event)
{
    struct model_storage_state *s = &w->storage;
    const struct recoup_action *action = &operation->action;
    struct model_file *file = storage_name_find(s, action->io.file, NULL);
    size_t size = action->io.size;

    if (file == NULL) {
        return RECOUP_ENOENT;
    }
    if (size > s->scratch_size) {
        void *grown = world_alloc_uncleared(w, size, 1);

        if (grown == NULL) {
            return RECOUP_ENOMEM;
        }
        s->scratch = grown;
        s->scratch_size = size;
    }
    if (action->io.offset >= file->kept) {
        return 0;
    }
    if (size > file->kept - action->io.offset) {
        size = (size_t)(file->kept - action->io.offset);
    }
    event->io.size = model_file_read(&file->bytes, action->io.offset, s->scratch, size);
    event->io.data = s->scratch;
    s->replay_bytes += event->io.size;
    if (operation->incarnation == w->master.incarnation) {
        file->seen = file->reader == operation->incarnation && file->seen > action->io.offset + size
                         ? file->seen
                         : action->io.offset + size;
        file->reader = operation->incarnation;
    }
    SIM_ASSERT(event->io.size == size);
    SIM_ASSERT(size <= s->scratch_size);
    return 0;
}

static int do_remove(struct model_world *w, const struct model_storage_operation *operation)
{
    struct model_storage_state *s = &w->storage;
    const char *name = operation->action.io.file;
    struct model_file *file;

    SIM_ASSERT(operation->op == MODEL_STORAGE_REMOVE);
    if (name[0] == '\0') {
        storage_name_remove_all(w);
        return 0;
    }
    file = storage_name_find(s, name, NULL);
    if (file == NULL) {
        file = storage_name_find_open(s, name, operation->incarnation);
    }
    if (file != NULL) {
        storage_name_remove(w, file);
    }
    SIM_ASSERT(storage_name_find(s, name, NULL) == NULL);
    return 0;
}

// An operation on an open file. One that the client has not open is an error of the library, which
// learns of it as it would from a real file system.
static int do_on_open(struct model_world *w, const struct model_storage_operation *operation)
{
    struct model_file *file = storage_name_find_open(&w->storage, operation->action.io.file,
                                                     operation->incarnation);

    if (file == NULL) {
        return RECOUP_ENOENT;
    }
    SIM_ASSERT(file->open);
    if (operation->op == MODEL_STORAGE_APPEND) {
        return do_append(w, file, operation, operation->action.io.size);
    }
    if (operation->op == MODEL_STORAGE_CLOSE) {
        storage_name_close(w, file);
        file->sent = file->bytes.size;
        return 0;
    }
    return do_flush(w, file, operation->op);
}

// A close that fails ends the use of the file all the same, with what the storage has of it.
static void let_go(struct model_world *w, const struct model_storage_operation *operation)
{
    struct model_file *file = storage_name_find_open(&w->storage, operation->action.io.file,
                                                     operation->incarnation);

    SIM_ASSERT(operation->op == MODEL_STORAGE_CLOSE);
    if (file != NULL) {
        storage_name_abandon(w, file);
    }
    SIM_ASSERT(operation->error != 0);
}

static int do_operation(struct model_world *w, const struct model_storage_operation *operation,
                        struct recoup_event *event)
{
    if (operation->error != 0) {
        if (operation->op == MODEL_STORAGE_CLOSE) {
            let_go(w, operation);
        }
        return operation->error;
    }
    SIM_ASSERT(operation->op < MODEL_STORAGE_OPS);
    switch (operation->op) {
    case MODEL_STORAGE_MKDIR:
        w->storage.directory = true;
        return 0;
    case MODEL_STORAGE_LIST:
        return do_list(w, operation->incarnation, event);
    case MODEL_STORAGE_CREATE:
        return do_create(w, operation);
    case MODEL_STORAGE_READ:
        return do_read(w, operation, event);
    case MODEL_STORAGE_REMOVE:
        return do_remove(w, operation);
    case MODEL_STORAGE_APPEND:
    case MODEL_STORAGE_FLUSH:
    case MODEL_STORAGE_SYNC:
    case MODEL_STORAGE_CLOSE:
        return do_on_open(w, operation);
    case MODEL_STORAGE_OPS:
        break;
    }
    SIM_ALWAYS(false);
    return RECOUP_EINTERNAL;
}

static void trace(const struct model_world *w, const struct model_storage_operation *operation,
                  int error)
{
    struct sim_trace_record record;

    SIM_ASSERT(operation->issued_ns <= w->now_ns);
    if (!sim_trace_on(w->options->trace)) {
        return;
    }
    record = (struct sim_trace_record){
        .time_ns = operation->issued_ns, .duration_ns = w->now_ns - operation->issued_ns,
        .phase = SIM_TRACE_SPAN, .track = MODEL_TRACK_STORE, .lane = 0, .args_count = 2,
        .name = model_storage_op_name(operation->op), .arg_names = {"bytes", "error"},
        .arg_values = {(int64_t)operation->action.io.size, error}};
    sim_trace_emit(w->options->trace, &record);
}

void storage_complete(struct model_world *w, uint32_t serial, uint32_t incarnation)
{
    struct model_storage_state *s = &w->storage;
    struct model_storage_operation *under_way = operation_of(w, incarnation);
    struct model_storage_operation operation = *under_way;
    struct recoup_event event = {.type = RECOUP_EVENT_IO};

    if (!operation.busy || operation.serial != serial) {
        return;  // its client died meanwhile
    }
    SIM_ASSERT(operation.incarnation == incarnation);
    under_way->busy = false;
    event.io.operation = operation.action.io.operation;
    event.io.error = do_operation(w, &operation, &event);
    s->done[operation.op] += event.io.error == 0 ? 1 : 0;
    if (event.io.error != 0) {
        invariants_io_failed(w, &operation.action, incarnation);
    }
    sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_IO, (uint64_t)(int64_t)event.io.error);
    trace(w, &operation, event.io.error);
    faults_store_op_done(w, operation.op, operation.nth);
    SIM_ASSERT(SIM_ERGO(event.io.error != 0, event.io.data == NULL));
    if (w->error == 0 && w->master.alive && w->master.incarnation == incarnation) {
        master_step(w, &event);
    } else if (w->error == 0 && !w->ended && w->zombies.alive > 0 &&
               zombie_of(w, incarnation) != NULL) {
        zombie_io(w, incarnation, &event);
    }
}

// A kill in the midst of the operation under way: what of it reached the storage.
static void tear(struct model_world *w, const struct model_storage_operation *operation)
{
    struct model_storage_state *s = &w->storage;
    struct model_file *file = storage_name_find_open(s, operation->action.io.file,
                                                     operation->incarnation);

    SIM_ASSERT(operation->torn);
    if (operation->error != 0 || s->keep == MODEL_KEEP_CLOSED) {
        // A file that counts only once it is closed has nothing to tear but its name.
        if (operation->error == 0 && operation->op == MODEL_STORAGE_CREATE && !s->object_store) {
            (void)do_create(w, operation);
        }
        return;
    }
    if (operation->op == MODEL_STORAGE_CREATE && !s->object_store) {
        (void)do_create(w, operation);
    } else if (operation->op == MODEL_STORAGE_APPEND && file != NULL) {
        (void)do_append(w, file, operation, operation->action.io.size / 2);
        storage_name_keep(w, file, file->bytes.size);
    } else if (file != NULL && ((operation->op == MODEL_STORAGE_FLUSH &&
                                 s->keep <= MODEL_KEEP_FLUSHED) ||
                                (operation->op == MODEL_STORAGE_SYNC))) {
        SIM_ASSERT(file->kept <= file->bytes.size);
        storage_name_keep(w, file, file->kept + (file->bytes.size - file->kept) / 2);
    }
}

void storage_client_died(struct model_world *w, uint32_t incarnation)
{
    struct model_storage_state *s = &w->storage;
    struct model_storage_operation *operation = operation_of(w, incarnation);
    struct model_file *file = s->open;

    if (operation->busy && operation->incarnation == incarnation) {
        if (operation->torn) {
            tear(w, operation);
        }
        trace(w, operation, RECOUP_EIO);
        operation->busy = false;
        file = s->open;
    }
    while (file != NULL) {
        struct model_file *next = file->next;

        if (file->incarnation == incarnation) {
            storage_name_abandon(w, file);
            SIM_ASSERT(!file->open);
        }
        file = next;
    }
    SIM_ASSERT(SIM_ERGO(operation->busy, operation->incarnation != incarnation));
}

// --- what others see ----------------------------------------------------------------------------

uint64_t storage_durable_event(const struct model_world *w, uint32_t incarnation)
{
    const struct model_storage_state *s = &w->storage;

    SIM_ASSERT(SIM_ERGO(s->durable_capacity > 0, s->durable != NULL));
    return incarnation < s->durable_capacity ? s->durable[incarnation] : 0;
}

uint32_t storage_file_count(const struct model_world *w)
{
    SIM_ASSERT(w->storage.n_files <= w->storage.files_capacity);
    return w->storage.n_files;
}

const char *storage_file_name(const struct model_world *w, uint32_t file)
{
    SIM_ASSERT(file < w->storage.n_files);
    return w->storage.files[file]->name;
}

// Bytes of a file that are there, or that the incarnation of the view found there.
static uint64_t shown(const struct model_world *w, const struct model_file *file)
{
    bool clamped = w->storage.view != 0 && file->incarnation <= w->zombies.newest &&
                   file->reader == w->storage.view && file->seen < file->kept;

    SIM_ASSERT(file->kept <= file->bytes.size);
    return clamped ? file->seen : file->kept;
}

bool storage_file_hidden(const struct model_world *w, uint32_t file)
{
    const struct model_file *found = w->storage.files[file];

    SIM_ASSERT(file < w->storage.n_files);
    return w->storage.view != 0 && (found->incarnation == w->storage.view ||
                                    (found->incarnation <= w->zombies.newest &&
                                     found->listed != w->storage.view));
}

void storage_view(struct model_world *w, uint32_t incarnation)
{
    SIM_ASSERT(incarnation <= w->master.incarnation);
    SIM_ASSERT(incarnation == 0 || w->storage.view == 0);
    w->storage.view = incarnation;
}

uint64_t storage_file_size(const struct model_world *w, uint32_t file)
{
    SIM_ASSERT(file < w->storage.n_files);
    SIM_ASSERT(w->storage.files[file]->kept <= w->storage.files[file]->bytes.size);
    return shown(w, w->storage.files[file]);
}

size_t storage_file_read(const struct model_world *w, uint32_t file, uint64_t offset, void *buffer,
                         size_t size)
{
    struct model_file *found;

    SIM_ASSERT(file < w->storage.n_files);
    SIM_ASSERT(SIM_ERGO(size > 0, buffer != NULL));
    found = w->storage.files[file];
    if (offset >= shown(w, found)) {
        return 0;
    }
    if (size > shown(w, found) - offset) {
        size = (size_t)(shown(w, found) - offset);
    }
    return model_file_read(&found->bytes, offset, buffer, size);
}

uint64_t storage_bytes_appended(const struct model_world *w)
{
    SIM_ASSERT(w->storage.bytes_lost + w->storage.bytes_removed <= w->storage.bytes_appended);
    return w->storage.bytes_appended;
}

uint64_t storage_bytes_held(const struct model_world *w)
{
    const struct model_storage_state *s = &w->storage;
    uint64_t held = 0;

    for (uint32_t i = 0; i < s->n_files; i++) {
        held += s->files[i]->open ? s->files[i]->bytes.size : s->files[i]->kept;
    }
    for (const struct model_file *file = s->open; file != NULL; file = file->next) {
        held += file->visible ? 0 : file->bytes.size;
    }
    SIM_ASSERT(held <= s->bytes_appended);
    return held;
}

uint64_t storage_bytes_lost(const struct model_world *w)
{
    SIM_ASSERT(w->storage.bytes_lost <= w->storage.bytes_appended);
    return w->storage.bytes_lost;
}

uint64_t storage_bytes_removed(const struct model_world *w)
{
    SIM_ASSERT(w->storage.bytes_removed <= w->storage.bytes_appended);
    return w->storage.bytes_removed;
}

static void feed_store(struct model_world *w)
{
    unsigned char *buffer = world_alloc_uncleared(w, FINISH_BYTES, 1);

    sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_STORE, storage_file_count(w));
    for (uint32_t i = 0; buffer != NULL && i < storage_file_count(w); i++) {
        const char *name = storage_file_name(w, i);
        uint64_t size = storage_file_size(w, i);

        SIM_ASSERT(name[0] != '\0');
        sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_STORE, strlen(name));
        sim_fingerprint_bytes(&w->fingerprint, SIM_LAYER_STORE, name, strlen(name));
        sim_fingerprint_u64(&w->fingerprint, SIM_LAYER_STORE, size);
        for (uint64_t at = 0; at < size;) {
            size_t n = storage_file_read(w, i, at, buffer, FINISH_BYTES);

            SIM_ASSERT(n > 0);
            sim_fingerprint_bytes(&w->fingerprint, SIM_LAYER_STORE, buffer, n);
            at += n;
        }
    }
}

// Shows the surviving files to whoever asked for them.
static void export_store(struct model_world *w)
{
    const struct model_run_options *options = w->options;
    unsigned char *buffer;

    SIM_ASSERT(options != NULL);
    if (options->store_piece == NULL) {
        return;
    }
    buffer = world_alloc_uncleared(w, FINISH_BYTES, 1);
    for (uint32_t i = 0; buffer != NULL && i < storage_file_count(w); i++) {
        uint64_t at = 0;

        SIM_ASSERT(storage_file_name(w, i)[0] != '\0');
        do {
            size_t n = storage_file_read(w, i, at, buffer, FINISH_BYTES);

            options->store_piece(options->store_context, storage_file_name(w, i), at, buffer, n);
            at += n;
        } while (at < storage_file_size(w, i));
    }
}

void storage_finish(struct model_world *w, struct model_result *result)
{
    const struct model_storage_state *s = &w->storage;

    SIM_ASSERT(s->bytes_appended == storage_bytes_held(w) + s->bytes_lost + s->bytes_removed);
    result->io.bytes = s->bytes_appended;
    result->io.appends = s->done[MODEL_STORAGE_APPEND];
    result->io.flushes = s->done[MODEL_STORAGE_FLUSH];
    result->io.syncs = s->done[MODEL_STORAGE_SYNC];
    result->io.files = s->done[MODEL_STORAGE_CREATE];
    result->io.replay_bytes = s->replay_bytes;
    result->io.replay_reads = s->done[MODEL_STORAGE_READ];
    memcpy(result->io.requests, s->requests, sizeof(result->io.requests));
    result->io.cost_nanousd = s->cost_nanousd;
    SIM_ASSERT(s->done[MODEL_STORAGE_CREATE] <= s->requests[MODEL_STORAGE_CREATE]);
    feed_store(w);
    export_store(w);
}
