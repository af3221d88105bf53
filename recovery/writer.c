// SPDX-License-Identifier: Apache-2.0
//
// The writer: what Flink's one writer thread does, as a state machine. Work comes as a queue of
// records and of ticks of the flush timer between them, and is done strictly in order, with one I/O
// operation under way at a time. Each turn of recoup__writer_pump() does the first of these that
// applies:
//
//   1. an operation is under way: nothing
//   2. operations are pending (append the buffer or a large piece, flush, sync, close): the first
//   3. a stage end lingers and what comes next does not belong to it: ask for its close or flush
//   4. the front record: its tick, its file, its bytes into the buffer
//   5. the queue is empty: the tick behind it
//
// writer.h says what its other files do.
#include "recovery/writer.h"

#include <string.h>

#include "recovery/fence.h"

int recoup__writer_init(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(store->options->flush_interval_ns > 0);
    memset(writer, 0, sizeof *writer);
    recoup__queue_init(&writer->queue, store->memory);
    recoup__format_init(&writer->format, store->options);
    writer->waits_deadline_ns = RECOUP_NEVER;
    writer->retry_ns = RECOUP_NEVER;
    writer->checkpoint_retry_ns = RECOUP_NEVER;
    writer->oldest_ns = RECOUP_NEVER;
    writer->tick_ns = RECOUP_NEVER;
    writer->backoff_ns = RECOUP__BACKOFF_FIRST_NS;
    RECOUP_ASSERT(writer->queue.n == 0);
    return recoup__buffer_init(&writer->buffer, store->memory, store->options->write_buffer_bytes);
}

void recoup__writer_release(struct recoup__store *store)
{
    RECOUP_ASSERT(store->memory != NULL);
    recoup__waits_release(store);
    recoup__queue_release(&store->writer.queue);
    recoup__buffer_release(&store->writer.buffer, store->memory);
    RECOUP_ASSERT(store->writer.waits_bytes == 0);
}

void recoup__writer_start(struct recoup__store *store, int64_t now_ns)
{
    RECOUP_ASSERT(now_ns >= 0);
    store->writer.started = true;
    store->writer.origin_ns = now_ns;
    store->writer.tick_done_ns = now_ns;  // the timer ticks at once, when there is nothing to flush
    store->writer.tick_ns = RECOUP_NEVER;
    RECOUP_ASSERT(!store->writer.accepting);
}

void recoup__writer_open(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->started);
    RECOUP_ASSERT(RECOUP_ERGO(writer->file_open, recoup__fences(store)));  // the claim
    writer->accepting = true;
    writer->refused = false;
    writer->protecting = true;
    writer->protection_ns = now_ns;
    writer->hole = false;
    writer->retry_ns = RECOUP_NEVER;
    writer->backoff_ns = RECOUP__BACKOFF_FIRST_NS;
    writer->checkpoint = RECOUP__CHECKPOINT_NONE;
    RECOUP_ASSERT(writer->queue.n == 0);
}

int recoup__writer_reserve(struct recoup__store *store, uint32_t n, size_t bytes)
{
    size_t overhead = recoup__frame_overhead(&store->writer.format);

    RECOUP_ASSERT(overhead > 0);
    if (bytes > SIZE_MAX / 8) {
        return RECOUP_ELIMIT;
    }
    // The store's own records must find room whenever they are needed, since then nothing may fail.
    return recoup__queue_reserve(&store->writer.queue, n + 8,
                                 bytes + n * overhead + recoup__checkpoint_reserve(store));
}

bool recoup__writer_idle(const struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(RECOUP_ERGO(writer->buffer.used > 0, writer->file_open));
    return !store->io.busy && writer->pending == 0 && writer->queue.n == 0;
}

// ---------------------------------------------------------------------------------------------

// One turn for the front record. Returns false when nothing more can be done now.
static bool turn_front(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__task *task = recoup__queue_front(&writer->queue);
    struct recoup__wait *wait;
    bool blocked;

    RECOUP_ASSERT(task != NULL);
    if ((task->flags & RECOUP__TASK_TICK) != 0) {
        task->flags &= ~RECOUP__TASK_TICK;
        recoup__request_flush(writer);
        return true;
    }
    if (writer->linger && (task->flags & RECOUP__WRITE_BOUNDARY) == 0) {
        recoup__writer_end_linger(store);
        return true;
    }
    if ((task->flags & RECOUP__TASK_NEW_FILE) != 0 && writer->file_open) {
        if (writer->file_bytes > 0 || writer->buffer.used > 0) {
            recoup__request_close(store, true);
            return true;
        }
        task->flags &= ~RECOUP__TASK_NEW_FILE;
        writer->checkpoint_file = writer->file;  // an open file without a byte is as good
    }
    // Flink opens the file before it waits for the snapshots.
    if (!writer->file_open) {
        if (writer->next_index > RECOUP__FILE_INDEX_MAX
            && recoup__writer_next_file(store) == store->n_files) {
            recoup__writer_fail(store, now_ns, RECOUP_ELIMIT, false);
            return true;
        }
        if ((task->flags & RECOUP__TASK_NEW_FILE) != 0) {
            task->flags &= ~RECOUP__TASK_NEW_FILE;
            writer->checkpoint_file = recoup__writer_next_file(store);
        }
        writer->pending |= RECOUP__PENDING_CREATE;
        return true;
    }
    wait = recoup__front_wait(store, now_ns, &blocked);
    if (blocked) {
        return writer->pending != 0;
    }
    recoup__front_write(store, wait);
    return true;
}

// Removals come when there is nothing else to be done, but not too seldom.
static bool may_remove(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->writer.pending == 0);
    return store->writer.remove_end > 0 && store->state == RECOUP__STORE_OPEN
           && !store->writer.linger;
}

// One turn when the queue is empty. Returns false when nothing is left to be done.
static bool turn_idle(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->queue.n == 0);
    if (writer->tail_tick) {
        writer->tail_tick = false;
        recoup__request_flush(writer);
        return true;
    }
    if (may_remove(store)) {
        recoup__writer_issue_remove(store);
        return true;
    }
    return false;
}

void recoup__writer_pump(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;
    bool again = true;
    bool filled = false;

    RECOUP_ASSERT(now_ns >= 0);
    while (again && !store->io.busy && store->memory->broken == 0) {
        if (writer->pending != 0) {
            recoup__writer_issue_pending(store);
        } else if (!filled && recoup__checkpoint_may_fill(store, now_ns)) {
            filled = true;  // once in a step
            recoup__checkpoint_fill(store, now_ns);
        } else if (writer->since_removal >= RECOUP__REMOVE_EVERY && may_remove(store)) {
            recoup__writer_issue_remove(store);
        } else if (writer->queue.n > 0) {
            again = turn_front(store, now_ns);
        } else {
            again = turn_idle(store);
        }
    }
    RECOUP_ASSERT(writer->buffer.used <= writer->buffer.capacity);
}
