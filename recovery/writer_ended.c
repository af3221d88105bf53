// SPDX-License-Identifier: Apache-2.0
//
// Ends of operations: what they mean for the file, for the buffer and for what is durable.
#include "recovery/writer.h"

#include <string.h>

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
            recoup__front_finish(store, (task->flags & RECOUP__TASK_WAITING) != 0
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
    writer->pending = RECOUP__PENDING_CLOSE;
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
