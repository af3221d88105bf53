// SPDX-License-Identifier: Apache-2.0
//
// When the writer goes on by itself. The flush timer ticks at origin + k * interval; a tick matters
// only if something was written since the one before, so only the next one that matters is kept.
#include "recovery/writer.h"

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
void recoup__writer_note_ticks(struct recoup__store *store, int64_t now_ns, bool inclusive)
{
    struct recoup__writer *writer = &store->writer;
    int64_t interval = store->options->flush_interval_ns;

    if (writer->tick_ns > now_ns || (writer->tick_ns == now_ns && !inclusive)) {
        return;
    }
    RECOUP_ASSERT(writer->started);
    writer->tail_tick = has_work_for_tick(writer);
    // A tick at `now_ns` itself is done only when it is included: what is written at its instant is
    // still in time for it.
    int64_t last_ns = inclusive ? now_ns : now_ns - 1;
    RECOUP_ASSERT(last_ns >= writer->origin_ns);
    // Mostly it is the very tick that was waited for, which needs no division.
    bool same = last_ns - writer->tick_ns < interval && writer->tick_ns < RECOUP_NEVER - 1;
    writer->tick_done_ns =
        same ? writer->tick_ns : last_ns - (last_ns - writer->origin_ns) % interval;
    writer->tick_ns = RECOUP_NEVER;
    RECOUP_ASSERT(writer->tick_done_ns <= now_ns);
}

// Something was just put into the queue or the buffer: from now on the next tick matters.
void recoup__writer_want_tick(struct recoup__store *store, int64_t now_ns)
{
    struct recoup__writer *writer = &store->writer;

    if (writer->tick_ns == RECOUP_NEVER) {
        int64_t interval = store->options->flush_interval_ns;

        RECOUP_ASSERT(now_ns >= writer->tick_done_ns);
        writer->tick_ns = now_ns - writer->tick_done_ns <= interval
                              ? recoup__later(writer->tick_done_ns, interval)
                              : tick_at(store, now_ns);
    }
    RECOUP_ASSERT(writer->tick_ns >= now_ns);
}

void recoup__writer_enter(struct recoup__store *store, int64_t now_ns)
{
    RECOUP_ASSERT(now_ns >= 0);
    recoup__writer_note_ticks(store, now_ns, false);
    RECOUP_ASSERT(store->writer.tick_ns >= now_ns);
}

void recoup__writer_leave(struct recoup__store *store, int64_t now_ns)
{
    RECOUP_ASSERT(now_ns >= 0);
    if (has_work_for_tick(&store->writer)) {
        recoup__writer_want_tick(store, now_ns);
    }
    RECOUP_ASSERT(store->writer.buffer.used <= store->writer.buffer.capacity);
}

// ---------------------------------------------------------------------------------------------

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

    recoup__writer_note_ticks(store, now_ns, true);
    RECOUP_ASSERT(writer->tick_ns > now_ns);
    if (writer->waits_deadline_ns <= now_ns) {
        recoup__waits_timer(store, now_ns);
    }
    if (writer->linger && writer->linger_ns <= now_ns && !store->io.busy && writer->queue.n == 0) {
        recoup__writer_end_linger(store);
    } else if (roll_deadline(store) <= now_ns) {
        recoup__request_close(store, true);
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
