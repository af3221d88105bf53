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
#include <string.h>

#include "recovery/bytes.h"
#include "recovery/fence.h"

#define PENDING_CREATE (1u << 0)
#define PENDING_APPEND (1u << 1)  // the buffer
#define PENDING_DIRECT (1u << 2)  // the chunk of the front record that is too large for the buffer
#define PENDING_FLUSH (1u << 3)
#define PENDING_SYNC (1u << 4)
#define PENDING_CLOSE (1u << 5)

enum { FLINK_TYPE_END = 4, FLINK_LENGTH_END = 8 };  // where Flink's first two of three writes end

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

// ---------------------------------------------------------------------------------------------
// The flush timer: ticks at origin + k * interval. A tick matters only if something was written
// since the one before, so only the next one that matters is kept.

// The first tick at or after `time`.
static int64_t tick_at(const struct recoup__store *store, int64_t time)
{
    int64_t interval = store->options->flush_interval_ns;
    int64_t passed = time - store->writer.origin_ns;
    int64_t part = passed % interval;

    RECOUP_ASSERT(passed >= 0);
    RECOUP_ASSERT(part >= 0 && part < interval);
    return part == 0 ? time : recoup__later(time, interval - part);
}

static bool has_work_for_tick(const struct recoup__writer *writer)
{
    RECOUP_ASSERT(RECOUP_ERGO(writer->buffer.used > 0, writer->file_open));
    return writer->buffer.used > 0 || writer->queue.n > 0
           || (writer->format.contiguous && writer->unflushed);
}

// Ticks up to `now_ns` (`inclusive`, or before it) stand behind everything in the queue.
static void note_ticks(struct recoup__store *store, int64_t now_ns, bool inclusive)
{
    struct recoup__writer *writer = &store->writer;

    if (writer->tick_ns > now_ns || (writer->tick_ns == now_ns && !inclusive)) {
        return;
    }
    RECOUP_ASSERT(writer->started);
    writer->tail_tick = has_work_for_tick(writer);
    // A tick at `now_ns` itself is done only when it is included: what is written at its instant is
    // still in time for it.
    int64_t last_ns = inclusive ? now_ns : now_ns - 1;
    RECOUP_ASSERT(last_ns >= writer->origin_ns);
    writer->tick_done_ns =
        last_ns - (last_ns - writer->origin_ns) % store->options->flush_interval_ns;
    writer->tick_ns = RECOUP_NEVER;
    RECOUP_ASSERT(writer->tick_done_ns <= now_ns);
}

// Something was just put into the queue or the buffer: from now on the next tick matters.
static void want_tick(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    if (writer->tick_ns == RECOUP_NEVER) {
        writer->tick_ns = tick_at(store, now_ns);
        if (writer->tick_ns <= writer->tick_done_ns) {
            writer->tick_ns =
                recoup__later(writer->tick_done_ns, store->options->flush_interval_ns);
        }
    }
    RECOUP_ASSERT(writer->tick_ns >= now_ns);
}

void recoup__writer_enter(struct recoup__store *store, int64_t now_ns)
{
    RECOUP_ASSERT(now_ns >= 0);
    note_ticks(store, now_ns, false);
    RECOUP_ASSERT(store->writer.tick_ns >= now_ns);
}

void recoup__writer_leave(struct recoup__store *store, int64_t now_ns)
{
    RECOUP_ASSERT(now_ns >= 0);
    if (has_work_for_tick(&store->writer)) {
        want_tick(store, now_ns);
    }
    RECOUP_ASSERT(store->writer.buffer.used <= store->writer.buffer.capacity);
}

// ---------------------------------------------------------------------------------------------
// Requests: what has to happen before the next record is looked at.

static void request_flush(struct recoup__writer *writer)
{
    RECOUP_ASSERT(RECOUP_ERGO(writer->buffer.used > 0 || writer->unflushed, writer->file_open));
    if (writer->buffer.used > 0) {
        writer->pending |= PENDING_APPEND | PENDING_FLUSH;
    } else if (writer->format.contiguous && writer->unflushed) {
        // Flink forgets to flush what has passed by its buffer (H14); here the mark follows the
        // bytes.
        writer->pending |= PENDING_FLUSH;
    }
    RECOUP_ASSERT(RECOUP_ERGO((writer->pending & PENDING_APPEND) != 0, writer->buffer.used > 0));
}

static void request_sync(struct recoup__writer *writer)
{
    request_flush(writer);
    if (writer->unflushed) {
        writer->pending |= PENDING_FLUSH;
    }
    if (writer->buffer.used > 0 || writer->unsynced) {
        writer->pending |= PENDING_SYNC;
    }
    RECOUP_ASSERT(RECOUP_ERGO((writer->pending & PENDING_SYNC) != 0, writer->file_open));
}

static void request_close(struct recoup__store *store, bool durably)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->file_open);
    // Nothing of a checkpoint may be closed before it is durable: its end stands for all of it.
    durably = durably || writer->linger || writer->checkpoint != RECOUP__CHECKPOINT_NONE
              || recoup__store_policy(store, RECOUP_POLICY_SYNC) != 0;
    if (durably && store->storage.durable_at == RECOUP_DURABLE_AT_SYNC) {
        request_sync(writer);
    } else {
        request_flush(writer);
    }
    writer->pending |= PENDING_CLOSE;
    writer->linger = false;
    writer->linger_close = false;
}

void recoup__writer_request_close(struct recoup__store *store)
{
    RECOUP_ASSERT(store->writer.queue.n == 0);
    RECOUP_ASSERT(!store->io.busy);
    if (store->writer.file_open) {
        request_close(store, false);
    }
}

// Everything written so far is to become durable.
static void request_durable(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->file_open);
    switch (store->storage.durable_at) {
    case RECOUP_DURABLE_AT_FLUSH:
        request_flush(writer);
        if (writer->unflushed) {
            writer->pending |= PENDING_FLUSH;
        }
        break;
    case RECOUP_DURABLE_AT_SYNC:
        request_sync(writer);
        break;
    case RECOUP_DURABLE_AT_CLOSE:
    default:
        request_close(store, true);
        break;
    }
    RECOUP_ASSERT(RECOUP_ERGO(writer->buffer.used > 0, writer->pending != 0));
}

// ---------------------------------------------------------------------------------------------
// Accepting records

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

    note_ticks(store, now_ns, false);
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
    recoup__frame_finish(&writer->format, record->type, task->sequence, task->bytes, body);
    want_tick(store, now_ns);
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
    want_tick(store, now_ns);
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

// ---------------------------------------------------------------------------------------------
// Writing

// Where the chunk that begins at `offset` of a framed record ends.
static size_t chunk_end(const struct recoup__format *format, size_t offset, size_t size)
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
        request_durable(store);
    }
    if ((flags & RECOUP__WRITE_CUT) != 0 && !unit) {
        request_close(store, false);
    } else if ((flags & RECOUP__WRITE_CUT) != 0) {
        writer->linger = true;
        writer->linger_close = true;
        writer->linger_ns = accepted_ns;
    } else if ((flags & RECOUP__WRITE_BOUNDARY) != 0 && unit && !writer->linger) {
        writer->linger = true;
        writer->linger_ns = accepted_ns;
    } else if ((flags & RECOUP__TASK_POINT) != 0 && roll) {
        request_close(store, true);
    } else if ((flags & RECOUP__TASK_POINT) != 0 && sync
               && store->storage.durable_at != RECOUP_DURABLE_AT_CLOSE) {
        request_durable(store);
    }
    RECOUP_ASSERT(RECOUP_ERGO(writer->linger_close, writer->linger));
}

// The front record has been taken completely.
static void finish_front(struct recoup__store *store, struct recoup__wait *wait)
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
static uint8_t *front_bytes(struct recoup__store *store, struct recoup__wait *wait, size_t *size)
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
        writer->pending |= PENDING_DIRECT;
    } else if (next == RECOUP__BUFFER_FLUSH) {
        request_flush(writer);
    }
    RECOUP_ASSERT(RECOUP_ERGO(next == RECOUP__BUFFER_TAKEN, writer->header_left == 0));
    return next == RECOUP__BUFFER_TAKEN;
}

// Moves the front record into the buffer, until it is done or an operation has to come first.
static void write_front(struct recoup__store *store, struct recoup__wait *wait)
{
    struct recoup__writer *writer = &store->writer;
    enum recoup__buffer_next next = RECOUP__BUFFER_TAKEN;
    size_t size;
    const uint8_t *bytes;

    if (writer->header_left > 0 && !write_header(store)) {
        return;
    }
    bytes = front_bytes(store, wait, &size);
    while (next == RECOUP__BUFFER_TAKEN && writer->head_offset < size) {
        size_t end = chunk_end(&writer->format, writer->head_offset, size);
        size_t taken;

        next = recoup__buffer_write(&writer->buffer, bytes + writer->head_offset,
                                    end - writer->head_offset, &taken);
        writer->head_offset += taken;
    }
    RECOUP_ASSERT(writer->head_offset <= size);
    if (next == RECOUP__BUFFER_PASS) {
        writer->pending |= PENDING_DIRECT;
        return;
    }
    if (next == RECOUP__BUFFER_FLUSH) {
        request_flush(writer);
    }
    if (writer->head_offset == size) {
        finish_front(store, wait);
    }
    RECOUP_ASSERT(writer->pending != 0 || writer->head_offset == 0);
}

// The index of files that the next file to be created will have. A name whose creation failed is
// used again: if its number were given up, the reader would miss a file that never was.
static uint32_t next_file(const struct recoup__store *store)
{
    bool again = store->n_files > 0 && store->files[store->n_files - 1].failed;

    RECOUP_ASSERT(RECOUP_ERGO(again, store->files[store->n_files - 1].own));
    RECOUP_ASSERT(RECOUP_ERGO(again, store->storage.create_exclusive));
    return store->n_files - (again ? 1 : 0);
}

void recoup__writer_create(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__file *file = &store->files[next_file(store)];

    RECOUP_ASSERT(!writer->file_open);
    if (next_file(store) < store->n_files) {
        writer->file = store->n_files - 1;
        recoup__store_issue(store, RECOUP_ACTION_CREATE, file);
        return;
    }
    RECOUP_ASSERT(store->n_files < store->files_capacity);
    memset(file, 0, sizeof *file);
    file->fenced = recoup__store_policy(store, RECOUP_POLICY_FENCING) != 0;
    file->epoch = file->fenced ? store->epoch : 0;
    file->index = writer->next_index;
    file->own = true;
    file->limit = UINT64_MAX;
    // The file may exist even if its creation is reported to have failed, so it is known from now
    // on.
    writer->file = store->n_files++;
    writer->next_index++;
    recoup__store_issue(store, RECOUP_ACTION_CREATE, file);
}

static void issue_append(struct recoup__store *store, bool direct)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup_action *action;
    size_t size = writer->buffer.used;
    const uint8_t *bytes = writer->buffer.bytes;

    if (direct && writer->header_left > 0) {
        bytes = writer->header + RECOUP__HEADER_SIZE - writer->header_left;
        size = writer->header_left;
    } else if (direct) {
        struct recoup__task *task = recoup__queue_front(&writer->queue);
        struct recoup__wait *wait = (task->flags & RECOUP__TASK_WAITING) != 0
                                        ? recoup__waits_of(store, task->sequence)
                                        : NULL;

        bytes = front_bytes(store, wait, &size) + writer->head_offset;
        size = chunk_end(&writer->format, writer->head_offset, size) - writer->head_offset;
    }
    RECOUP_ASSERT(size > 0);
    RECOUP_ASSERT(RECOUP_ERGO(direct, writer->buffer.used == 0));
    action = recoup__store_issue(store, RECOUP_ACTION_APPEND, &store->files[writer->file]);
    action->io.data = bytes;
    action->io.size = size;
    action->io.event_last = writer->complete;
    if (direct && writer->header_left == 0) {
        struct recoup__task *task = recoup__queue_front(&writer->queue);
        struct recoup__wait *wait = (task->flags & RECOUP__TASK_WAITING) != 0
                                        ? recoup__waits_of(store, task->sequence)
                                        : NULL;
        size_t whole;

        (void)front_bytes(store, wait, &whole);
        if (writer->head_offset + size == whole) {
            action->io.event_last = task->sequence;
        }
    }
    store->io.size = size;
    store->io.direct = direct;
    store->io.event_last = action->io.event_last;
}

// Issues the first pending operation.
static void issue_pending(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->pending != 0);
    RECOUP_ASSERT(!store->io.busy);
    writer->since_removal++;
    if ((writer->pending & PENDING_CREATE) != 0) {
        writer->pending &= ~PENDING_CREATE;
        recoup__writer_create(store);
        return;
    }
    if ((writer->pending & (PENDING_APPEND | PENDING_DIRECT)) != 0) {
        bool direct = (writer->pending & PENDING_APPEND) == 0;

        writer->pending &= direct ? ~PENDING_DIRECT : ~PENDING_APPEND;
        issue_append(store, direct);
        return;
    }
    if ((writer->pending & PENDING_FLUSH) != 0) {
        writer->pending &= ~PENDING_FLUSH;
        recoup__store_issue(store, RECOUP_ACTION_FLUSH, &store->files[writer->file]);
        return;
    }
    if ((writer->pending & PENDING_SYNC) != 0) {
        writer->pending &= ~PENDING_SYNC;
        recoup__store_issue(store, RECOUP_ACTION_SYNC, &store->files[writer->file]);
        return;
    }
    RECOUP_ASSERT(writer->pending == PENDING_CLOSE);
    writer->pending &= ~PENDING_CLOSE;
    recoup__store_issue(store, RECOUP_ACTION_CLOSE, &store->files[writer->file]);
}

// ---------------------------------------------------------------------------------------------
// The pump

// What lingers is done now: the close of a stage end, or the flush of what belongs to it.
static void end_linger(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    bool close = writer->linger_close;

    RECOUP_ASSERT(writer->linger);
    writer->linger = false;
    writer->linger_close = false;
    if (!writer->file_open) {
        return;
    }
    if (close) {
        request_close(store, true);
    } else {
        request_durable(store);
    }
    RECOUP_ASSERT(!writer->linger);
}

// The wait of the front record, NULL if it waits for nothing. *blocked: it must go on waiting, or
// recording has stopped because of it.
static struct recoup__wait *front_wait(struct recoup__store *store, int64_t now_ns, bool *blocked)
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
        request_flush(writer);
        return true;
    }
    if (writer->linger && (task->flags & RECOUP__WRITE_BOUNDARY) == 0) {
        end_linger(store);
        return true;
    }
    if ((task->flags & RECOUP__TASK_NEW_FILE) != 0 && writer->file_open) {
        if (writer->file_bytes > 0 || writer->buffer.used > 0) {
            request_close(store, true);
            return true;
        }
        task->flags &= ~RECOUP__TASK_NEW_FILE;
        writer->checkpoint_file = writer->file;  // an open file without a byte is as good
    }
    // Flink opens the file before it waits for the snapshots.
    if (!writer->file_open) {
        if (writer->next_index > RECOUP__FILE_INDEX_MAX && next_file(store) == store->n_files) {
            recoup__writer_fail(store, now_ns, RECOUP_ELIMIT, false);
            return true;
        }
        if ((task->flags & RECOUP__TASK_NEW_FILE) != 0) {
            task->flags &= ~RECOUP__TASK_NEW_FILE;
            writer->checkpoint_file = next_file(store);
        }
        writer->pending |= PENDING_CREATE;
        return true;
    }
    wait = front_wait(store, now_ns, &blocked);
    if (blocked) {
        return writer->pending != 0;
    }
    write_front(store, wait);
    return true;
}

// The next operation of a removal: a look at who leads, then one file after the other.
static void issue_remove(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->remove_end > 0 && writer->remove_end <= store->n_files);
    writer->since_removal = 0;
    if (recoup__fences(store) && !writer->remove_looked) {
        recoup__store_issue(store, RECOUP_ACTION_LIST, NULL);
    } else {
        recoup__store_issue(store, RECOUP_ACTION_REMOVE, &store->files[0]);
    }
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
        request_flush(writer);
        return true;
    }
    if (may_remove(store)) {
        issue_remove(store);
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
            issue_pending(store);
        } else if (!filled && recoup__checkpoint_may_fill(store, now_ns)) {
            filled = true;  // once in a step
            recoup__checkpoint_fill(store, now_ns);
        } else if (writer->since_removal >= RECOUP__REMOVE_EVERY && may_remove(store)) {
            issue_remove(store);
        } else if (writer->queue.n > 0) {
            again = turn_front(store, now_ns);
        } else {
            again = turn_idle(store);
        }
    }
    RECOUP_ASSERT(writer->buffer.used <= writer->buffer.capacity);
}

bool recoup__writer_idle(const struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(RECOUP_ERGO(writer->buffer.used > 0, writer->file_open));
    return !store->io.busy && writer->pending == 0 && writer->queue.n == 0;
}

// ---------------------------------------------------------------------------------------------
// Ends of operations

// Everything appended so far has become durable.
static void advance(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__task *front = recoup__queue_front(&writer->queue);

    RECOUP_ASSERT(writer->buffer.used == 0 || writer->durable <= writer->appended);
    if (store->end_sequence != 0 && writer->appended >= store->end_sequence) {
        store->end_durable = true;
    }
    if (writer->hole && writer->checkpoint == RECOUP__CHECKPOINT_ENDING
        && writer->appended >= writer->checkpoint_end) {
        writer->hole = false;  // the checkpoint stands for what was lost before it
        writer->lost += writer->lost_later;
        writer->lost_later = 0;
    }
    if (writer->hole || writer->appended <= writer->durable) {
        return;
    }
    writer->durable = writer->appended;
    // The buffer is empty whenever something becomes durable, so the oldest other record is in the
    // queue.
    writer->oldest_ns = front != NULL ? front->accepted_ns : RECOUP_NEVER;
    recoup__actions_push(store->actions, RECOUP_ACTION_DURABLE)->durable.event = writer->durable;
    RECOUP_ASSERT(writer->durable <= writer->sequence);
}

void recoup__writer_created(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__header header = {{0}, store->epoch, store->files[writer->file].index};

    RECOUP_ASSERT(!writer->file_open);
    RECOUP_ASSERT(writer->buffer.used == 0);
    writer->file_open = true;
    writer->file_ns = now_ns;
    writer->file_bytes = 0;
    writer->unflushed = false;
    writer->unsynced = false;
    writer->created++;
    store->files[writer->file].failed = false;
    store->files[writer->file].visible = store->storage.durable_at != RECOUP_DURABLE_AT_CLOSE;
    if (writer->format.contiguous) {
        memcpy(header.digest, store->digest, sizeof header.digest);
        recoup__header_encode(&header, &writer->format, writer->header);
        writer->header_left = RECOUP__HEADER_SIZE;
    }
}

// Where a creation is not exclusive, one that takes effect late could empty the file that took its
// name: there the number is given up.
bool recoup__writer_not_created(struct recoup__store *store, int error)
{
    struct recoup__file *file = &store->files[store->writer.file];
    bool again = file->failed;

    RECOUP_ASSERT(error != 0);
    RECOUP_ASSERT(file->own && store->writer.file == store->n_files - 1);
    file->failed = error != RECOUP_EEXIST && store->storage.create_exclusive;
    return again && error == RECOUP_EEXIST;
}

static void appended(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__task *task = recoup__queue_front(&writer->queue);

    writer->appends++;
    writer->bytes_appended += store->io.size;
    writer->file_bytes += store->io.size;
    writer->log_bytes += store->io.size;
    RECOUP_ASSERT(store->io.event_last >= writer->appended);
    writer->appended = store->io.event_last;
    writer->unflushed = true;
    writer->unsynced = true;
    if (!store->io.direct) {
        RECOUP_ASSERT(store->io.size == writer->buffer.used);
        writer->buffer.used = 0;
    } else if (writer->header_left > 0) {
        RECOUP_ASSERT(store->io.size == writer->header_left);
        writer->header_left = 0;
    } else if (task != NULL && writer->accepting) {
        writer->head_offset += store->io.size;
        if (task->sequence == store->io.event_last) {
            finish_front(store, (task->flags & RECOUP__TASK_WAITING) != 0
                                    ? recoup__waits_of(store, task->sequence)
                                    : NULL);
        }
    }
}

// There is no open file any more, whatever became of its bytes.
void recoup__writer_forget_file(struct recoup__writer *writer)
{
    writer->file_open = false;
    writer->header_left = 0;
    writer->unflushed = false;
    writer->unsynced = false;
    writer->pending = 0;
    RECOUP_ASSERT(!writer->linger_close);
}

static void closed(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    bool durable = store->storage.durable_at != RECOUP_DURABLE_AT_SYNC || !writer->unsynced;

    RECOUP_ASSERT(writer->file_open);
    RECOUP_ASSERT(writer->buffer.used == 0 || !writer->accepting);
    store->files[writer->file].visible = true;
    recoup__writer_forget_file(writer);
    if (durable) {
        advance(store);
    } else if (writer->appended > writer->durable) {
        // A file that was closed without its sync can never be known to be durable, nor what
        // follows it.
        writer->hole = true;
    }
}

static bool appears_by_close(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->files[store->writer.file].own);
    return store->io.type == RECOUP_ACTION_CLOSE && store->storage.create_exclusive
           && store->storage.durable_at == RECOUP_DURABLE_AT_CLOSE;
}

// What is left of the file after an error: it is closed, whatever that says.
static void abandoned(struct recoup__store *store, int error)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(!writer->accepting);
    writer->buffer.used = 0;
    if (store->io.type == RECOUP_ACTION_CREATE && error == 0) {
        store->files[writer->file].failed = false;
        writer->file_open = true;
    } else if (store->io.type == RECOUP_ACTION_CLOSE || store->io.type == RECOUP_ACTION_CREATE) {
        // Where a file is there only once it is closed, it may never have been: nothing in it has
        // been acknowledged, and as after a creation that failed its name is used again.
        store->files[writer->file].failed |= error != 0 && appears_by_close(store);
        recoup__writer_forget_file(writer);
        return;
    }
    writer->pending = PENDING_CLOSE;
    RECOUP_ASSERT(writer->file_open);
}

static void succeeded(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(store->io.type >= RECOUP_ACTION_CREATE);
    if (store->io.type == RECOUP_ACTION_CREATE) {
        recoup__writer_created(store, now_ns);
    } else if (store->io.type == RECOUP_ACTION_APPEND) {
        appended(store);
    } else if (store->io.type == RECOUP_ACTION_FLUSH) {
        writer->flushes++;
        writer->unflushed = false;
        if (store->storage.durable_at == RECOUP_DURABLE_AT_FLUSH) {
            advance(store);
        }
    } else if (store->io.type == RECOUP_ACTION_SYNC) {
        writer->syncs++;
        writer->unsynced = false;
        if (store->storage.durable_at != RECOUP_DURABLE_AT_CLOSE) {
            advance(store);
        }
    } else if (store->io.type == RECOUP_ACTION_CLOSE) {
        closed(store);
    }
}

// A file that a checkpoint has made superfluous is gone, or cannot be removed.
static void removed(struct recoup__store *store, int error)
{
    struct recoup__writer *writer = &store->writer;

    // A stop, giving the log up, or the next checkpoint may have ended the removals while this one
    // was under way.
    RECOUP_ASSERT(store->n_files > 0 && writer->remove_end <= store->n_files);
    RECOUP_ASSERT(RECOUP_ERGO(store->state == RECOUP__STORE_OPEN &&
                                  writer->checkpoint == RECOUP__CHECKPOINT_NONE,
                              writer->remove_end > 0));
    if (error != 0) {
        // It does no harm; the next checkpoint tries again. Later files stay, so that no gap
        // appears.
        writer->remove_end = 0;
        return;
    }
    memmove(store->files, store->files + 1, (store->n_files - 1) * sizeof store->files[0]);
    store->n_files--;
    writer->remove_end -= writer->remove_end > 0 ? 1 : 0;
    writer->file = writer->file > 0 ? writer->file - 1 : 0;
    writer->checkpoint_file = writer->checkpoint_file > 0 ? writer->checkpoint_file - 1 : 0;
    RECOUP_ASSERT(writer->file < store->n_files || !writer->file_open);
}

void recoup__writer_io(struct recoup__store *store, int64_t now_ns, int error)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(!store->io.busy);
    if (writer->drop_later) {
        recoup__writer_drop_all(store);
    }
    if (store->io.type == RECOUP_ACTION_REMOVE) {
        removed(store, error);
        return;
    }
    if (!writer->accepting && error == 0 && store->io.type == RECOUP_ACTION_CREATE) {
        abandoned(store, 0);
        return;
    }
    if (error != 0 && store->io.type == RECOUP_ACTION_CREATE
        && recoup__writer_not_created(store, error) && writer->accepting) {
        writer->checkpoint_file += writer->checkpoint_file == writer->file ? 1 : 0;
        return;  // the pump takes the next name
    }
    if (error == 0) {
        succeeded(store, now_ns);
    } else if (writer->accepting) {
        recoup__writer_fail(store, now_ns, error, false);
    }
    if (error != 0 && !writer->accepting) {
        abandoned(store, error);
    } else if (!writer->accepting && writer->file_open && writer->pending == 0) {
        abandoned(store, 0);
    }
    if (writer->checkpoint == RECOUP__CHECKPOINT_ENDING && !writer->hole
        && writer->durable >= writer->checkpoint_end) {
        recoup__checkpoint_durable(store, now_ns);
    }
}

// ---------------------------------------------------------------------------------------------
// Errors and timers

void recoup__writer_drop_all(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    writer->accepting = false;
    writer->checkpoint = RECOUP__CHECKPOINT_NONE;
    writer->drop_later =
        store->io.busy && store->io.type == RECOUP_ACTION_APPEND && store->io.direct;
    if (writer->drop_later) {
        return;  // the storage still reads the front record's bytes
    }
    recoup__waits_drop(store);
    recoup__queue_clear(&writer->queue);
    writer->checkpoint_waiting = 0;
    writer->head_offset = 0;
    writer->head_sealed = false;
    writer->linger = false;
    writer->linger_close = false;
    writer->tail_tick = false;
    writer->tick_ns = RECOUP_NEVER;
    writer->checkpoint_retry_ns = RECOUP_NEVER;
    writer->remove_end = 0;
    RECOUP_ASSERT(writer->queue.n == 0);
    RECOUP_ASSERT(writer->waits_deadline_ns == RECOUP_NEVER);
}

// Counts the records that are lost now: accepted, not durable, and not on their way either.
static void count_lost(struct recoup__writer *writer, bool keep_buffered)
{
    uint64_t kept = keep_buffered ? writer->complete : writer->appended;
    uint64_t from = kept > writer->counted ? kept : writer->counted;
    uint64_t lost = writer->sequence - from;

    RECOUP_ASSERT(writer->sequence >= from);
    RECOUP_ASSERT(writer->complete <= writer->sequence);
    writer->dropped += lost;
    writer->lost_later += lost;
    writer->counted = writer->sequence;
}

void recoup__writer_fail(struct recoup__store *store, int64_t now_ns, int error, bool keep_buffered)
{
    struct recoup__writer *writer = &store->writer;
    bool fenced =
        error == RECOUP_EFENCED
        || (error == RECOUP_EEXIST && recoup__store_policy(store, RECOUP_POLICY_FENCING) != 0);

    RECOUP_ASSERT(error != 0);
    RECOUP_ASSERT(writer->accepting);
    error = fenced ? RECOUP_EFENCED : error;
    count_lost(writer, keep_buffered);
    recoup__writer_drop_all(store);
    writer->hole = writer->hole || !keep_buffered;
    writer->header_left = 0;
    writer->oldest_ns = RECOUP_NEVER;
    if (keep_buffered && writer->file_open) {
        request_close(store, false);
    } else if (!store->io.busy) {
        writer->buffer.used = 0;
        writer->pending = writer->file_open ? PENDING_CLOSE : 0;
    } else {
        writer->pending = 0;  // the operation under way ends first; then the file is closed
    }
    if (writer->protecting) {
        writer->protecting = false;
        writer->protection_ns = now_ns;
        writer->lost_ns = now_ns;
        writer->lost_error = error;
        writer->interruptions++;
        recoup__writer_say_lost(store, error);
    } else if (fenced) {
        writer->lost_error = error;
        recoup__writer_say_lost(store, error);  // for good, now
    }
    if (fenced || recoup__store_policy(store, RECOUP_POLICY_ON_ERROR) == 0) {
        writer->refused = true;
    } else if (store->state == RECOUP__STORE_OPEN) {
        recoup__rearm_later(store, now_ns);
    }
    if (store->state == RECOUP__STORE_STOPPING && store->end_error == 0) {
        store->end_error = error;
    }
}

// A file whose bytes are durable only when it is closed must not stay open for ever (H6).
static int64_t roll_deadline(const struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;

    if (recoup__store_policy(store, RECOUP_POLICY_ROLL) == 0
        || store->storage.durable_at != RECOUP_DURABLE_AT_CLOSE || !writer->file_open
        || store->io.busy || writer->queue.n > 0 || writer->pending != 0) {
        return RECOUP_NEVER;
    }
    RECOUP_ASSERT(writer->durable <= writer->complete || writer->hole);
    return recoup__later(writer->file_ns, RECOUP__ROLL_AGE_NS);
}

void recoup__writer_timer(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    note_ticks(store, now_ns, true);
    RECOUP_ASSERT(writer->tick_ns > now_ns);
    if (writer->waits_deadline_ns <= now_ns) {
        recoup__waits_timer(store, now_ns);
    }
    if (writer->linger && writer->linger_ns <= now_ns && !store->io.busy && writer->queue.n == 0) {
        end_linger(store);
    } else if (roll_deadline(store) <= now_ns) {
        request_close(store, true);
    }
    if (writer->checkpoint_retry_ns <= now_ns) {
        writer->checkpoint_retry_ns = RECOUP_NEVER;
    }
    if (writer->retry_ns <= now_ns && store->state == RECOUP__STORE_OPEN && !writer->file_open
        && !store->io.busy && writer->pending == 0) {
        recoup__rearm(store, now_ns);
    }
    RECOUP_ASSERT(writer->waits_deadline_ns > now_ns);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t recoup__writer_deadline(const struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;
    bool free = !store->io.busy && writer->pending == 0;
    int64_t deadline = earlier(writer->waits_deadline_ns, recoup__checkpoint_deadline(store));

    RECOUP_ASSERT(RECOUP_ERGO(writer->linger, writer->file_open || !free));
    if (free && writer->queue.n == 0) {
        deadline = earlier(deadline, has_work_for_tick(writer) ? writer->tick_ns : RECOUP_NEVER);
        deadline = earlier(deadline, writer->linger ? writer->linger_ns : RECOUP_NEVER);
        deadline = earlier(deadline, roll_deadline(store));
    }
    if (free && !writer->file_open && !store->reopening) {
        deadline = earlier(deadline, writer->retry_ns);
    }
    return deadline;
}
