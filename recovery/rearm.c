// SPDX-License-Identifier: Apache-2.0
//
// Taking recording up again after an error (policy event-store.on-error = rearm): when, and what
// comes first. Under fencing a look at who leads; where the store could never be opened, another
// opening; then a checkpoint of the whole job in a new file.
#include "recovery/fence.h"

// The next time at which recording is taken up again.
void recoup__rearm_later(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(!writer->refused);
    writer->retry_ns = recoup__later(now_ns, writer->backoff_ns);
    writer->backoff_ns = writer->backoff_ns >= RECOUP__BACKOFF_LAST_NS / 2
                             ? RECOUP__BACKOFF_LAST_NS
                             : writer->backoff_ns * 2;
    RECOUP_ASSERT(writer->retry_ns > now_ns);
}

void recoup__writer_unread(struct recoup__store *store, int64_t now_ns, int error)
{
    struct recoup__writer *writer = &store->writer;
    bool again = writer->lost_error != 0;

    RECOUP_ASSERT(!writer->accepting && !writer->protecting);
    RECOUP_ASSERT(store->state == RECOUP__STORE_OPEN);
    writer->lost_ns = again ? writer->lost_ns : now_ns;
    writer->protection_ns = again ? writer->protection_ns : now_ns;
    writer->interruptions += again ? 0 : 1;
    if (!again || error == RECOUP_EFENCED) {
        recoup__writer_say_lost(store, error);
    }
    writer->lost_error = error;
    writer->hole = true;
    writer->incarnation = recoup__store_wants_incarnation(store);
    if (error == RECOUP_EFENCED) {
        writer->refused = true;
    } else {
        recoup__rearm_later(store, now_ns);
    }
}

void recoup__writer_say_lost(struct recoup__store *store, int error)
{
    RECOUP_ASSERT(error != 0);
    RECOUP_ASSERT(!store->writer.protecting);
    recoup__actions_push(store->actions, RECOUP_ACTION_PROTECTION_LOST)->protection_lost.error =
        error;
}

void recoup__rearm(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    RECOUP_ASSERT(!writer->refused && !writer->accepting);
    RECOUP_ASSERT(!store->io.busy && !writer->file_open);
    writer->retry_ns = RECOUP_NEVER;
    if (store->reader.opened.result == RECOUP__OPENED_UNREAD && writer->sequence == 0) {
        recoup__reader_again(store, now_ns);
    } else if (recoup__fences(store)) {
        writer->rearm_look = true;
        recoup__store_issue(store, RECOUP_ACTION_LIST, NULL);
    } else {
        recoup__checkpoint_start(store, now_ns, true);
    }
}

void recoup__writer_looked(struct recoup__store *store, int64_t now_ns,
                           const struct recoup_event *event)
{
    struct recoup__writer *writer = &store->writer;
    int error = recoup__fence_listed(store, event);
    bool rearms = writer->rearm_look;

    RECOUP_ASSERT(store->state == RECOUP__STORE_OPEN);
    RECOUP_ASSERT(!store->io.busy);
    writer->rearm_look = false;
    if (error == RECOUP_EFENCED && writer->accepting) {
        recoup__writer_fail(store, now_ns, error, false);
    } else if (error == RECOUP_EFENCED) {
        recoup__writer_say_lost(store, error);
        writer->lost_error = error;
        writer->refused = true;
        writer->retry_ns = RECOUP_NEVER;
    } else if (rearms && error != 0) {
        recoup__rearm_later(store, now_ns);
    } else if (rearms) {
        recoup__checkpoint_start(store, now_ns, true);
    } else if (error != 0) {
        writer->remove_end = 0;  // the next checkpoint tries again
    } else {
        writer->remove_looked = writer->remove_end > 0;
    }
}
