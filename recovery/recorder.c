// SPDX-License-Identifier: Apache-2.0
//
// Recording: configuration, events and results as entries.
#include <string.h>

#include <xxhash.h>

#include "recovery/bytes.h"
#include "recovery/memory.h"
#include "recovery/recorder_format.h"

// ---------------------------------------------------------------------------------------------
// Hashes

uint64_t recoup__entry_chain(uint64_t chain, const uint8_t prefix[RECOUP__ENTRY_PREFIX],
                             const void *head, size_t head_size, const void *data, size_t data_size)
{
    RECOUP_ASSERT(RECOUP_ERGO(head_size > 0, head != NULL));
    RECOUP_ASSERT(RECOUP_ERGO(data_size > 0, data != NULL));
    chain = XXH3_64bits_withSeed(prefix, RECOUP__ENTRY_PREFIX, chain);
    chain = XXH3_64bits_withSeed(head, head_size, chain);
    return XXH3_64bits_withSeed(data, data_size, chain);
}

static uint64_t hash_numbers(uint64_t hash, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint8_t bytes[32];
    uint8_t *end = recoup__put64(recoup__put64(bytes, a), b);

    end = recoup__put64(recoup__put64(end, c), d);
    RECOUP_ASSERT(end == bytes + sizeof bytes);
    return XXH3_64bits_withSeed(bytes, sizeof bytes, hash);
}

static uint64_t hash_data(uint64_t hash, const void *data, size_t size)
{
    RECOUP_ASSERT(RECOUP_ERGO(size > 0, data != NULL));
    RECOUP_ASSERT(size <= SIZE_MAX / 2);
    return XXH3_64bits_withSeed(data, size, hash_numbers(hash, size, 0, 0, 0));
}

static uint64_t hash_io(uint64_t hash, const struct recoup_action *action)
{
    bool append = action->type == RECOUP_ACTION_APPEND;

    RECOUP_ASSERT(action->type <= RECOUP_ACTION_REMOVE);
    RECOUP_ASSERT(memchr(action->io.file, 0, sizeof action->io.file) != NULL);
    hash = hash_data(hash, action->io.file, strlen(action->io.file));
    hash = hash_numbers(hash, action->io.operation,
                        action->type == RECOUP_ACTION_READ ? action->io.offset : 0,
                        append || action->type == RECOUP_ACTION_READ ? action->io.size : 0,
                        append ? action->io.event_last : 0);
    return append ? hash_data(hash, action->io.data, action->io.size) : hash;
}

static uint64_t hash_ranges(uint64_t hash, const struct recoup_action *action)
{
    RECOUP_ASSERT(action->type == RECOUP_ACTION_RESET_SUBTASKS);
    hash = hash_numbers(hash, action->reset_subtasks.reset, action->reset_subtasks.confirm,
                        action->reset_subtasks.n_ranges, 0);
    for (uint32_t i = 0; i < action->reset_subtasks.n_ranges; i++) {
        const struct recoup_reset_range *range = &action->reset_subtasks.ranges[i];

        RECOUP_ASSERT(range->range.count > 0);
        hash = hash_numbers(hash, range->range.stage, range->range.first, range->range.count,
                            (uint64_t)range->reason);
    }
    return hash;
}

static uint64_t hash_adoption(uint64_t hash, const struct recoup_action *action)
{
    bool asks = action->type == RECOUP_ACTION_ASK_ADOPTION;
    const struct recoup_range *ranges =
        asks ? action->ask_adoption.ranges : action->adopt_subtasks.ranges;
    uint32_t n = asks ? action->ask_adoption.n_ranges : action->adopt_subtasks.n_ranges;

    RECOUP_ASSERT(n > 0 && ranges != NULL);
    hash = hash_numbers(hash, asks ? action->ask_adoption.adoption : 0, n, 0, 0);
    for (uint32_t i = 0; i < n; i++) {
        RECOUP_ASSERT(ranges[i].count > 0);
        hash = hash_numbers(hash, ranges[i].stage, ranges[i].first, ranges[i].count, 0);
    }
    return hash;
}

static uint64_t hash_partitions(uint64_t hash, const struct recoup_action *action)
{
    RECOUP_ASSERT(action->type == RECOUP_ACTION_TRACK || action->type == RECOUP_ACTION_RELEASE);
    hash = hash_numbers(hash, action->partitions.n_partitions, 0, 0, 0);
    for (uint32_t i = 0; i < action->partitions.n_partitions; i++) {
        const struct recoup_partition *p = &action->partitions.partitions[i];

        // A worker may report outputs of whatever job; those of none are released as they are.
        RECOUP_ASSERT(action->type == RECOUP_ACTION_RELEASE || p->stage < RECOUP_STAGES_MAX);
        hash = hash_numbers(hash, (uint64_t)p->stage << 32 | p->subtask, p->attempt, p->bytes,
                            p->worker);
    }
    return hash;
}

static uint64_t hash_command(uint64_t hash, const struct recoup_action *action)
{
    RECOUP_ASSERT(action->type > RECOUP_ACTION_REMOVE);
    RECOUP_ASSERT(action->type <= RECOUP_ACTION_ADOPT_SUBTASKS);
    switch ((unsigned)action->type) {
    case RECOUP_ACTION_TAKE_SNAPSHOT:
        return hash_numbers(hash, action->take_snapshot.snapshot, action->take_snapshot.coordinator,
                            0, 0);
    case RECOUP_ACTION_INITIALIZE_STAGE:
        return hash_numbers(hash, action->initialize_stage.stage,
                            action->initialize_stage.parallelism, 0, 0);
    case RECOUP_ACTION_MARK_FINISHED:
        return hash_numbers(hash, action->mark_finished.stage, action->mark_finished.first,
                            action->mark_finished.count, 0);
    case RECOUP_ACTION_RESTORE_COORDINATOR:
        hash = hash_numbers(hash, action->restore_coordinator.coordinator, 0, 0, 0);
        return hash_data(hash, action->restore_coordinator.data, action->restore_coordinator.size);
    case RECOUP_ACTION_RESET_SUBTASKS:
        return hash_ranges(hash, action);
    case RECOUP_ACTION_ASK_WORKERS:
        return hash_numbers(hash, action->ask_workers.on, 0, 0, 0);
    case RECOUP_ACTION_TRACK:
    case RECOUP_ACTION_RELEASE:
        return hash_partitions(hash, action);
    case RECOUP_ACTION_ASK_ADOPTION:
    case RECOUP_ACTION_ADOPT_SUBTASKS:
        return hash_adoption(hash, action);
    case RECOUP_ACTION_DURABLE:
        return hash_numbers(hash, action->durable.event, 0, 0, 0);
    case RECOUP_ACTION_THROTTLE:
        return hash_numbers(hash, action->throttle.on, 0, 0, 0);
    case RECOUP_ACTION_PROTECTION_LOST:
        return hash_numbers(hash, (uint64_t)(int64_t)action->protection_lost.error, 0, 0, 0);
    case RECOUP_ACTION_RECOVERED:
        return hash_numbers(hash, (uint64_t)action->recovered.kind,
                            action->recovered.initialize_possible,
                            action->recovered.check_completion, 0);
    case RECOUP_ACTION_RECOVERY_FAILED:
        return hash_numbers(hash, (uint64_t)(int64_t)action->recovery_failed.error, 0, 0, 0);
    case RECOUP_ACTION_STOPPED:
        return hash_numbers(hash, (uint64_t)(int64_t)action->stopped.error, 0, 0, 0);
    default: // PROTECTION_RESTORED, JOB_ENDED: the type says all
        return hash;
    }
}

uint64_t recoup_update_hash(const struct recoup_update *update)
{
    uint64_t hash = hash_numbers(0, update->event, update->n_actions, 0, 0);

    RECOUP_ASSERT(RECOUP_ERGO(update->n_actions > 0, update->actions != NULL));
    for (uint32_t i = 0; i < update->n_actions; i++) {
        const struct recoup_action *action = &update->actions[i];

        RECOUP_ASSERT(action->type <= RECOUP_ACTION_ADOPT_SUBTASKS);
        hash = hash_numbers(hash, (uint64_t)action->type, i, 0, 0);
        hash = action->type <= RECOUP_ACTION_REMOVE ? hash_io(hash, action)
                                                    : hash_command(hash, action);
    }
    return hash;
}

uint64_t recoup__result_hash(const struct recoup_job *job, const struct recoup_update *update)
{
    uint8_t state[16];

    RECOUP_ASSERT(job != NULL);
    recoup_state_hash(job, state);
    return hash_data(hash_numbers(recoup_update_hash(update), (uint64_t)recoup_deadline(job),
                                  (uint64_t)recoup_phase(job), 0, 0),
                     state, sizeof state);
}

// ---------------------------------------------------------------------------------------------
// Entries

static bool room(struct recoup_recorder *recorder, size_t size)
{
    struct recoup__memory memory;
    int error;

    RECOUP_ASSERT(recorder->used <= recorder->capacity);
    if (recorder->error != 0) {
        return false;
    }
    if (size > RECOUP_RECORDING_ENTRY_MAX - recorder->used) {
        recorder->error = RECOUP_ELIMIT;
        return false;
    }
    recoup__memory_init(&memory, &recorder->allocator);
    memory.bytes = recorder->capacity;
    error = recoup__grow(&memory, (void **)&recorder->head, &recorder->capacity, 1,
                         recorder->used + (uint32_t)size);
    recorder->error = error;
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, recorder->capacity >= recorder->used + size));
    return error == 0;
}

static void put(struct recoup_recorder *recorder, uint64_t value)
{
    RECOUP_ASSERT(recorder->used <= recorder->capacity);
    if (!room(recorder, 10)) {
        return;
    }
    while (value >= 0x80) {
        recorder->head[recorder->used++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    recorder->head[recorder->used++] = (uint8_t)value;
    RECOUP_ASSERT(recorder->used <= recorder->capacity);
}

static void put_signed(struct recoup_recorder *recorder, int64_t value)
{
    uint64_t bits = (uint64_t)value << 1;

    RECOUP_ASSERT(recorder != NULL);
    put(recorder, value < 0 ? ~bits : bits);
}

static void put_bytes(struct recoup_recorder *recorder, const void *bytes, size_t size)
{
    RECOUP_ASSERT(bytes != NULL);
    RECOUP_ASSERT(size > 0);
    if (room(recorder, size)) {
        memcpy(recorder->head + recorder->used, bytes, size);
        recorder->used += (uint32_t)size;
    }
}

static void give(struct recoup_recorder *recorder, const void *bytes, size_t size)
{
    RECOUP_ASSERT(recorder->write != NULL);
    RECOUP_ASSERT(RECOUP_ERGO(size > 0, bytes != NULL));
    if (recorder->error == 0 && size > 0) {
        recorder->error = recorder->write(recorder->context, bytes, size);
        recorder->offset += size;
    }
}

// Writes the head that was put together, and data behind it.
static void write_entry(struct recoup_recorder *recorder, enum recoup__entry_kind kind,
                        const void *data, size_t size)
{
    uint8_t prefix[RECOUP__ENTRY_PREFIX] = {(uint8_t)kind};
    uint8_t check[RECOUP__ENTRY_CHECK];

    if (recorder->error == 0 && size > RECOUP_RECORDING_ENTRY_MAX) {
        recorder->error = RECOUP_ELIMIT;
    }
    RECOUP_ASSERT(recorder->used <= recorder->capacity);
    RECOUP_ASSERT(RECOUP_ERGO(size > 0, data != NULL));
    if (recorder->error == 0) {
        recoup__put32(recoup__put32(prefix + 1, recorder->used), (uint32_t)size);
        recorder->chain = recoup__entry_chain(recorder->chain, prefix, recorder->head,
                                              recorder->used, data, size);
        recoup__put32(check, (uint32_t)recorder->chain);
        give(recorder, prefix, sizeof prefix);
        give(recorder, recorder->head, recorder->used);
        give(recorder, data, size);
        give(recorder, check, sizeof check);
    }
    recorder->used = 0;
}

static void put_options(struct recoup_recorder *recorder, const struct recoup_options *options)
{
    RECOUP_ASSERT(options != NULL);
    put(recorder, options->recovery_enabled);
    put_signed(recorder, options->snapshot_min_pause_ns);
    put_signed(recorder, options->worker_recovery_timeout_ns);
    put_signed(recorder, options->flush_interval_ns);
    put(recorder, options->write_buffer_bytes);
    put_signed(recorder, options->worker_detection_ns);
    put(recorder, RECOUP_POLICY_COUNT);
    for (uint32_t i = 0; i < RECOUP_POLICY_COUNT; i++) {
        put_signed(recorder, options->policy[i]);
    }
    RECOUP_ASSERT(RECOUP_ERGO(recorder->error == 0, recorder->used > RECOUP_POLICY_COUNT));
}

static void put_graph(struct recoup_recorder *recorder, const struct recoup_graph *graph)
{
    RECOUP_ASSERT(graph != NULL);
    put_bytes(recorder, graph->digest, sizeof graph->digest);
    put(recorder, graph->n_stages);
    for (uint32_t i = 0; i < graph->n_stages; i++) {
        put(recorder, graph->stages[i].parallelism);
        put(recorder, graph->stages[i].parallelism_max);
    }
    put(recorder, graph->n_edges);
    for (uint32_t i = 0; i < graph->n_edges; i++) {
        RECOUP_ASSERT(graph->edges[i].producer < graph->edges[i].consumer);
        put(recorder, graph->edges[i].producer);
        put(recorder, graph->edges[i].consumer);
        put(recorder, (uint64_t)graph->edges[i].exchange);
    }
    put(recorder, graph->n_coordinators);
    for (uint32_t i = 0; i < graph->n_coordinators; i++) {
        put(recorder, graph->coordinators[i].stage);
        put(recorder, graph->coordinators[i].batch_snapshot);
    }
}

static void put_config(struct recoup_recorder *recorder, const struct recoup_config *config)
{
    const struct recoup_storage *storage = &config->storage;

    RECOUP_ASSERT(recorder->used == 0);
    put_graph(recorder, config->graph);
    put_options(recorder, config->options);
    put(recorder, (uint64_t)storage->durable_at);
    put(recorder, (storage->can_sync ? 1u : 0u) | (storage->create_exclusive ? 2u : 0u) |
                      (storage->list_consistent ? 4u : 0u));
    put(recorder, config->limits.waiting_bytes);
    put(recorder, config->limits.read_bytes);
    put_signed(recorder, config->limits.opening_ns);
    put_signed(recorder, config->limits.accept_ns);
    RECOUP_ASSERT(RECOUP_ERGO(recorder->error == 0, recorder->used > 0));
}

int recoup_recorder_init(struct recoup_recorder *recorder, const struct recoup_config *config,
                         recoup_recorder_write *write, void *context)
{
    uint8_t start[RECOUP__RECORDING_START];

    RECOUP_ASSERT(recorder != NULL);
    *recorder = (struct recoup_recorder){.error = RECOUP_EINVAL};
    if (config == NULL || config->graph == NULL || config->options == NULL || write == NULL ||
        config->allocator.allocate == NULL || config->allocator.release == NULL) {
        return RECOUP_EINVAL;
    }
    recorder->write = write;
    recorder->context = context;
    recorder->allocator = config->allocator;
    recorder->error = 0;
    memcpy(start, RECOUP__RECORDING_MAGIC, 8);
    recoup__put32(start + 8, RECOUP_RECORDING_VERSION);
    give(recorder, start, sizeof start);
    put_config(recorder, config);
    write_entry(recorder, RECOUP__ENTRY_CONFIG, NULL, 0);
    RECOUP_ASSERT(recorder->used == 0);
    return recorder->error;
}

void recoup_recorder_release(struct recoup_recorder *recorder)
{
    RECOUP_ASSERT(recorder != NULL);
    RECOUP_ASSERT(RECOUP_ERGO(recorder->capacity > 0, recorder->head != NULL));
    if (recorder->head != NULL) {
        recorder->allocator.release(recorder->allocator.context, recorder->head,
                                    recorder->capacity);
    }
    *recorder = (struct recoup_recorder){.error = RECOUP_EMISUSE};
}

// ---------------------------------------------------------------------------------------------
// Events

static void put_partition(struct recoup_recorder *recorder, const struct recoup_partition *p)
{
    RECOUP_ASSERT(p != NULL);
    put(recorder, p->stage);
    put(recorder, p->subtask);
    put(recorder, p->attempt);
    put(recorder, p->bytes);
    put(recorder, p->worker);
}

static void put_io(struct recoup_recorder *recorder, const struct recoup_event *event,
                   const void **data, size_t *size)
{
    RECOUP_ASSERT(event->type == RECOUP_EVENT_IO);
    put(recorder, event->io.operation);
    put_signed(recorder, event->io.error);
    put(recorder, event->io.data != NULL);
    put(recorder, event->io.n_names);
    for (uint32_t i = 0; i < event->io.n_names; i++) {
        RECOUP_ASSERT(event->io.names[i] != NULL);
        put(recorder, strlen(event->io.names[i]) + 1);
        put_bytes(recorder, event->io.names[i], strlen(event->io.names[i]) + 1);
    }
    *data = event->io.data;
    *size = event->io.data != NULL ? event->io.size : 0;
}

static void put_finished(struct recoup_recorder *recorder, const struct recoup_event *event,
                         const void **data, size_t *size)
{
    RECOUP_ASSERT(event->type == RECOUP_EVENT_SUBTASK_FINISHED);
    put(recorder, event->subtask_finished.stage);
    put(recorder, event->subtask_finished.subtask);
    put(recorder, event->subtask_finished.attempt);
    put(recorder, event->subtask_finished.worker);
    put(recorder, event->subtask_finished.bytes);
    put(recorder, event->subtask_finished.has_partition);
    *data = event->subtask_finished.payload;
    *size = event->subtask_finished.payload != NULL ? event->subtask_finished.payload_bytes : 0;
}

static void put_ranges(struct recoup_recorder *recorder, const struct recoup_range *ranges,
                       uint32_t n)
{
    RECOUP_ASSERT(RECOUP_ERGO(n > 0, ranges != NULL));
    put(recorder, n);
    for (uint32_t i = 0; i < n; i++) {
        put(recorder, ranges[i].stage);
        put(recorder, ranges[i].first);
        put(recorder, ranges[i].count);
    }
}

static void put_lists(struct recoup_recorder *recorder, const struct recoup_event *event)
{
    if (event->type == RECOUP_EVENT_SUBTASKS_FAILED) {
        put_ranges(recorder, event->subtasks_failed.ranges, event->subtasks_failed.n_ranges);
        return;
    }
    if (event->type == RECOUP_EVENT_ADOPTION) {
        put(recorder, event->adoption.adoption);
        put_ranges(recorder, event->adoption.ranges, event->adoption.n_ranges);
        return;
    }
    RECOUP_ASSERT(event->type == RECOUP_EVENT_WORKER_REPORT);
    put(recorder, event->worker_report.worker);
    put(recorder, event->worker_report.n_partitions);
    for (uint32_t i = 0; i < event->worker_report.n_partitions; i++) {
        put_partition(recorder, &event->worker_report.partitions[i]);
    }
    RECOUP_ASSERT(RECOUP_ERGO(recorder->error == 0, recorder->used > 0));
}

static void put_event(struct recoup_recorder *recorder, const struct recoup_event *event,
                      const void **data, size_t *size)
{
    RECOUP_ASSERT(*data == NULL && *size == 0);
    switch ((unsigned)event->type) {
    case RECOUP_EVENT_START:
        put(recorder, event->start.epoch);
        put(recorder, event->start.first);
        break;
    case RECOUP_EVENT_IO:
        put_io(recorder, event, data, size);
        break;
    case RECOUP_EVENT_STAGE_INITIALIZED:
        put(recorder, event->stage_initialized.stage);
        put(recorder, event->stage_initialized.parallelism);
        break;
    case RECOUP_EVENT_SUBTASK_FINISHED:
        put_finished(recorder, event, data, size);
        break;
    case RECOUP_EVENT_SUBTASKS_FAILED:
    case RECOUP_EVENT_WORKER_REPORT:
    case RECOUP_EVENT_ADOPTION:
        put_lists(recorder, event);
        break;
    case RECOUP_EVENT_RESETS_DONE:
        put(recorder, event->resets_done.reset);
        break;
    case RECOUP_EVENT_SNAPSHOT:
        put(recorder, event->snapshot.snapshot);
        put(recorder, event->snapshot.coordinator);
        put(recorder, event->snapshot.failed);
        *data = event->snapshot.data;
        *size = event->snapshot.data != NULL ? event->snapshot.size : 0;
        break;
    case RECOUP_EVENT_WORKER_LOST:
        put(recorder, event->worker_lost.worker);
        break;
    case RECOUP_EVENT_PARTITION_LOST:
        put_partition(recorder, &event->partition_lost);
        break;
    case RECOUP_EVENT_STOP:
        put(recorder, event->stop.clear);
        break;
    default: // TIMER, GLOBAL_FAILURE, LEADERSHIP_LOST: the type says all
        break;
    }
}

int recoup_recorder_step(struct recoup_recorder *recorder, struct recoup_job *job, int64_t now_ns,
                         const struct recoup_event *event, struct recoup_update *update)
{
    uint8_t hash[8];
    const void *data = NULL;
    size_t size = 0;
    int code;

    RECOUP_ASSERT(recorder != NULL);
    if (recorder->error != 0 || job == NULL || event == NULL || update == NULL) {
        return recoup_step(job, now_ns, event, update);
    }
    put(recorder, (uint64_t)event->type);
    put_signed(recorder, (int64_t)((uint64_t)now_ns - (uint64_t)recorder->now_ns));
    put_event(recorder, event, &data, &size);
    write_entry(recorder, RECOUP__ENTRY_EVENT, data, size);
    recorder->now_ns = now_ns;
    code = recoup_step(job, now_ns, event, update);
    put_signed(recorder, code);
    recoup__put64(hash, recoup__result_hash(job, update));
    put_bytes(recorder, hash, sizeof hash);
    write_entry(recorder, RECOUP__ENTRY_RESULT, NULL, 0);
    recorder->steps += recorder->error == 0 ? 1 : 0;
    RECOUP_ASSERT(recorder->used == 0);
    return code;
}
