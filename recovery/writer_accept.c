// SPDX-License-Identifier: Apache-2.0
//
// Records are accepted: numbered, framed, and put into the queue, or in the usual case right into
// the write buffer.
#include "recovery/writer.h"

static void set_throttle(struct recoup__store *store, bool on)
{
    RECOUP_ASSERT(store->writer.throttled != on);
    store->writer.throttled = on;
    recoup__actions_push(store->actions, RECOUP_ACTION_THROTTLE)->throttle.on = on;
}

void recoup__writer_throttle(struct recoup__store *store)
{
    uint64_t waiting = store->writer.queue.bytes - store->writer.checkpoint_waiting
                       + store->writer.waits_bytes;
    uint64_t limit = store->limits.waiting_bytes;

    RECOUP_ASSERT(limit > 0);
    if (!store->writer.throttled && waiting >= limit - limit / 4) {
        set_throttle(store, true);
    } else if (store->writer.throttled && waiting <= limit / 2) {
        set_throttle(store, false);
    }
    RECOUP_ASSERT(RECOUP_ERGO(waiting == 0, !store->writer.throttled));
}

// The next number, for a record that is accepted now.
static uint64_t number(struct recoup__writer *writer, int64_t now_ns)
{
    RECOUP_ASSERT(writer->accepting);
    RECOUP_ASSERT(writer->sequence < UINT64_MAX);
    if (writer->oldest_ns == RECOUP_NEVER) {
        writer->oldest_ns = now_ns;
    }
    return ++writer->sequence;
}

struct recoup__task *recoup__writer_enqueue(struct recoup__store *store, int64_t now_ns,
                                            const struct recoup__record *record, size_t body,
                                            uint32_t flags)
{
    struct recoup__writer *writer = &store->writer;
    size_t prefix = recoup__frame_prefix(&writer->format);
    struct recoup__task *task;

    recoup__writer_note_ticks(store, now_ns, false);
    task = recoup__queue_push(&writer->queue, body + recoup__frame_overhead(&writer->format));
    if (task == NULL) {
        return NULL;
    }
    RECOUP_ASSERT(task->size > prefix || body == 0);
    task->flags = flags;
    if (writer->tail_tick) {
        task->flags |= RECOUP__TASK_TICK;
        writer->tail_tick = false;
    }
    if (recoup__record_is_recovery_point(record)) {
        task->flags |= RECOUP__TASK_POINT;
    }
    task->sequence = number(writer, now_ns);
    task->accepted_ns = now_ns;
    recoup__record_encode(record, task->bytes + prefix, body);
    recoup__frame_begin(&writer->format, record->type, task->sequence, task->bytes, body);
    recoup__writer_want_tick(store, now_ns);
    writer->last_task = task;
    return task;
}

void recoup__writer_wait_on_last(struct recoup__store *store, const struct recoup__wait *wait)
{
    struct recoup__wait complete = *wait;

    complete.task = store->writer.last_task;
    RECOUP_ASSERT(complete.task != NULL);
    RECOUP_ASSERT(complete.task->sequence == wait->sequence);
    recoup__waits_add(store, &complete);
}

// The usual case: the writer is idle and the record fits into the buffer without filling it. Then
// nothing of what the queue is for can happen. Returns false if it is not the usual case.
static bool write_directly(struct recoup__store *store, int64_t now_ns,
                           const struct recoup__record *record, size_t body, uint32_t flags)
{
    struct recoup__writer *writer = &store->writer;
    size_t size = body + recoup__frame_overhead(&writer->format);
    uint8_t *bytes = writer->buffer.bytes + writer->buffer.used;

    if (flags != 0 || store->io.busy || writer->pending != 0 || writer->queue.n != 0
        || writer->linger || !writer->file_open || writer->header_left != 0 || writer->tail_tick
        || size >= writer->buffer.capacity - writer->buffer.used
        || recoup__record_is_recovery_point(record)) {
        return false;
    }
    recoup__record_encode(record, bytes + recoup__frame_prefix(&writer->format), body);
    recoup__frame_finish(&writer->format, record->type, number(writer, now_ns), bytes, body);
    writer->buffer.used += size;
    writer->complete = writer->sequence;
    recoup__writer_want_tick(store, now_ns);
    RECOUP_ASSERT(writer->buffer.used < writer->buffer.capacity);
    RECOUP_ASSERT(writer->head_offset == 0);
    return true;
}

int recoup__writer_write(struct recoup__store *store, int64_t now_ns,
                         const struct recoup__record *record, uint32_t flags, uint64_t *sequence)
{
    struct recoup__writer *writer = &store->writer;
    uint64_t limit = store->limits.waiting_bytes;
    size_t body;
    int error = recoup__record_size(record, &body);

    *sequence = 0;
    if (error != 0) {
        return error;
    }
    if (!writer->accepting) {
        writer->dropped++;
        return 0;
    }
    if (write_directly(store, now_ns, record, body, flags)) {
        *sequence = writer->sequence;
        return 0;
    }
    error = recoup__writer_reserve(store, 1, body);
    if (error != 0) {
        return error;
    }
    if (writer->queue.n > 0
        && writer->queue.bytes - writer->checkpoint_waiting + writer->waits_bytes + body > limit) {
        writer->dropped++;
        recoup__writer_fail(store, now_ns, RECOUP_ELIMIT, false);
        return 0;
    }
    if (recoup__writer_enqueue(store, now_ns, record, body, flags) == NULL) {
        return 0;
    }
    *sequence = writer->sequence;
    RECOUP_ASSERT(*sequence > 0);
    return 0;
}
