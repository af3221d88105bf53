// SPDX-License-Identifier: Apache-2.0
//
// A checkpoint writes the whole state of the job into a new file, part by part, between the records
// of the day. Its end stands for everything before it. It is taken after an error, to protect the
// job again, and at stage ends, to make the log short.
//
//     NONE -> STREAM (BEGIN is accepted) -> ENDING (END is accepted) -> NONE (END is durable)
//     STREAM, ENDING -> NONE (an error)
#include <string.h>

#include "recovery/fence.h"

size_t recoup__checkpoint_reserve(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->n_extents <= RECOUP__FILES_MAX);
    return RECOUP__CONTROL_BYTES + (size_t)store->n_extents * 20;
}

void recoup__incarnation_record(const struct recoup__store *store, struct recoup__record *record)
{
    RECOUP_ASSERT(store->n_extents <= store->extents_capacity);
    memset(record, 0, sizeof *record);
    record->type = RECOUP__RECORD_INCARNATION;
    record->incarnation.epoch = store->epoch;
    record->incarnation.point_epoch = store->writer.point_epoch;
    record->incarnation.point_sequence = store->writer.point_sequence;
    record->incarnation.files = store->extents;
    record->incarnation.n_files = store->n_extents;
}

void recoup__writer_control(struct recoup__store *store, int64_t now_ns,
                            const struct recoup__record *record, uint32_t flags)
{
    size_t body;
    int error = recoup__record_size(record, &body);

    if (RECOUP_CHECK(store->memory, error == 0)) {
        RECOUP_ASSERT(body <= recoup__checkpoint_reserve(store));
        (void)recoup__writer_enqueue(store, now_ns, record, body, flags);
    }
}

void recoup__checkpoint_start(struct recoup__store *store, int64_t now_ns, bool rearms)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__record record = {.type = RECOUP__RECORD_CHECKPOINT_BEGIN};

    RECOUP_ASSERT(writer->checkpoint == RECOUP__CHECKPOINT_NONE);
    RECOUP_ASSERT(RECOUP_ERGO(rearms, !writer->protecting && writer->queue.n == 0));
    writer->accepting = true;
    writer->checkpoint = RECOUP__CHECKPOINT_STREAM;
    writer->checkpoint_first = true;
    writer->checkpoint_rearms = rearms;
    writer->checkpoint_retry_ns = RECOUP_NEVER;
    writer->checkpoint_bounded = false;
    writer->checkpoint_points = 0;
    writer->checkpoint_waiting = 0;
    writer->checkpoint_need = 0;
    writer->checkpoint_begin_ns = now_ns;
    writer->remove_end = 0;
    writer->log_bytes = 0;
    // Events before it may be lost although the last file was closed well (a failed snapshot stops
    // recording with the buffer kept): nothing behind them is durable until END is.
    writer->hole = writer->hole || rearms;
    record.checkpoint_begin.replaces = rearms;
    recoup__writer_control(store, now_ns, &record, RECOUP__TASK_NEW_FILE);
    if (writer->incarnation) {
        recoup__incarnation_record(store, &record);
        recoup__writer_control(store, now_ns, &record, 0);
    }
    if (rearms) {
        memset(&record, 0, sizeof record);
        record.type = RECOUP__RECORD_GAP;
        record.gap.from_ns = writer->lost_ns;
        record.gap.to_ns = now_ns;
        record.gap.error = writer->lost_error;
        recoup__writer_control(store, now_ns, &record, 0);
    }
}

void recoup__checkpoint_fill(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__record end = {.type = RECOUP__RECORD_CHECKPOINT_END};
    bool done = false;
    int error = 0;

    RECOUP_ASSERT(writer->checkpoint == RECOUP__CHECKPOINT_STREAM);
    RECOUP_ASSERT(!writer->checkpoint_filling);
    if (!writer->checkpoint_bounded) {
        recoup__waits_give_up(store);  // of those before the boundary only late ones are left
    }
    writer->checkpoint_step = 0;
    if (store->callbacks.on_checkpoint == NULL) {
        done = true;  // there is no state to be written
    } else {
        writer->checkpoint_filling = true;
        error = store->callbacks.on_checkpoint(store->callbacks.context, writer->checkpoint_first,
                                               &done);
        writer->checkpoint_filling = false;
        writer->checkpoint_first = false;
    }
    if (done) {
        recoup__writer_control(store, now_ns, &end, RECOUP__TASK_END);
        writer->checkpoint = RECOUP__CHECKPOINT_ENDING;
        writer->checkpoint_end = writer->sequence;
        writer->checkpoint_retry_ns = RECOUP_NEVER;
    } else if (error == RECOUP_ENOMEM) {
        // Tried again a little later rather than at once.
        writer->checkpoint_retry_ns = recoup__later(now_ns, RECOUP__BACKOFF_FIRST_NS);
    }
}

// How much state may wait in the queue: a share of what else does, so that a checkpoint gets on
// however busy the job is, and is written within a bounded number of bytes of other records.
static uint64_t share(const struct recoup__writer *writer)
{
    uint64_t others = writer->queue.bytes - writer->checkpoint_waiting;

    RECOUP_ASSERT(writer->queue.bytes >= writer->checkpoint_waiting);
    return others / RECOUP__CHECKPOINT_SHARE > RECOUP__CHECKPOINT_PART
               ? others / RECOUP__CHECKPOINT_SHARE
               : RECOUP__CHECKPOINT_PART;
}

// How long late snapshots are waited for before the boundary: as long again as in time ones.
static int64_t late_end(const struct recoup__store *store)
{
    int64_t timeout_ns = recoup__store_policy(store, RECOUP_POLICY_SNAPSHOT_TIMEOUT);

    RECOUP_ASSERT(timeout_ns >= 0);
    return recoup__later(recoup__later(store->writer.checkpoint_begin_ns, timeout_ns), timeout_ns);
}

bool recoup__checkpoint_settled(const struct recoup__store *store, int64_t now_ns)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->checkpoint == RECOUP__CHECKPOINT_STREAM);
    return writer->checkpoint_bounded || writer->waits_begin == writer->waits_end
           || (now_ns >= late_end(store) && recoup__waits_only_late(store));
}

int64_t recoup__checkpoint_deadline(const struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;
    int64_t deadline = writer->checkpoint_retry_ns;

    if (!store->io.busy && recoup__checkpoint_may_fill(store, store->now_ns)) {
        return store->now_ns;
    }
    if (writer->checkpoint == RECOUP__CHECKPOINT_STREAM && !writer->checkpoint_bounded
        && writer->waits_begin < writer->waits_end && late_end(store) > store->now_ns) {
        deadline = late_end(store) < deadline ? late_end(store) : deadline;
    }
    RECOUP_ASSERT(deadline >= 0);
    return deadline;
}

bool recoup__store_holds_points(const struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->checkpoint <= RECOUP__CHECKPOINT_ENDING);
    return writer->checkpoint == RECOUP__CHECKPOINT_STREAM && !writer->checkpoint_bounded
           && writer->checkpoint_points >= RECOUP__CHECKPOINT_POINTS;
}

int recoup__store_checkpoint_write(struct recoup__store *store, int64_t now_ns,
                                   const struct recoup__record *record)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__task *task;
    size_t body;
    int error = recoup__record_size(record, &body);

    RECOUP_ASSERT(store->writer.checkpoint == RECOUP__CHECKPOINT_STREAM);
    RECOUP_ASSERT(store->writer.checkpoint_filling);
    if (error != 0) {
        return RECOUP_EINVAL;
    }
    // A record that is itself larger than a part or the share goes alone.
    if (writer->checkpoint_waiting > 0 && writer->checkpoint_waiting + body > share(writer)) {
        writer->checkpoint_need = body;
        return RECOUP_ELIMIT;
    }
    if (writer->checkpoint_step > 0 && writer->checkpoint_step + body > RECOUP__CHECKPOINT_PART) {
        return RECOUP_ELIMIT;
    }
    error = recoup__writer_reserve(store, 1, body);
    if (error != 0) {
        return error;
    }
    task = recoup__writer_enqueue(store, now_ns, record, body, RECOUP__TASK_STATE);
    if (task == NULL) {
        return RECOUP_EINTERNAL;
    }
    writer->checkpoint_waiting += task->size;
    writer->checkpoint_step += task->size;
    writer->checkpoint_bounded =
        writer->checkpoint_bounded
        || (record->type == RECOUP__RECORD_SNAPSHOT && record->finished.stage == RECOUP_NONE);
    return 0;
}

void recoup__checkpoint_taken(struct recoup__store *store, uint64_t bytes)
{
    struct recoup__writer *writer = &store->writer;
    uint64_t waiting;

    RECOUP_ASSERT(writer->checkpoint_waiting >= bytes);
    writer->checkpoint_waiting -= bytes;
    waiting = writer->checkpoint_waiting;
    // Not for each record anew, since each attempt may look at all subtasks.
    if (waiting == 0
        || (waiting <= share(writer) / 2 && waiting + writer->checkpoint_need <= share(writer))) {
        writer->checkpoint_need = 0;
    }
}

void recoup__checkpoint_durable(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->checkpoint == RECOUP__CHECKPOINT_ENDING);
    RECOUP_ASSERT(writer->durable >= writer->checkpoint_end);
    writer->checkpoint = RECOUP__CHECKPOINT_NONE;
    writer->checkpoint_size = writer->log_bytes;
    writer->log_bytes = 0;
    writer->backoff_ns = RECOUP__BACKOFF_FIRST_NS;
    if (writer->checkpoint_rearms) {
        RECOUP_ASSERT(!writer->protecting);
        writer->protecting = true;
        writer->unprotected_ns += now_ns - writer->lost_ns;
        writer->protection_ns = now_ns;
        (void)recoup__actions_push(store->actions, RECOUP_ACTION_PROTECTION_RESTORED);
    }
    if (recoup__store_policy(store, RECOUP_POLICY_COMPACTION) != 0) {
        // Where a listing may not show a successor's claim, nothing is removed before the job ends.
        writer->remove_end =
            recoup__fences(store) && !store->storage.list_consistent ? 0 : writer->checkpoint_file;
        writer->remove_looked = false;
    }
}

void recoup__checkpoint_consider(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;
    uint64_t bytes = writer->log_bytes + writer->buffer.used + writer->queue.bytes;

    RECOUP_ASSERT(store->state == RECOUP__STORE_OPEN);
    if (recoup__store_policy(store, RECOUP_POLICY_COMPACTION) == 0 || !writer->accepting
        || writer->checkpoint != RECOUP__CHECKPOINT_NONE || bytes < RECOUP__COMPACT_BYTES_MIN
        || bytes < writer->checkpoint_size) {
        return;
    }
    RECOUP_ASSERT(writer->protecting);
    recoup__checkpoint_start(store, now_ns, false);
}
