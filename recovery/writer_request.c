// SPDX-License-Identifier: Apache-2.0
//
// Requests: which operations have to come before the next record is looked at, and in which order
// they are issued.
#include "recovery/writer.h"

#include <string.h>

#include "recovery/fence.h"

void recoup__request_flush(struct recoup__writer *writer)
{
    RECOUP_ASSERT(RECOUP_ERGO(writer->buffer.used > 0 || writer->unflushed, writer->file_open));
    if (writer->buffer.used > 0) {
        writer->pending |= RECOUP__PENDING_APPEND | RECOUP__PENDING_FLUSH;
    } else if (writer->format.contiguous && writer->unflushed) {
        // Flink forgets to flush what has passed by its buffer (H14); here the mark follows the
        // bytes.
        writer->pending |= RECOUP__PENDING_FLUSH;
    }
    RECOUP_ASSERT(
        RECOUP_ERGO((writer->pending & RECOUP__PENDING_APPEND) != 0, writer->buffer.used > 0));
}

static void request_sync(struct recoup__writer *writer)
{
    recoup__request_flush(writer);
    if (writer->unflushed) {
        writer->pending |= RECOUP__PENDING_FLUSH;
    }
    if (writer->buffer.used > 0 || writer->unsynced) {
        writer->pending |= RECOUP__PENDING_SYNC;
    }
    RECOUP_ASSERT(RECOUP_ERGO((writer->pending & RECOUP__PENDING_SYNC) != 0, writer->file_open));
}

void recoup__request_close(struct recoup__store *store, bool durably)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->file_open);
    // Nothing of a checkpoint may be closed before it is durable: its end stands for all of it.
    durably = durably || writer->linger || writer->checkpoint != RECOUP__CHECKPOINT_NONE
              || recoup__store_policy(store, RECOUP_POLICY_SYNC) != 0;
    if (durably && store->storage.durable_at == RECOUP_DURABLE_AT_SYNC) {
        request_sync(writer);
    } else {
        recoup__request_flush(writer);
    }
    writer->pending |= RECOUP__PENDING_CLOSE;
    writer->linger = false;
    writer->linger_close = false;
}

void recoup__writer_request_close(struct recoup__store *store)
{
    RECOUP_ASSERT(store->writer.queue.n == 0);
    RECOUP_ASSERT(!store->io.busy);
    if (store->writer.file_open) {
        recoup__request_close(store, false);
    }
}

// Everything written so far is to become durable.
void recoup__request_durable(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->file_open);
    switch (store->storage.durable_at) {
    case RECOUP_DURABLE_AT_FLUSH:
        recoup__request_flush(writer);
        if (writer->unflushed) {
            writer->pending |= RECOUP__PENDING_FLUSH;
        }
        break;
    case RECOUP_DURABLE_AT_SYNC:
        request_sync(writer);
        break;
    case RECOUP_DURABLE_AT_CLOSE:
    default:
        recoup__request_close(store, true);
        break;
    }
    RECOUP_ASSERT(RECOUP_ERGO(writer->buffer.used > 0, writer->pending != 0));
}

// What lingers is done now: the close of a stage end, or the flush of what belongs to it.
void recoup__writer_end_linger(struct recoup__store *store)
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
        recoup__request_close(store, true);
    } else {
        recoup__request_durable(store);
    }
    RECOUP_ASSERT(!writer->linger);
}

// ---------------------------------------------------------------------------------------------

// The index of files that the next file to be created will have. A name whose creation failed is
// used again: if its number were given up, the reader would miss a file that never was.
uint32_t recoup__writer_next_file(const struct recoup__store *store)
{
    bool again = store->n_files > 0 && store->files[store->n_files - 1].failed;

    RECOUP_ASSERT(RECOUP_ERGO(again, store->files[store->n_files - 1].own));
    RECOUP_ASSERT(RECOUP_ERGO(again, store->storage.create_exclusive));
    return store->n_files - (again ? 1 : 0);
}

void recoup__writer_create(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__file *file = &store->files[recoup__writer_next_file(store)];

    RECOUP_ASSERT(!writer->file_open);
    if (recoup__writer_next_file(store) < store->n_files) {
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

        bytes = recoup__front_bytes(store, wait, &size) + writer->head_offset;
        size = recoup__front_chunk_end(&writer->format, writer->head_offset, size)
               - writer->head_offset;
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

        (void)recoup__front_bytes(store, wait, &whole);
        if (writer->head_offset + size == whole) {
            action->io.event_last = task->sequence;
        }
    }
    store->io.size = size;
    store->io.direct = direct;
    store->io.event_last = action->io.event_last;
}

// Issues the first pending operation.
void recoup__writer_issue_pending(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(writer->pending != 0);
    RECOUP_ASSERT(!store->io.busy);
    writer->since_removal++;
    if ((writer->pending & RECOUP__PENDING_CREATE) != 0) {
        writer->pending &= ~RECOUP__PENDING_CREATE;
        recoup__writer_create(store);
        return;
    }
    if ((writer->pending & (RECOUP__PENDING_APPEND | RECOUP__PENDING_DIRECT)) != 0) {
        bool direct = (writer->pending & RECOUP__PENDING_APPEND) == 0;

        writer->pending &= direct ? ~RECOUP__PENDING_DIRECT : ~RECOUP__PENDING_APPEND;
        issue_append(store, direct);
        return;
    }
    if ((writer->pending & RECOUP__PENDING_FLUSH) != 0) {
        writer->pending &= ~RECOUP__PENDING_FLUSH;
        recoup__store_issue(store, RECOUP_ACTION_FLUSH, &store->files[writer->file]);
        return;
    }
    if ((writer->pending & RECOUP__PENDING_SYNC) != 0) {
        writer->pending &= ~RECOUP__PENDING_SYNC;
        recoup__store_issue(store, RECOUP_ACTION_SYNC, &store->files[writer->file]);
        return;
    }
    RECOUP_ASSERT(writer->pending == RECOUP__PENDING_CLOSE);
    writer->pending &= ~RECOUP__PENDING_CLOSE;
    recoup__store_issue(store, RECOUP_ACTION_CLOSE, &store->files[writer->file]);
}

// The next operation of a removal: a look at who leads, then one file after the other.
void recoup__writer_issue_remove(struct recoup__store *store)
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
