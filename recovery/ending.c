// SPDX-License-Identifier: Apache-2.0
//
// How a store ends: states STOPPING and WIPING. One step follows on the other, whenever no
// operation is under way and the writer has nothing left:
//
//   keep           write - close - done
//   clear, wipe    write - close - remove everything - directory - done
//
// Under policy event-store.fencing nothing is removed before a look at who leads, and nothing of an
// ended job before its end is durable:
//
//   wipe    write - look - close - remove - directory - done
//   clear   write - ENDED, durable - look - remove all others - barrier - last - directory - done
//
// ENDED stands alone in a file of its own, which goes last: whoever finds a part of the log finds
// that it is over. The barrier makes the removals durable before that of this file.
#include <string.h>

#include "recovery/fence.h"

// True if the end is recorded before anything is removed.
static bool records_end(const struct recoup__store *store)
{
    RECOUP_ASSERT(store->ending <= RECOUP__ENDING_DONE);
    return store->state == RECOUP__STORE_STOPPING && store->clear && recoup__fences(store);
}

void recoup__ending_begin(struct recoup__store *store, bool clear)
{
    // STOP may come while a wipe is under way.
    RECOUP_ASSERT(RECOUP_ERGO(store->removing, store->state == RECOUP__STORE_WIPING));
    RECOUP_ASSERT(RECOUP_ERGO(store->removing, store->io.busy));
    store->clear = clear;
    store->ending = RECOUP__ENDING_WRITE;
    store->remove_next = 0;
    store->end_error = 0;
    store->end_sequence = 0;
    store->end_durable = false;
}

static enum recoup__ending after_write(struct recoup__store *store)
{
    const struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(store->ending == RECOUP__ENDING_WRITE);
    if (store->state == RECOUP__STORE_STOPPING && !store->clear) {
        return RECOUP__ENDING_CLOSE;
    }
    if (!recoup__fences(store)) {
        return RECOUP__ENDING_CLOSE;
    }
    if (writer->refused && writer->lost_error == RECOUP_EFENCED) {
        store->end_error = RECOUP_EFENCED;
        return RECOUP__ENDING_CLOSE;
    }
    return records_end(store) ? RECOUP__ENDING_RECORD : RECOUP__ENDING_LOOK;
}

static void record_end(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;
    struct recoup__record record = {.type = RECOUP__RECORD_ENDED};

    RECOUP_ASSERT(writer->queue.n == 0);
    RECOUP_ASSERT(!store->io.busy && writer->pending == 0);
    if (!writer->started) {
        recoup__writer_start(store, store->now_ns);
    }
    store->end_error = 0;  // what could not be written before does not matter any more
    writer->accepting = true;
    recoup__writer_control(store, store->now_ns, &record,
                           RECOUP__TASK_NEW_FILE | RECOUP__WRITE_DURABLE);
    store->end_sequence = writer->sequence;
    recoup__writer_pump(store, store->now_ns);
}

static enum recoup__ending after_record(struct recoup__store *store)
{
    RECOUP_ASSERT(store->ending == RECOUP__ENDING_RECORD);
    if (store->end_durable) {
        return RECOUP__ENDING_LOOK;
    }
    store->end_error = store->end_error == 0 ? RECOUP_EIO : store->end_error;
    return RECOUP__ENDING_CLOSE;
}

// True if files[i] holds ENDED.
static bool is_last(const struct recoup__store *store, uint32_t i)
{
    RECOUP_ASSERT(i < store->n_files);
    return store->end_sequence != 0 && i == store->writer.file;
}

static void issue_removal(struct recoup__store *store, enum recoup_action_type type,
                          const struct recoup__file *file)
{
    RECOUP_ASSERT(type == RECOUP_ACTION_REMOVE || type == RECOUP_ACTION_SYNC);
    RECOUP_ASSERT(!store->io.busy);
    store->removing = true;
    recoup__store_issue(store, type, file);
}

// The next file, or the next step when none is left. Without ENDED a file that cannot be removed
// does not save the others (Flink).
static enum recoup__ending remove_next(struct recoup__store *store)
{
    RECOUP_ASSERT(store->ending == RECOUP__ENDING_REMOVE);
    if (store->end_error != 0 && records_end(store)) {
        return RECOUP__ENDING_CLOSE;  // ENDED must not go before the rest
    }
    if (store->remove_next < store->n_files && is_last(store, store->remove_next)) {
        store->remove_next++;
    }
    if (store->remove_next < store->n_files) {
        issue_removal(store, RECOUP_ACTION_REMOVE, &store->files[store->remove_next++]);
        return RECOUP__ENDING_REMOVE;
    }
    return records_end(store) ? RECOUP__ENDING_BARRIER : RECOUP__ENDING_DIRECTORY;
}

// What follows on a step that has been done.
static enum recoup__ending next_step(struct recoup__store *store)
{
    bool removes = store->state == RECOUP__STORE_WIPING || store->clear;
    bool safe = store->end_error == 0 || !recoup__fences(store);

    RECOUP_ASSERT(store->ending < RECOUP__ENDING_DONE);
    switch ((unsigned)store->ending) {
    case RECOUP__ENDING_WRITE:
        return after_write(store);
    case RECOUP__ENDING_RECORD:
        return after_record(store);
    case RECOUP__ENDING_LOOK:
        return store->end_error == 0 && records_end(store) ? RECOUP__ENDING_REMOVE
                                                           : RECOUP__ENDING_CLOSE;
    case RECOUP__ENDING_CLOSE:
        return removes && safe ? RECOUP__ENDING_REMOVE : RECOUP__ENDING_DONE;
    case RECOUP__ENDING_REMOVE:
        return remove_next(store);
    case RECOUP__ENDING_BARRIER:
        return store->end_error == 0 ? RECOUP__ENDING_LAST_CLOSE : RECOUP__ENDING_CLOSE;
    case RECOUP__ENDING_LAST_CLOSE:
        return store->end_error == 0 ? RECOUP__ENDING_LAST : RECOUP__ENDING_DONE;
    case RECOUP__ENDING_LAST:
        return safe ? RECOUP__ENDING_DIRECTORY : RECOUP__ENDING_DONE;
    default:
        return RECOUP__ENDING_DONE;
    }
}

// Begins a step: issues its operation, if it has one.
static void enter(struct recoup__store *store)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(!store->io.busy);
    RECOUP_ASSERT(store->ending > RECOUP__ENDING_WRITE);
    switch ((unsigned)store->ending) {
    case RECOUP__ENDING_RECORD:
        record_end(store);
        break;
    case RECOUP__ENDING_LOOK:
        recoup__store_issue(store, RECOUP_ACTION_LIST, NULL);
        break;
    case RECOUP__ENDING_BARRIER:
        if (writer->file_open && store->storage.durable_at == RECOUP_DURABLE_AT_SYNC) {
            issue_removal(store, RECOUP_ACTION_SYNC, &store->files[writer->file]);
        }
        break;
    case RECOUP__ENDING_CLOSE:
    case RECOUP__ENDING_LAST_CLOSE:
        if (writer->file_open) {
            recoup__writer_request_close(store);
            recoup__writer_pump(store, store->now_ns);
        }
        break;
    case RECOUP__ENDING_LAST:
        issue_removal(store, RECOUP_ACTION_REMOVE, &store->files[writer->file]);
        break;
    case RECOUP__ENDING_DIRECTORY:
        issue_removal(store, RECOUP_ACTION_REMOVE, NULL);
        break;
    default:
        break;
    }
}

// Everything is done: opens anew, or has stopped.
static void finish(struct recoup__store *store)
{
    int error = store->end_error;

    RECOUP_ASSERT(store->ending == RECOUP__ENDING_DONE);
    store->writer.accepting = false;
    if (store->state == RECOUP__STORE_STOPPING) {
        recoup__store_move(store, RECOUP__STORE_STOPPED);
        return;
    }
    if (error != 0) {
        // What could not be removed would be taken for a log again.
        store->reader.opened.result = RECOUP__OPENED_FAILED;
        store->reader.opened.error = error;
        recoup__store_move(store, RECOUP__STORE_FAILED);
        return;
    }
    store->n_files = 0;
    store->n_extents = 0;
    recoup__store_move(store, RECOUP__STORE_OPENING);
    recoup__reader_start(store);
}

void recoup__ending_go_on(struct recoup__store *store)
{
    RECOUP_ASSERT(store->state == RECOUP__STORE_WIPING || store->state == RECOUP__STORE_STOPPING);
    // Each turn goes on to a later step or issues an operation, so there are few.
    while (recoup__writer_idle(store) && store->ending != RECOUP__ENDING_DONE) {
        enum recoup__ending before = store->ending;

        store->ending = next_step(store);
        if (store->ending != before) {
            enter(store);
        }
    }
    if (store->ending == RECOUP__ENDING_DONE && recoup__writer_idle(store)) {
        finish(store);
    }
}

void recoup__ending_removed(struct recoup__store *store, int error)
{
    bool foreign = store->ending == RECOUP__ENDING_DIRECTORY && error == RECOUP_EEXIST
                   && recoup__fences(store);

    RECOUP_ASSERT(store->removing);
    store->removing = false;
    // A directory with somebody else's files in it stays. What a wipe that STOP cut short could not
    // remove says nothing of the end.
    if (store->end_error == 0 && !foreign && store->ending != RECOUP__ENDING_WRITE) {
        store->end_error = error;
    }
    RECOUP_ASSERT(!store->io.busy);
}

void recoup__ending_looked(struct recoup__store *store, int error)
{
    RECOUP_ASSERT(store->ending == RECOUP__ENDING_LOOK);
    RECOUP_ASSERT(!store->io.busy);
    store->end_error = error;
}
