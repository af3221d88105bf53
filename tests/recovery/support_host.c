// SPDX-License-Identifier: GPL-3.0-or-later
#include "support_host.h"

// ---------------------------------------------------------------------------------------------
// Memory

static void *host_allocate(void *context, size_t size)
{
    struct host *host = context;

    host->allocations++;
    if (host->allocations == host->fail_at) {
        return NULL;
    }
    if (size > host->largest) {
        host->largest = size;
    }
    host->live_blocks++;
    return malloc(size);
}

static void host_release_memory(void *context, void *memory, size_t size)
{
    struct host *host = context;

    if (memory != NULL) {
        memset(memory, 0xdd, size);  // whoever still reads it shall notice
        assert_true(host->live_blocks > 0);
        host->live_blocks--;
        free(memory);
    }
}

// ---------------------------------------------------------------------------------------------
// Log

static void say(struct host *host, const char *format, ...)
{
    va_list list;
    int n;

    if (host->quiet) {
        return;
    }
    va_start(list, format);
    n = vsnprintf(host->log + host->log_size, sizeof host->log - host->log_size, format, list);
    va_end(list);
    assert_true(n >= 0 && (size_t)n < sizeof host->log - host->log_size);
    host->log_size += (size_t)n;
}

void host_clear_log(struct host *host)
{
    host->log_size = 0;
    host->log[0] = '\0';
}

// ---------------------------------------------------------------------------------------------
// Files

struct host_file *host_file(struct host *host, const char *name)
{
    for (unsigned i = 0; i < HOST_FILES; i++) {
        if (host->files[i].exists && strcmp(host->files[i].name, name) == 0) {
            return &host->files[i];
        }
    }
    return NULL;
}

uint32_t host_n_files(const struct host *host)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < HOST_FILES; i++) {
        n += host->files[i].exists ? 1 : 0;
    }
    return n;
}

static void append(struct host_file *file, const void *bytes, size_t size)
{
    if (file->size + size > file->capacity) {
        file->capacity = (file->size + size) * 2;
        file->bytes = realloc(file->bytes, file->capacity);
        assert_non_null(file->bytes);
    }
    if (size > 0) {
        memcpy(file->bytes + file->size, bytes, size);
    }
    file->size += size;
}

struct host_file *host_put(struct host *host, const char *name, const void *bytes, size_t size)
{
    struct host_file *file = host_file(host, name);

    for (unsigned i = 0; file == NULL && i < HOST_FILES; i++) {
        if (!host->files[i].exists) {
            file = &host->files[i];
        }
    }
    assert_non_null(file);
    file->exists = true;
    file->size = 0;
    snprintf(file->name, sizeof file->name, "%s", name);
    append(file, bytes, size);
    host->directory = true;
    return file;
}

// ---------------------------------------------------------------------------------------------
// Callbacks

static int on_record(void *context, const struct recoup__record *record,
                     const struct recoup__position *position)
{
    struct host *host = context;
    struct host_record *out;

    if (host->on_record_error != 0 && host->n_records + 1 == host->on_record_at) {
        int error = host->on_record_error;

        host->on_record_error = 0;
        return error;
    }
    assert_true(host->n_records < HOST_RECORDS);
    out = &host->records[host->n_records++];
    memset(out, 0, sizeof *out);
    out->type = record->type;
    out->position = *position;
    out->shuffle_size = UINT32_MAX;
    if (record->type == RECOUP__RECORD_FINISHED || record->type == RECOUP__RECORD_SNAPSHOT) {
        out->stage = record->finished.stage;
        out->subtask = record->finished.subtask;
        out->n_snapshots = record->finished.n_snapshots;
        if (recoup__record_is_recovery_point(record)) {
            out->shuffle_size = record->finished.snapshots[out->n_snapshots - 1].size;
        }
    } else if (record->type == RECOUP__RECORD_CHECKPOINT_BEGIN) {
        out->replaces = record->checkpoint_begin.replaces;
    }
    return 0;
}

static int on_checkpoint(void *context, bool first, bool *done)
{
    struct host *host = context;

    host->checkpoint_calls++;
    if (first) {
        host->checkpoint_next = 0;
        host->checkpoints++;
    }
    while (host->checkpoint_next < host->checkpoint_records) {
        struct recoup__record record = host_finished(host->checkpoint_next);
        int error = recoup__store_checkpoint_write(host->store, host->now_ns, &record);

        if (error != 0) {
            assert_true(error == RECOUP_ELIMIT || error == RECOUP_ENOMEM);
            return error == RECOUP_ENOMEM ? error : 0;
        }
        host->checkpoint_next++;
    }
    *done = true;
    return 0;
}

static void on_settled(void *context, uint32_t snapshot, uint64_t carrier)
{
    struct host *host = context;

    assert_true(host->n_settled < HOST_SETTLED);
    host->settled[host->n_settled] = snapshot;
    host->carriers[host->n_settled++] = carrier;
}

// ---------------------------------------------------------------------------------------------
// Actions

static const char *const operation_names[] = {"mkdir", "list",  "create", "append", "flush",
                                              "sync",  "close", "read",   "remove"};

static void take_operation(struct host *host, const struct recoup_action *action)
{
    assert_false(host->busy);  // D2: one at a time
    host->busy = true;
    host->operation = *action;
    host->operations[action->type]++;
    say(host, "%s", operation_names[action->type]);
    if (action->io.file[0] != '\0') {
        say(host, " %s", action->io.file);
    }
    if (action->type == RECOUP_ACTION_APPEND) {
        say(host, " %zu to %" PRIu64, action->io.size, action->io.event_last);
        if (action->io.size <= sizeof host->copy) {
            memcpy(host->copy, action->io.data, action->io.size);
        }
    }
    say(host, "\n");
}

static void take_actions(struct host *host)
{
    assert_true(host->actions.n <= RECOUP__STORE_ACTIONS);
    for (uint32_t i = 0; i < host->actions.n; i++) {
        const struct recoup_action *action = &host->actions.items[i];

        if (action->type <= RECOUP_ACTION_REMOVE) {
            take_operation(host, action);
        } else if (action->type == RECOUP_ACTION_DURABLE) {
            assert_true(action->durable.event > host->durable);
            host->durable = action->durable.event;
            say(host, "durable %" PRIu64 "\n", host->durable);
        } else if (action->type == RECOUP_ACTION_THROTTLE) {
            assert_int_not_equal(host->throttled, action->throttle.on);
            host->throttled = action->throttle.on;
            say(host, "throttle %d\n", host->throttled);
        } else if (action->type == RECOUP_ACTION_PROTECTION_LOST) {
            host->lost++;
            host->lost_error = action->protection_lost.error;
            say(host, "lost %s\n", recoup_error_name(host->lost_error));
        } else {
            assert_int_equal(action->type, RECOUP_ACTION_PROTECTION_RESTORED);
            host->restored++;
            say(host, "restored\n");
        }
    }
}

static void begin_call(struct host *host)
{
    recoup__actions_begin(&host->actions);
    while (recoup__actions_reserve(&host->actions, RECOUP__STORE_ACTIONS) != 0) {
    }
}

// The operation under way is carried out; returns its error. What it gives goes into `event`.
static int carry_out(struct host *host, struct recoup_event *event, const char **names)
{
    const struct recoup_action *operation = &host->operation;
    struct host_file *file = host_file(host, operation->io.file);

    switch ((int)operation->type) {
    case RECOUP_ACTION_MKDIR:
        host->directory = true;
        return 0;
    case RECOUP_ACTION_LIST:
        for (unsigned i = 0; i < HOST_FILES * (host->lists_twice ? 2 : 1); i++) {
            if (host->files[i % HOST_FILES].exists) {
                names[event->io.n_names++] = host->files[i % HOST_FILES].name;
            }
        }
        event->io.names = names;
        return 0;
    case RECOUP_ACTION_CREATE:
        if (file != NULL) {
            return RECOUP_EEXIST;
        }
        host_put(host, operation->io.file, NULL, 0);
        return 0;
    case RECOUP_ACTION_APPEND:
        assert_non_null(file);
        if (operation->io.size <= sizeof host->copy) {
            assert_memory_equal(host->copy, operation->io.data, operation->io.size);
        }
        append(file, operation->io.data, operation->io.size);
        return 0;
    case RECOUP_ACTION_READ:
        if (file == NULL) {
            return RECOUP_ENOENT;
        }
        if (operation->io.offset < file->size) {
            event->io.data = file->bytes + operation->io.offset;
            event->io.size = file->size - (size_t)operation->io.offset;
            event->io.size =
                event->io.size < operation->io.size ? event->io.size : operation->io.size;
        }
        return 0;
    case RECOUP_ACTION_REMOVE:
        if (operation->io.file[0] == '\0') {
            assert_int_equal(host_n_files(host), 0);
            host->directory = false;
        } else if (file != NULL) {
            file->exists = false;
        }
        return 0;
    default:
        assert_non_null(file);
        return 0;
    }
}

// True if the fault strikes the operation under way.
static int fault_error(struct host *host)
{
    struct host_fault *fault = &host->fault;

    if (!fault->armed || fault->type != host->operation.type) {
        return 0;
    }
    if (fault->nth > 1) {
        fault->nth--;
        return 0;
    }
    fault->armed = fault->forever;
    host->fired++;
    return fault->error;
}

int host_step_io(struct host *host, int error)
{
    const char *names[2 * HOST_FILES];
    struct recoup_event event = {.type = RECOUP_EVENT_IO};

    assert_true(host->busy);
    event.io.operation = host->operation.io.operation;
    assert_true(recoup__store_expects(host->store, event.io.operation));
    error = error != 0 ? error : fault_error(host);
    if (error == 0) {
        error = carry_out(host, &event, names);
    } else {
        say(host, "  %s\n", recoup_error_name(error));
        if (host->fault_lands) {
            (void)carry_out(host, &event, names);
        }
    }
    event.io.error = error;
    for (;;) {
        begin_call(host);
        error = recoup__store_io(host->store, &host->actions, host->now_ns, &event);
        if (error != RECOUP_ENOMEM) {
            break;
        }
        assert_int_equal(host->actions.n, 0);
    }
    host->busy = false;
    take_actions(host);
    return error;
}

void host_complete(struct host *host, int error)
{
    assert_int_equal(host_step_io(host, error), 0);
}

void host_run(struct host *host)
{
    unsigned n = 0;

    while (host->busy) {
        host_complete(host, 0);
        assert_true(++n < 100000);
    }
}

static void after_call(struct host *host)
{
    take_actions(host);
    if (!host->manual) {
        host_run(host);
    }
}

void host_advance(struct host *host, int64_t to_ns)
{
    unsigned n = 0;

    for (;;) {
        int64_t deadline = recoup__store_deadline(host->store);

        if (deadline > to_ns) {
            break;
        }
        assert_true(deadline >= host->now_ns);
        host->now_ns = deadline;
        do {
            begin_call(host);
        } while (recoup__store_timer(host->store, &host->actions, host->now_ns) == RECOUP_ENOMEM);
        after_call(host);
        assert_true(++n < 10000);  // L5: no busy loop
    }
    host->now_ns = to_ns;
}

// ---------------------------------------------------------------------------------------------
// The store

struct host *host_create(enum recoup_profile profile)
{
    struct host *host = calloc(1, sizeof *host);
    struct recoup_allocator allocator = {host_allocate, host_release_memory, host};

    assert_non_null(host);
    recoup_options_init(&host->options, profile);
    host->options.write_buffer_bytes = 4096;
    host->storage.durable_at = RECOUP_DURABLE_AT_FLUSH;
    host->storage.can_sync = true;
    host->storage.create_exclusive = true;
    host->storage.list_consistent = true;
    memset(host->digest, 7, sizeof host->digest);
    recoup__memory_init(&host->memory, &allocator);
    recoup__actions_init(&host->actions, &host->memory);
    return host;
}

void host_destroy(struct host *host)
{
    recoup__store_destroy(host->store);
    recoup__actions_release(&host->actions);
    assert_u64(host->live_blocks, 0);
    assert_u64(host->memory.bytes, 0);
    assert_int_equal(host->memory.broken, 0);
    for (unsigned i = 0; i < HOST_FILES; i++) {
        free(host->files[i].bytes);
    }
    free(host);
}

int host_start(struct host *host)
{
    struct recoup__store_config config = {
        .memory = &host->memory,
        .options = &host->options,
        .storage = host->storage,
        .limits = host->limits,
        .callbacks = {host, on_record, on_checkpoint, on_settled, NULL},
    };
    int error;

    memcpy(config.digest, host->digest, sizeof config.digest);
    host->n_records = 0;
    host->n_settled = 0;
    host->durable = 0;
    host->busy = false;
    host->throttled = false;
    do {
        error = recoup__store_create(&config, &host->store);
    } while (error == RECOUP_ENOMEM);
    if (error != 0) {
        return error;
    }
    host->epoch++;
    do {
        begin_call(host);
        error = recoup__store_open(host->store, &host->actions, host->now_ns, host->epoch,
                                   host->first);
    } while (error == RECOUP_ENOMEM);
    take_actions(host);
    return error;
}

void host_open(struct host *host)
{
    assert_int_equal(host_start(host), 0);
    host_run(host);
    assert_int_equal(recoup__store_state(host->store), RECOUP__STORE_OPEN);
}

void host_crash(struct host *host)
{
    recoup__store_destroy(host->store);
    host->store = NULL;
    host->busy = false;
}

void host_stop(struct host *host, bool clear)
{
    bool manual = host->manual;

    host->manual = false;
    do {
        begin_call(host);
    } while (recoup__store_stop(host->store, &host->actions, host->now_ns, clear) == RECOUP_ENOMEM);
    after_call(host);
    assert_int_equal(recoup__store_state(host->store), RECOUP__STORE_STOPPED);
    host->manual = manual;
    host_crash(host);
}

struct recoup__record host_finished(uint32_t subtask)
{
    struct recoup__record record = {.type = RECOUP__RECORD_FINISHED};

    record.finished.stage = 1;
    record.finished.subtask = subtask;
    record.finished.attempt = UINT64_C(0x100000000) + subtask;
    record.finished.worker = 3;
    record.finished.bytes = 64000000;
    record.finished.has_partition = true;
    return record;
}

uint64_t host_write(struct host *host, const struct recoup__record *record, uint32_t flags)
{
    uint64_t sequence = 0;
    int error;

    do {
        begin_call(host);
        error = recoup__store_write(host->store, &host->actions, host->now_ns, record, flags,
                                    &sequence);
        assert_true(error != RECOUP_ENOMEM || host->actions.n == 0);
    } while (error == RECOUP_ENOMEM);
    assert_int_equal(error, 0);
    after_call(host);
    return sequence;
}

uint64_t host_finish(struct host *host, uint32_t subtask, uint32_t flags)
{
    struct recoup__record record = host_finished(subtask);

    return host_write(host, &record, flags);
}

uint64_t host_finish_waiting(struct host *host, uint32_t subtask, uint32_t flags, uint32_t snapshot)
{
    static const uint32_t coordinators[] = {0, RECOUP_SHUFFLE};
    struct recoup__record record = host_finished(subtask);
    uint64_t sequence = 0;
    int error;

    do {
        begin_call(host);
        error = recoup__store_write_waiting(host->store, &host->actions, host->now_ns, &record,
                                            flags, snapshot, coordinators, 2, &sequence);
        assert_true(error != RECOUP_ENOMEM || host->actions.n == 0);
    } while (error == RECOUP_ENOMEM);
    assert_int_equal(error, 0);
    after_call(host);
    return sequence;
}

void host_snapshot(struct host *host, uint32_t snapshot, uint32_t coordinator, bool failed)
{
    static const char data[] = "coordinator state";
    int error;

    do {
        begin_call(host);
        error =
            recoup__store_snapshot(host->store, &host->actions, host->now_ns, snapshot, coordinator,
                                   failed, data, coordinator == RECOUP_SHUFFLE ? 0 : sizeof data);
        assert_true(error != RECOUP_ENOMEM || host->actions.n == 0);
    } while (error == RECOUP_ENOMEM);
    assert_int_equal(error, 0);
    after_call(host);
}

uint64_t host_incarnation(struct host *host)
{
    uint64_t sequence = 0;
    int error;

    do {
        begin_call(host);
        error = recoup__store_write_incarnation(host->store, &host->actions, host->now_ns, 0, 0,
                                                RECOUP__WRITE_DURABLE, &sequence);
        assert_true(error != RECOUP_ENOMEM || host->actions.n == 0);
    } while (error == RECOUP_ENOMEM);
    assert_int_equal(error, 0);
    after_call(host);
    return sequence;
}
