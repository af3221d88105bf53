// SPDX-License-Identifier: Apache-2.0
//
// The event store as a whole: which of reader and writer has the word, and how everything is
// removed.
#include "recovery/store.h"

#include <string.h>

#include "recovery/fence.h"

#define WAITING_BYTES_DEFAULT ((uint64_t)64 << 20)
#define READ_BYTES_DEFAULT ((uint32_t)1 << 20)

#define OPENING_NS_DEFAULT INT64_C(30000000000)

#define BIT(state) (1u << (state))

// States that may follow each state.
static const unsigned successors[] = {
    [RECOUP__STORE_CLOSED] =
        BIT(RECOUP__STORE_OPENING) | BIT(RECOUP__STORE_STOPPING) | BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_OPENING] = BIT(RECOUP__STORE_READING) | BIT(RECOUP__STORE_OPEN)
                              | BIT(RECOUP__STORE_FAILED) | BIT(RECOUP__STORE_WIPING)
                              | BIT(RECOUP__STORE_STOPPING) | BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_READING] = BIT(RECOUP__STORE_OPENING) | BIT(RECOUP__STORE_OPEN)
                              | BIT(RECOUP__STORE_FAILED) | BIT(RECOUP__STORE_WIPING)
                              | BIT(RECOUP__STORE_ENDED) | BIT(RECOUP__STORE_STOPPING)
                              | BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_OPEN] =
        BIT(RECOUP__STORE_WIPING) | BIT(RECOUP__STORE_STOPPING) | BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_FAILED] =
        BIT(RECOUP__STORE_WIPING) | BIT(RECOUP__STORE_STOPPING) | BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_ENDED] = BIT(RECOUP__STORE_STOPPING) | BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_WIPING] = BIT(RECOUP__STORE_OPENING) | BIT(RECOUP__STORE_FAILED)
                             | BIT(RECOUP__STORE_STOPPING) | BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_STOPPING] = BIT(RECOUP__STORE_STOPPED) | BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_STOPPED] = BIT(RECOUP__STORE_LOST),
    [RECOUP__STORE_LOST] = BIT(RECOUP__STORE_LOST),
};

void recoup__store_move(struct recoup__store *store, enum recoup__store_state to)
{
    RECOUP_ASSERT(to <= RECOUP__STORE_LOST);
    (void)RECOUP_CHECK(store->memory, (successors[store->state] & BIT(to)) != 0);
    store->state = to;
}

static bool config_ok(const struct recoup__store_config *config)
{
    return config->memory != NULL && config->options != NULL
           && config->options->flush_interval_ns > 0 && config->options->write_buffer_bytes > 0
           && config->storage.durable_at <= RECOUP_DURABLE_AT_CLOSE
           && (config->storage.durable_at != RECOUP_DURABLE_AT_SYNC || config->storage.can_sync);
}

int recoup__store_create(const struct recoup__store_config *config, struct recoup__store **out)
{
    struct recoup__store *store;
    int error;

    *out = NULL;
    if (!config_ok(config)) {
        return RECOUP_EINVAL;
    }
    store = recoup__allocate_zeroed(config->memory, 1, sizeof *store);
    if (store == NULL) {
        return RECOUP_ENOMEM;
    }
    store->memory = config->memory;
    store->options = config->options;
    store->storage = config->storage;
    store->limits = config->limits;
    if (store->limits.waiting_bytes == 0) {
        store->limits.waiting_bytes = WAITING_BYTES_DEFAULT;
    }
    if (store->limits.read_bytes == 0) {
        store->limits.read_bytes = READ_BYTES_DEFAULT;
    }
    if (store->limits.opening_ns == 0) {
        store->limits.opening_ns = OPENING_NS_DEFAULT;
    }
    memcpy(store->digest, config->digest, sizeof store->digest);
    store->callbacks = config->callbacks;
    recoup__reader_init(store);
    error = recoup__writer_init(store);
    if (error != 0) {
        recoup__store_destroy(store);
        return error;
    }
    *out = store;
    RECOUP_ASSERT(store->state == RECOUP__STORE_CLOSED);
    return 0;
}

void recoup__store_destroy(struct recoup__store *store)
{
    if (store == NULL) {
        return;
    }
    RECOUP_ASSERT(store->n_files <= store->files_capacity);
    recoup__reader_release(store);
    recoup__writer_release(store);
    recoup__release(store->memory, store->files, store->files_capacity * sizeof store->files[0]);
    recoup__release(store->memory, store->extents,
                    store->extents_capacity * sizeof store->extents[0]);
    recoup__release(store->memory, store, sizeof *store);
}

enum recoup__store_state recoup__store_state(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->state <= RECOUP__STORE_LOST);
    return store->state;
}

// ---------------------------------------------------------------------------------------------
// Calls

// The memory that any call may need after its point of no return: one more file, and room for the
// store's own records.
static int enter(struct recoup__store *store, struct recoup__actions *actions, int64_t now_ns)
{
    int error = 0;

    RECOUP_ASSERT(actions != NULL);
    RECOUP_ASSERT(now_ns >= store->now_ns);
    if (store->n_files + 2 > store->files_capacity) {
        void *files = store->files;

        error = recoup__grow(store->memory, &files, &store->files_capacity, sizeof store->files[0],
                             store->n_files + 2);
        store->files = files;
    }
    if (error == 0) {
        error = recoup__writer_reserve(store, 0, 0);
    }
    if (error != 0) {
        return RECOUP_ENOMEM;
    }
    store->now_ns = now_ns;
    store->actions = actions;
    RECOUP_ASSERT(store->n_files + 2 <= store->files_capacity);
    RECOUP_ASSERT(actions->capacity - actions->n >= RECOUP__STORE_ACTIONS);
    return 0;
}

static void put_name(struct recoup__named *named, const struct recoup__file *file, char name[32])
{
    bool same = named->known && named->index == file->index && named->epoch == file->epoch
                && named->fenced == file->fenced;

    RECOUP_ASSERT(file->index <= RECOUP__FILE_INDEX_MAX);
    if (!same) {
        *named = (struct recoup__named){
            .known = true, .fenced = file->fenced, .index = file->index, .epoch = file->epoch};
        recoup__file_name(file->fenced, file->epoch, file->index, named->name);
    }
    memcpy(name, named->name, sizeof named->name);
    RECOUP_ASSERT(name[0] != '\0');
}

struct recoup_action *recoup__store_issue(struct recoup__store *store, enum recoup_action_type type,
                                          const struct recoup__file *file)
{
    struct recoup_action *action = recoup__actions_push(store->actions, type);

    RECOUP_ASSERT(!store->io.busy);
    RECOUP_ASSERT(store->state != RECOUP__STORE_LOST);
    store->io.last = store->io.last == UINT32_MAX ? 1 : store->io.last + 1;
    store->io.busy = true;
    store->io.type = type;
    store->io.direct = false;
    action->io.operation = store->io.last;
    if (file != NULL) {
        put_name(&store->io.named, file, action->io.file);
    }
    return action;
}

// The end of every call: the writer goes on, and the throttle follows.
static void leave(struct recoup__store *store, int64_t now_ns)
{
    RECOUP_ASSERT(store->actions != NULL);
    if (store->state == RECOUP__STORE_OPEN || store->state == RECOUP__STORE_WIPING
        || store->state == RECOUP__STORE_STOPPING) {
        if (!recoup__writer_rests(store)) {
            recoup__writer_pump(store, now_ns);
        }
        if (store->state != RECOUP__STORE_OPEN) {
            recoup__ending_go_on(store);
        }
        recoup__writer_leave(store, now_ns);
        recoup__writer_throttle(store);
    }
    store->actions = NULL;
    RECOUP_ASSERT(RECOUP_ERGO(store->state == RECOUP__STORE_STOPPED, !store->io.busy));
}

int recoup__store_open(struct recoup__store *store, struct recoup__actions *actions, int64_t now_ns,
                       uint64_t epoch, bool first)
{
    int error;

    if (store->state != RECOUP__STORE_CLOSED) {
        return RECOUP_EMISUSE;
    }
    store->now_ns = now_ns;
    error = enter(store, actions, now_ns);
    if (error != 0) {
        return error;
    }
    store->epoch = epoch;
    store->first = first;
    recoup__store_move(store, RECOUP__STORE_OPENING);
    recoup__reader_start(store);
    leave(store, now_ns);
    RECOUP_ASSERT(store->io.busy);
    RECOUP_ASSERT(store->state == RECOUP__STORE_OPENING);
    return 0;
}

const struct recoup__opened *recoup__store_opened(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->reader.opened.result <= RECOUP__OPENED_FAILED);
    return &store->reader.opened;
}

bool recoup__store_file(const struct recoup__store *store, uint32_t i, struct recoup__extent *file,
                        uint64_t *limit)
{
    RECOUP_ASSERT(file != NULL && limit != NULL);
    if (i >= store->n_files || store->files[i].own) {
        return false;
    }
    RECOUP_ASSERT(store->files[i].valid <= store->files[i].limit);
    file->epoch = store->files[i].epoch;
    file->index = store->files[i].index;
    file->bytes = store->files[i].valid;
    *limit = store->files[i].ignored ? 0 : store->files[i].limit;
    return true;
}

bool recoup__store_expects(const struct recoup__store *store, uint32_t operation)
{
    RECOUP_ASSERT(RECOUP_ERGO(store->io.busy, store->io.last != 0));
    return store->io.busy && operation == store->io.last;
}

// An operation that was not one of the opening has ended.
static void ended_operation(struct recoup__store *store, int64_t now_ns,
                            const struct recoup_event *event)
{
    RECOUP_ASSERT(store->io.busy);
    store->io.busy = false;
    recoup__writer_enter(store, now_ns);
    if (store->removing) {
        recoup__ending_removed(store, event->io.error);
    } else if (store->io.type == RECOUP_ACTION_LIST && store->state == RECOUP__STORE_OPEN) {
        recoup__writer_looked(store, now_ns, event);
    } else if (store->io.type == RECOUP_ACTION_LIST && store->ending == RECOUP__ENDING_LOOK) {
        recoup__ending_looked(store, recoup__fence_listed(store, event));
    } else if (store->io.type >= RECOUP_ACTION_CREATE && store->io.type != RECOUP_ACTION_READ) {
        recoup__writer_io(store, now_ns, event->io.error);
    }
    RECOUP_ASSERT(!store->io.busy);
}

int recoup__store_io(struct recoup__store *store, struct recoup__actions *actions, int64_t now_ns,
                     const struct recoup_event *event)
{
    bool reading = store->state == RECOUP__STORE_OPENING || store->state == RECOUP__STORE_READING
                   || store->reopening;
    int error;

    RECOUP_ASSERT(event->type == RECOUP_EVENT_IO);
    if (!recoup__store_expects(store, event->io.operation)) {
        return RECOUP_EMISUSE;
    }
    if (store->state == RECOUP__STORE_LOST) {
        store->io.busy = false; // given up while it was under way: its answer changes nothing
        return 0;
    }
    error = enter(store, actions, now_ns);
    if (error == 0 && reading) {
        error = recoup__reader_io(store, now_ns, event);
    } else if (error == 0 && store->io.type == RECOUP_ACTION_LIST && event->io.error == 0) {
        error = recoup__fence_reserve(store, event->io.n_names);
    }
    if (error != 0) {
        return error;
    }
    if (!reading) {
        ended_operation(store, now_ns, event);
    }
    leave(store, now_ns);
    return 0;
}

int recoup__store_timer(struct recoup__store *store, struct recoup__actions *actions,
                        int64_t now_ns)
{
    int error = enter(store, actions, now_ns);

    if (error != 0) {
        return error;
    }
    if (store->state == RECOUP__STORE_OPENING || store->state == RECOUP__STORE_READING) {
        recoup__reader_timer(store, now_ns);
    } else if (store->state == RECOUP__STORE_OPEN || store->state == RECOUP__STORE_STOPPING) {
        recoup__writer_timer(store, now_ns);
    }
    leave(store, now_ns);
    return 0;
}

int64_t recoup__store_deadline(const struct recoup__store *store)
{
    int64_t deadline = RECOUP_NEVER;

    if (store->state == RECOUP__STORE_OPENING || store->state == RECOUP__STORE_READING) {
        deadline = store->reader.retry_ns;
    } else if (store->state == RECOUP__STORE_OPEN) {
        deadline = recoup__writer_deadline(store);
    }
    RECOUP_ASSERT(deadline >= 0);
    return deadline < store->now_ns ? store->now_ns : deadline;
}

// ---------------------------------------------------------------------------------------------
// Writing

bool recoup__store_wants_incarnation(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->options != NULL);
    return recoup__store_policy(store, RECOUP_POLICY_FENCING) != 0
           || recoup__store_policy(store, RECOUP_POLICY_LOG_RESETS) != 0
           || recoup__store_policy(store, RECOUP_POLICY_HOLES) != 0;
}

int recoup__store_reserve(struct recoup__store *store, uint32_t n, size_t bytes)
{
    RECOUP_ASSERT(n > 0 || bytes == 0);
    return recoup__writer_reserve(store, n, bytes);
}

// True if a record is refused because of the store's state; it is then counted as dropped.
static bool refused(struct recoup__store *store)
{
    if (store->state == RECOUP__STORE_OPEN) {
        return false;
    }
    RECOUP_ASSERT(store->state != RECOUP__STORE_OPENING || !store->writer.accepting);
    store->writer.dropped++;
    return true;
}

int recoup__store_write(struct recoup__store *store, struct recoup__actions *actions,
                        int64_t now_ns, const struct recoup__record *record, uint32_t flags,
                        uint64_t *sequence)
{
    int error;

    *sequence = 0;
    RECOUP_ASSERT((flags & ~(RECOUP__WRITE_CUT | RECOUP__WRITE_BOUNDARY | RECOUP__WRITE_DURABLE))
                  == 0);
    if (refused(store)) {
        return 0;
    }
    error = enter(store, actions, now_ns);
    if (error != 0) {
        return error;
    }
    recoup__writer_enter(store, now_ns);
    error = recoup__writer_write(store, now_ns, record, flags, sequence);
    if (error == 0 && (flags & RECOUP__WRITE_CUT) != 0) {
        recoup__checkpoint_consider(store, now_ns);
    }
    leave(store, now_ns);
    return error;
}

// The extents of the files of earlier masters, as they were read.
static int gather_extents(struct recoup__store *store)
{
    void *extents = store->extents;
    uint32_t n = 0;
    int error = recoup__grow(store->memory, &extents, &store->extents_capacity,
                             sizeof store->extents[0], store->n_files + 1);

    store->extents = extents;
    if (error != 0) {
        return RECOUP_ENOMEM;
    }
    for (uint32_t i = 0; i < store->n_files; i++) {
        const struct recoup__file *file = &store->files[i];

        // What a complete checkpoint covers is not named: an older master may be removing it.
        if (i >= store->reader.covered && !file->own && !file->ignored && file->valid > 0) {
            RECOUP_ASSERT(n < store->extents_capacity);
            store->extents[n++] = (struct recoup__extent){file->epoch, file->index, file->valid};
        }
    }
    store->n_extents = n;
    RECOUP_ASSERT(n <= store->n_files);
    return 0;
}

int recoup__store_write_incarnation(struct recoup__store *store, struct recoup__actions *actions,
                                    int64_t now_ns, uint64_t point_epoch, uint64_t point_sequence,
                                    uint32_t flags, uint64_t *sequence)
{
    struct recoup__record record;
    int error;

    *sequence = 0;
    RECOUP_ASSERT(recoup__store_wants_incarnation(store));
    if (store->state != RECOUP__STORE_OPEN || store->writer.incarnation) {
        return RECOUP_EMISUSE;
    }
    error = gather_extents(store);
    if (error != 0) {
        return error;
    }
    store->writer.point_epoch = point_epoch;
    store->writer.point_sequence = point_sequence;
    recoup__incarnation_record(store, &record);
    error = recoup__store_write(store, actions, now_ns, &record, flags, sequence);
    store->writer.incarnation = error == 0;
    return error;
}

int recoup__store_write_waiting(struct recoup__store *store, struct recoup__actions *actions,
                                int64_t now_ns, const struct recoup__record *record, uint32_t flags,
                                uint32_t snapshot, const uint32_t *coordinators, uint32_t n,
                                uint64_t *sequence)
{
    int64_t timeout_ns = recoup__store_policy(store, RECOUP_POLICY_SNAPSHOT_TIMEOUT);
    struct recoup__wait wait = {.snapshot = snapshot, .n = n, .missing = n};
    int error;

    *sequence = 0;
    RECOUP_ASSERT(record->type == RECOUP__RECORD_FINISHED && record->finished.n_snapshots == 0);
    if (n == 0 || n > RECOUP__SNAPSHOTS_MAX) {
        return RECOUP_EINVAL;
    }
    if (refused(store)) {
        return 0;
    }
    error = enter(store, actions, now_ns);
    if (error == 0) {
        error = recoup__waits_reserve(store, n, &wait.items);
    }
    if (error != 0) {
        return error;
    }
    recoup__writer_enter(store, now_ns);
    error = recoup__writer_write(store, now_ns, record, flags | RECOUP__TASK_WAITING, sequence);
    if (*sequence == 0) {
        recoup__release(store->memory, wait.items, n * sizeof wait.items[0]);
        leave(store, now_ns);
        return error;
    }
    for (uint32_t i = 0; i < n; i++) {
        wait.items[i].snapshot.coordinator = coordinators[i];
    }
    wait.sequence = *sequence;
    wait.deadline_ns = timeout_ns == 0 ? RECOUP_NEVER : recoup__later(now_ns, timeout_ns);
    wait.stage = record->finished.stage;
    wait.subtask = record->finished.subtask;
    wait.attempt = record->finished.attempt;
    recoup__writer_wait_on_last(store, &wait);
    store->writer.checkpoint_points +=
        store->writer.checkpoint == RECOUP__CHECKPOINT_STREAM && !store->writer.checkpoint_bounded
            ? 1
            : 0;
    if ((flags & RECOUP__WRITE_CUT) != 0) {
        recoup__checkpoint_consider(store, now_ns);
    }
    leave(store, now_ns);
    return 0;
}

int recoup__store_snapshot(struct recoup__store *store, struct recoup__actions *actions,
                           int64_t now_ns, uint32_t snapshot, uint32_t coordinator, bool failed,
                           const void *data, size_t size)
{
    int error;

    RECOUP_ASSERT(data != NULL || size == 0);
    if (store->state != RECOUP__STORE_OPEN || !store->writer.accepting) {
        return 0;
    }
    error = enter(store, actions, now_ns);
    if (error != 0) {
        return error;
    }
    recoup__writer_enter(store, now_ns);
    error = recoup__waits_arrive(store, now_ns, snapshot, coordinator, failed, data, size);
    leave(store, now_ns);
    return error;
}

// ---------------------------------------------------------------------------------------------
// Ends

int recoup__store_wipe(struct recoup__store *store, struct recoup__actions *actions, int64_t now_ns)
{
    int error;

    RECOUP_ASSERT(now_ns >= store->now_ns);
    if ((successors[store->state] & BIT(RECOUP__STORE_WIPING)) == 0) {
        return RECOUP_EMISUSE;
    }
    error = enter(store, actions, now_ns);
    if (error != 0) {
        return error;
    }
    recoup__writer_enter(store, now_ns);
    recoup__writer_drop_all(store);
    store->reader.opened.result = RECOUP__OPENED_PENDING;
    store->writer.incarnation = false;
    recoup__ending_begin(store, false);
    recoup__store_move(store, RECOUP__STORE_WIPING);
    leave(store, now_ns);
    return 0;
}

int recoup__store_stop(struct recoup__store *store, struct recoup__actions *actions, int64_t now_ns,
                       bool clear)
{
    int error;

    RECOUP_ASSERT(now_ns >= store->now_ns);
    if ((successors[store->state] & BIT(RECOUP__STORE_STOPPING)) == 0) {
        return RECOUP_EMISUSE;
    }
    error = enter(store, actions, now_ns);
    if (error != 0) {
        return error;
    }
    recoup__writer_enter(store, now_ns);
    // Nothing waits for snapshots any more: their records are written without them (H17).
    recoup__waits_give_up(store);
    // A checkpoint that is not complete ends here, unfinished; the log before it stays.
    if (store->writer.checkpoint == RECOUP__CHECKPOINT_STREAM) {
        store->writer.checkpoint = RECOUP__CHECKPOINT_NONE;
    }
    store->writer.remove_end = 0;
    store->reopening = false;
    recoup__ending_begin(store, clear);
    recoup__store_move(store, RECOUP__STORE_STOPPING);
    leave(store, now_ns);
    return 0;
}

void recoup__store_leadership_lost(struct recoup__store *store)
{
    // Bytes that the storage may still read stay where they are until the store is destroyed.
    store->writer.accepting = false;
    recoup__store_move(store, RECOUP__STORE_LOST);
    RECOUP_ASSERT(!recoup__store_protected(store));
}

int recoup__store_end_error(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->end_error <= 0);
    return store->end_error;
}

uint64_t recoup__store_durable(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->writer.durable <= store->writer.sequence);
    return store->writer.durable;
}

int recoup__store_lost_error(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->writer.lost_error <= 0);
    return store->writer.protecting || store->writer.lost_error == 0 ? RECOUP_ETIMEDOUT
                                                                     : store->writer.lost_error;
}

bool recoup__store_protected(const struct recoup__store *store)
{
    RECOUP_ASSERT(RECOUP_ERGO(store->writer.protecting, store->writer.started));
    return store->state == RECOUP__STORE_OPEN && store->writer.protecting;
}

void recoup__store_stats(const struct recoup__store *store, struct recoup_stats *stats)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->lost <= writer->durable);
    stats->protected_now = recoup__store_protected(store);
    stats->protection_since_ns = writer->protection_ns;
    stats->interruptions = writer->interruptions;
    stats->unprotected_ns = writer->unprotected_ns;
    if (writer->interruptions > 0 && !writer->protecting) {
        stats->unprotected_ns += store->now_ns - writer->lost_ns;
    }
    stats->events_accepted = writer->sequence;
    stats->events_durable = writer->durable - writer->lost;
    stats->events_dropped = writer->dropped;
    stats->bytes_appended = writer->bytes_appended;
    stats->bytes_waiting = writer->queue.bytes + writer->waits_bytes + writer->buffer.used;
    stats->appends = writer->appends;
    stats->flushes = writer->flushes;
    stats->syncs = writer->syncs;
    stats->files = writer->created;
    stats->oldest_not_durable_ns = writer->oldest_ns;
    stats->events_replayed = store->reader.opened.records;
    stats->replay_bytes = store->reader.opened.bytes;
    stats->records_damaged = store->reader.opened.damaged;
}
