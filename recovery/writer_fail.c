// SPDX-License-Identifier: Apache-2.0
//
// Recording stops: what is lost then, and what becomes of the file.
#include "recovery/writer.h"

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
        recoup__request_close(store, false);
    } else if (!store->io.busy) {
        writer->buffer.used = 0;
        writer->pending = writer->file_open ? RECOUP__PENDING_CLOSE : 0;
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
