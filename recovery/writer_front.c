// SPDX-License-Identifier: Apache-2.0
//
// The record at the front of the queue, on its way into the write buffer or past it.
#include "recovery/writer.h"

enum { FLINK_TYPE_END = 4, FLINK_LENGTH_END = 8 };  // where Flink's first two of three writes end

// The wait of the front record, NULL if it waits for nothing. *blocked: it must go on waiting, or
// recording has stopped because of it.
struct recoup__wait *recoup__front_wait(struct recoup__store *store, int64_t now_ns, bool *blocked)
{
    struct recoup__task *task = recoup__queue_front(&store->writer.queue);
    struct recoup__wait *wait;

    *blocked = false;
    if ((task->flags & RECOUP__TASK_WAITING) == 0) {
        return NULL;
    }
    wait = recoup__waits_of(store, task->sequence);
    if (!RECOUP_CHECK(store->memory, wait != NULL)) {
        return NULL;
    }
    RECOUP_ASSERT(wait->task == task);
    if (wait->state == RECOUP__WAIT_PENDING) {
        *blocked = true;
    } else if (wait->state == RECOUP__WAIT_FAILED
               && recoup__store_policy(store, RECOUP_POLICY_SNAPSHOT_FAILURE) == 0) {
        // Flink cannot serialize the event then, and takes that for a storage error; what the
        // buffer holds is still flushed when the stream is closed.
        recoup__writer_fail(store, now_ns, RECOUP_EIO, true);
        *blocked = true;
    }
    return wait;
}

// Where the chunk that begins at `offset` of a framed record ends.
size_t recoup__front_chunk_end(const struct recoup__format *format, size_t offset, size_t size)
{
    RECOUP_ASSERT(offset < size);
    if (format->contiguous) {
        return size;
    }
    if (offset < FLINK_TYPE_END) {
        return FLINK_TYPE_END;
    }
    return offset < FLINK_LENGTH_END ? FLINK_LENGTH_END : size;
}

// The close or flush after a record whose bytes have all been taken.
static void after_record(struct recoup__store *store, uint32_t flags, int64_t accepted_ns)
{
    struct recoup__writer *writer = &store->writer;
    bool unit = recoup__store_policy(store, RECOUP_POLICY_BOUNDARY) != 0;
    bool sync = recoup__store_policy(store, RECOUP_POLICY_SYNC) != 0;
    bool roll = recoup__store_policy(store, RECOUP_POLICY_ROLL) != 0
                && store->storage.durable_at == RECOUP_DURABLE_AT_CLOSE;

    RECOUP_ASSERT(writer->file_open);
    if ((flags & (RECOUP__WRITE_DURABLE | RECOUP__TASK_END)) != 0) {
        recoup__request_durable(store);
    }
    if ((flags & RECOUP__WRITE_CUT) != 0 && !unit) {
        recoup__request_close(store, false);
    } else if ((flags & RECOUP__WRITE_CUT) != 0) {
        writer->linger = true;
        writer->linger_close = true;
        writer->linger_ns = accepted_ns;
    } else if ((flags & RECOUP__WRITE_BOUNDARY) != 0 && unit && !writer->linger) {
        writer->linger = true;
        writer->linger_ns = accepted_ns;
    } else if ((flags & RECOUP__TASK_POINT) != 0 && roll) {
        recoup__request_close(store, true);
    } else if ((flags & RECOUP__TASK_POINT) != 0 && sync
               && store->storage.durable_at != RECOUP_DURABLE_AT_CLOSE) {
        recoup__request_durable(store);
    }
    RECOUP_ASSERT(RECOUP_ERGO(writer->linger_close, writer->linger));
}

// The front record has been taken completely.
void recoup__front_finish(struct recoup__store *store, struct recoup__wait *wait)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__task *task = recoup__queue_front(&writer->queue);
    uint32_t flags = task->flags;
    int64_t accepted_ns = task->accepted_ns;

    RECOUP_ASSERT(task->sequence > writer->complete);
    writer->complete = task->sequence;
    if ((flags & RECOUP__TASK_STATE) != 0) {
        recoup__checkpoint_taken(store, task->size);
    }
    if (wait != NULL) {
        flags |= wait->state == RECOUP__WAIT_COMPLETE ? RECOUP__TASK_POINT : 0;
        recoup__waits_written(store, wait);
    }
    recoup__queue_pop(&writer->queue);
    writer->head_offset = 0;
    writer->head_sealed = false;
    after_record(store, flags, accepted_ns);
    RECOUP_ASSERT(writer->appended <= writer->complete);
}

// The bytes to be written for the front record. A contiguous record is sealed for the file that it
// goes to.
uint8_t *recoup__front_bytes(struct recoup__store *store, struct recoup__wait *wait, size_t *size)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__task *task = recoup__queue_front(&writer->queue);
    bool replaced = wait != NULL && wait->state == RECOUP__WAIT_COMPLETE;
    uint8_t *bytes = replaced ? wait->bytes : task->bytes;

    RECOUP_ASSERT(bytes != NULL);
    *size = replaced ? wait->size : task->size;
    if (!writer->head_sealed && writer->format.contiguous) {
        recoup__frame_seal(&writer->format, bytes, *size);
    }
    writer->head_sealed = true;
    RECOUP_ASSERT(writer->head_offset < *size);
    return bytes;
}

// Moves the file header into the buffer. Returns false when an operation has to come first.
static bool write_header(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    const uint8_t *rest = writer->header + RECOUP__HEADER_SIZE - writer->header_left;
    size_t taken;
    enum recoup__buffer_next next;

    RECOUP_ASSERT(writer->header_left > 0 && writer->header_left <= RECOUP__HEADER_SIZE);
    next = recoup__buffer_write(&writer->buffer, rest, writer->header_left, &taken);
    writer->header_left -= taken;
    if (next == RECOUP__BUFFER_PASS) {
        writer->pending |= RECOUP__PENDING_DIRECT;
    } else if (next == RECOUP__BUFFER_FLUSH) {
        recoup__request_flush(writer);
    }
    RECOUP_ASSERT(RECOUP_ERGO(next == RECOUP__BUFFER_TAKEN, writer->header_left == 0));
    return next == RECOUP__BUFFER_TAKEN;
}

// Moves the front record into the buffer, until it is done or an operation has to come first.
void recoup__front_write(struct recoup__store *store, struct recoup__wait *wait)
{
    struct recoup__writer *writer = &store->writer;
    enum recoup__buffer_next next = RECOUP__BUFFER_TAKEN;
    size_t size;
    const uint8_t *bytes;

    if (writer->header_left > 0 && !write_header(store)) {
        return;
    }
    bytes = recoup__front_bytes(store, wait, &size);
    while (next == RECOUP__BUFFER_TAKEN && writer->head_offset < size) {
        size_t end = recoup__front_chunk_end(&writer->format, writer->head_offset, size);
        size_t taken;

        next = recoup__buffer_write(&writer->buffer, bytes + writer->head_offset,
                                    end - writer->head_offset, &taken);
        writer->head_offset += taken;
    }
    RECOUP_ASSERT(writer->head_offset <= size);
    if (next == RECOUP__BUFFER_PASS) {
        writer->pending |= RECOUP__PENDING_DIRECT;
        return;
    }
    if (next == RECOUP__BUFFER_FLUSH) {
        recoup__request_flush(writer);
    }
    if (writer->head_offset == size) {
        recoup__front_finish(store, wait);
    }
    RECOUP_ASSERT(writer->pending != 0 || writer->head_offset == 0);
}
